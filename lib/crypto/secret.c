/* Memory for secrets, wiping, constant-time comparison, randomness. */
#include "crypto/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "crypto/library_internal.h"

void *crypto_secret_alloc(size_t len)
{
    void *secret = OPENSSL_secure_zalloc(len);

    if (secret == NULL)
        (void)openssl_failure();
    return secret;
}

void crypto_secret_free(void *secret, size_t len)
{
    OPENSSL_secure_clear_free(secret, len);
}

void crypto_wipe(void *secret, size_t len)
{
    OPENSSL_cleanse(secret, len);
}

bool crypto_equal(signet_span a, signet_span b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}

enum signet_err crypto_random_secret(struct signet_library *library, void *out, size_t len)
{
    if (RAND_priv_bytes_ex(library->openssl, out, len, 0) == 1)
        return SIGNET_OK;
    crypto_wipe(out, len);
    (void)openssl_failure();
    return SIGNET_ERR_CRYPTO;
}

enum signet_err crypto_random_public(struct signet_library *library, void *out, size_t len)
{
    if (RAND_bytes_ex(library->openssl, out, len, 0) == 1)
        return SIGNET_OK;
    crypto_wipe(out, len);
    (void)openssl_failure();
    return SIGNET_ERR_CRYPTO;
}
