/* What a library holds of OpenSSL. Inside lib/crypto only. */
#ifndef CRYPTO_LIBRARY_INTERNAL_H
#define CRYPTO_LIBRARY_INTERNAL_H

#include <pthread.h>

#include <openssl/evp.h>

#include <signet/id.h>
#include <signet/library.h>

enum { LIBRARY_CHECKED_MAX = 1024 }; /* fingerprints; 32 KiB */

struct signet_library {
    OSSL_LIB_CTX *openssl; /* borrowed; NULL is the default one */
    EVP_MD *sha256;
    EVP_CIPHER *aes256_gcm;
    EVP_KDF *hkdf;
    EVP_KDF *scrypt;
    EVP_MAC_CTX *hmac_sha256; /* without a key; duplicated for each use, never used itself */

    pthread_mutex_t lock; /* for what follows */
    size_t checked_count; /* in use, from the front */
    size_t checked_next;  /* the next one to be overwritten: the oldest */
    struct signet_id checked[LIBRARY_CHECKED_MAX];
};

/* Whether a public key of that fingerprint has passed its check here. */
bool library_key_is_checked(struct signet_library *library, const struct signet_id *fingerprint);
/* Remember that it has; the oldest of LIBRARY_CHECKED_MAX is forgotten. */
void library_key_add_checked(struct signet_library *library, const struct signet_id *fingerprint);

/*
 * Empty this thread's queue of OpenSSL errors and say which of ours they are: NOMEM where any of
 * them is an allocation that failed, else CRYPTO.
 */
enum signet_err openssl_failure(void);

/*
 * The same after a call by which OpenSSL judges a peer's RSA bytes: `refused` where it did judge,
 * else NOMEM or CRYPTO. OpenSSL returns the same for both, and raises nothing at all for some
 * allocations that fail, so that only what RSA itself has raised counts as judged.
 */
enum signet_err openssl_rsa_verdict(enum signet_err refused);

#endif
