/*
 * Envelopes that arrive: docs/protocol.md, section 8. What is opened and holds goes into the history;
 * what is refused, too, with its verdict; what cannot be weighed because a record of ours is lost is
 * kept until it can.
 */
#ifndef ENGINE_INBOX_INBOX_H
#define ENGINE_INBOX_INBOX_H

#include "engine/txn/txn.h"

struct inbox {
    struct {
        size_t count, bytes;
    } undecided;            /* RECORD_PENDING */
    bool is_undecided_due;  /* inbox_try_undecided has something to try */
    struct signet_buf acks; /* ids to acknowledge at the end of this call */
};

/* One RELAY_DELIVER. Errors: FORMAT (the relay delivers without end), and machine errors. */
SIGNET_MUST_USE enum signet_err inbox_delivered(struct txn *t, const struct relay_message *message);
/* Open the envelopes of contacts that are known again, and ask for the others'. */
SIGNET_MUST_USE enum signet_err inbox_try_undecided(struct txn *t);
/* OUTCOME_KNOWN: what was kept for that address may be tried. */
void inbox_known(struct inbox *inbox);
/* Acknowledge what was received in this call. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err inbox_flush_acks(struct txn *t);
/* The connection is gone: what was not acknowledged comes again. */
void inbox_disconnected(struct inbox *inbox);
void inbox_clear(struct inbox *inbox);

#endif
