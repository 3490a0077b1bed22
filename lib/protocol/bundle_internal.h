/* What lib/protocol knows of bundles beyond their public header. docs/protocol.md, section 4. */
#ifndef PROTOCOL_BUNDLE_INTERNAL_H
#define PROTOCOL_BUNDLE_INTERNAL_H

#include <signet/bundle.h>

#include "crypto/dh.h"
#include "crypto/rsa.h"

enum { BUNDLE_SUITES_MAX = 4 };

struct signet_bundle {
    struct signet_id id;
    struct signet_id device; /* the signer */
    struct signet_id address;
    struct signet_id list;
    uint64_t version;
    uint64_t not_before, not_after; /* ms */
    uint64_t suite_max;
    struct crypto_rsa_public *oaep_key;
    struct crypto_dh_public signed_prekey;
    struct signet_id one_time_root;
    size_t one_time_count;
};

/* In memory from crypto_secret_alloc. */
struct signet_bundle_secrets {
    struct signet_id id; /* of the bundle */
    uint64_t version;
    uint64_t not_after;    /* ms */
    uint64_t oaep_made_at; /* ms */
    struct crypto_rsa_private *oaep_key;
    struct crypto_reject_key reject;
    struct crypto_dh_pair signed_prekey;
    bool has_one_time[SIGNET_ONE_TIME_COUNT];
    struct crypto_dh_private one_time[SIGNET_ONE_TIME_COUNT];
};

/* The hash of one one-time prekey as a leaf of its bundle's tree. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err one_time_leaf(struct signet_library *library, uint32_t index,
    const uint8_t key[SIGNET_ONE_TIME_KEY_LEN], struct signet_id *hash_out);

/* The root over `keys`, whole keys of 32 bytes. Errors: ARGUMENT (count), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err one_time_root(
    struct signet_library *library, signet_span keys, struct signet_id *root_out);

/* Append the payload of a bundle to be signed. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err bundle_write(
    const struct signet_bundle *bundle, struct signet_buf *out);

/* Bundle secrets from keys that are there (tests) or were just made. Takes oaep_key over, also on
 * failure. The signed bundle is appended to out[0], the one-time public keys to out[1]. Errors:
 * NOMEM, CRYPTO; outputs are unchanged then. */
struct bundle_keys {
    struct crypto_rsa_private *oaep_key;
    struct crypto_reject_key reject;
    uint64_t oaep_made_at; /* ms */
};
SIGNET_MUST_USE enum signet_err bundle_from_keys(struct signet_library *library,
    const struct signet_bundle_order *order, const struct bundle_keys *keys,
    struct signet_bundle_secrets **secrets_out, struct signet_buf out[2]);

#endif
