/*
 * RSASSA-PSS (RFC 8017, section 8.1) with SHA-256, MGF1-SHA-256 and a salt of 32 bytes: the
 * parameters, which signing shares, and verifying.
 */
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/hash.h"
#include "crypto/rsa_internal.h"

bool rsa_pss_configure(EVP_PKEY_CTX *context, const EVP_MD *sha256)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context, sha256) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, sha256) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, CRYPTO_PSS_SALT_LEN) == 1;
}

EVP_PKEY_CTX *rsa_verifier_new(struct signet_library *library, EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(library->openssl, pkey, NULL);

    if (context != NULL &&
        (EVP_PKEY_verify_init(context) != 1 || !rsa_pss_configure(context, library->sha256))) {
        EVP_PKEY_CTX_free(context);
        return NULL;
    }
    return context;
}

enum signet_err rsa_verify_digest(
    const struct crypto_rsa_public *key, const struct signet_id *digest, signet_span signature)
{
    enum signet_err err = SIGNET_OK;
    EVP_PKEY_CTX *context;

    ERR_clear_error();
    /* Setting up a context costs a sixth of a verification; duplicating one next to nothing. */
    context = EVP_PKEY_CTX_dup(key->verifier);
    if (context == NULL)
        return openssl_failure();
    if (EVP_PKEY_verify(context, signature.ptr, signature.len, digest->b, sizeof(digest->b)) != 1)
        err = openssl_rsa_verdict(SIGNET_ERR_AUTH);
    EVP_PKEY_CTX_free(context);
    return err;
}

enum signet_err crypto_rsa_verify(
    const struct crypto_rsa_public *key, signet_span message, signet_span signature)
{
    struct signet_id digest;
    enum signet_err err;

    if (signature.len != key->size)
        return SIGNET_ERR_AUTH;
    err = crypto_sha256_one(key->library, message, &digest);
    if (err != SIGNET_OK)
        return err;
    return rsa_verify_digest(key, &digest, signature);
}
