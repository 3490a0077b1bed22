/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104). */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include <signet/id.h>
#include <signet/library.h>

enum { CRYPTO_MAC_LEN = 32 };

/* SHA-256 over the parts, one after the other. Errors: NOMEM, CRYPTO; *out is unchanged then. */
SIGNET_MUST_USE enum signet_err crypto_sha256(struct signet_library *library,
    const signet_span *parts, size_t part_count, struct signet_id *out);

/* SHA-256 over one part. Errors: as crypto_sha256. */
SIGNET_MUST_USE enum signet_err crypto_sha256_one(
    struct signet_library *library, signet_span part, struct signet_id *out);

/* HMAC-SHA-256 with a key of any length. Errors: NOMEM, CRYPTO; `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err crypto_hmac(
    struct signet_library *library, signet_span key, signet_span data, uint8_t out[CRYPTO_MAC_LEN]);

#endif
