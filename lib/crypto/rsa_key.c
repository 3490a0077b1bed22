/*
 * Public RSA keys (RFC 8017, appendix A.1; RFC 3279, section 2.3.1).
 *
 * With rsaEncryption, one of three sizes and e = 65537, the DER encoding of a key is a fixed head,
 * the modulus and a fixed tail. So a key that is not in its one encoding is refused by comparing
 * bytes, before any parser or arithmetic sees it.
 */
#include "crypto/rsa_internal.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "crypto/hash.h"

enum { HEAD_LEN = 33, TAIL_LEN = 5, EXPONENT = 65537 };

static const uint8_t tail[TAIL_LEN] = {0x02, 0x03, 0x01, 0x00, 0x01};

static bool is_size(size_t size)
{
    return size == 256 || size == 384 || size == 512;
}

/* All that comes before the modulus of `size` bytes. Each of the four outer elements has a length
 * of two bytes: what follows it up to the end of the key. */
static void write_head(size_t size, uint8_t head[HEAD_LEN])
{
    static const uint8_t frame[HEAD_LEN] = {
        0x30, 0x82, 0, 0,                                     /* SEQUENCE */
        0x30, 0x0d,                                           /*   SEQUENCE */
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, /*     rsaEncryption */
        0x01, 0x01, 0x05, 0x00,                               /*     NULL */
        0x03, 0x82, 0, 0, 0x00,                               /*   BIT STRING */
        0x30, 0x82, 0, 0,                                     /*     SEQUENCE */
        0x02, 0x82, 0, 0, 0x00,                               /*       INTEGER n, positive */
    };
    static const size_t length_at[] = {2, 21, 26}; /* reach to the end of the key */
    size_t key_len = HEAD_LEN + size + TAIL_LEN;
    size_t modulus_len = size + 1;

    memcpy(head, frame, HEAD_LEN);
    for (size_t i = 0; i < sizeof(length_at) / sizeof(length_at[0]); i++) {
        size_t len = key_len - length_at[i] - 2;

        head[length_at[i]] = (uint8_t)(len >> 8);
        head[length_at[i] + 1] = (uint8_t)len;
    }
    head[HEAD_LEN - 3] = (uint8_t)(modulus_len >> 8);
    head[HEAD_LEN - 2] = (uint8_t)modulus_len;
}

/* The modulus inside a key in its one encoding. Errors: KEY. */
static enum signet_err find_modulus(signet_span spki, signet_span *modulus_out)
{
    uint8_t head[HEAD_LEN];
    size_t size;

    if (spki.len < HEAD_LEN + TAIL_LEN)
        return SIGNET_ERR_KEY;
    size = spki.len - HEAD_LEN - TAIL_LEN;
    if (!is_size(size))
        return SIGNET_ERR_KEY;
    write_head(size, head);
    if (memcmp(spki.ptr, head, HEAD_LEN) != 0 ||
        memcmp(spki.ptr + HEAD_LEN + size, tail, TAIL_LEN) != 0)
        return SIGNET_ERR_KEY;
    *modulus_out = signet_span_of(spki.ptr + HEAD_LEN, size);
    return SIGNET_OK;
}

/* NULL on failure. */
static EVP_PKEY *import_modulus(struct signet_library *library, signet_span modulus)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(library->openssl, "RSA", NULL);
    BIGNUM *n = BN_bin2bn(modulus.ptr, (int)modulus.len, NULL);
    uint8_t native[CRYPTO_RSA_SIGNATURE_MAX];
    unsigned exponent = EXPONENT;
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native, modulus.len),
        OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
        OSSL_PARAM_construct_end(),
    };

    if (context != NULL && n != NULL && BN_bn2nativepad(n, native, (int)modulus.len) > 0 &&
        EVP_PKEY_fromdata_init(context) == 1)
        (void)EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    if (pkey != NULL)
        ERR_clear_error(); /* it gets by without some allocations, and tells of them */
    BN_free(n);
    EVP_PKEY_CTX_free(context);
    return pkey;
}

enum signet_err rsa_public_from_modulus(
    struct signet_library *library, signet_span modulus, struct crypto_rsa_public **key_out)
{
    struct crypto_rsa_public *key;
    enum signet_err err;

