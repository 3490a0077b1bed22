/* Merkle trees: RFC 9162, section 2.1. */
#include "protocol/merkle.h"

#include "crypto/hash.h"

static const uint8_t leaf_prefix = 0, node_prefix = 1;

enum signet_err merkle_leaf(
    struct signet_library *library, signet_span leaf, struct signet_id *hash_out)
{
    const signet_span parts[] = {signet_span_of(&leaf_prefix, 1), leaf};

    return crypto_sha256(library, parts, 2, hash_out);
}

static enum signet_err node(struct signet_library *library, const struct signet_id *left,
    const struct signet_id *right, struct signet_id *out)
{
    const signet_span parts[] = {
        signet_span_of(&node_prefix, 1), signet_id_span(left), signet_id_span(right)};

    return crypto_sha256(library, parts, 3, out);
}

/* The largest power of two below count: where RFC 9162 splits. */
static size_t split(size_t count)
{
    size_t k = 1;

    while (k * 2 < count)
        k *= 2;
    return k;
}

/* Recursion is at most eight deep: MERKLE_SIZE_MAX leaves. */
static enum signet_err subtree(struct signet_library *library, const struct signet_id *leaves,
    size_t count, struct signet_id *out)
{
    struct signet_id left, right;
    size_t k;
    enum signet_err err;

    if (count == 1) {
        *out = leaves[0];
        return SIGNET_OK;
    }
    k = split(count);
    if ((err = subtree(library, leaves, k, &left)) != SIGNET_OK)
        return err;
    if ((err = subtree(library, leaves + k, count - k, &right)) != SIGNET_OK)
        return err;
    return node(library, &left, &right, out);
}

enum signet_err merkle_root(struct signet_library *library, const struct signet_id *leaves,
    size_t count, struct signet_id *root_out)
{
    if (count == 0 || count > MERKLE_SIZE_MAX)
        return SIGNET_ERR_ARGUMENT;
    return subtree(library, leaves, count, root_out);
}

enum signet_err merkle_path(struct signet_library *library, const struct signet_id *leaves,
    size_t count, size_t index, struct merkle_path *path_out)
{
    struct merkle_path down = {0}; /* highest hash first */

    if (count == 0 || count > MERKLE_SIZE_MAX || index >= count)
        return SIGNET_ERR_ARGUMENT;
    while (count > 1) {
        size_t k = split(count);
        bool is_left = index < k;
        enum signet_err err = is_left
                                  ? subtree(library, leaves + k, count - k, &down.hashes[down.len])
                                  : subtree(library, leaves, k, &down.hashes[down.len]);

        if (err != SIGNET_OK)
            return err;
        down.len++;
        leaves += is_left ? 0 : k;
        index -= is_left ? 0 : k;
        count = is_left ? k : count - k;
    }
    path_out->len = down.len;
    for (size_t i = 0; i < down.len; i++)
        path_out->hashes[i] = down.hashes[down.len - 1 - i];
    return SIGNET_OK;
}

enum signet_err merkle_claimed_root(
    struct signet_library *library, const struct merkle_claim *claim, struct signet_id *root_out)
{
    size_t at = claim->index, last = claim->size - 1;
    struct signet_id hash = claim->leaf;

    if (claim->size == 0 || claim->size > MERKLE_SIZE_MAX || claim->index >= claim->size)
        return SIGNET_ERR_AUTH;
    for (size_t i = 0; i < claim->path_len; i++) {
        const struct signet_id *other = &claim->path[i];
        enum signet_err err;

        if (last == 0)
            return SIGNET_ERR_AUTH;
        if (at % 2 == 1 || at == last) {
            err = node(library, other, &hash, &hash);
            while (at % 2 == 0 && at != 0) {
                at /= 2;
                last /= 2;
            }
        } else {
            err = node(library, &hash, other, &hash);
        }
        if (err != SIGNET_OK)
            return err;
        at /= 2;
        last /= 2;
    }
    if (last != 0)
        return SIGNET_ERR_AUTH;
    *root_out = hash;
    return SIGNET_OK;
}
