/* crypto: SHA-256 and HMAC-SHA-256. */
#include "tests/support/crypto_unit.h"

#include "crypto/hash.h"

/* FIPS 180-4: the examples published with it. */
static void sha256_gives_the_known_answers(void **state)
{
    struct signet_id digest;

    CHECK_OK(crypto_sha256_one(*state, signet_span_of(NULL, 0), &digest));
    CHECK_HEX(signet_id_span(&digest),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_OK(crypto_sha256_one(*state, signet_span_str("abc"), &digest));
    CHECK_HEX(signet_id_span(&digest),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_OK(crypto_sha256_one(*state,
        signet_span_str("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), &digest));
    CHECK_HEX(signet_id_span(&digest),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void sha256_of_parts_is_that_of_their_concatenation(void **state)
{
    const signet_span parts[] = {
        signet_span_str("a"), signet_span_of(NULL, 0), signet_span_str("bc")};
    struct signet_id digest;

    CHECK_OK(crypto_sha256(*state, parts, 3, &digest));
    CHECK_HEX(signet_id_span(&digest),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_OK(crypto_sha256(*state, NULL, 0, &digest));
    CHECK_HEX(signet_id_span(&digest),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
static void hmac_gives_the_known_answers(void **state)
{
    uint8_t key[131];
    uint8_t mac[CRYPTO_MAC_LEN];

    memset(key, 0x0b, 20);
    CHECK_OK(crypto_hmac(*state, signet_span_of(key, 20), signet_span_str("Hi There"), mac));
    CHECK_HEX(signet_span_of(mac, sizeof(mac)),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK_OK(crypto_hmac(
        *state, signet_span_str("Jefe"), signet_span_str("what do ya want for nothing?"), mac));
    CHECK_HEX(signet_span_of(mac, sizeof(mac)),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    CHECK_OK(crypto_hmac(*state, signet_span_of(key, sizeof(key)),
        signet_span_str("Test Using Larger Than Block-Size Key - Hash Key First"), mac));
    CHECK_HEX(signet_span_of(mac, sizeof(mac)),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 2104: a key is filled up with zeros, so the empty one is a block of them. */
static void hmac_takes_an_empty_key_and_no_data(void **state)
{
    static const uint8_t zeros[64];
    uint8_t with_none[CRYPTO_MAC_LEN];
    uint8_t with_zeros[CRYPTO_MAC_LEN];

    CHECK_OK(crypto_hmac(*state, signet_span_of(NULL, 0), signet_span_of(NULL, 0), with_none));
    CHECK_HEX(signet_span_of(with_none, sizeof(with_none)),
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    CHECK_OK(crypto_hmac(
        *state, signet_span_of(zeros, sizeof(zeros)), signet_span_of(NULL, 0), with_zeros));
    assert_memory_equal(with_none, with_zeros, sizeof(with_none));
}

TEST_FILE(crypto_hash)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_known_answers),
        cmocka_unit_test(sha256_of_parts_is_that_of_their_concatenation),
        cmocka_unit_test(hmac_gives_the_known_answers),
        cmocka_unit_test(hmac_takes_an_empty_key_and_no_data),
    };

    return cmocka_run_group_tests_name("crypto_hash", tests, library_setup, library_teardown);
}
