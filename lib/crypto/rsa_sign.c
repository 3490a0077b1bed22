/* Signing with RSASSA-PSS (RFC 8017, section 8.1.1). */
#include <openssl/rsa.h>

#include "crypto/hash.h"
#include "crypto/rsa_internal.h"
#include "crypto/secret.h"

/* `signature` has room for key->public_key->size bytes. Errors: NOMEM, CRYPTO. */
static enum signet_err sign_digest(
    const struct crypto_rsa_private *key, const struct signet_id *digest, uint8_t *signature)
{
    struct signet_library *library = key->public_key->library;
    EVP_PKEY_CTX *context = rsa_private_context(key);
    size_t len = key->public_key->size;
    enum signet_err err = SIGNET_OK;

    if (context == NULL || EVP_PKEY_sign_init(context) != 1 ||
        !rsa_pss_configure(context, library->sha256) ||
        EVP_PKEY_sign(context, signature, &len, digest->b, sizeof(digest->b)) != 1 ||
        len != key->public_key->size)
        err = openssl_failure();
    EVP_PKEY_CTX_free(context);
    return err;
}

enum signet_err crypto_rsa_sign(
    const struct crypto_rsa_private *key, signet_span message, struct signet_buf *out)
{
    const struct crypto_rsa_public *public_key = key->public_key;
    struct signet_id digest;
    uint8_t *signature;
    enum signet_err err;

    err = signet_buf_reserve(out, public_key->size);
    if (err != SIGNET_OK)
        return err;
    signature = out->ptr + out->len;
    err = crypto_sha256_one(public_key->library, message, &digest);
    if (err == SIGNET_OK)
        err = sign_digest(key, &digest, signature);
    if (err == SIGNET_OK)
        err = rsa_verify_digest(public_key, &digest, signet_span_of(signature, public_key->size));
    if (err == SIGNET_OK) {
        out->len += public_key->size;
        return SIGNET_OK;
    }
    rsa_private_renew(key);
    /* A faulty signature gives the factors away: not even spare room keeps it. */
    crypto_wipe(signature, public_key->size);
    return err == SIGNET_ERR_AUTH ? SIGNET_ERR_CRYPTO : err;
}
