/* HKDF-SHA-256 (RFC 5869) and scrypt (RFC 7914). */
#include "crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "crypto/library_internal.h"
#include "crypto/secret.h"

enum { SCRYPT_R = 8, SCRYPT_P = 1 };

/* OpenSSL only reads what a parameter points to, although the field is not const; a NULL pointer
 * is an error to it even where nothing is to be read. */
static OSSL_PARAM octets(const char *name, signet_span bytes)
{
    static const uint8_t nothing[1];
    OSSL_PARAM param = OSSL_PARAM_construct_octet_string(name, NULL, bytes.len);

    param.data = (void *)(uintptr_t)(bytes.len == 0 ? nothing : bytes.ptr);
    return param;
}

/* On failure `out` is zeroed. */
static enum signet_err derive(EVP_KDF *kdf, const OSSL_PARAM *params, struct crypto_out out)
{
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    enum signet_err err = SIGNET_OK;

    if (context == NULL || EVP_KDF_derive(context, out.ptr, out.len, params) != 1) {
        err = openssl_failure();
        crypto_wipe(out.ptr, out.len);
    }
    EVP_KDF_CTX_free(context);
    return err;
}

enum signet_err crypto_hkdf_extract(struct signet_library *library, signet_span salt,
    signet_span secret, struct crypto_prk *prk_out)
{
    char digest[] = OSSL_DIGEST_NAME_SHA2_256;
    int mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        octets(OSSL_KDF_PARAM_KEY, secret),
        octets(OSSL_KDF_PARAM_SALT, salt),
        OSSL_PARAM_construct_end(),
    };

    return derive(library->hkdf, params, (struct crypto_out){prk_out->k, sizeof(prk_out->k)});
}

enum signet_err crypto_hkdf_expand(struct signet_library *library, const struct crypto_prk *prk,
    signet_span label, signet_span context, struct crypto_out out)
{
    char digest[] = OSSL_DIGEST_NAME_SHA2_256;
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    /* OpenSSL concatenates the two infos. */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        octets(OSSL_KDF_PARAM_KEY, signet_span_of(prk->k, sizeof(prk->k))),
        octets(OSSL_KDF_PARAM_INFO, label),
        octets(OSSL_KDF_PARAM_INFO, context),
        OSSL_PARAM_construct_end(),
    };

    if (out.len == 0 || out.len > CRYPTO_EXPAND_MAX) {
        crypto_wipe(out.ptr, out.len);
        return SIGNET_ERR_ARGUMENT;
    }
    return derive(library->hkdf, params, out);
}

enum signet_err crypto_scrypt(struct signet_library *library, signet_span passphrase,
    signet_span salt, unsigned log2_n, struct crypto_out out)
{
    uint64_t n = UINT64_C(1) << (log2_n & 63);
    uint32_t r = SCRYPT_R;
    uint32_t p = SCRYPT_P;
    /* RFC 7914, section 5: 128 r N bytes for V, 128 r p for B, and some to work in. */
    uint64_t memory_max = 128 * r * (n + p + 8);
    OSSL_PARAM params[] = {
        octets(OSSL_KDF_PARAM_PASSWORD, passphrase),
        octets(OSSL_KDF_PARAM_SALT, salt),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_max),
        OSSL_PARAM_construct_end(),
    };

    if (log2_n < CRYPTO_SCRYPT_LOG2_N || log2_n > CRYPTO_SCRYPT_LOG2_N_MAX || out.len == 0)
        return SIGNET_ERR_ARGUMENT;
    return derive(library->scrypt, params, out);
}
