/* tests/support/seeded_library: what the tests of protocol and the simulation draw from. */
#include "tests/support/unit.h"

#include "crypto/dh.h"
#include "crypto/secret.h"
#include "tests/support/seeded_library.h"

struct drawn {
    uint8_t public_bytes[40], secret_bytes[40];
    struct crypto_dh_pair pair;
};

static struct drawn draw(uint64_t seed)
{
    struct seeded_library seeded = seeded_library_new(seed);
    struct drawn drawn;

    CHECK_OK(crypto_random_public(seeded.library, drawn.public_bytes, 40));
    CHECK_OK(crypto_random_secret(seeded.library, drawn.secret_bytes, 40));
    CHECK_OK(crypto_dh_generate(seeded.library, &drawn.pair));
    CHECK(seeded_library_drawn(&seeded) == 40 + 40 + CRYPTO_DH_LEN);
    seeded_library_free(&seeded);
    return drawn;
}

/* signet/library.h: randomness comes from the OSSL_LIB_CTX that the library was given. */
static void one_seed_gives_the_same_bytes_and_keys(void **state)
{
    struct drawn one = draw(7), same = draw(7), other = draw(8);

    (void)state;
    assert_memory_equal(&one, &same, sizeof(one));
    assert_memory_not_equal(&one.pair, &other.pair, sizeof(one.pair));
    assert_memory_not_equal(one.public_bytes, one.secret_bytes, 40);
}

TEST_FILE(seeded_library)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_seed_gives_the_same_bytes_and_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
