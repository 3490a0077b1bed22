/* The ratchet's secret form, for a sealed store. */
#include <string.h>

#include "crypto/secret.h"
#include "protocol/ratchet_internal.h"
#include "wire/cbor.h"

enum { FORMAT_VERSION = 1, FIELDS = 17 };

static void put_key(struct wire_writer *w, const void *key)
{
    wire_put_bytes(w, signet_span_of(key, 32));
}

static void put_skipped(struct wire_writer *w, const struct skipped_keys *skipped)
{
    wire_put_array(w, SIGNET_CHAINS_MAX);
    for (size_t i = 0; i < SIGNET_CHAINS_MAX; i++) {
        if (skipped->chain_used[i])
            put_key(w, skipped->chains[i].k);
        else
            wire_put_null(w);
    }
    wire_put_array(w, skipped->count);
    for (size_t i = 0; i < skipped->count; i++) {
        wire_put_array(w, 4);
        wire_put_uint(w, skipped->keys[i].stored_at);
        wire_put_uint(w, skipped->keys[i].number);
        wire_put_uint(w, skipped->keys[i].chain);
        put_key(w, skipped->keys[i].key.k);
    }
}

enum signet_err ratchet_encode(const struct ratchet *r, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, FIELDS);
    wire_put_uint(&w, FORMAT_VERSION);
    put_key(&w, r->ours.private_key.k);
    put_key(&w, r->ours.public_key.k);
    put_key(&w, r->theirs.k);
    put_key(&w, r->root.k);
    wire_put_uint(&w, r->can_send);
    wire_put_uint(&w, r->can_receive);
    put_key(&w, r->sending.k);
    put_key(&w, r->receiving.k);
    put_key(&w, r->send_header.k);
    put_key(&w, r->receive_header.k);
    put_key(&w, r->next_send_header.k);
    put_key(&w, r->next_receive_header.k);
    wire_put_uint(&w, r->sent);
    wire_put_uint(&w, r->received);
    wire_put_uint(&w, r->previous);
    wire_put_array(&w, 2);
    put_skipped(&w, &r->skipped);
    return wire_writer_finish(&w);
}

static void get_key(struct wire_reader *r, void *key)
{
    signet_span bytes = wire_get_bytes(r, 32, 32);

    if (bytes.len == 32)
        memcpy(key, bytes.ptr, 32);
}

/* The keys of skipped messages; the array's size is bounded before it is allocated. */
static enum signet_err get_skipped(struct wire_reader *r, struct skipped_keys *skipped)
{
    size_t count;
    enum signet_err err;

    wire_expect_array(r, 2);
    wire_expect_array(r, SIGNET_CHAINS_MAX);
    for (size_t i = 0; i < SIGNET_CHAINS_MAX; i++) {
        skipped->chain_used[i] = !wire_get_null(r);
        if (skipped->chain_used[i])
            get_key(r, skipped->chains[i].k);
    }
    count = wire_get_array(r, 0, SIGNET_SKIPPED_KEYS_MAX);
    if ((err = skipped_reserve(skipped, count)) != SIGNET_OK)
        return err;
    for (; skipped->count < count; skipped->count++) {
        struct skipped_key *key = &skipped->keys[skipped->count];

        wire_expect_array(r, 4);
        key->stored_at = wire_get_uint(r, UINT64_MAX);
        key->number = (uint32_t)wire_get_uint(r, UINT32_MAX);
        key->chain = (uint32_t)wire_get_uint(r, SIGNET_CHAINS_MAX - 1);
        get_key(r, key->key.k);
    }
    return SIGNET_OK;
}

/* Exactly the chains that have keys are in use. */
static bool is_consistent(const struct skipped_keys *skipped)
{
    bool has_keys[SIGNET_CHAINS_MAX] = {false};

    for (size_t i = 0; i < skipped->count; i++)
        has_keys[skipped->keys[i].chain] = true;
    return memcmp(has_keys, skipped->chain_used, sizeof(has_keys)) == 0;
}

enum signet_err ratchet_decode(
    struct signet_library *library, signet_span encoded, struct ratchet **ratchet_out)
{
    struct wire_reader in = wire_reader(encoded);
    struct ratchet *r = crypto_secret_alloc(sizeof(*r));
    enum signet_err err;

    if (r == NULL)
        return SIGNET_ERR_NOMEM;
    r->library = library;
    wire_expect_array(&in, FIELDS);
    wire_expect_uint(&in, FORMAT_VERSION);
    get_key(&in, r->ours.private_key.k);
    get_key(&in, r->ours.public_key.k);
    get_key(&in, r->theirs.k);
    get_key(&in, r->root.k);
    r->can_send = wire_get_uint(&in, 1) == 1;
    r->can_receive = wire_get_uint(&in, 1) == 1;
    get_key(&in, r->sending.k);
    get_key(&in, r->receiving.k);
    get_key(&in, r->send_header.k);
    get_key(&in, r->receive_header.k);
    get_key(&in, r->next_send_header.k);
    get_key(&in, r->next_receive_header.k);
    r->sent = (uint32_t)wire_get_uint(&in, UINT32_MAX);
    r->received = (uint32_t)wire_get_uint(&in, UINT32_MAX);
    r->previous = (uint32_t)wire_get_uint(&in, UINT32_MAX);
    if ((err = get_skipped(&in, &r->skipped)) == SIGNET_OK)
        err = wire_reader_finish(&in);
    if (err == SIGNET_OK && !is_consistent(&r->skipped))
        err = SIGNET_ERR_FORMAT;
    if (err != SIGNET_OK) {
        ratchet_free(r);
        return err;
    }
    *ratchet_out = r;
    return SIGNET_OK;
}
