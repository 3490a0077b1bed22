/* crypto: X25519. */
#include "tests/support/crypto_unit.h"

#include <openssl/err.h>

#include "crypto/dh.h"

static void read_key(const char *text, uint8_t key[CRYPTO_DH_LEN])
{
    struct signet_buf bytes = from_hex(text);

    CHECK(bytes.len == CRYPTO_DH_LEN);
    memcpy(key, bytes.ptr, CRYPTO_DH_LEN);
    signet_buf_free(&bytes);
}

static void check_agrees(
    struct signet_library *library, const char *scalar, const char *point, const char *shared_text)
{
    struct crypto_dh_private ours;
    struct crypto_dh_public theirs;
    struct crypto_dh_shared shared;

    read_key(scalar, ours.k);
    read_key(point, theirs.k);
    CHECK_OK(crypto_dh_agree(library, &ours, &theirs, &shared));
    CHECK_HEX(signet_span_of(shared.k, sizeof(shared.k)), shared_text);
}

/* RFC 7748, section 5.2; the second point has its unused top bit set. */
static void dh_gives_the_known_answers(void **state)
{
    check_agrees(*state, "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    check_agrees(*state, "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

/* RFC 7748, section 5.2: the iterated example. */
static void dh_gives_the_known_answer_after_a_thousand_rounds(void **state)
{
    struct crypto_dh_private k = {{9}};
    struct crypto_dh_public u = {{9}};
    struct crypto_dh_shared shared;

    for (int i = 1; i <= 1000; i++) {
        CHECK_OK(crypto_dh_agree(*state, &k, &u, &shared));
        memcpy(u.k, k.k, sizeof(u.k));
        memcpy(k.k, shared.k, sizeof(k.k));
        if (i == 1)
            CHECK_HEX(signet_span_of(k.k, sizeof(k.k)),
                "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
    CHECK_HEX(signet_span_of(k.k, sizeof(k.k)),
        "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

static void dh_pairs_agree_and_differ(void **state)
{
    struct crypto_dh_pair alice;
    struct crypto_dh_pair bob;
    struct crypto_dh_shared at_alice;
    struct crypto_dh_shared at_bob;

    CHECK_OK(crypto_dh_generate(*state, &alice));
    CHECK_OK(crypto_dh_generate(*state, &bob));
    assert_memory_not_equal(&alice, &bob, sizeof(alice));
    CHECK_OK(crypto_dh_agree(*state, &alice.private_key, &bob.public_key, &at_alice));
    CHECK_OK(crypto_dh_agree(*state, &bob.private_key, &alice.public_key, &at_bob));
    assert_memory_equal(&at_alice, &at_bob, sizeof(at_bob));
}

/* RFC 7748, section 6.1: an all-zero result comes of a point of low order. These are all encodings
 * of all of them; each is refused with the unused top bit set too. */
static void dh_refuses_every_point_of_low_order(void **state)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    static const uint8_t zeros[CRYPTO_DH_LEN];
    struct crypto_dh_pair pair;
    struct crypto_dh_public theirs;
    struct crypto_dh_shared shared;

    CHECK_OK(crypto_dh_generate(*state, &pair));
    for (size_t i = 0; i < 2 * sizeof(points) / sizeof(points[0]); i++) {
        read_key(points[i / 2], theirs.k);
        theirs.k[CRYPTO_DH_LEN - 1] |= i % 2 == 0 ? 0 : 0x80;
        memset(&shared, 0xff, sizeof(shared));
        CHECK_ERR(crypto_dh_agree(*state, &pair.private_key, &theirs, &shared), SIGNET_ERR_KEY);
        assert_memory_equal(shared.k, zeros, sizeof(zeros));
        CHECK(ERR_peek_error() == 0);
    }
}

TEST_FILE(crypto_dh)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dh_gives_the_known_answers),
        cmocka_unit_test(dh_gives_the_known_answer_after_a_thousand_rounds),
        cmocka_unit_test(dh_pairs_agree_and_differ),
        cmocka_unit_test(dh_refuses_every_point_of_low_order),
    };

    return cmocka_run_group_tests_name("crypto_dh", tests, library_setup, library_teardown);
}
