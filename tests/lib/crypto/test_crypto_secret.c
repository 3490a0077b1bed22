/* crypto: memory for secrets, wiping, comparison, randomness. */
#include "tests/support/crypto_unit.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "crypto/dh.h"
#include "crypto/secret.h"
#include "tests/support/key_pool.h"

/* Private keys live in the secure heap. */
static void secrets_come_zeroed_from_the_secure_heap(void **state)
{
    static const uint8_t zeros[100];
    size_t before = CRYPTO_secure_used();
    uint8_t *secret = crypto_secret_alloc(sizeof(zeros));

    (void)state;
    CHECK(CRYPTO_secure_malloc_initialized() == 1);
    CHECK(secret != NULL);
    CHECK(CRYPTO_secure_allocated(secret) == 1);
    CHECK(CRYPTO_secure_used() > before);
    assert_memory_equal(secret, zeros, sizeof(zeros));
    memset(secret, 0xa5, sizeof(zeros));
    crypto_secret_free(secret, sizeof(zeros));
    CHECK(CRYPTO_secure_used() == before);
    secret = crypto_secret_alloc(sizeof(zeros));
    assert_memory_equal(secret, zeros, sizeof(zeros));
    crypto_secret_free(secret, sizeof(zeros));
    crypto_secret_free(NULL, 0);
}

/* secret.h: NULL when there is none left; never a block of the ordinary heap. */
static void secrets_are_refused_when_the_secure_heap_is_full(void **state)
{
    enum { COUNT = 16, LEN = 1 << 20 };
    uint8_t *secrets[COUNT];
    size_t given = 0;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        secrets[i] = crypto_secret_alloc(LEN);
        CHECK(secrets[i] == NULL || CRYPTO_secure_allocated(secrets[i]) == 1);
        given += secrets[i] != NULL;
    }
    CHECK(given >= 1 && given <= 8);
    CHECK(secrets[COUNT - 1] == NULL);
    CHECK(ERR_peek_error() == 0);
    for (size_t i = 0; i < COUNT; i++)
        crypto_secret_free(secrets[i], LEN);
}

/* A key read from its file has at least d, p, q and the three CRT values there. */
static void private_rsa_keys_live_in_the_secure_heap(void **state)
{
    size_t before = CRYPTO_secure_used();
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);

    CHECK(CRYPTO_secure_used() >= before + 256 + 5 * 128);
    crypto_rsa_private_free(key);
    CHECK(CRYPTO_secure_used() == before);
}

static void generated_rsa_keys_live_in_the_secure_heap(void **state)
{
    struct crypto_rsa_private *key = NULL;
    uint8_t byte;
    size_t before;

    CHECK_OK(crypto_random_secret(*state, &byte, 1)); /* the generator keeps its state there too */
    before = CRYPTO_secure_used();
    CHECK_OK(crypto_rsa_generate(*state, 2048, &key));
    CHECK(CRYPTO_secure_used() >= before + 256 + 5 * 128);
    crypto_rsa_private_free(key);
    CHECK(CRYPTO_secure_used() == before);
}

static void wipe_zeroes(void **state)
{
    static const uint8_t zeros[32];
    uint8_t secret[32];

    (void)state;
    memset(secret, 7, sizeof(secret));
    crypto_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, zeros, sizeof(zeros));
    crypto_wipe(NULL, 0);
}

static void equal_compares_lengths_and_every_byte(void **state)
{
    uint8_t a[32] = {1};
    uint8_t b[32] = {1};

    (void)state;
    CHECK(crypto_equal(signet_span_of(a, sizeof(a)), signet_span_of(b, sizeof(b))));
    CHECK(!crypto_equal(signet_span_of(a, sizeof(a)), signet_span_of(b, sizeof(b) - 1)));
    CHECK(crypto_equal(signet_span_of(NULL, 0), signet_span_of(a, 0)));
    for (size_t bit = 0; bit < sizeof(b) * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
        CHECK(!crypto_equal(signet_span_of(a, sizeof(a)), signet_span_of(b, sizeof(b))));
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void random_bytes_differ_and_fill_the_place(void **state)
{
    static const uint8_t zeros[8];
    uint8_t a[64] = {0};
    uint8_t b[64] = {0};

    CHECK_OK(crypto_random_secret(*state, a, sizeof(a)));
    CHECK_OK(crypto_random_public(*state, b, sizeof(b)));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a + sizeof(a) - sizeof(zeros), zeros, sizeof(zeros));
    assert_memory_not_equal(b + sizeof(b) - sizeof(zeros), zeros, sizeof(zeros));
}

TEST_FILE(crypto_secret)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_come_zeroed_from_the_secure_heap),
        cmocka_unit_test(secrets_are_refused_when_the_secure_heap_is_full),
        cmocka_unit_test(private_rsa_keys_live_in_the_secure_heap),
        cmocka_unit_test(generated_rsa_keys_live_in_the_secure_heap),
        cmocka_unit_test(wipe_zeroes),
        cmocka_unit_test(equal_compares_lengths_and_every_byte),
        cmocka_unit_test(random_bytes_differ_and_fill_the_place),
    };

    return cmocka_run_group_tests_name("crypto_secret", tests, library_setup, library_teardown);
}
