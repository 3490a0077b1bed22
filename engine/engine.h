/*
 * The client without input and output: commands, received bytes and the time go in; bytes to send,
 * changes to commit and events come out.
 *
 * After every call the caller does three things, in this order: commits output.changes in one
 * durable transaction, sends output.frames, acts on output.events. Where the commit fails, nothing
 * may be sent, and the engine must be freed: its memory is ahead of the disk. So what was sealed is
 * on disk before a byte of it leaves, and what was received before it is acknowledged.
 *
 * The engine reads no clock, socket, file or environment. All times are milliseconds of wall clock.
 * Functions return machine errors only (NOMEM, CRYPTO, IO, AUTH for a damaged record); whatever
 * peers and relay do wrong comes out as an event.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <signet/signet.h>

#include "engine/contact.h"
#include "engine/history/message.h"
#include "engine/records.h"
#include "wire/invitation.h"

enum engine_event_type {
    EVENT_STEP,       /* a cryptographic step, when explaining */
    EVENT_REGISTERED, /* the account now has its name at the relay */
    EVENT_READY,      /* logged in, own card and bundle are in order */
    EVENT_MESSAGE,    /* a message was received (or refused) and stored */
    EVENT_ACCEPTED,   /* the relay has accepted a message we sent */
    EVENT_QUEUED,     /* a message is in the outbox and will be sent later */
    EVENT_FAILED,     /* what was asked for cannot be done: see `problem` */
    EVENT_DRAINED,    /* all that waited at the relay has been received */
    EVENT_CONTACT,    /* a contact became known, got its name, or changed */
    EVENT_NOTE,       /* something the person should know; see `text` */
};

/* Why something failed; each has its word, its sentence and its exit code (engine_problem_*). */
enum engine_problem {
    PROBLEM_NONE,
    PROBLEM_UNKNOWN_NAME, /* the relay knows no such name or address */
    PROBLEM_BAD_NAME,     /* neither a name nor a fingerprint */
    PROBLEM_SELF,         /* to oneself */
    PROBLEM_TEXT,         /* empty, over 64 KiB, or not UTF-8 */
    PROBLEM_NAME_TAKEN,   /* join */
    PROBLEM_NAME_NOT_ALLOWED,
    PROBLEM_INVITATION, /* wrong, used up or expired */
    PROBLEM_CLOSED,     /* registration is closed */
    PROBLEM_CLOCK,      /* our clock is more than 24 h off the relay's */
    PROBLEM_LOGIN,      /* the relay refuses the login */
    PROBLEM_OLD_STORE,  /* this home is an older copy: sending would use keys again */
    PROBLEM_IDENTITY,   /* the contact's identity changed: exit 3 */
    PROBLEM_LIST,       /* the contact's device list is forked: exit 3 */
    PROBLEM_ROLLBACK,   /* the contact's device list is older than one seen before: exit 3 */
    PROBLEM_CARD,       /* what the relay gives as card or bundle does not verify: exit 3 */
    PROBLEM_EXPIRED,    /* the contact's device list or bundle has expired */
    PROBLEM_NO_BUNDLE,  /* the contact has no prekeys at the relay */
    PROBLEM_FULL,       /* the contact's mailbox is full; kept in the outbox */
    PROBLEM_OFTEN,      /* the relay asks us to slow down; kept in the outbox */
    PROBLEM_RELAY,      /* the relay cannot store now, or answers nonsense; kept */
    PROBLEM_NOT_NOW,    /* the same, of a registration: to be tried again */
    PROBLEM_SILENT,     /* the relay has not answered for 30 seconds; kept */
    PROBLEM_OFFLINE,
    /* not a contact yet, and the relay cannot be asked; not kept */
    PROBLEM_GONE,   /* the contact's account is not there any more */
    PROBLEM_DEVICE, /* the relay does not know the contact's device; kept in the outbox */
};

