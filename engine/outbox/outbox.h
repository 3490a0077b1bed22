/*
 * The outbox: texts that are not sealed yet, and sealed envelopes that the relay has not accepted
 * yet. It moves each as far as it goes now: address, card, sessions, signature, seal, relay.
 */
#ifndef ENGINE_OUTBOX_OUTBOX_H
#define ENGINE_OUTBOX_OUTBOX_H

#include "engine/input.h"
#include "engine/txn/requests.h"

/* Envelopes, counted. */
struct traffic {
    size_t count, bytes;
};

struct outbox {
    struct outgoing *texts;   /* in order; queue.h */
    struct sealed *sealed;    /* in order; stored.h */
    struct lane *lanes;       /* device_queues.h */
    struct traffic in_flight; /* handed to the relay, not answered */
    uint64_t landed_at;       /* ms: when one of them was answered last */
    uint64_t landed_req;      /* the one handed over last of those that were answered */
    struct traffic fresh;     /* sealed since the last pump began */
};

/* Read drafts and envelopes. Errors: FORMAT, IO, NOMEM. */
SIGNET_MUST_USE enum signet_err outbox_load(struct txn *t);
/* A new text (engine.h, engine_send), at the end of the list. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err outbox_send(struct txn *t, const struct engine_text *text);
/* Move every text on as far as it goes now, and hand the relay what is sealed: at the end of each
 * call in which something may have changed for them. Errors: machine errors. */
SIGNET_MUST_USE enum signet_err outbox_pump(struct txn *t);
/* What the rooms below have to tell. */
SIGNET_MUST_USE enum signet_err outbox_apply(struct txn *t, const struct outcome *outcome);
/* The answers to a put. */
SIGNET_MUST_USE enum signet_err outbox_accepted(struct txn *t, const struct request *request);
SIGNET_MUST_USE enum signet_err outbox_put_refused(
    struct txn *t, const struct request *request, const struct relay_message *refusal);
/* Note that a put was answered, however: those behind it are still being worked on. */
void outbox_landed(struct outbox *outbox, const struct request *request, uint64_t now_ms);
/* The connection is gone: EVENT_QUEUED for all that is kept, FAILED for texts to names that nobody
 * knows here. */
SIGNET_MUST_USE enum signet_err outbox_disconnected(struct txn *t);
/* How many messages are in it. */
size_t outbox_waiting(const struct outbox *outbox);
/* From when on the answer to a request is awaited, as far as puts are concerned: ms. Envelopes may
 * queue up on a slow line: as long as one is answered now and then, those behind it are only waiting
 * for their turn; those before it are not. */
uint64_t outbox_asked_at(const struct outbox *outbox, const struct request *request);
/* When something in it is to be tried again: ms; UINT64_MAX: never by itself. */
uint64_t outbox_deadline(const struct outbox *outbox);
void outbox_free(struct outbox *outbox);

#endif
