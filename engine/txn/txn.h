/*
 * One call of the engine, on its way through the rooms: what it reads, and what it brings about.
 *
 * Every function that changes something is given the call's struct txn; the engine itself has no
 * current output. A room reaches its own state by the pointer of its name, and that of the rooms
 * below it: only who includes a room's header sees what is in it.
 *
 * What a lower room must tell a higher one is an outcome: it is noted here, and engine.c hands it
 * to the room that it is for before the call ends.
 */
#ifndef ENGINE_TXN_TXN_H
#define ENGINE_TXN_TXN_H

#include <signet/library.h>
#include <signet/login.h>

#include "engine/output.h"
#include "wire/relay_message.h"

enum outcome_type {
    OUTCOME_FAILED,         /* texts to `address`, or to `name`, cannot be sent: `problem` */
    OUTCOME_HELD,           /* texts to `address` wait until `not_before` */
    OUTCOME_KNOWN,          /* the card of `address` has come, which was not known or had no name */
    OUTCOME_DEVICE_REMOVED, /* `device` is no longer on the list of `address` */
    OUTCOME_SESSION_LOST,   /* what we have is to be told to `address` */
};

struct outcome {
    struct outcome *next;
    enum outcome_type type;
    bool is_by_name;
    bool is_new;              /* KNOWN: a contact of that address was made just now */
    struct signet_id address; /* unless by name */
    struct signet_id device;
    char name[SIGNET_NAME_MAX + 1];
    enum engine_problem problem; /* FAILED, HELD */
    uint64_t not_before;         /* ms */
};

struct txn {
    struct signet_library *library;
    struct record_source records;
    bool explain;
    uint64_t now_ms; /* of wall clock, as the last call that was told the time has it */
    struct engine_output *output;
    struct outcome *first_outcome, *last_outcome;
    /* The rooms. */
    struct requests *requests;
    struct held *held;
    struct own *own;
    struct contacts *contacts;
    struct sessions *sessions;
    struct recovery *recovery;
    struct outbox *outbox;
    struct inbox *inbox;
    struct login *login;
};

/* ---- events and frames (events.c) ---- */

/* A new event at the end of the output. NULL: out of memory. */
struct engine_event *txn_event(struct txn *t, enum engine_event_type type);
/* EVENT_NOTE. Errors of this and all below: NOMEM. */
SIGNET_MUST_USE enum signet_err txn_note(struct txn *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* EVENT_QUEUED; nothing for token 0. `entry` may be NULL. */
SIGNET_MUST_USE enum signet_err txn_queued(
    struct txn *t, uint64_t token, const struct signet_id *entry);
/* EVENT_FAILED about `whom`. */
SIGNET_MUST_USE enum signet_err txn_fail(
    struct txn *t, enum engine_problem problem, uint64_t token, const char *whom);
/* EVENT_CONTACT. */
SIGNET_MUST_USE enum signet_err txn_contact(struct txn *t, const struct signet_id *address);
/* EVENT_STEP, when explaining. */
SIGNET_MUST_USE enum signet_err txn_explain(struct txn *t, const char *serves, const char *what,
    const char *algorithm, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* A message to the relay, packed with others into a frame. */
SIGNET_MUST_USE enum signet_err txn_send(struct txn *t, const struct relay_message *message);
/* Put an event at the end of a list. */
void event_append(
    struct engine_event **first, struct engine_event **last, struct engine_event *event);

/* ---- records (records.c) ---- */

/* As record_source get, with the changes of this call laid over it. */
SIGNET_MUST_USE enum signet_err txn_get(
    struct txn *t, const struct record_key *key, struct signet_buf *out);
SIGNET_MUST_USE enum signet_err txn_put(
    struct txn *t, const struct record_key *key, signet_span value);
SIGNET_MUST_USE enum signet_err txn_delete(struct txn *t, const struct record_key *key);
/* As record_source scan: without the changes of this call. */
SIGNET_MUST_USE enum signet_err txn_scan(
    struct txn *t, const struct record_key *key, record_visitor visit, void *ctx);

/* Append an object's form in the store. Errors: NOMEM, and the object's. */
typedef enum signet_err (*record_encoder)(const void *object, struct signet_buf *out);
/* Read an object from its form in the store. Errors: FORMAT, NOMEM, and the object's. */
typedef enum signet_err (*record_decoder)(struct txn *t, signet_span value, void *object);

/* Store an object under a key. */
SIGNET_MUST_USE enum signet_err txn_write(
    struct txn *t, const struct record_key *key, record_encoder encode, const void *object);
/* Read it back. Errors: those of txn_get and of the decoder. */
SIGNET_MUST_USE enum signet_err txn_read(
    struct txn *t, const struct record_key *key, record_decoder decode, void *object);

/* ---- outcomes (outcomes.c) ---- */

/* `address` NULL: texts to `name`. Errors of these: NOMEM. */
SIGNET_MUST_USE enum signet_err outcome_failed(
    struct txn *t, const struct signet_id *address, const char *name, enum engine_problem problem);
SIGNET_MUST_USE enum signet_err outcome_held(struct txn *t, const struct signet_id *address,
    enum engine_problem problem, uint64_t not_before);
SIGNET_MUST_USE enum signet_err outcome_known(
    struct txn *t, const struct signet_id *address, bool is_new);
SIGNET_MUST_USE enum signet_err outcome_device_removed(
    struct txn *t, const struct signet_id *address, const struct signet_id *device);
SIGNET_MUST_USE enum signet_err outcome_session_lost(
    struct txn *t, const struct signet_id *address);
/* Take the first one off; NULL: none. The caller frees it with free. */
struct outcome *outcome_next(struct txn *t);
/* Forget those that nobody has taken. */
void outcomes_clear(struct txn *t);

#endif
