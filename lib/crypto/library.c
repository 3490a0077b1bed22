/* Algorithms fetched once, the secure heap, the cache of checked public keys. */
#include "crypto/library_internal.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

enum {
    SECURE_HEAP_LEN = 8 << 20, /* bytes; an RSA-4096 key takes under 8 KiB */
    SECURE_HEAP_BLOCK_MIN = 32,
};

static pthread_once_t secure_heap_once = PTHREAD_ONCE_INIT;

/* Failure is no reason to stop: locking is a second line behind wiping, the limit on locked memory
 * is often low, and a program that embeds the library may have set up the heap already. */
static void secure_heap_init(void)
{
    if (CRYPTO_secure_malloc_initialized() == 0)
        (void)CRYPTO_secure_malloc_init(SECURE_HEAP_LEN, SECURE_HEAP_BLOCK_MIN);
    ERR_clear_error();
}

static EVP_MAC_CTX *hmac_sha256_new(OSSL_LIB_CTX *openssl)
{
    char digest[] = OSSL_DIGEST_NAME_SHA2_256;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(openssl, OSSL_MAC_NAME_HMAC, NULL);
    EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);

    EVP_MAC_free(mac);
    if (context != NULL && EVP_MAC_CTX_set_params(context, params) != 1) {
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}

enum signet_err signet_library_new(
    struct ossl_lib_ctx_st *openssl, struct signet_library **library_out)
{
    struct signet_library *library;
    enum signet_err err;

    (void)pthread_once(&secure_heap_once, secure_heap_init);
    library = calloc(1, sizeof(*library));
    if (library == NULL)
        return SIGNET_ERR_NOMEM;
    if (pthread_mutex_init(&library->lock, NULL) != 0) {
        free(library);
        return SIGNET_ERR_NOMEM;
    }
    library->openssl = openssl;
    library->sha256 = EVP_MD_fetch(openssl, OSSL_DIGEST_NAME_SHA2_256, NULL);
    library->aes256_gcm = EVP_CIPHER_fetch(openssl, "AES-256-GCM", NULL);
    library->hkdf = EVP_KDF_fetch(openssl, OSSL_KDF_NAME_HKDF, NULL);
    library->scrypt = EVP_KDF_fetch(openssl, OSSL_KDF_NAME_SCRYPT, NULL);
    library->hmac_sha256 = hmac_sha256_new(openssl);
    if (library->sha256 == NULL || library->aes256_gcm == NULL || library->hkdf == NULL ||
        library->scrypt == NULL || library->hmac_sha256 == NULL) {
        err = openssl_failure();
        signet_library_free(library);
        return err;
    }
    *library_out = library;
    return SIGNET_OK;
}

void signet_library_free(struct signet_library *library)
{
    if (library == NULL)
        return;
    EVP_MAC_CTX_free(library->hmac_sha256);
    EVP_KDF_free(library->scrypt);
    EVP_KDF_free(library->hkdf);
    EVP_CIPHER_free(library->aes256_gcm);
    EVP_MD_free(library->sha256);
    (void)pthread_mutex_destroy(&library->lock);
    free(library);
}

static bool is_checked(const struct signet_library *library, const struct signet_id *fingerprint)
{
    for (size_t i = 0; i < library->checked_count; i++)
        if (signet_id_equal(&library->checked[i], fingerprint))
            return true;
    return false;
}

bool library_key_is_checked(struct signet_library *library, const struct signet_id *fingerprint)
{
    bool found;

    (void)pthread_mutex_lock(&library->lock);
    found = is_checked(library, fingerprint);
    (void)pthread_mutex_unlock(&library->lock);
    return found;
}

void library_key_add_checked(struct signet_library *library, const struct signet_id *fingerprint)
{
    (void)pthread_mutex_lock(&library->lock);
    /* Two threads may have checked the same key at the same time. */
    if (!is_checked(library, fingerprint)) {
        library->checked[library->checked_next] = *fingerprint;
        library->checked_next = (library->checked_next + 1) % LIBRARY_CHECKED_MAX;
        if (library->checked_count < LIBRARY_CHECKED_MAX)
            library->checked_count++;
    }
    (void)pthread_mutex_unlock(&library->lock);
}

enum signet_err openssl_failure(void)
{
    return openssl_rsa_verdict(SIGNET_ERR_CRYPTO);
}

enum signet_err openssl_rsa_verdict(enum signet_err refused)
{
    bool is_judged = false;
    bool is_nomem = false;
    unsigned long code;

    while ((code = ERR_get_error()) != 0) {
        /* Without flags it is a reason of RSA's own, not one that all libraries have. */
        if (ERR_GET_LIB(code) == ERR_LIB_RSA && ERR_GET_RFLAGS(code) == 0)
            is_judged = true;
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
            is_nomem = true;
    }
    if (is_nomem)
        return SIGNET_ERR_NOMEM;
    return is_judged ? refused : SIGNET_ERR_CRYPTO;
}
