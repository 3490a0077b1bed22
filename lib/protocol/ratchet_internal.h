/* The ratchet's state: shared by ratchet.c (chains), ratchet_skipped.c and ratchet_codec.c. */
#ifndef PROTOCOL_RATCHET_INTERNAL_H
#define PROTOCOL_RATCHET_INTERNAL_H

#include "protocol/ratchet.h"

struct root_key {
    uint8_t k[32];
};
struct chain_key {
    uint8_t k[32];
};

/* The key of a message that was skipped. */
struct skipped_key {
    uint64_t stored_at; /* ms */
    uint32_t number;
    uint32_t chain; /* index into chains */
    struct message_key key;
};

struct skipped_keys {
    bool chain_used[SIGNET_CHAINS_MAX];
    struct header_key chains[SIGNET_CHAINS_MAX];
    size_t count, capacity;
    struct skipped_key *keys; /* oldest first; NULL with capacity 0 */
};

/* In secret memory. Names as in the specification, section 3.2 and 4.3. */
struct ratchet {
    struct signet_library *library;
    struct crypto_dh_pair ours;                              /* DHs */
    struct crypto_dh_public theirs;                          /* DHr */
    struct root_key root;                                    /* RK */
    bool can_send, can_receive;                              /* whether the chains below exist */
    struct chain_key sending;                                /* CKs */
    struct chain_key receiving;                              /* CKr */
    struct header_key send_header, receive_header;           /* HKs, HKr */
    struct header_key next_send_header, next_receive_header; /* NHKs, NHKr */
    uint32_t sent, received, previous;                       /* Ns, Nr, PN */
    struct skipped_keys skipped;                             /* MKSKIPPED */
};

/* Make room for that many keys. Errors: NOMEM; unchanged then. */
SIGNET_MUST_USE enum signet_err skipped_reserve(struct skipped_keys *skipped, size_t capacity);
/* Store a skipped key of the chain with that header key, giving up the oldest where there is no
 * room. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err skipped_add(
    struct skipped_keys *skipped, const struct header_key *chain, const struct skipped_key *key);
/* Take the key of that message out; false if it is not there. */
bool skipped_take(
    struct skipped_keys *skipped, size_t chain, uint32_t number, struct message_key *key_out);
/* Forget what is older than 30 days; false: there was nothing. */
bool skipped_expire(struct skipped_keys *skipped, uint64_t now_ms);
/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err skipped_copy(
    const struct skipped_keys *from, struct skipped_keys *to);
/* Wipe and free. */
void skipped_free(struct skipped_keys *skipped);

#endif
