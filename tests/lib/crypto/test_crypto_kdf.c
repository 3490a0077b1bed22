/* crypto: HKDF-SHA-256 and scrypt. */
#include "tests/support/crypto_unit.h"

#include "crypto/kdf.h"

struct hkdf_case {
    const char *secret, *salt, *info, *prk, *okm;
};

/* RFC 5869, appendix A, test cases 1 to 3. */
static const struct hkdf_case hkdf_cases[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9", "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
     "404142434445464748494a4b4c4d4e4f",
        "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
        "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
        "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
        "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

static void check_case(struct signet_library *library, const struct hkdf_case *one)
{
    struct signet_buf secret = from_hex(one->secret);
    struct signet_buf salt = from_hex(one->salt);
    struct signet_buf info = from_hex(one->info);
    size_t len = strlen(one->okm) / 2;
    struct crypto_prk prk;
    uint8_t okm[128];

    CHECK_OK(crypto_hkdf_extract(library, signet_buf_span(&salt), signet_buf_span(&secret), &prk));
    CHECK_HEX(signet_span_of(prk.k, sizeof(prk.k)), one->prk);
    /* Wherever the info is cut into label and context, it is the same info. */
    for (size_t cut = 0; cut <= info.len; cut++) {
        memset(okm, 0, sizeof(okm));
        CHECK_OK(crypto_hkdf_expand(library, &prk, signet_span_of(info.ptr, cut),
            signet_span_from(signet_buf_span(&info), cut), (struct crypto_out){okm, len}));
        CHECK_HEX(signet_span_of(okm, len), one->okm);
    }
    signet_buf_free(&secret);
    signet_buf_free(&salt);
    signet_buf_free(&info);
}

static void hkdf_gives_the_known_answers(void **state)
{
    for (size_t i = 0; i < sizeof(hkdf_cases) / sizeof(hkdf_cases[0]); i++)
        check_case(*state, &hkdf_cases[i]);
}

/* RFC 5869, section 2.3: L <= 255 * HashLen. */
static void expand_refuses_lengths_it_cannot_give_and_zeroes_the_place(void **state)
{
    static uint8_t out[CRYPTO_EXPAND_MAX + 1];
    static const uint8_t zeros[CRYPTO_EXPAND_MAX + 1];
    const struct crypto_prk prk = {{1}};
    signet_span label = signet_span_str("label");
    signet_span none = signet_span_of(NULL, 0);

    CHECK_ERR(crypto_hkdf_expand(*state, &prk, label, none, (struct crypto_out){out, 0}),
        SIGNET_ERR_ARGUMENT);
    CHECK_OK(
        crypto_hkdf_expand(*state, &prk, label, none, (struct crypto_out){out, CRYPTO_EXPAND_MAX}));
    CHECK(memcmp(out, zeros, CRYPTO_EXPAND_MAX) != 0);
    CHECK_ERR(crypto_hkdf_expand(*state, &prk, label, none, (struct crypto_out){out, sizeof(out)}),
        SIGNET_ERR_ARGUMENT);
    assert_memory_equal(out, zeros, sizeof(out));
}

/* RFC 7914 with N = 2^17, r = 8, p = 1; the value is libsodium's. */
static void scrypt_gives_the_known_answer(void **state)
{
    uint8_t out[64];

    CHECK_OK(
        crypto_scrypt(*state, signet_span_str("pleaseletmein"), signet_span_str("SodiumChloride"),
            CRYPTO_SCRYPT_LOG2_N, (struct crypto_out){out, sizeof(out)}));
    CHECK_HEX(signet_span_of(out, sizeof(out)),
        "2f10fcda14532d6543334cd899776407ff0ae879c370372de5b4e39d4d2d21ed"
        "cd5d7f191f94407a6f2e8a2430a1258f2e653c55e40531318baafdda82c60cd4");
}

/* An empty passphrase is one like others. */
static void scrypt_takes_an_empty_passphrase(void **state)
{
    uint8_t out[32];

    CHECK_OK(crypto_scrypt(*state, signet_span_of(NULL, 0), signet_span_str("SodiumChloride"),
        CRYPTO_SCRYPT_LOG2_N, (struct crypto_out){out, sizeof(out)}));
    CHECK_HEX(signet_span_of(out, sizeof(out)),
        "e3abee0664932eb098d1aa2eb29692276472f64eb14ace727a5764c3a1e32e48");
}

/* A planted store must neither weaken a passphrase nor exhaust memory. */
static void scrypt_refuses_costs_outside_its_bounds(void **state)
{
    static const unsigned refused[] = {0, 1, 14, 16, 23, 31, 32, 63, 64, 81, ~0U};
    uint8_t out[32];

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        CHECK_ERR(crypto_scrypt(*state, signet_span_str("pass"), signet_span_str("salt"),
                      refused[i], (struct crypto_out){out, sizeof(out)}),
            SIGNET_ERR_ARGUMENT);
}

TEST_FILE(crypto_kdf)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hkdf_gives_the_known_answers),
        cmocka_unit_test(expand_refuses_lengths_it_cannot_give_and_zeroes_the_place),
        cmocka_unit_test(scrypt_gives_the_known_answer),
        cmocka_unit_test(scrypt_takes_an_empty_passphrase),
        cmocka_unit_test(scrypt_refuses_costs_outside_its_bounds),
    };

    return cmocka_run_group_tests_name("crypto_kdf", tests, library_setup, library_teardown);
}
