/* crypto: OAEP, and that its failure tells nothing. */
#include "tests/support/crypto_unit.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/hash.h"
#include "crypto/oaep.h"
#include "tests/support/forge_crypto.h"
#include "tests/support/key_pool.h"

static const struct crypto_reject_key reject = {{0x5e}};
static const struct crypto_oaep_secret secret_one = {{1, 2, 3}};

/* What unwrapping gives in place of a secret. */
static void check_rejected_as(
    struct signet_library *library, signet_span ciphertext, const struct crypto_oaep_secret *given)
{
    uint8_t wanted[CRYPTO_MAC_LEN];

    CHECK_OK(crypto_hmac(library, signet_span_of(reject.k, sizeof(reject.k)), ciphertext, wanted));
    assert_memory_equal(given->k, wanted, sizeof(wanted));
}

/* Implicit rejection: no error, and HMAC(reject key, ciphertext) (Manger 2001 saw the error). */
static void check_rejected(struct crypto_rsa_private *key, signet_span ciphertext)
{
    struct crypto_oaep_secret given = {{0}};

    CHECK_OK(crypto_rsa_unwrap(key, &reject, ciphertext, &given));
    check_rejected_as(forge_library_of(key), ciphertext, &given);
    CHECK(ERR_peek_error() == 0);
}

static void a_wrapped_secret_is_unwrapped(void **state)
{
    static const unsigned sizes[] = {2048, 3072, 4096};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct crypto_rsa_private *key = key_pool_take(*state, sizes[i], 0);
        struct signet_buf ciphertext = {0};
        struct crypto_oaep_secret given = {{0}};

        CHECK_OK(signet_buf_append(&ciphertext, signet_span_str("head")));
        CHECK_OK(crypto_rsa_wrap(crypto_rsa_private_public(key), &secret_one, &ciphertext));
        CHECK(ciphertext.len == 4 + sizes[i] / 8);
        CHECK_OK(crypto_rsa_unwrap(
            key, &reject, signet_span_from(signet_buf_span(&ciphertext), 4), &given));
        assert_memory_equal(given.k, secret_one.k, sizeof(given.k));
        CHECK(ERR_peek_error() == 0);
        signet_buf_free(&ciphertext);
        crypto_rsa_private_free(key);
    }
}

/* RFC 8017, section 7.1.2, note, and Manger (CRYPTO 2001). */
static void any_changed_byte_gives_the_rejection_value(void **state)
{
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    struct signet_buf ciphertext = {0};

    CHECK_OK(crypto_rsa_wrap(crypto_rsa_private_public(key), &secret_one, &ciphertext));
    ciphertext.ptr[0] &= 0x3f; /* below the modulus whatever bit is flipped; may change nothing */
    for (size_t i = 0; i < ciphertext.len; i++) {
        ciphertext.ptr[i] ^= 1;
        check_rejected(key, signet_buf_span(&ciphertext));
        ciphertext.ptr[i] ^= 1;
    }
    signet_buf_free(&ciphertext);
    crypto_rsa_private_free(key);
}

/* Another ciphertext or another reject key gives another value: nothing of it can be foreseen. */
static void the_rejection_value_depends_on_ciphertext_and_key(void **state)
{
    static const struct crypto_reject_key other = {{0x5f}};
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    uint8_t ciphertext[256] = {0};
    struct crypto_oaep_secret first, second, third;

    ciphertext[255] = 2;
    CHECK_OK(crypto_rsa_unwrap(key, &reject, signet_span_of(ciphertext, 256), &first));
    CHECK_OK(crypto_rsa_unwrap(key, &other, signet_span_of(ciphertext, 256), &second));
    ciphertext[255] = 3;
    CHECK_OK(crypto_rsa_unwrap(key, &reject, signet_span_of(ciphertext, 256), &third));
    assert_memory_not_equal(&first, &second, sizeof(first));
    assert_memory_not_equal(&first, &third, sizeof(first));
    crypto_rsa_private_free(key);
}

struct other_scheme {
    int padding;
    const char *digest, *mask_digest, *label;
    size_t len; /* of the plaintext */
};

static void encrypt_otherwise(const struct crypto_rsa_private *key,
    const struct other_scheme *scheme, uint8_t ciphertext[256])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, forge_pkey(key), NULL);
    uint8_t plain[256] = {7, 7, 7};
    size_t len = 256;

    CHECK(EVP_PKEY_encrypt_init(context) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_padding(context, scheme->padding) == 1);
    if (scheme->padding == RSA_PKCS1_OAEP_PADDING) {
        CHECK(EVP_PKEY_CTX_set_rsa_oaep_md_name(context, scheme->digest, NULL) == 1);
        CHECK(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, scheme->mask_digest, NULL) == 1);
    }
    if (scheme->label != NULL)
        CHECK(EVP_PKEY_CTX_set0_rsa_oaep_label(
                  context, OPENSSL_strdup(scheme->label), (int)strlen(scheme->label)) == 1);
    CHECK(EVP_PKEY_encrypt(context, ciphertext, &len, plain, scheme->len) == 1);
    EVP_PKEY_CTX_free(context);
}

/* Both digests SHA-256, the label empty, the plaintext 32 bytes; padding that holds around
 * a plaintext of another length is as bad as one that does not. */
