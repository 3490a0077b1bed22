/*
 * One line of the history: a message sent or received, or an envelope that was refused.
 * Stored as RECORD_MESSAGE under its conversation; `number` is its place among all messages.
 */
#ifndef ENGINE_HISTORY_MESSAGE_H
#define ENGINE_HISTORY_MESSAGE_H

#include <signet/entry.h>

#include "engine/history/verdict.h"

struct message {
    uint64_t number; /* from the key, not in the value */
    bool is_outgoing;
    enum verdict verdict;
    struct signet_id id;           /* of the entry; of the envelope where it was refused */
    struct signet_id conversation; /* zero where the sender is not known */
    struct signet_id address;      /* of the sender; zero: not known */
    struct signet_id peer;         /* the other side's address; zero: not known */
    struct signet_id device;       /* that signed; zero: not known */
    uint64_t sequence;
    uint64_t sent_at, received_at; /* ms; received_at: when it was stored here */
    uint64_t accepted_at;          /* ms; outgoing: when the relay accepted it; 0: not yet */
    uint64_t kind;
    uint64_t suite;
    uint64_t missing;               /* with gap: how many messages are missing before it */
    struct signet_buf text;         /* empty where refused */
    struct signet_buf signed_bytes; /* the COSE_Sign1, for a later proof */
    uint8_t salt[32];
};

/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err message_encode(
    const struct message *message, struct signet_buf *out);
/* Errors: FORMAT, NOMEM; *message_out is unchanged then. */
SIGNET_MUST_USE enum signet_err message_decode(signet_span value, struct message *message_out);
/* Free what it owns and zero it. */
void message_clear(struct message *message);

#endif