/* One step of --explain. */
struct engine_step {
    const char *serves;    /* "confidentiality", "integrity", "authentication", several, or "" */
    const char *what;      /* "session key wrapped with RSA" */
    const char *algorithm; /* "RSA-OAEP, SHA-256" */
    char detail[320];      /* sizes, fingerprints, verdict; never a secret */
};

struct engine_event {
    struct engine_event *next;
    enum engine_event_type type;
    enum engine_problem problem;   /* FAILED */
    uint64_t token;                /* ACCEPTED, QUEUED, FAILED: of the engine_send it answers; 0: of
                                      none of this process */
    uint64_t number;               /* MESSAGE: its place; ACCEPTED: of the message sent */
    struct signet_id conversation; /* MESSAGE, ACCEPTED */
    struct signet_id id;           /* ACCEPTED, QUEUED: entry (QUEUED: may be zero) */
    struct signet_id address;      /* CONTACT; MESSAGE: the sender; FAILED with IDENTITY: the new
                                      identity */
    uint64_t at;                   /* ACCEPTED: ms */
    struct engine_step step;       /* STEP */
    char text[256];                /* NOTE; FAILED: whom or what it is about (may be from others) */
};

/* One WebSocket message to send. */
struct engine_frame {
    struct engine_frame *next;
    struct signet_buf bytes;
};

struct engine_output {
    struct record_batch changes;
    struct engine_frame *first_frame, *last_frame;
    struct engine_event *first_event, *last_event;
};

/* Free all that is in an output; it is empty then. */
void engine_output_clear(struct engine_output *output);
/* Take the first event off; NULL: none. The caller frees it with free. */
struct engine_event *engine_output_event(struct engine_output *output);
/* Take the first frame off; NULL: none. */
struct engine_frame *engine_output_frame(struct engine_output *output);
void engine_frame_free(struct engine_frame *frame);

struct engine;

struct engine_config {
    struct signet_library *library; /* borrowed */
    struct record_source records;   /* borrowed; outlives the engine */
    bool explain;                   /* emit EVENT_STEP */
};

/*
 * Prepare a home to join a relay: make the account's keys (seconds) unless an earlier attempt
 * left some, and note relay and name. Commit output.changes, then engine_open; the registration
 * itself happens when the engine is connected.
 * next_out   the next identity key to be written to its own file; empty where keys were there already
 * Errors: STATE (this home has joined), ARGUMENT (the name), NOMEM, CRYPTO, AUTH.
 */
struct engine_join {
    const struct invitation *invitation;
    const char *name;
    uint64_t now_ms;
};
SIGNET_MUST_USE enum signet_err engine_prepare(const struct engine_config *config,
    const struct engine_join *join, struct signet_next_identity *next_out,
    struct engine_output *output);

/* Load a home. Errors: UNKNOWN (it has no account), AUTH, FORMAT, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err engine_open(
    const struct engine_config *config, struct engine **engine_out);
/* NULL is fine; wipes. */
void engine_free(struct engine *engine);

/* Borrowed from the engine. */
const struct invitation *engine_relay(const struct engine *engine);
const char *engine_name(const struct engine *engine);
const struct signet_account *engine_account(const struct engine *engine);
bool engine_is_registered(const struct engine *engine);

/* ---- connection ---- */

/* The connection to the relay is open: what a login is bound to. */
struct engine_hop {
    struct signet_id pin; /* that the relay showed */
    uint8_t exporter[32];
};
SIGNET_MUST_USE enum signet_err engine_connected(struct engine *engine,
    const struct engine_hop *hop, uint64_t now_ms, struct engine_output *output);
/* The connection is gone, or is given up: EVENT_QUEUED for each engine_send that is not done and
 * waits in the outbox, FAILED for each to a name whose address is not known, which is not kept. */
SIGNET_MUST_USE enum signet_err engine_disconnected(
    struct engine *engine, uint64_t now_ms, struct engine_output *output);
/* One WebSocket message. FORMAT: the relay breaks the protocol; close the connection. */
SIGNET_MUST_USE enum signet_err engine_receive(
    struct engine *engine, signet_span message, uint64_t now_ms, struct engine_output *output);