static void other_paddings_and_lengths_give_the_rejection_value(void **state)
{
    static const struct other_scheme ours = {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256", NULL, 32};
    static const struct other_scheme others[] = {
        {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256", NULL, 0},
        {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256", NULL, 1},
        {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256", NULL, 31},
        {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256", NULL, 33},
        {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256", NULL, 190},
        {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256", "label", 32},
        {RSA_PKCS1_OAEP_PADDING, "SHA1", "SHA1", NULL, 32},
        {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA1", NULL, 32},
        {RSA_PKCS1_OAEP_PADDING, "SHA1", "SHA256", NULL, 32},
        {RSA_PKCS1_PADDING, NULL, NULL, NULL, 32},
    };
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    static const uint8_t wanted[CRYPTO_OAEP_SECRET_LEN] = {7, 7, 7};
    struct crypto_oaep_secret given;
    uint8_t ciphertext[256];

    encrypt_otherwise(key, &ours, ciphertext);
    CHECK_OK(crypto_rsa_unwrap(key, &reject, signet_span_of(ciphertext, 256), &given));
    assert_memory_equal(given.k, wanted, sizeof(wanted));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        encrypt_otherwise(key, &others[i], ciphertext);
        check_rejected(key, signet_span_of(ciphertext, 256));
    }
    crypto_rsa_private_free(key);
}

/* RFC 8017, section 5.1.2, step 1: what anyone can see is refused by name. */
static void public_malformation_is_an_error(void **state)
{
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    signet_span modulus = forge_modulus(crypto_rsa_private_public(key));
    struct crypto_oaep_secret given = secret_one;
    uint8_t ciphertext[257];

    memset(ciphertext, 0, sizeof(ciphertext));
    for (size_t len = 0; len <= sizeof(ciphertext); len++)
        if (len != 256)
            CHECK_ERR(crypto_rsa_unwrap(key, &reject, signet_span_of(ciphertext, len), &given),
                SIGNET_ERR_FORMAT);
    CHECK_ERR(crypto_rsa_unwrap(key, &reject, modulus, &given), SIGNET_ERR_FORMAT);
    memcpy(ciphertext, modulus.ptr, 256);
    ciphertext[255] ^= 2; /* just above or just below */
    if (memcmp(ciphertext, modulus.ptr, 256) > 0)
        CHECK_ERR(crypto_rsa_unwrap(key, &reject, signet_span_of(ciphertext, 256), &given),
            SIGNET_ERR_FORMAT);
    memset(ciphertext, 0xff, 256);
    CHECK_ERR(crypto_rsa_unwrap(key, &reject, signet_span_of(ciphertext, 256), &given),
        SIGNET_ERR_FORMAT);
    assert_memory_equal(&given, &secret_one, sizeof(given));
    crypto_rsa_private_free(key);
}

/* 0, 1 and n - 1 are fixed points of RSA: well formed, and no OAEP. */
static void the_fixed_points_give_the_rejection_value(void **state)
{
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    uint8_t ciphertext[256] = {0};

    check_rejected(key, signet_span_of(ciphertext, 256));
    ciphertext[255] = 1;
    check_rejected(key, signet_span_of(ciphertext, 256));
    memcpy(ciphertext, forge_modulus(crypto_rsa_private_public(key)).ptr, 256);
    ciphertext[255] ^= 1; /* the modulus is odd */
    check_rejected(key, signet_span_of(ciphertext, 256));
    crypto_rsa_private_free(key);
}

/* oaep.h, for the test vectors: it tells, and appends nothing where the padding did not hold. */
static void decrypting_tells_whether_the_padding_held(void **state)
{
    static const struct other_scheme empty = {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256", NULL, 0};
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    struct signet_buf out = {0};
    uint8_t ciphertext[256];
    bool held = false;

    CHECK_OK(signet_buf_append(&out, signet_span_str("kept")));
    encrypt_otherwise(key, &empty, ciphertext);
    CHECK_OK(oaep_decrypt(key, signet_span_of(ciphertext, 256), &out, &held));
    CHECK(held && out.len == 4);
    memset(ciphertext, 0, 256);
    CHECK_OK(oaep_decrypt(key, signet_span_of(ciphertext, 256), &out, &held));
    CHECK(!held && out.len == 4);
    CHECK_ERR(oaep_decrypt(key, signet_span_of(ciphertext, 255), &out, &held), SIGNET_ERR_FORMAT);
    signet_buf_free(&out);
    crypto_rsa_private_free(key);
}

TEST_FILE(crypto_oaep)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrapped_secret_is_unwrapped),
        cmocka_unit_test(any_changed_byte_gives_the_rejection_value),
        cmocka_unit_test(the_rejection_value_depends_on_ciphertext_and_key),
        cmocka_unit_test(other_paddings_and_lengths_give_the_rejection_value),
        cmocka_unit_test(public_malformation_is_an_error),
        cmocka_unit_test(the_fixed_points_give_the_rejection_value),
        cmocka_unit_test(decrypting_tells_whether_the_padding_held),
    };

    return cmocka_run_group_tests_name("crypto_oaep", tests, library_setup, library_teardown);
}
