/*
 * Merkle trees as RFC 9162, section 2.1 defines them: leaf hash SHA-256(0x00 || leaf), node hash
 * SHA-256(0x01 || left || right). The different first byte keeps a node from passing as a leaf.
 */
#ifndef PROTOCOL_MERKLE_H
#define PROTOCOL_MERKLE_H

#include <signet/id.h>
#include <signet/library.h>

enum { MERKLE_SIZE_MAX = 256, MERKLE_PATH_MAX = 8 };

/* Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err merkle_leaf(
    struct signet_library *library, signet_span leaf, struct signet_id *hash_out);

/* The root over count (1..MERKLE_SIZE_MAX) leaf hashes. Errors: ARGUMENT, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err merkle_root(struct signet_library *library,
    const struct signet_id *leaves, size_t count, struct signet_id *root_out);

struct merkle_path {
    size_t len;
    struct signet_id hashes[MERKLE_PATH_MAX];
};

/* The path of leaf `index`, lowest hash first. Errors: ARGUMENT, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err merkle_path(struct signet_library *library,
    const struct signet_id *leaves, size_t count, size_t index, struct merkle_path *path_out);

/* Where a leaf is claimed to stand. */
struct merkle_claim {
    struct signet_id leaf; /* its hash */
    size_t index, size;
    const struct signet_id *path;
    size_t path_len;
};

/* The root that a claim gives (RFC 9162, section 2.1.3.2). Errors: AUTH (index not below size, a
 * path of another length), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err merkle_claimed_root(
    struct signet_library *library, const struct merkle_claim *claim, struct signet_id *root_out);

#endif
