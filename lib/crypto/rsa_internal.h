/* RSA keys as lib/crypto holds them. Inside lib/crypto only. */
#ifndef CRYPTO_RSA_INTERNAL_H
#define CRYPTO_RSA_INTERNAL_H

#include <stdatomic.h>

#include "crypto/library_internal.h"
#include "crypto/rsa.h"

/* Nothing but `owners` changes once the key is made. */
struct crypto_rsa_public {
    atomic_size_t owners;
    struct signet_library *library;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *verifier; /* set up for PSS; duplicated for each use, never used itself */
    struct signet_id fingerprint;
    size_t size; /* bytes of the modulus */
    size_t spki_len;
    uint8_t spki[CRYPTO_RSA_SPKI_MAX];
};

struct crypto_rsa_private {
    struct crypto_rsa_public *public_key;
    EVP_PKEY *pkey;     /* as it was read or generated; never computed with */
    EVP_PKEY **working; /* a duplicate to compute with; *working is NULL until it is needed */
};

/* The key with this modulus (big-endian, of 256, 384 or 512 bytes, odd, the highest bit set) and
 * e = 65537. Not checked. Errors: KEY (another length, highest bit not set, even), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err rsa_public_from_modulus(
    struct signet_library *library, signet_span modulus, struct crypto_rsa_public **key_out);

/* Big-endian; borrowed from the key. */
signet_span rsa_modulus(const struct crypto_rsa_public *key);

/*
 * A context for an operation with the private key. NULL on failure.
 *
 * Where an operation failed, call rsa_private_renew: an allocation that fails while OpenSSL renews
 * its blinding leaves a pair of factors that do not fit, and the next 31 results wrong, without an
 * error. A wrong signature would be seen; a wrong decryption is a rejection value like any other.
 */
EVP_PKEY_CTX *rsa_private_context(const struct crypto_rsa_private *key);
void rsa_private_renew(const struct crypto_rsa_private *key);

/* Set a context to RSASSA-PSS with SHA-256, MGF1-SHA-256 and a salt of 32 bytes; false: OpenSSL
 * refused. */
bool rsa_pss_configure(EVP_PKEY_CTX *context, const EVP_MD *sha256);

/* A context in which that key verifies PSS signatures. NULL on failure. */
EVP_PKEY_CTX *rsa_verifier_new(struct signet_library *library, EVP_PKEY *pkey);

/* Verify a signature over a message of that SHA-256. Errors: AUTH, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err rsa_verify_digest(
    const struct crypto_rsa_public *key, const struct signet_id *digest, signet_span signature);

#endif
