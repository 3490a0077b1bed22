/* One-time prekeys as leaves of their bundle's Merkle tree. docs/protocol.md, section 4. */
#include <string.h>

#include "protocol/bundle_internal.h"
#include "protocol/merkle.h"
#include "wire/cbor.h"

enum signet_err one_time_leaf(struct signet_library *library, uint32_t index,
    const uint8_t key[SIGNET_ONE_TIME_KEY_LEN], struct signet_id *hash_out)
{
    struct signet_buf leaf = {0};
    struct wire_writer w = wire_writer(&leaf);
    enum signet_err err;

    wire_put_array(&w, 3);
    wire_put_text(&w, signet_span_str("signet one-time prekey"));
    wire_put_uint(&w, index);
    wire_put_bytes(&w, signet_span_of(key, SIGNET_ONE_TIME_KEY_LEN));
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = merkle_leaf(library, signet_buf_span(&leaf), hash_out);
    signet_buf_free(&leaf);
    return err;
}

/* The leaf hashes of whole keys; ARGUMENT where `keys` is not 1..256 of them. */
static enum signet_err hash_leaves(struct signet_library *library, signet_span keys,
    struct signet_id leaves[MERKLE_SIZE_MAX], size_t *count_out)
{
    size_t count = keys.len / SIGNET_ONE_TIME_KEY_LEN;

    if (keys.len % SIGNET_ONE_TIME_KEY_LEN != 0 || count == 0 || count > MERKLE_SIZE_MAX)
        return SIGNET_ERR_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        enum signet_err err =
            one_time_leaf(library, (uint32_t)i, keys.ptr + i * SIGNET_ONE_TIME_KEY_LEN, &leaves[i]);

        if (err != SIGNET_OK)
            return err;
    }
    *count_out = count;
    return SIGNET_OK;
}

enum signet_err one_time_root(
    struct signet_library *library, signet_span keys, struct signet_id *root_out)
{
    struct signet_id leaves[MERKLE_SIZE_MAX];
    size_t count;
    enum signet_err err = hash_leaves(library, keys, leaves, &count);

    if (err != SIGNET_OK)
        return err;
    return merkle_root(library, leaves, count, root_out);
}

enum signet_err signet_one_time_prove(struct signet_library *library, signet_span keys,
    uint32_t index, struct signet_one_time *one_time_out)
{
    struct signet_id leaves[MERKLE_SIZE_MAX];
    struct merkle_path path;
    size_t count;
    enum signet_err err;

    if ((err = hash_leaves(library, keys, leaves, &count)) != SIGNET_OK)
        return err;
    if ((err = merkle_path(library, leaves, count, index, &path)) != SIGNET_OK)
        return err;
    one_time_out->index = index;
    memcpy(one_time_out->key, keys.ptr + index * SIGNET_ONE_TIME_KEY_LEN, SIGNET_ONE_TIME_KEY_LEN);
    one_time_out->path_len = path.len;
    memcpy(one_time_out->path, path.hashes, sizeof(path.hashes));
    return SIGNET_OK;
}

enum signet_err signet_bundle_check_one_time(struct signet_library *library,
    const struct signet_bundle *bundle, const struct signet_one_time *one_time)
{
    struct merkle_claim claim = {
        .index = one_time->index,
        .size = bundle->one_time_count,
        .path = one_time->path,
        .path_len = one_time->path_len,
    };
    struct signet_id root;
    enum signet_err err;

    if (one_time->path_len > SIGNET_ONE_TIME_PATH_MAX)
        return SIGNET_ERR_AUTH;
    if ((err = one_time_leaf(library, one_time->index, one_time->key, &claim.leaf)) != SIGNET_OK)
        return err;
    if ((err = merkle_claimed_root(library, &claim, &root)) != SIGNET_OK)
        return err;
    return signet_id_equal(&root, &bundle->one_time_root) ? SIGNET_OK : SIGNET_ERR_AUTH;
}

enum signet_err signet_bundle_check_keys(
    struct signet_library *library, const struct signet_bundle *bundle, signet_span keys)
{
    struct signet_id root;
    enum signet_err err;

    if (keys.len != bundle->one_time_count * SIGNET_ONE_TIME_KEY_LEN)
        return SIGNET_ERR_AUTH;
    if ((err = one_time_root(library, keys, &root)) != SIGNET_OK)
        return err;
    return signet_id_equal(&root, &bundle->one_time_root) ? SIGNET_OK : SIGNET_ERR_AUTH;
}
