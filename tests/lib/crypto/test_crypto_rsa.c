/* crypto: PSS signatures, private RSA keys. */
#include "tests/support/crypto_unit.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/rsa.h"
#include "tests/support/forge_crypto.h"
#include "tests/support/key_pool.h"

static const signet_span message = {(const uint8_t *)"message", 7};

static struct signet_buf sign(const struct crypto_rsa_private *key)
{
    struct signet_buf signature = {0};

    CHECK_OK(crypto_rsa_sign(key, message, &signature));
    return signature;
}

/* RFC 8017, section 8.1, for each size; the salt makes every signature another one. */
static void signatures_verify_and_differ_each_time(void **state)
{
    static const unsigned sizes[] = {2048, 3072, 4096};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct crypto_rsa_private *key = key_pool_take(*state, sizes[i], 0);
        struct crypto_rsa_public *public_key = crypto_rsa_private_public(key);
        struct signet_buf first = sign(key);
        struct signet_buf second = sign(key);

        CHECK(first.len == sizes[i] / 8 && crypto_rsa_public_size(public_key) == first.len);
        CHECK(!signet_span_equal(signet_buf_span(&first), signet_buf_span(&second)));
        CHECK_OK(crypto_rsa_verify(public_key, message, signet_buf_span(&first)));
        CHECK_OK(crypto_rsa_verify(public_key, message, signet_buf_span(&second)));
        signet_buf_free(&first);
        signet_buf_free(&second);
        crypto_rsa_private_free(key);
    }
}

static void signing_appends(void **state)
{
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    struct signet_buf out = {0};

    CHECK_OK(signet_buf_append(&out, signet_span_str("head")));
    CHECK_OK(crypto_rsa_sign(key, message, &out));
    CHECK(out.len == 4 + 256 && memcmp(out.ptr, "head", 4) == 0);
    CHECK_OK(crypto_rsa_verify(
        crypto_rsa_private_public(key), message, signet_span_from(signet_buf_span(&out), 4)));
    signet_buf_free(&out);
    crypto_rsa_private_free(key);
}

static void any_changed_byte_of_a_signature_is_refused(void **state)
{
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    struct crypto_rsa_public *public_key = crypto_rsa_private_public(key);
    struct signet_buf signature = sign(key);

    for (size_t i = 0; i < signature.len; i++) {
        signature.ptr[i] ^= (uint8_t)(1U << i % 8);
        CHECK_ERR(
            crypto_rsa_verify(public_key, message, signet_buf_span(&signature)), SIGNET_ERR_AUTH);
        CHECK(ERR_peek_error() == 0);
        signature.ptr[i] ^= (uint8_t)(1U << i % 8);
    }
    CHECK_OK(crypto_rsa_verify(public_key, message, signet_buf_span(&signature)));
    signet_buf_free(&signature);
    crypto_rsa_private_free(key);
}

static void another_message_key_or_length_is_refused(void **state)
{
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    struct crypto_rsa_private *other = key_pool_take(*state, 2048, 1);
    struct crypto_rsa_public *public_key = crypto_rsa_private_public(key);
    struct signet_buf signature = sign(key);
    signet_span span = signet_buf_span(&signature);

    CHECK_ERR(crypto_rsa_verify(public_key, signet_span_str("messagE"), span), SIGNET_ERR_AUTH);
    CHECK_ERR(crypto_rsa_verify(public_key, signet_span_of(NULL, 0), span), SIGNET_ERR_AUTH);
    CHECK_ERR(crypto_rsa_verify(crypto_rsa_private_public(other), message, span), SIGNET_ERR_AUTH);
    CHECK_OK(signet_buf_fill(&signature, 0, 1));
    for (size_t len = 0; len <= signature.len; len++)
        if (len != 256)
            CHECK_ERR(crypto_rsa_verify(public_key, message, signet_span_of(signature.ptr, len)),
                SIGNET_ERR_AUTH);
    signet_buf_free(&signature);
    crypto_rsa_private_free(other);
    crypto_rsa_private_free(key);
}

struct other_scheme {
    int padding;
    const char *digest, *mask_digest;
    int salt_len;
};

