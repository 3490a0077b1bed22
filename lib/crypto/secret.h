/* Handling of secrets: memory for them, wiping, comparison, randomness. */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <signet/buffer.h>
#include <signet/library.h>

/* Zeroed memory from OpenSSL's secure heap; NULL when there is none left. */
void *crypto_secret_alloc(size_t len);
/* Wipe and give back; NULL is fine. */
void crypto_secret_free(void *secret, size_t len);

void crypto_wipe(void *secret, size_t len);
/* Constant-time in the bytes; the lengths are public. */
bool crypto_equal(signet_span a, signet_span b);

/* Fill with random bytes for secrets (keys, seeds). Errors: CRYPTO. */
SIGNET_MUST_USE enum signet_err crypto_random_secret(
    struct signet_library *library, void *out, size_t len);
/* Fill with random bytes that others will see (nonces, salts). Errors: CRYPTO. */
SIGNET_MUST_USE enum signet_err crypto_random_public(
    struct signet_library *library, void *out, size_t len);

#endif