bool engine_is_ready(const struct engine *engine);
/* This connection can do no more, for the reason that EVENT_FAILED told: close it. */
bool engine_is_stopped(const struct engine *engine);
/* Nothing is under way, and the last login was a day ago: what is due at each login (own bundle and
 * list, cleaning) is due here too. Disconnect and connect again. */
bool engine_wants_login(const struct engine *engine, uint64_t now_ms);
/* Nothing is under way: no answer of the relay is awaited; what still waits does so for a later
 * time. */
bool engine_is_settled(const struct engine *engine);
/* How many messages are in the outbox. */
size_t engine_waiting(const struct engine *engine);
/* When engine_tick is due; UINT64_MAX: never. */
uint64_t engine_deadline(const struct engine *engine);
/* Time has passed: what was to wait until now goes on, what was to be answered by now is not waited
 * for any more. */
SIGNET_MUST_USE enum signet_err engine_tick(
    struct engine *engine, uint64_t now_ms, struct engine_output *output);

/* ---- commands ---- */

/*
 * Send a text to a name or fingerprint. Answered by EVENT_ACCEPTED, QUEUED or FAILED with the
 * token; when connected, possibly only after answers of the relay. From this call on it is in the
 * outbox, sealed or not, unless it is for a name whose address the relay has yet to tell. What was QUEUED, or FAILED with
 * a problem that says it is kept, is ACCEPTED when a later connection brings it there.
 */
struct engine_text {
    const char *peer;
    signet_span text;
    uint64_t token;    /* of the caller's; not 0 */
    bool is_automatic; /* no person has written it: it makes no contact of a stranger */
};
SIGNET_MUST_USE enum signet_err engine_send(struct engine *engine, const struct engine_text *text,
    uint64_t now_ms, struct engine_output *output);

/* Ask the relay for what waits, and for what comes; at once or when logged in. */
SIGNET_MUST_USE enum signet_err engine_subscribe(
    struct engine *engine, struct engine_output *output);

/* A message has been shown to the person: it is no longer unshown. */
SIGNET_MUST_USE enum signet_err engine_shown(
    struct engine *engine, uint64_t number, struct engine_output *output);

/* Find a contact by local name or fingerprint; the caller clears it.
 * Errors: UNKNOWN, AUTH, FORMAT, NOMEM. */
SIGNET_MUST_USE enum signet_err engine_contact(
    struct engine *engine, const char *peer, struct contact *contact_out);
/* The contact's fingerprint was compared in person. Errors: UNKNOWN. */
SIGNET_MUST_USE enum signet_err engine_confirm(
    struct engine *engine, const struct signet_id *address, struct engine_output *output);
/*
 * Accept an identity: a stranger becomes an unverified contact; where a contact's name has gone over
 * to this address, which has none, the name follows, and the contact is unverified; where this
 * contact's own name has gone over to another, that is forgotten.
 * Errors: UNKNOWN (no such identity was seen), STATE (several names have gone over to it).
 */
SIGNET_MUST_USE enum signet_err engine_accept(
    struct engine *engine, const struct signet_id *address, struct engine_output *output);

/*
 * A RECORD_OUTBOX as a line of the history, which it will be when it is sealed: without an id.
 * Errors: UNKNOWN (it is sealed), FORMAT, NOMEM.
 */
SIGNET_MUST_USE enum signet_err engine_read_queued(
    const struct engine *engine, signet_span value, struct message *message_out);

/* ---- words ---- */

/* A word for scripts: "unknown-name". */
const char *engine_problem_word(enum engine_problem problem);
/* What was wrong; %s-free: the event's text says about whom. */
const char *engine_problem_text(enum engine_problem problem);
/* What to do about it; NULL: nothing to say. */
const char *engine_problem_hint(enum engine_problem problem);
/* Whether the message is in the outbox all the same. */
bool engine_problem_is_kept(enum engine_problem problem);
/* Whether it is a failed verification (exit code 3). */
bool engine_problem_is_refusal(enum engine_problem problem);

#endif
