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
#include "engine/input.h"
#include "engine/output.h"
#include "engine/problem.h"
#include "engine/records.h"

struct engine;

struct engine_config {
    struct signet_library *library; /* borrowed */
    struct record_source records;   /* borrowed; outlives the engine */
    bool explain;                   /* emit EVENT_STEP */
    uint64_t patience;              /* an answer may take so many times as long; 0: 1 */
};

/*
 * Prepare a home to join a relay: make the account's keys (seconds) unless an earlier attempt
 * left some, and note relay and name. Commit output.changes, then engine_open; the registration
 * itself happens when the engine is connected.
 * next_out   the next identity key to be written to its own file; empty where keys were there already
 * Errors: STATE (this home has joined), ARGUMENT (the name), NOMEM, CRYPTO, AUTH.
 */
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

/* The connection to the relay is open. Errors: NOMEM, CRYPTO. */
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
 * outbox, sealed or not, unless it is for a name whose address the relay has yet to tell. What was
 * QUEUED, or FAILED with a problem that says it is kept, is ACCEPTED when a later connection brings
 * it there.
 */
SIGNET_MUST_USE enum signet_err engine_send(struct engine *engine, const struct engine_text *text,
    uint64_t now_ms, struct engine_output *output);

/* Ask the relay for what waits, and for what comes; at once or when logged in. */
SIGNET_MUST_USE enum signet_err engine_subscribe(
    struct engine *engine, struct engine_output *output);

/* A message has been shown to the person: it is no longer unshown. */
SIGNET_MUST_USE enum signet_err engine_shown(
    struct engine *engine, uint64_t number, struct engine_output *output);

/* Find a contact by local name or fingerprint; the caller clears it.
 * Errors: UNKNOWN, AUTH (its record is damaged, which the next call that has to do with it tells),
 * FORMAT, IO, NOMEM. */
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

/* The conversation with an account. Errors: ARGUMENT (the own one), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err engine_conversation(
    struct engine *engine, const struct signet_id *peer, struct signet_id *conversation_out);

/*
 * A RECORD_OUTBOX as a line of the history, which it will be when it is sealed: without an id.
 * Errors: UNKNOWN (it is sealed), FORMAT, NOMEM.
 */
SIGNET_MUST_USE enum signet_err engine_read_queued(
    const struct engine *engine, signet_span value, struct message *message_out);

#endif
