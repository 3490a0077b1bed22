/*
 * Where the entries of one device in one conversation stand: RECORD_HEAD. It finds gaps, late
 * entries and forks: docs/protocol.md, section 8, step 7.
 */
#ifndef ENGINE_HISTORY_CHAIN_H
#define ENGINE_HISTORY_CHAIN_H

#include <signet/entry.h>

#include "engine/history/verdict.h"

enum { CHAIN_GAPS_MAX = 32, CHAIN_RECENT_MAX = 64 };

/* Entries from..to that have not arrived. */
struct chain_gap {
    uint64_t from, to;
    struct signet_id before;   /* id of the entry before `from`; zero: none, or not known */
    struct signet_id expected; /* id that the entry after `to` named as its previous one */
};

struct chain {
    uint64_t sequence;   /* the highest seen; 0: none */
    struct signet_id id; /* its id */
    size_t gap_count;
    struct chain_gap gaps[CHAIN_GAPS_MAX]; /* rising */
    size_t recent_count;
    struct {
        uint64_t sequence;
        struct signet_id id;
    } recent[CHAIN_RECENT_MAX]; /* the last ones seen, oldest first */
};

/*
 * Put an entry in its place.
 * missing_out  with VERDICT_GAP: how many entries are missing before it
 * Returns VERIFIED, GAP, LATE, FORK, or REPLAYED where this very entry was seen; the chain is
 * unchanged with REPLAYED and FORK.
 */
enum verdict chain_place(
    struct chain *chain, const struct signet_entry *entry, uint64_t *missing_out);

/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err chain_encode(const struct chain *chain, struct signet_buf *out);
/* Errors: FORMAT. */
SIGNET_MUST_USE enum signet_err chain_decode(signet_span value, struct chain *chain_out);

#endif
