/* The list of texts that are not sealed yet. */
#ifndef ENGINE_OUTBOX_QUEUE_H
#define ENGINE_OUTBOX_QUEUE_H

#include "engine/outbox/outbox.h"

/* A text that is not sealed yet. */
struct outgoing {
    struct outgoing *next;
    uint64_t token;
    char peer[SIGNET_ID_GROUPS_SIZE]; /* as given: name or fingerprint; empty: by address */
    bool has_address;
    struct signet_id address;
    bool is_asking;         /* its name is being asked for */
    bool is_automatic;      /* see struct engine_text */
    bool is_heads;          /* no text: it says what we have of the other side; never a draft */
    bool is_told;           /* that it waits for a later time */
    uint64_t not_before;    /* ms: what it needs was refused until then; 0: it was not */
    uint64_t draft;         /* its number in the outbox; 0: it is not stored */
    uint64_t sent_at;       /* ms */
    struct signet_buf text; /* empty while it is stored: the outbox may be large */
};

/* A text at the end of the list, which takes it over. */
void queue_add(struct outbox *outbox, struct outgoing *text);
/* The same, but before those to the same address that were written after it. */
void queue_insert(struct outbox *outbox, struct outgoing *text);
/* Whether a text waits for this address. */
bool queue_has(const struct outbox *outbox, const struct signet_id *address);
/* Say why a text cannot be sent; the caller takes it off the list. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err queue_fail(
    struct txn *t, struct outgoing *text, enum engine_problem problem);
/* Give up all texts to an address, or with NULL to a name, for one cause. */
SIGNET_MUST_USE enum signet_err queue_fail_all(
    struct txn *t, const struct signet_id *address, const char *name, enum engine_problem problem);
/* The same to an address, for a cause that passes: they stay in the list, in their order. */
SIGNET_MUST_USE enum signet_err queue_hold_all(struct txn *t, const struct signet_id *address,
    enum engine_problem problem, uint64_t not_before);
/* The connection is gone: texts that have an address are in the outbox; those to names that nobody
 * knows here are given back. */
SIGNET_MUST_USE enum signet_err queue_disconnected(struct txn *t);
void outgoing_free(struct outgoing *text);
void queue_free(struct outbox *outbox);

#endif
