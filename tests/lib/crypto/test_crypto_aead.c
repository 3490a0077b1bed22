/* crypto: AES-256-GCM. */
#include "tests/support/crypto_unit.h"

#include <stdlib.h>

#include <openssl/err.h>

#include "crypto/aead.h"

struct gcm_case {
    const char *key, *nonce, *ad, *plaintext, *sealed;
};

/* McGrew and Viega, The Galois/Counter Mode of Operation, test cases 13, 14 and 16. */
static const struct gcm_case gcm_cases[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
        "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
        "", "00000000000000000000000000000000",
        "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void check_case(struct signet_library *library, const struct gcm_case *one)
{
    struct signet_buf key_bytes = from_hex(one->key);
    struct signet_buf nonce = from_hex(one->nonce);
    struct signet_buf ad = from_hex(one->ad);
    struct signet_buf plaintext = from_hex(one->plaintext);
    struct signet_buf sealed = {0};
    struct signet_buf opened = {0};
    struct crypto_aead_key key;

    memcpy(key.key, key_bytes.ptr, sizeof(key.key));
    memcpy(key.nonce, nonce.ptr, sizeof(key.nonce));
    CHECK_OK(crypto_aead_seal(
        library, &key, signet_buf_span(&ad), signet_buf_span(&plaintext), &sealed));
    CHECK_HEX(signet_buf_span(&sealed), one->sealed);
    CHECK_OK(
        crypto_aead_open(library, &key, signet_buf_span(&ad), signet_buf_span(&sealed), &opened));
    CHECK(signet_span_equal(signet_buf_span(&opened), signet_buf_span(&plaintext)));
    signet_buf_free(&key_bytes);
    signet_buf_free(&nonce);
    signet_buf_free(&ad);
    signet_buf_free(&plaintext);
    signet_buf_free(&sealed);
    signet_buf_free(&opened);
}

static void aead_gives_the_known_answers(void **state)
{
    for (size_t i = 0; i < sizeof(gcm_cases) / sizeof(gcm_cases[0]); i++)
        check_case(*state, &gcm_cases[i]);
}

static const struct crypto_aead_key key_one = {{1, 2, 3}, {4, 5, 6}};

/* What is there stays; what comes is appended. */
static void aead_appends_to_its_output(void **state)
{
    struct signet_buf sealed = {0};
    struct signet_buf opened = {0};

    CHECK_OK(signet_buf_append(&sealed, signet_span_str("head")));
    CHECK_OK(crypto_aead_seal(
        *state, &key_one, signet_span_str("ad"), signet_span_str("text"), &sealed));
    CHECK(sealed.len == 4 + 4 + CRYPTO_AEAD_TAG_LEN);
    CHECK(memcmp(sealed.ptr, "head", 4) == 0);
    CHECK_OK(signet_buf_append(&opened, signet_span_str("before ")));
    CHECK_OK(crypto_aead_open(*state, &key_one, signet_span_str("ad"),
        signet_span_from(signet_buf_span(&sealed), 4), &opened));
    CHECK_SPAN(signet_buf_span(&opened), "before text");
    signet_buf_free(&sealed);
    signet_buf_free(&opened);
}

/* Opening fails, the buffer is unchanged and its spare room holds no plaintext. */
static void check_refused(struct signet_library *library, const struct crypto_aead_key *key,
    signet_span ad, signet_span sealed)
{
    static const uint8_t zeros[256];
    struct signet_buf out = {0};

    CHECK_OK(signet_buf_reserve(&out, sizeof(zeros)));
    memset(out.ptr, 0, out.capacity);
    CHECK_OK(signet_buf_append(&out, signet_span_str("kept")));
    CHECK_ERR(crypto_aead_open(library, key, ad, sealed, &out), SIGNET_ERR_AUTH);
    CHECK_SPAN(signet_buf_span(&out), "kept");
    CHECK(memcmp(out.ptr + out.len, zeros, sizeof(zeros) - out.len) == 0);
    CHECK(ERR_peek_error() == 0);
    signet_buf_free(&out);
}

/* NIST SP 800-38D, section 7.2: any change of ciphertext, tag, data, key or nonce is a FAIL. */
static void aead_refuses_any_flipped_bit_and_shows_nothing(void **state)
{
    uint8_t ad[] = "associated data";
    struct crypto_aead_key key = key_one;
    struct signet_buf sealed = {0};
    uint8_t *key_bytes = (uint8_t *)&key;

    CHECK_OK(crypto_aead_seal(*state, &key, signet_span_of(ad, sizeof(ad)),
        signet_span_str("a plaintext longer than one block of the cipher"), &sealed));
    for (size_t bit = 0; bit < sealed.len * 8; bit++) {
        sealed.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        check_refused(*state, &key, signet_span_of(ad, sizeof(ad)), signet_buf_span(&sealed));
        sealed.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t i = 0; i < sizeof(ad); i++) {
        ad[i] ^= 1;
        check_refused(*state, &key, signet_span_of(ad, sizeof(ad)), signet_buf_span(&sealed));
        ad[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof(key); i++) {
        key_bytes[i] ^= 1;
        check_refused(*state, &key, signet_span_of(ad, sizeof(ad)), signet_buf_span(&sealed));
        key_bytes[i] ^= 1;
    }
    check_refused(*state, &key, signet_span_of(NULL, 0), signet_buf_span(&sealed));
    signet_buf_free(&sealed);
}

/* The tag's length is a constant: a shorter one is not a tag. */
static void aead_refuses_every_shorter_input(void **state)
{
    struct signet_buf sealed = {0};

    CHECK_OK(crypto_aead_seal(
        *state, &key_one, signet_span_of(NULL, 0), signet_span_str("text"), &sealed));
    for (size_t len = 0; len < sealed.len; len++)
        check_refused(*state, &key_one, signet_span_of(NULL, 0), signet_span_of(sealed.ptr, len));
    check_refused(*state, &key_one, signet_span_of(NULL, 0), signet_span_of(NULL, 0));
    signet_buf_free(&sealed);
}

/* Every length around the block size, and some long ones. */
static void aead_round_trips_at_every_length(void **state)
{
    static const size_t extra[] = {4095, 4096, 65536, 1 << 20, (1 << 20) + 1};
    uint8_t *plain = calloc(1, (1 << 20) + 1);

    CHECK(plain != NULL);
    for (size_t i = 0; i < 70 + sizeof(extra) / sizeof(extra[0]); i++) {
        size_t len = i < 70 ? i : extra[i - 70];
        signet_span text = signet_span_of(plain, len);
        struct signet_buf sealed = {0};
        struct signet_buf opened = {0};

        CHECK_OK(crypto_aead_seal(*state, &key_one, signet_span_of(plain, i), text, &sealed));
        CHECK(sealed.len == len + CRYPTO_AEAD_TAG_LEN);
        CHECK_OK(crypto_aead_open(
            *state, &key_one, signet_span_of(plain, i), signet_buf_span(&sealed), &opened));
        CHECK(signet_span_equal(signet_buf_span(&opened), text));
        signet_buf_free(&sealed);
        signet_buf_free(&opened);
    }
    free(plain);
}

TEST_FILE(crypto_aead)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aead_gives_the_known_answers),
        cmocka_unit_test(aead_appends_to_its_output),
        cmocka_unit_test(aead_refuses_any_flipped_bit_and_shows_nothing),
        cmocka_unit_test(aead_refuses_every_shorter_input),
        cmocka_unit_test(aead_round_trips_at_every_length),
    };

    return cmocka_run_group_tests_name("crypto_aead", tests, library_setup, library_teardown);
}