    /* Even ones here and not in crypto_rsa_public_check: OpenSSL cannot compute with them, and so
     * would fail as if the machine had, wherever a signature is looked at before that check. */
    if (!is_size(modulus.len) || (modulus.ptr[0] & 0x80) == 0 ||
        (modulus.ptr[modulus.len - 1] & 1) == 0)
        return SIGNET_ERR_KEY;
    key = calloc(1, sizeof(*key));
    if (key == NULL)
        return SIGNET_ERR_NOMEM;
    atomic_init(&key->owners, 1);
    key->library = library;
    key->size = modulus.len;
    key->spki_len = HEAD_LEN + modulus.len + TAIL_LEN;
    write_head(modulus.len, key->spki);
    memcpy(key->spki + HEAD_LEN, modulus.ptr, modulus.len);
    memcpy(key->spki + HEAD_LEN + modulus.len, tail, TAIL_LEN);
    err = crypto_sha256_one(library, crypto_rsa_public_spki(key), &key->fingerprint);
    if (err != SIGNET_OK)
        goto out;
    key->pkey = import_modulus(library, modulus);
    if (key->pkey != NULL)
        key->verifier = rsa_verifier_new(library, key->pkey);
    if (key->verifier == NULL) {
        err = openssl_failure();
        goto out;
    }
    *key_out = key;
    key = NULL;
out:
    crypto_rsa_public_free(key);
    return err;
}

/* What no comparison of bytes can tell: n is composite and without small factors. */
enum signet_err crypto_rsa_public_check(const struct crypto_rsa_public *key)
{
    EVP_PKEY_CTX *context;
    enum signet_err err = SIGNET_OK;

    if (library_key_is_checked(key->library, &key->fingerprint))
        return SIGNET_OK;
    ERR_clear_error();
    context = EVP_PKEY_CTX_new_from_pkey(key->library->openssl, key->pkey, NULL);
    if (context == NULL)
        return openssl_failure();
    if (EVP_PKEY_public_check(context) == 1)
        library_key_add_checked(key->library, &key->fingerprint);
    else
        err = openssl_rsa_verdict(SIGNET_ERR_KEY);
    EVP_PKEY_CTX_free(context);
    return err;
}

enum signet_err crypto_rsa_public_read_known(
    struct signet_library *library, signet_span spki, struct crypto_rsa_public **key_out)
{
    signet_span modulus;
    enum signet_err err = find_modulus(spki, &modulus);

    return err == SIGNET_OK ? rsa_public_from_modulus(library, modulus, key_out) : err;
}

enum signet_err crypto_rsa_public_read(
    struct signet_library *library, signet_span spki, struct crypto_rsa_public **key_out)
{
    struct crypto_rsa_public *key = NULL;
    enum signet_err err = crypto_rsa_public_read_known(library, spki, &key);

    if (err == SIGNET_OK)
        err = crypto_rsa_public_check(key);
    if (err != SIGNET_OK) {
        crypto_rsa_public_free(key);
        return err;
    }
    *key_out = key;
    return SIGNET_OK;
}

struct crypto_rsa_public *crypto_rsa_public_share(struct crypto_rsa_public *key)
{
    if (key != NULL)
        (void)atomic_fetch_add_explicit(&key->owners, 1, memory_order_relaxed);
    return key;
}

void crypto_rsa_public_free(struct crypto_rsa_public *key)
{
    if (key == NULL || atomic_fetch_sub_explicit(&key->owners, 1, memory_order_acq_rel) > 1)
        return;
    EVP_PKEY_CTX_free(key->verifier);
    EVP_PKEY_free(key->pkey);
    free(key);
}

signet_span crypto_rsa_public_spki(const struct crypto_rsa_public *key)
{
    return signet_span_of(key->spki, key->spki_len);
}

const struct signet_id *crypto_rsa_public_fingerprint(const struct crypto_rsa_public *key)
{
    return &key->fingerprint;
}

size_t crypto_rsa_public_size(const struct crypto_rsa_public *key)
{
    return key->size;
}

signet_span rsa_modulus(const struct crypto_rsa_public *key)
{
    return signet_span_of(key->spki + HEAD_LEN, key->size);
}
