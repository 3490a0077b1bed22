/*
 * The outbox on disk: drafts that could not be sealed yet, and sealed envelopes that the relay has
 * not accepted yet. RECORD_OUTBOX.
 */
#ifndef ENGINE_OUTBOX_STORED_H
#define ENGINE_OUTBOX_STORED_H

#include "engine/history/message.h"
#include "engine/outbox/queue.h"

/* A sealed envelope that the relay has not accepted yet: stored in the outbox. */
struct sealed {
    struct sealed *next;
    uint64_t number; /* in the outbox */
    uint64_t token;
    bool is_in_flight;
    bool is_told;     /* that it waits */
    bool has_arrived; /* the relay has accepted the entry for another of the contact's devices */
    struct signet_id device, conversation, entry;
    uint64_t message; /* place in the history */
};

SIGNET_MUST_USE enum signet_err stored_load(struct txn *t);
/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err stored_save_draft(struct txn *t, struct outgoing *text);
/* Read the text of a draft back. Errors: AUTH, UNKNOWN (damaged), FORMAT, IO, NOMEM. */
SIGNET_MUST_USE enum signet_err stored_load_draft(struct txn *t, struct outgoing *text);
/* It is not wanted any more. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err stored_delete_draft(struct txn *t, const struct outgoing *text);
/* A draft's record as a line of the history. Errors: UNKNOWN (it is sealed), FORMAT, NOMEM. */
SIGNET_MUST_USE enum signet_err stored_read_draft(
    signet_span value, const struct signet_id *own, struct message *message_out);
/* Store an envelope, and add a copy of `sealed` at the end of the list. */
SIGNET_MUST_USE enum signet_err stored_add(
    struct txn *t, struct sealed *sealed, signet_span envelope);
/* The envelope borrows from `value`. Errors: AUTH, UNKNOWN (damaged), FORMAT, IO, NOMEM. */
SIGNET_MUST_USE enum signet_err stored_read(
    struct txn *t, uint64_t number, struct signet_buf *value, signet_span *envelope);
/* The relay has accepted the entry for another device. */
SIGNET_MUST_USE enum signet_err stored_mark_arrived(struct txn *t, struct sealed *sealed);
/* Take it out of store and list; it is the caller's then, also after an error. */
SIGNET_MUST_USE enum signet_err stored_remove(struct txn *t, struct sealed *sealed);
/* NULL: there is none of that number. */
struct sealed *stored_find(const struct outbox *outbox, uint64_t number);
/* Whether envelopes of the same entry are still to be accepted. */
bool stored_has_siblings(const struct outbox *outbox, const struct sealed *sealed);
/* The history's line of an envelope. Errors: UNKNOWN (also where it is damaged), IO, NOMEM. */
SIGNET_MUST_USE enum signet_err stored_load_line(
    struct txn *t, const struct sealed *sealed, struct message *message_out);
/* EVENT_ACCEPTED, and the same in the history. */
SIGNET_MUST_USE enum signet_err stored_tell_accepted(struct txn *t, const struct sealed *sealed);
void stored_free(struct outbox *outbox);

#endif
