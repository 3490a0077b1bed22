/* Private RSA keys: generating, reading and writing (RFC 5958, RFC 8017, appendix A.1.2). */
#include "crypto/rsa_internal.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/secret.h"

enum part { PART_N, PART_E, PART_D, PART_P, PART_Q, PART_DP, PART_DQ, PART_QINV, PART_COUNT };

static const char *const part_names[PART_COUNT] = {
    [PART_N] = OSSL_PKEY_PARAM_RSA_N,
    [PART_E] = OSSL_PKEY_PARAM_RSA_E,
    [PART_D] = OSSL_PKEY_PARAM_RSA_D,
    [PART_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
    [PART_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
    [PART_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
    [PART_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
    [PART_QINV] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

/* a * b = 1 modulo m? Scratch numbers belong to `work`. */
static bool is_inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *work)
{
    BIGNUM *product = BN_CTX_get(work);

    return product != NULL && BN_mod_mul(product, a, b, m, work) == 1 && BN_is_one(product);
}

/* For one prime: e * d = 1 and d_prime = d modulo prime - 1. */
static bool exponents_fit(
    BIGNUM *const part[PART_COUNT], enum part prime, enum part exponent, BN_CTX *work)
{
    BIGNUM *order = BN_CTX_get(work);
    BIGNUM *reduced = BN_CTX_get(work);

    return reduced != NULL && BN_sub(order, part[prime], BN_value_one()) == 1 &&
           is_inverse(part[PART_E], part[PART_D], order, work) &&
           BN_mod(reduced, part[PART_D], order, work) == 1 && BN_cmp(reduced, part[exponent]) == 0;
}

/*
 * Every number of the key is bound to every other, so that a damaged one is never used: RSA with a
 * wrong CRT value gives its factors away. The primes are not tested for being prime: that takes a
 * hundred milliseconds and more, and whoever could plant such a key could plant one of his own.
 */
static bool parts_fit(BIGNUM *const part[PART_COUNT], BN_CTX *work)
{
    BIGNUM *product = BN_CTX_get(work);
    int half = BN_num_bits(part[PART_N]) / 2;

    return product != NULL && BN_num_bits(part[PART_P]) == half &&
           BN_num_bits(part[PART_Q]) == half && BN_is_odd(part[PART_P]) &&
           BN_is_odd(part[PART_Q]) && BN_mul(product, part[PART_P], part[PART_Q], work) == 1 &&
           BN_cmp(product, part[PART_N]) == 0 && exponents_fit(part, PART_P, PART_DP, work) &&
           exponents_fit(part, PART_Q, PART_DQ, work) &&
           is_inverse(part[PART_Q], part[PART_QINV], part[PART_P], work);
}

/* The modulus goes to `modulus`, its length to *len_out.
 * Errors: KEY (another size or exponent; parts that do not fit), NOMEM, CRYPTO. */
static enum signet_err check_parts(
    const EVP_PKEY *pkey, uint8_t modulus[CRYPTO_RSA_SIGNATURE_MAX], size_t *len_out)
{
    BIGNUM *part[PART_COUNT] = {NULL};
    BN_CTX *work = BN_CTX_secure_new();
    enum signet_err err = SIGNET_ERR_KEY;
    int bits;

    for (size_t i = 0; i < PART_COUNT; i++) {
        part[i] = BN_secure_new();
        if (part[i] == NULL || EVP_PKEY_get_bn_param(pkey, part_names[i], &part[i]) != 1)
            goto out;
    }
    bits = BN_num_bits(part[PART_N]);
    if (work == NULL || (bits != 2048 && bits != 3072 && bits != 4096) ||
        !BN_is_word(part[PART_E], RSA_F4))
        goto out;
    BN_CTX_start(work);
    if (parts_fit(part, work)) {
        *len_out = (size_t)BN_bn2bin(part[PART_N], modulus);
        err = SIGNET_OK;
    }
    BN_CTX_end(work);
out:
    if (err != SIGNET_OK && openssl_failure() == SIGNET_ERR_NOMEM)
        err = SIGNET_ERR_NOMEM;
    for (size_t i = 0; i < PART_COUNT; i++)
        BN_clear_free(part[i]);
    BN_CTX_free(work);
    return err;
}

/* Takes over `pkey`, also on failure. Errors: KEY, NOMEM, CRYPTO. */
static enum signet_err private_from(
    struct signet_library *library, EVP_PKEY *pkey, struct crypto_rsa_private **key_out)
{
    uint8_t modulus[CRYPTO_RSA_SIGNATURE_MAX];
    struct crypto_rsa_private *key = calloc(1, sizeof(*key));
    enum signet_err err = SIGNET_ERR_NOMEM;
    size_t len = 0;

    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return err;
    }
    key->pkey = pkey;
    key->working = calloc(1, sizeof(EVP_PKEY *));
    if (key->working != NULL)
        err = check_parts(pkey, modulus, &len);
    if (err == SIGNET_OK)
        err = rsa_public_from_modulus(library, signet_span_of(modulus, len), &key->public_key);
    if (err != SIGNET_OK) {
        crypto_rsa_private_free(key);
        return err;
    }
    /* Two factors of half its length are known: more than the check would find. */
    library_key_add_checked(library, &key->public_key->fingerprint);
    *key_out = key;
    return SIGNET_OK;
}

enum signet_err crypto_rsa_generate(
    struct signet_library *library, unsigned bits, struct crypto_rsa_private **key_out)
{
    EVP_PKEY_CTX *context;
    EVP_PKEY *pkey = NULL;
    enum signet_err err = SIGNET_OK;

    if (bits != 2048 && bits != 3072 && bits != 4096)
        return SIGNET_ERR_ARGUMENT;
    context = EVP_PKEY_CTX_new_from_name(library->openssl, "RSA", NULL);
    if (context == NULL || EVP_PKEY_keygen_init(context) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits) != 1 ||
        EVP_PKEY_generate(context, &pkey) != 1)
        err = openssl_failure();
    EVP_PKEY_CTX_free(context);
    if (err != SIGNET_OK)
        return err;
    err = private_from(library, pkey, key_out);
    return err == SIGNET_ERR_KEY ? SIGNET_ERR_CRYPTO : err;
}

/* Errors: KEY (not wholly the DER encoding of an RSA key), NOMEM. */
static enum signet_err decode(
    struct signet_library *library, signet_span pkcs8, EVP_PKEY **pkey_out)
{
    EVP_PKEY *pkey = NULL;
    OSSL_DECODER_CTX *context;
    enum signet_err err = SIGNET_OK;
    const unsigned char *at = pkcs8.ptr;
    size_t left = pkcs8.len;

    ERR_clear_error();
    context = OSSL_DECODER_CTX_new_for_pkey(
        &pkey, "DER", "PrivateKeyInfo", "RSA", EVP_PKEY_KEYPAIR, library->openssl, NULL);
    if (context == NULL)
        err = openssl_failure();
    else if (OSSL_DECODER_from_data(context, &at, &left) != 1 || pkey == NULL || left != 0)
        err = openssl_failure() == SIGNET_ERR_NOMEM ? SIGNET_ERR_NOMEM : SIGNET_ERR_KEY;
    OSSL_DECODER_CTX_free(context);
    ERR_clear_error(); /* the decoders that did not fit leave theirs behind even on success */
    if (err != SIGNET_OK) {
        EVP_PKEY_free(pkey);
        return err;
    }
    *pkey_out = pkey;
    return SIGNET_OK;
}

enum signet_err crypto_rsa_private_read(
    struct signet_library *library, signet_span pkcs8, struct crypto_rsa_private **key_out)
{
    struct crypto_rsa_private *key = NULL;
    struct signet_buf again = {0};
    EVP_PKEY *pkey = NULL;
    enum signet_err err;

    if (pkcs8.len == 0 || pkcs8.len > CRYPTO_RSA_PRIVATE_MAX)
        return SIGNET_ERR_KEY;
    err = decode(library, pkcs8, &pkey);
    if (err == SIGNET_OK)
        err = private_from(library, pkey, &key);
    if (err == SIGNET_OK)
        err = crypto_rsa_private_write(key, &again);
    /* Only as it was written. */
    if (err == SIGNET_OK && !crypto_equal(signet_buf_span(&again), pkcs8))
        err = SIGNET_ERR_KEY;
    signet_buf_free(&again);
    if (err != SIGNET_OK) {
        crypto_rsa_private_free(key);
        return err;
    }
    *key_out = key;
    return SIGNET_OK;
}

enum signet_err crypto_rsa_private_write(
    const struct crypto_rsa_private *key, struct signet_buf *out)
{
    OSSL_ENCODER_CTX *context;
    size_t left = CRYPTO_RSA_PRIVATE_MAX;
    unsigned char *place;
    enum signet_err err;

    err = signet_buf_reserve(out, left);
    if (err != SIGNET_OK)
        return err;
    place = out->ptr + out->len;
    context =
        OSSL_ENCODER_CTX_new_for_pkey(key->pkey, EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo", NULL);
    if (context == NULL || OSSL_ENCODER_to_data(context, &place, &left) != 1)
        err = openssl_failure();
    else
        out->len += CRYPTO_RSA_PRIVATE_MAX - left;
    OSSL_ENCODER_CTX_free(context);
    ERR_clear_error(); /* encoders that do not fit may have left something on success */
    return err;
}

void crypto_rsa_private_free(struct crypto_rsa_private *key)
{
    if (key == NULL)
        return;
    if (key->working != NULL)
        EVP_PKEY_free(*key->working);
    free(key->working);
    EVP_PKEY_free(key->pkey);
    crypto_rsa_public_free(key->public_key);
    free(key);
}

EVP_PKEY_CTX *rsa_private_context(const struct crypto_rsa_private *key)
{
    if (*key->working == NULL)
        *key->working = EVP_PKEY_dup(key->pkey);
    if (*key->working == NULL)
        return NULL;
    return EVP_PKEY_CTX_new_from_pkey(key->public_key->library->openssl, *key->working, NULL);
}

void rsa_private_renew(const struct crypto_rsa_private *key)
{
    EVP_PKEY_free(*key->working);
    *key->working = NULL;
}

struct crypto_rsa_public *crypto_rsa_private_public(const struct crypto_rsa_private *key)
{
    return key->public_key;
}
