/* Keys of lib/crypto that it would not make, and a look at what it keeps to itself. */
#ifndef TESTS_FORGE_CRYPTO_H
#define TESTS_FORGE_CRYPTO_H

#include <openssl/evp.h>

#include "crypto/rsa.h"

/* The library that made it, and OpenSSL's key; borrowed. */
struct signet_library *forge_library_of(const struct crypto_rsa_private *key);
EVP_PKEY *forge_pkey(const struct crypto_rsa_private *key);
/* A private key around that one and a public one, which need not fit, and which may be NULL; neither
 * is taken over. The caller frees it. Ends the process when out of memory. */
struct crypto_rsa_private *forge_rsa_private(EVP_PKEY *pkey, struct crypto_rsa_public *public_key);
/* Big-endian; borrowed from the key. */
signet_span forge_modulus(const struct crypto_rsa_public *key);

/* The library's cache: whether the key of that fingerprint has been checked; add it; how many are in
 * it, and how many may be. */
bool forge_is_checked(struct signet_library *library, const struct signet_id *fingerprint);
void forge_add_checked(struct signet_library *library, const struct signet_id *fingerprint);
size_t forge_checked_count(const struct signet_library *library);
size_t forge_checked_max(void);

#endif