/* A signature by the right key, made in another way than ours. */
static struct signet_buf sign_otherwise(
    const struct crypto_rsa_private *key, const struct other_scheme *scheme)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey_context = NULL;
    struct signet_buf signature = {0};
    size_t len = 256;

    CHECK_OK(signet_buf_fill(&signature, 0, len));
    CHECK(EVP_DigestSignInit_ex(
              context, &pkey_context, scheme->digest, NULL, NULL, forge_pkey(key), NULL) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_padding(pkey_context, scheme->padding) == 1);
    if (scheme->padding == RSA_PKCS1_PSS_PADDING) {
        CHECK(EVP_PKEY_CTX_set_rsa_mgf1_md_name(pkey_context, scheme->mask_digest, NULL) == 1);
        CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey_context, scheme->salt_len) == 1);
    }
    CHECK(EVP_DigestSign(context, signature.ptr, &len, message.ptr, message.len) == 1);
    EVP_MD_CTX_free(context);
    return signature;
}

/* RFC 8230: PS256 fixes digest, mask and salt length; PKCS #1 version 1.5 is another algorithm. */
static void signatures_of_other_schemes_are_refused(void **state)
{
    static const struct other_scheme ours = {RSA_PKCS1_PSS_PADDING, "SHA256", "SHA256", 32};
    static const struct other_scheme others[] = {
        {RSA_PKCS1_PADDING, "SHA256", NULL, 0},
        {RSA_PKCS1_PSS_PADDING, "SHA256", "SHA256", 0},
        {RSA_PKCS1_PSS_PADDING, "SHA256", "SHA256", 20},
        {RSA_PKCS1_PSS_PADDING, "SHA256", "SHA256", 31},
        {RSA_PKCS1_PSS_PADDING, "SHA256", "SHA256", 33},
        {RSA_PKCS1_PSS_PADDING, "SHA256", "SHA256", RSA_PSS_SALTLEN_MAX},
        {RSA_PKCS1_PSS_PADDING, "SHA256", "SHA1", 32},
        {RSA_PKCS1_PSS_PADDING, "SHA256", "SHA512", 32},
        {RSA_PKCS1_PSS_PADDING, "SHA1", "SHA256", 32},
        {RSA_PKCS1_PSS_PADDING, "SHA512-256", "SHA256", 32},
    };
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    struct crypto_rsa_public *public_key = crypto_rsa_private_public(key);
    struct signet_buf signature = sign_otherwise(key, &ours);

    CHECK_OK(crypto_rsa_verify(public_key, message, signet_buf_span(&signature)));
    signet_buf_free(&signature);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        signature = sign_otherwise(key, &others[i]);
        CHECK_ERR(
            crypto_rsa_verify(public_key, message, signet_buf_span(&signature)), SIGNET_ERR_AUTH);
        signet_buf_free(&signature);
    }
    crypto_rsa_private_free(key);
}

/* Boneh, DeMillo, Lipton (EUROCRYPT 1997): one faulty CRT signature gives the factors away. */
static void a_signature_that_does_not_verify_never_comes_out(void **state)
{
    static const uint8_t zeros[256];
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    struct crypto_rsa_private *other = key_pool_take(*state, 2048, 1);
    struct crypto_rsa_private *faulty =
        forge_rsa_private(forge_pkey(key), crypto_rsa_private_public(other));
    struct signet_buf out = {0};

    CHECK_OK(signet_buf_reserve(&out, 4 + sizeof(zeros)));
    memset(out.ptr, 0, out.capacity);
    CHECK_OK(signet_buf_append(&out, signet_span_str("kept")));
    CHECK_ERR(crypto_rsa_sign(faulty, message, &out), SIGNET_ERR_CRYPTO);
    CHECK_SPAN(signet_buf_span(&out), "kept");
    CHECK(memcmp(out.ptr + out.len, zeros, sizeof(zeros)) == 0);
    signet_buf_free(&out);
    crypto_rsa_private_free(faulty);
    crypto_rsa_private_free(other);
    crypto_rsa_private_free(key);
}

static void generating_takes_three_sizes_only(void **state)
{
    static const unsigned refused[] = {0, 512, 1024, 2047, 2049, 3000, 4097, 8192, 16384, ~0U};
    struct crypto_rsa_private *key = NULL;
    struct signet_buf signature;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        CHECK_ERR(crypto_rsa_generate(*state, refused[i], &key), SIGNET_ERR_ARGUMENT);
    CHECK(key == NULL);
    CHECK_OK(crypto_rsa_generate(*state, 2048, &key));
    signature = sign(key);
    signet_buf_free(&signature);
    crypto_rsa_private_free(key);
    crypto_rsa_private_free(NULL);
}

