/*
 * One call of the client's engine on its way through the rooms, without the engine and without a
 * relay: a test calls a room's functions with `t`, and looks at what they bring about.
 *
 * The home is Alice's, registered and connected, with nothing in its records but her account; Bob is
 * somebody else. What goes wrong in here fails the test.
 */
#ifndef TESTS_TXN_RIG_H
#define TESTS_TXN_RIG_H

#include "tests/support/unit.h"

#include "engine/account.h"
#include "engine/contacts.h"
#include "engine/inbox/inbox.h"
#include "engine/login/login.h"
#include "engine/outbox/outbox.h"
#include "engine/recovery.h"
#include "engine/sessions/sessions.h"
#include "engine/txn/held.h"
#include "tests/support/memory_records.h"
#include "tests/support/parties.h"

/* Points into itself: it stays where it was opened. */
struct txn_rig {
    struct seeded_library seeded;
    struct signet_library *library;
    struct party alice, bob;
    struct memory_records *records; /* what is on the disk */
    struct engine_output output;
    struct txn t; /* at PARTY_NOW; to be changed */
    struct requests requests;
    struct held held;
    struct own own;
    struct contacts contacts;
    struct sessions sessions;
    struct recovery recovery;
    struct outbox outbox;
    struct inbox inbox;
    struct login login;
};

void txn_rig_open(struct txn_rig *rig, uint64_t seed);
void txn_rig_close(struct txn_rig *rig);

/* Forget the frames, events and outcomes up to now. */
void txn_rig_forget(struct txn_rig *rig);
/* The end of a call: its changes are on the disk; the rest is forgotten. */
void txn_rig_commit(struct txn_rig *rig);
/* The process ends, without what was not committed, and another begins: READY at the same time. */
void txn_rig_restart(struct txn_rig *rig);

/* How many events of that type there are; and the first of them, which must be there. */
size_t txn_rig_count(const struct txn_rig *rig, enum engine_event_type type);
const struct engine_event *txn_rig_event(const struct txn_rig *rig, enum engine_event_type type);
/* The message of that place in all frames, borrowed from them; its type is 0 if there is none. */
struct relay_message txn_rig_message(const struct txn_rig *rig, size_t index);
/* The first outcome is taken off, and must be of that type. */
struct outcome txn_rig_outcome(struct txn_rig *rig, enum outcome_type type);
/* Whether this call sees a record, damaged or not. */
bool txn_rig_has(struct txn_rig *rig, enum record_kind kind, signet_span name, uint64_t number);

/* An unverified contact whose card was fetched just now; committed. */
struct contact_slot *txn_rig_contact(
    struct txn_rig *rig, const struct party *party, const char *name);
/* A session that Alice begins with a party, which has published; committed. Its transcript. */
struct signet_id txn_rig_session(struct txn_rig *rig, const struct party *party);
/* Alice's session with a party, in which an answer came at that time after `lost` others that did
 * not; 0: she has begun it, and nothing came. The caller's until it is saved. */
struct signet_session *txn_rig_answered(
    struct txn_rig *rig, const struct party *party, uint64_t received_at, unsigned lost);
/* Alice has published her bundle, and its secrets are stored; committed. */
void txn_rig_publish(struct txn_rig *rig);

/* What that card of a party would be: of that version, with up to two devices beside the party's
 * own, which are carol's and mallory's. The caller frees it. */
struct signet_card *card_of(const struct party *party, uint64_t version, size_t other_devices);

/* An id whose bytes are all the same. */
struct signet_id id_of(unsigned byte);

#endif
