/*
 * RSAES-OAEP (RFC 8017, section 7.1) with SHA-256, MGF1-SHA-256 and an empty label.
 *
 * OpenSSL's default for both digests is SHA-1: both are always set.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/hash.h"
#include "crypto/oaep.h"
#include "crypto/rsa_internal.h"
#include "crypto/secret.h"

static bool configure(EVP_PKEY_CTX *context, const EVP_MD *sha256)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context, sha256) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, sha256) == 1;
}

enum signet_err crypto_rsa_wrap(const struct crypto_rsa_public *key,
    const struct crypto_oaep_secret *secret, struct signet_buf *out)
{
    EVP_PKEY_CTX *context;
    size_t len = key->size;
    enum signet_err err;

    err = signet_buf_reserve(out, key->size);
    if (err != SIGNET_OK)
        return err;
    context = EVP_PKEY_CTX_new_from_pkey(key->library->openssl, key->pkey, NULL);
    if (context == NULL || EVP_PKEY_encrypt_init(context) != 1 ||
        !configure(context, key->library->sha256) ||
        EVP_PKEY_encrypt(context, out->ptr + out->len, &len, secret->k, sizeof(secret->k)) != 1 ||
        len != key->size)
        err = openssl_failure();
    else
        out->len += key->size;
    EVP_PKEY_CTX_free(context);
    return err;
}

/*
 * OK where the padding was judged (`held` says how), NOMEM or CRYPTO where the machine failed
 * first: or a machine out of memory would have a good message refused for ever. OpenSSL returns
 * the same for both, and judging leaves its one error only where the padding does not hold; so the
 * queue is read after success too, and both ways do the same.
 *
 * OpenSSL's FIPS module does not leave that error: with it, bad padding is CRYPTO.
 */
static enum signet_err drain_decrypt_errors(unsigned held)
{
    bool is_judged = held == 1;
    bool is_nomem = false;
    unsigned long code;

    while ((code = ERR_get_error()) != 0) {
        if (ERR_GET_LIB(code) == ERR_LIB_RSA && ERR_GET_REASON(code) == RSA_R_OAEP_DECODING_ERROR)
            is_judged = true;
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
            is_nomem = true;
    }
    if (is_judged)
        return SIGNET_OK;
    return is_nomem ? SIGNET_ERR_NOMEM : SIGNET_ERR_CRYPTO;
}

struct decrypted {
    unsigned held; /* 1 or 0; secret, as all the rest is */
    size_t len;
    uint8_t plain[CRYPTO_RSA_SIGNATURE_MAX];
};

/* Errors: FORMAT (wrong length, or not below the modulus), NOMEM, CRYPTO. */
static enum signet_err decrypt(
    const struct crypto_rsa_private *key, signet_span ciphertext, struct decrypted *out)
{
    const struct crypto_rsa_public *public_key = key->public_key;
    struct signet_library *library = public_key->library;
    EVP_PKEY_CTX *context;
    enum signet_err err;

    if (ciphertext.len != public_key->size ||
        memcmp(ciphertext.ptr, rsa_modulus(public_key).ptr, public_key->size) >= 0)
        return SIGNET_ERR_FORMAT;
    context = rsa_private_context(key);
    if (context == NULL || EVP_PKEY_decrypt_init(context) != 1 ||
        !configure(context, library->sha256)) {
        err = openssl_failure();
    } else {
        ERR_clear_error();
        out->len = sizeof(out->plain);
        out->held =
            EVP_PKEY_decrypt(context, out->plain, &out->len, ciphertext.ptr, ciphertext.len) == 1;
        err = drain_decrypt_errors(out->held);
    }
    EVP_PKEY_CTX_free(context);
    if (err != SIGNET_OK)
        rsa_private_renew(key);
    return err;
}

enum signet_err oaep_decrypt(const struct crypto_rsa_private *key, signet_span ciphertext,
    struct signet_buf *out, bool *held)
{
    struct decrypted result = {0};
    enum signet_err err = decrypt(key, ciphertext, &result);

    if (err == SIGNET_OK && result.held == 1)
        err = signet_buf_append(out, signet_span_of(result.plain, result.len));
    if (err == SIGNET_OK)
        *held = result.held == 1;
    crypto_wipe(&result, sizeof(result));
    return err;
}

/* 1 where a == b, else 0, without a branch. */
static unsigned is_equal(size_t a, size_t b)
{
    size_t difference = a ^ b;

    return 1U & ~(unsigned)((difference | (0 - difference)) >> (sizeof(size_t) * 8 - 1));
}

enum signet_err crypto_rsa_unwrap(const struct crypto_rsa_private *key,
    const struct crypto_reject_key *reject, signet_span ciphertext,
    struct crypto_oaep_secret *secret_out)
{
    struct {
        struct decrypted result;
        uint8_t rejected[CRYPTO_MAC_LEN];
    } tmp = {0};
    /* volatile: or the compiler may see that it is all or nothing, and branch. */
    volatile unsigned mask;
    enum signet_err err;

    err = decrypt(key, ciphertext, &tmp.result);
    if (err != SIGNET_OK)
        goto out;
    err = crypto_hmac(key->public_key->library, signet_span_of(reject->k, sizeof(reject->k)),
        ciphertext, tmp.rejected);
    if (err != SIGNET_OK)
        goto out;
    mask = 0U - (tmp.result.held & is_equal(tmp.result.len, CRYPTO_OAEP_SECRET_LEN));
    for (size_t i = 0; i < CRYPTO_OAEP_SECRET_LEN; i++)
        secret_out->k[i] = (uint8_t)((tmp.result.plain[i] & mask) | (tmp.rejected[i] & ~mask));
out:
    crypto_wipe(&tmp, sizeof(tmp));
    return err;
}