/* RFC 5958; every size fits into what the header announces. */
static void private_keys_are_read_as_they_were_written(void **state)
{
    static const unsigned sizes[] = {2048, 3072, 4096};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct crypto_rsa_private *key = key_pool_take(*state, sizes[i], 0);
        struct crypto_rsa_private *again = NULL;
        struct signet_buf out = {0};
        struct signet_buf signature;

        CHECK_OK(crypto_rsa_private_write(key, &out));
        CHECK(out.len <= CRYPTO_RSA_PRIVATE_MAX);
        CHECK_OK(crypto_rsa_private_read(*state, signet_buf_span(&out), &again));
        signature = sign(again);
        CHECK_OK(crypto_rsa_verify(
            crypto_rsa_private_public(key), message, signet_buf_span(&signature)));
        CHECK(ERR_peek_error() == 0);
        signet_buf_free(&signature);
        signet_buf_free(&out);
        crypto_rsa_private_free(again);
        crypto_rsa_private_free(key);
    }
}

/* MEGA (Backendal, Haller, Paterson, 2023): a private key changed where it was stored leaks. */
static void any_changed_byte_of_a_private_key_is_refused(void **state)
{
    struct crypto_rsa_private *key = key_pool_take(*state, 2048, 0);
    struct crypto_rsa_private *changed = NULL;
    struct signet_buf pkcs8 = {0};

    CHECK_OK(crypto_rsa_private_write(key, &pkcs8));
    for (size_t i = 0; i < pkcs8.len; i++) {
        pkcs8.ptr[i] ^= (uint8_t)(1U << i % 8);
        CHECK_ERR(
            crypto_rsa_private_read(*state, signet_buf_span(&pkcs8), &changed), SIGNET_ERR_KEY);
        CHECK(changed == NULL && ERR_peek_error() == 0);
        pkcs8.ptr[i] ^= (uint8_t)(1U << i % 8);
    }
    for (size_t len = 0; len < pkcs8.len; len += len < 64 ? 1 : 61)
        CHECK_ERR(crypto_rsa_private_read(*state, signet_span_of(pkcs8.ptr, len), &changed),
            SIGNET_ERR_KEY);
    CHECK_OK(signet_buf_fill(&pkcs8, 0, 1));
    CHECK_ERR(crypto_rsa_private_read(*state, signet_buf_span(&pkcs8), &changed), SIGNET_ERR_KEY);
    CHECK(changed == NULL);
    signet_buf_free(&pkcs8);
    crypto_rsa_private_free(key);
}

static EVP_PKEY *generate_unacceptable(const char *algorithm, unsigned bits, unsigned exponent)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    BIGNUM *e = BN_new();
    EVP_PKEY *pkey = NULL;

    CHECK(BN_set_word(e, exponent) == 1);
    CHECK(EVP_PKEY_keygen_init(context) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits) == 1);
    CHECK(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e) == 1);
    CHECK(EVP_PKEY_generate(context, &pkey) == 1);
    BN_free(e);
    EVP_PKEY_CTX_free(context);
    return pkey;
}

/* The same keys are refused as among public ones. */
static void private_keys_of_other_kinds_are_refused(void **state)
{
    static const struct {
        const char *algorithm;
        unsigned bits, exponent;
    } kinds[] = {
        {"RSA", 1024, 65537}, {"RSA", 2048, 3}, {"RSA", 2056, 65537}, {"RSA-PSS", 2048, 65537}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        EVP_PKEY *pkey =
            generate_unacceptable(kinds[i].algorithm, kinds[i].bits, kinds[i].exponent);
        struct crypto_rsa_private *wrapped = forge_rsa_private(pkey, NULL);
        struct crypto_rsa_private *key = NULL;
        struct signet_buf pkcs8 = {0};

        CHECK_OK(crypto_rsa_private_write(wrapped, &pkcs8));
        CHECK_ERR(crypto_rsa_private_read(*state, signet_buf_span(&pkcs8), &key), SIGNET_ERR_KEY);
        CHECK(key == NULL && ERR_peek_error() == 0);
        signet_buf_free(&pkcs8);
        crypto_rsa_private_free(wrapped);
        EVP_PKEY_free(pkey);
    }
}

TEST_FILE(crypto_rsa)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_verify_and_differ_each_time),
        cmocka_unit_test(signing_appends),
        cmocka_unit_test(any_changed_byte_of_a_signature_is_refused),
        cmocka_unit_test(another_message_key_or_length_is_refused),
        cmocka_unit_test(signatures_of_other_schemes_are_refused),
        cmocka_unit_test(a_signature_that_does_not_verify_never_comes_out),
        cmocka_unit_test(generating_takes_three_sizes_only),
        cmocka_unit_test(private_keys_are_read_as_they_were_written),
        cmocka_unit_test(any_changed_byte_of_a_private_key_is_refused),
        cmocka_unit_test(private_keys_of_other_kinds_are_refused),
    };

    return cmocka_run_group_tests_name("crypto_rsa", tests, library_setup, library_teardown);
}
