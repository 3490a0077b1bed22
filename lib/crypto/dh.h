/* X25519 (RFC 7748). */
#ifndef CRYPTO_DH_H
#define CRYPTO_DH_H

#include <signet/library.h>
#include <signet/span.h>

enum { CRYPTO_DH_LEN = 32 };

struct crypto_dh_public {
    uint8_t k[CRYPTO_DH_LEN];
};
/* Keep these in memory from crypto_secret_alloc, or wipe them before the function returns. */
struct crypto_dh_private {
    uint8_t k[CRYPTO_DH_LEN];
};
struct crypto_dh_shared {
    uint8_t k[CRYPTO_DH_LEN];
};
struct crypto_dh_pair {
    struct crypto_dh_private private_key;
    struct crypto_dh_public public_key;
};

/* Errors: NOMEM, CRYPTO; *pair_out is unchanged then. */
SIGNET_MUST_USE enum signet_err crypto_dh_generate(
    struct signet_library *library, struct crypto_dh_pair *pair_out);

/* The shared secret. Errors: KEY (the result is all zero: RFC 7748, section 6.1: a low-order
 * point), NOMEM, CRYPTO; *shared_out is zeroed then. */
SIGNET_MUST_USE enum signet_err crypto_dh_agree(struct signet_library *library,
    const struct crypto_dh_private *ours, const struct crypto_dh_public *theirs,
    struct crypto_dh_shared *shared_out);

#endif
