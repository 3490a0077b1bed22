/* The chain of one device's entries in one conversation: docs/protocol.md, section 8, step 7. */
#include "engine/history/chain.h"

#include <string.h>

#include "wire/cbor.h"

enum { FORMAT_VERSION = 1 };

static void remember(struct chain *chain, const struct signet_entry *entry)
{
    if (chain->recent_count == CHAIN_RECENT_MAX) {
        chain->recent_count--;
        memmove(chain->recent, chain->recent + 1, chain->recent_count * sizeof(chain->recent[0]));
    }
    chain->recent[chain->recent_count].sequence = entry->sequence;
    chain->recent[chain->recent_count].id = entry->id;
    chain->recent_count++;
}

/* The id that was seen in this entry's place not long ago; NULL: none. */
static const struct signet_id *find_recent(
    const struct chain *chain, const struct signet_entry *entry)
{
    for (size_t i = 0; i < chain->recent_count; i++) {
        if (chain->recent[i].sequence == entry->sequence)
            return &chain->recent[i].id;
    }
    return NULL;
}

/* The two oldest gaps become one, with the entries between them: nobody is to be taken for a forger
 * because somebody on the way has let many messages arrive late. */
static void join_oldest(struct chain *chain)
{
    chain->gaps[0].to = chain->gaps[1].to;
    chain->gaps[0].expected = chain->gaps[1].expected;
    chain->gap_count--;
    memmove(&chain->gaps[1], &chain->gaps[2], (chain->gap_count - 1) * sizeof(chain->gaps[0]));
}

static void insert_gap(struct chain *chain, size_t at, const struct chain_gap *gap)
{
    if (chain->gap_count == CHAIN_GAPS_MAX) {
        join_oldest(chain);
        if (at == 1)
            return; /* it lay between these two */
        at = at > 1 ? at - 1 : 0;
    }
    memmove(
        &chain->gaps[at + 1], &chain->gaps[at], (chain->gap_count - at) * sizeof(chain->gaps[0]));
    chain->gaps[at] = *gap;
    chain->gap_count++;
}

static void remove_gap(struct chain *chain, size_t at)
{
    chain->gap_count--;
    memmove(
        &chain->gaps[at], &chain->gaps[at + 1], (chain->gap_count - at) * sizeof(chain->gaps[0]));
}

/* The entry's number lies in gap `at`: it fills a part of it, if its neighbours agree. */
static enum verdict fill_gap(struct chain *chain, size_t at, const struct signet_entry *entry)
{
    const struct chain_gap gap = chain->gaps[at];
    struct chain_gap lower = {gap.from, entry->sequence - 1, gap.before, entry->previous};
    struct chain_gap upper = {entry->sequence + 1, gap.to, entry->id, gap.expected};

    if (entry->sequence == gap.to && !signet_id_equal(&entry->id, &gap.expected))
        return VERDICT_FORK;
    if (entry->sequence == gap.from && !signet_id_equal(&entry->previous, &gap.before))
        return VERDICT_FORK;
    remove_gap(chain, at);
    if (upper.from <= upper.to)
        insert_gap(chain, at, &upper);
    if (lower.from <= lower.to)
        insert_gap(chain, at, &lower);
    remember(chain, entry);
    return VERDICT_LATE;
}

static enum verdict place_known(struct chain *chain, const struct signet_entry *entry)
{
    const struct signet_id *seen = find_recent(chain, entry);

    if (seen != NULL)
        return signet_id_equal(seen, &entry->id) ? VERDICT_REPLAYED : VERDICT_FORK;
    for (size_t i = 0; i < chain->gap_count; i++) {
        if (entry->sequence >= chain->gaps[i].from && entry->sequence <= chain->gaps[i].to)
            return fill_gap(chain, i, entry);
    }
    return VERDICT_FORK;
}

enum verdict chain_place(
    struct chain *chain, const struct signet_entry *entry, uint64_t *missing_out)
{
    bool is_next = entry->sequence == chain->sequence + 1;

    *missing_out = 0;
    if (entry->sequence <= chain->sequence)
        return place_known(chain, entry);
    /* In sequence 1 previous is zero, as is the id of an empty chain. */
    if (is_next && !signet_id_equal(&entry->previous, &chain->id))
        return VERDICT_FORK;
    if (!is_next) {
        struct chain_gap gap = {
            chain->sequence + 1, entry->sequence - 1, chain->id, entry->previous};

        insert_gap(chain, chain->gap_count, &gap);
        *missing_out = gap.to - gap.from + 1;
    }
    chain->sequence = entry->sequence;
    chain->id = entry->id;
    remember(chain, entry);
    return is_next ? VERDICT_VERIFIED : VERDICT_GAP;
}

enum signet_err chain_encode(const struct chain *chain, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 5);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_uint(&w, chain->sequence);
    wire_put_id(&w, &chain->id);
    wire_put_array(&w, chain->gap_count);
    for (size_t i = 0; i < chain->gap_count; i++) {
        wire_put_array(&w, 4);
        wire_put_uint(&w, chain->gaps[i].from);
        wire_put_uint(&w, chain->gaps[i].to);
        wire_put_id(&w, &chain->gaps[i].before);
        wire_put_id(&w, &chain->gaps[i].expected);
    }
    wire_put_array(&w, chain->recent_count);
    for (size_t i = 0; i < chain->recent_count; i++) {
        wire_put_array(&w, 2);
        wire_put_uint(&w, chain->recent[i].sequence);
        wire_put_id(&w, &chain->recent[i].id);
    }
    return wire_writer_finish(&w);
}

enum signet_err chain_decode(signet_span value, struct chain *chain_out)
{
    struct wire_reader r = wire_reader(value);
    struct chain chain = {0};
    enum signet_err err;

    wire_expect_array(&r, 5);
    wire_expect_uint(&r, FORMAT_VERSION);
    chain.sequence = wire_get_uint(&r, UINT64_MAX);
    wire_get_id(&r, &chain.id);
    chain.gap_count = wire_get_array(&r, 0, CHAIN_GAPS_MAX);
    for (size_t i = 0; i < chain.gap_count; i++) {
        wire_expect_array(&r, 4);
        chain.gaps[i].from = wire_get_uint(&r, UINT64_MAX);
        chain.gaps[i].to = wire_get_uint(&r, UINT64_MAX);
        wire_get_id(&r, &chain.gaps[i].before);
        wire_get_id(&r, &chain.gaps[i].expected);
    }
    chain.recent_count = wire_get_array(&r, 0, CHAIN_RECENT_MAX);
    for (size_t i = 0; i < chain.recent_count; i++) {
        wire_expect_array(&r, 2);
        chain.recent[i].sequence = wire_get_uint(&r, UINT64_MAX);
        wire_get_id(&r, &chain.recent[i].id);
    }
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    *chain_out = chain;
    return SIGNET_OK;
}
