/*
 * Keys of messages that were skipped: the Double Ratchet, revision 1, section 2.6.
 *
 * How many there are is up to the peers: they lie in ordinary memory, wiped before it is given back,
 * so that they cannot use up the secure heap that every other key needs.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "protocol/ratchet_internal.h"

enum { SMALLEST = 16 };
#define SKIPPED_LIFE_MS (UINT64_C(30) * 24 * 3600 * 1000)

/* The first `count` keys stay; the others are wiped, and chains that have none left go. */
static void keep_first(struct skipped_keys *skipped, size_t count)
{
    bool used[SIGNET_CHAINS_MAX] = {false};

    if (count == skipped->count)
        return;
    crypto_wipe(&skipped->keys[count], (skipped->count - count) * sizeof(skipped->keys[0]));
    skipped->count = count;
    for (size_t i = 0; i < count; i++)
        used[skipped->keys[i].chain] = true;
    for (size_t i = 0; i < SIGNET_CHAINS_MAX; i++) {
        if (!used[i])
            crypto_wipe(&skipped->chains[i], sizeof(skipped->chains[i]));
        skipped->chain_used[i] = used[i];
    }
}

static void remove_key(struct skipped_keys *skipped, size_t at)
{
    memmove(&skipped->keys[at], &skipped->keys[at + 1],
        (skipped->count - at - 1) * sizeof(skipped->keys[0]));
    keep_first(skipped, skipped->count - 1);
}

/* Wiped, then freed. */
static void free_keys(struct skipped_keys *skipped)
{
    if (skipped->keys != NULL)
        crypto_wipe(skipped->keys, skipped->capacity * sizeof(skipped->keys[0]));
    free(skipped->keys);
}

enum signet_err skipped_reserve(struct skipped_keys *skipped, size_t capacity)
{
    struct skipped_key *keys;

    if (capacity <= skipped->capacity)
        return SIGNET_OK;
    keys = calloc(capacity, sizeof(*keys));
    if (keys == NULL)
        return SIGNET_ERR_NOMEM;
    if (skipped->count > 0)
        memcpy(keys, skipped->keys, skipped->count * sizeof(*keys));
    free_keys(skipped);
    skipped->keys = keys;
    skipped->capacity = capacity;
    return SIGNET_OK;
}

static enum signet_err grow(struct skipped_keys *skipped)
{
    return skipped_reserve(skipped, skipped->capacity == 0 ? SMALLEST : skipped->capacity * 2);
}

/* All keys of the chain whose key is the oldest go: a chain is given up as a whole. */
static void remove_oldest_chain(struct skipped_keys *skipped)
{
    uint32_t chain = skipped->keys[0].chain;
    size_t kept = 0;

    for (size_t i = 0; i < skipped->count; i++) {
        if (skipped->keys[i].chain != chain)
            skipped->keys[kept++] = skipped->keys[i];
    }
    keep_first(skipped, kept);
}

/* The first slot that no chain has; SIGNET_CHAINS_MAX if all have one. */
static uint32_t free_slot(const struct skipped_keys *skipped)
{
    uint32_t slot = 0;

    while (slot < SIGNET_CHAINS_MAX && skipped->chain_used[slot])
        slot++;
    return slot;
}

/* The slot of a chain, which is taken, if need be from the oldest one, if it has none yet. */
static uint32_t chain_slot(struct skipped_keys *skipped, const struct header_key *chain)
{
    uint32_t slot;

    for (slot = 0; slot < SIGNET_CHAINS_MAX; slot++) {
        if (skipped->chain_used[slot] && header_key_equal(&skipped->chains[slot], chain))
            return slot;
    }
    if (free_slot(skipped) == SIGNET_CHAINS_MAX)
        remove_oldest_chain(skipped);
    slot = free_slot(skipped);
    skipped->chain_used[slot] = true;
    skipped->chains[slot] = *chain;
    return slot;
}

enum signet_err skipped_add(
    struct skipped_keys *skipped, const struct header_key *chain, const struct skipped_key *key)
{
    struct skipped_key *added;
    uint32_t slot;
    enum signet_err err;

    if (skipped->count == SIGNET_SKIPPED_KEYS_MAX)
        remove_key(skipped, 0);
    if (skipped->count == skipped->capacity && (err = grow(skipped)) != SIGNET_OK)
        return err;
    slot = chain_slot(skipped, chain); /* first: it may remove keys */
    added = &skipped->keys[skipped->count++];
    *added = *key;
    added->chain = slot;
    return SIGNET_OK;
}

bool skipped_take(
    struct skipped_keys *skipped, size_t chain, uint32_t number, struct message_key *key_out)
{
    for (size_t i = 0; i < skipped->count; i++) {
        if (skipped->keys[i].chain == chain && skipped->keys[i].number == number) {
            *key_out = skipped->keys[i].key;
            remove_key(skipped, i);
            return true;
        }
    }
    return false;
}

/* Not by their order: the clock may have been ahead when some were stored. */
bool skipped_expire(struct skipped_keys *skipped, uint64_t now_ms)
{
    size_t count = skipped->count, kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (skipped->keys[i].stored_at + SKIPPED_LIFE_MS >= now_ms)
            skipped->keys[kept++] = skipped->keys[i];
    }
    keep_first(skipped, kept);
    return kept < count;
}

enum signet_err skipped_copy(const struct skipped_keys *from, struct skipped_keys *to)
{
    struct skipped_keys copy = {.count = 0};
    enum signet_err err = skipped_reserve(&copy, from->count);

    if (err != SIGNET_OK)
        return err;
    if (from->count > 0)
        memcpy(copy.keys, from->keys, from->count * sizeof(copy.keys[0]));
    *to = *from;
    to->keys = copy.keys;
    to->capacity = copy.capacity;
    return SIGNET_OK;
}

void skipped_free(struct skipped_keys *skipped)
{
    free_keys(skipped);
    crypto_wipe(skipped, sizeof(*skipped));
}
