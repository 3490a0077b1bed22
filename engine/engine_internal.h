/* The engine's state and inner calls; engine.h is its face. One file engine_*.c per concern. */
#ifndef ENGINE_ENGINE_INTERNAL_H
#define ENGINE_ENGINE_INTERNAL_H

#include "engine/history/chain.h"
#include "engine/engine.h"
#include "wire/relay_message.h"

enum { OWN_BUNDLES_MAX = 32 };

/* Where the connection stands. */
enum engine_phase {
    PHASE_OFFLINE,
    PHASE_CHALLENGE, /* connected; the relay's nonce is awaited */
    PHASE_REGISTER,
    PHASE_LOGIN,
    PHASE_UPKEEP, /* logged in; own card or bundle is being published */
    PHASE_READY,
    PHASE_STOPPED, /* this connection can do no more: see the problem that was told */
};

/* An own bundle whose secrets are kept as RECORD_BUNDLE under its version. */
struct own_bundle {
    struct signet_id id;
    uint64_t version, made_at, not_after; /* ms */
};

/* RECORD_COUNTERS. */
struct counters {
    uint64_t next_message; /* place of the next line of the history */
    uint64_t next_outbox;
    uint64_t bundle_version; /* of the newest own bundle; 0: none */
    uint64_t cleaned_at;     /* ms: when old RECORD_SEEN were looked for */
    size_t bundle_count;
    struct own_bundle bundles[OWN_BUNDLES_MAX]; /* oldest first */
};

/* RECORD_RELAY. */
struct relay_record {
    struct invitation invitation;
    char name[SIGNET_NAME_MAX + 1];
    bool is_registered;
};

/* A session in memory, as it is stored. It is valid until others have been loaded. */
struct session_slot {
    struct session_slot *next;
    struct signet_session *session;
    size_t tag_count; /* tags that are stored for it */
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX];
    bool is_torn; /* one of their records is damaged or gone */
};

/* A contact in memory. */
struct contact_slot {
    struct contact_slot *next;
    struct contact contact;
    bool is_asking; /* a find or take about it is under way */
};

enum request_type {
    REQUEST_REGISTER,
    REQUEST_LOGIN,
    REQUEST_CARD,
    REQUEST_BUNDLE,
    REQUEST_SUBSCRIBE,
    REQUEST_FIND_NAME,    /* for a text to a name that is no contact yet */
    REQUEST_FIND_CONTACT, /* a known contact's card again */
    REQUEST_FIND_ADDRESS, /* an address that is not known yet, or has no name yet */
    REQUEST_TAKE,
    REQUEST_PUT,
};

/* A question to the relay that is not answered yet. */
struct request {
    struct request *next;
    uint64_t req;
    uint64_t asked_at; /* ms */
    bool is_given_up;  /* it took too long: its answer is of no use any more */
    enum request_type type;
    struct signet_id address;       /* FIND_CONTACT, FIND_ADDRESS, TAKE */
    struct signet_id device;        /* TAKE, PUT */
    char name[SIGNET_NAME_MAX + 1]; /* FIND_NAME; FIND_CONTACT: asked by name, if not empty */
    uint64_t number;                /* PUT: of the outbox; BUNDLE: version */
    size_t len;                     /* PUT: of the envelope */
};

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

/* Envelopes, counted. */
struct traffic {
    size_t count, bytes;
};

struct engine {
    struct signet_library *library;
    struct record_source records;
    bool explain;
    struct signet_account *account;
    struct relay_record relay;
    struct counters counters;

    enum engine_phase phase;
    bool wants_delivery, is_subscribed, has_drained;
    uint64_t welcomed_at; /* ms: the last login */
    struct signet_hop hop;
    uint64_t next_req;
    struct request *requests;

    struct session_slot *sessions; /* used last first */
    bool has_lost_session;         /* one was found to be damaged */
    bool has_losses;               /* engine_tell_losses has something to look at */
    uint64_t losses_at;            /* ms: when it has again; 0: not by itself */
    bool has_mended_tags;          /* all sessions' tags were looked at in this process */
    struct contact_slot *contacts;
    bool has_told_damage;      /* of a contact, in this process */
    struct traffic pending;    /* RECORD_PENDING */
    bool is_pending_due;       /* engine_try_pending has something to try */
    struct outgoing *outgoing; /* in order */
    struct sealed *sealed;     /* in order; engine_outbox.h */
    struct lane *lanes;
    struct traffic in_flight; /* handed to the relay, not answered */
    uint64_t landed_at;       /* ms: when one of them was answered last */
    uint64_t landed_req;      /* the one handed over last of those that were answered */
    struct traffic fresh;     /* sealed since the last pump began */

    /* Messages of strangers whose names are being asked for, and what came after them. */
    struct engine_event *first_held, *last_held;
    size_t held_count;
    struct signet_buf acks;       /* ids to acknowledge at the end of this call */
    uint64_t now_ms;              /* as the last call that was told the time has it */
    struct engine_output *output; /* during a call: where everything goes */
};

/* ---- output (engine_output.c) ---- */

/* A new event at the end of the output. NULL: out of memory. */
struct engine_event *engine_event(struct engine *e, enum engine_event_type type);
SIGNET_MUST_USE enum signet_err engine_note(struct engine *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* EVENT_QUEUED; nothing for token 0. `entry` may be NULL. */
SIGNET_MUST_USE enum signet_err engine_queued(
    struct engine *e, uint64_t token, const struct signet_id *entry);
/* EVENT_FAILED about `whom`. */
SIGNET_MUST_USE enum signet_err engine_fail(
    struct engine *e, enum engine_problem problem, uint64_t token, const char *whom);
/* EVENT_STEP, when explaining. */
SIGNET_MUST_USE enum signet_err engine_explain(struct engine *e, const char *serves,
    const char *what, const char *algorithm, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* A message to the relay, packed with others into a frame. */
SIGNET_MUST_USE enum signet_err engine_put_message(
    struct engine *e, const struct relay_message *message);
/* A request: sets message->req and remembers what it is about. NULL in *request_out after an
 * error; else borrowed from the engine, to be filled in. */
SIGNET_MUST_USE enum signet_err engine_ask(struct engine *e, enum request_type type,
    struct relay_message *message, struct request **request_out);

/* Hold messages of strangers back while their names are being asked for, so that they can be shown
 * with them; let them go when the name has come or takes long. At the end of each call. */
void engine_hold_events(struct engine *e);
/* When one of them is to be let go; UINT64_MAX: none is held. */
uint64_t engine_held_until(const struct engine *e);

/* ---- records (engine_records.c) ---- */

/* As record_source get, with the changes of this call laid over it. */
SIGNET_MUST_USE enum signet_err engine_get(
    struct engine *e, const struct record_key *key, struct signet_buf *out);
SIGNET_MUST_USE enum signet_err engine_put(
    struct engine *e, const struct record_key *key, signet_span value);
SIGNET_MUST_USE enum signet_err engine_delete(struct engine *e, const struct record_key *key);
SIGNET_MUST_USE enum signet_err engine_load_relay(struct engine *e);
SIGNET_MUST_USE enum signet_err engine_save_relay(struct engine *e);
SIGNET_MUST_USE enum signet_err engine_load_counters(struct engine *e);
SIGNET_MUST_USE enum signet_err engine_save_counters(struct engine *e);
SIGNET_MUST_USE enum signet_err engine_save_account(struct engine *e);
/* The chain of a device in a conversation; an empty one where there is none. */
SIGNET_MUST_USE enum signet_err engine_load_chain(struct engine *e,
    const struct signet_id *conversation, const struct signet_id *device, struct chain *chain_out);
SIGNET_MUST_USE enum signet_err engine_save_chain(struct engine *e,
    const struct signet_id *conversation, const struct signet_id *device,
    const struct chain *chain);
/* Give the message its place and store it; `is_unshown`: note that it is to be shown. */
SIGNET_MUST_USE enum signet_err engine_add_message(
    struct engine *e, struct message *message, bool is_unshown);

/* Note the hash of an envelope whose line of the history was just added. */
SIGNET_MUST_USE enum signet_err engine_mark_seen(
    struct engine *e, const struct signet_id *hash, uint64_t now_ms);
/* Whether there is a mark: of a hash, of a transcript. Errors: UNKNOWN (there is none). */
SIGNET_MUST_USE enum signet_err engine_was_seen(
    struct engine *e, enum record_kind kind, const struct signet_id *id);
/* A peer has begun a session with one of our bundles: after engine_add_message, whose number marks
 * its place. The mark lives as long as the bundle's secrets. */
SIGNET_MUST_USE enum signet_err engine_mark_begun(
    struct engine *e, const struct signet_id *bundle, const struct signet_id *transcript);
/* The secrets of a bundle go, and with them what was begun by them. */
SIGNET_MUST_USE enum signet_err engine_forget_begun(
    struct engine *e, const struct signet_id *bundle);
/* Forget hashes of 31 days ago, the oldest ones first, and so many at a time that a login does not
 * wait for it. *is_done: no more of them are there. */
SIGNET_MUST_USE enum signet_err engine_forget_seen(
    struct engine *e, uint64_t now_ms, bool *is_done);

/* ---- contacts (engine_contacts.c, engine_find.c) ---- */

/* Errors: UNKNOWN (also where its record is damaged, which is noted: it is made anew then). */
SIGNET_MUST_USE enum signet_err engine_load_contact(
    struct engine *e, const struct signet_id *address, struct contact_slot **slot_out);
SIGNET_MUST_USE enum signet_err engine_save_contact(struct engine *e, struct contact_slot *slot);
/* A contact that was not known; takes a share of the card. */
SIGNET_MUST_USE enum signet_err engine_new_contact(struct engine *e, struct signet_card *card,
    enum contact_state state, struct contact_slot **slot_out);
/* The address that a name stands for here. Errors: UNKNOWN. */
SIGNET_MUST_USE enum signet_err engine_load_name(
    struct engine *e, const char *name, struct signet_id *address_out);
/* Give a contact a name that no other one has; where another has it, that one `has_changed`. */
SIGNET_MUST_USE enum signet_err engine_give_name(
    struct engine *e, struct contact_slot *slot, const char *name);
/*
 * Take over a card of a known contact, if it follows the present one; sessions with devices that
 * are no longer on it end, and nothing goes to them any more. Errors: those of
 * signet_card_follows; nothing has changed then, but that a fork is noted.
 */
SIGNET_MUST_USE enum signet_err engine_update_card(
    struct engine *e, struct contact_slot *slot, struct signet_card *card, uint64_t now_ms);
/* The contact's identity has signed this list besides the one we know. Returns FORK once that is
 * noted; or the machine error. */
SIGNET_MUST_USE enum signet_err engine_mark_fork(
    struct engine *e, struct contact_slot *slot, const struct signet_card *other);
/* How a contact is called in words: its name, or its short fingerprint. */
const char *engine_call_contact(const struct contact *contact, char text[SIGNET_ID_SHORT_SIZE]);

SIGNET_MUST_USE enum signet_err engine_find_name(struct engine *e, const char *name);
SIGNET_MUST_USE enum signet_err engine_find_contact(struct engine *e, struct contact_slot *slot);
SIGNET_MUST_USE enum signet_err engine_find_address(
    struct engine *e, const struct signet_id *address);
SIGNET_MUST_USE enum signet_err engine_found(struct engine *e, const struct request *request,
    const struct relay_message *message, uint64_t now_ms);
SIGNET_MUST_USE enum signet_err engine_not_found(struct engine *e, const struct request *request,
    const struct relay_message *refusal, uint64_t now_ms);

/* ---- tags (engine_tags.c) ---- */

/* The session that a tag stands for. Errors: UNKNOWN, FORMAT. */
SIGNET_MUST_USE enum signet_err engine_find_tag(
    struct engine *e, const struct signet_tag *tag, struct signet_id *transcript_out);
/* Note whether the tags in a slot are stored. */
SIGNET_MUST_USE enum signet_err engine_check_tags(struct engine *e, struct session_slot *slot);
/* Replace the stored tags of a slot by those under which messages to the session may now arrive. */
SIGNET_MUST_USE enum signet_err engine_save_tags(
    struct engine *e, struct session_slot *slot, const struct signet_session *session);
SIGNET_MUST_USE enum signet_err engine_delete_tags(
    struct engine *e, const struct session_slot *slot);

/* ---- sessions (engine_sessions.c, engine_take.c) ---- */

/* A session by its transcript. Errors: UNKNOWN (also where its record is damaged). */
SIGNET_MUST_USE enum signet_err engine_load_session(
    struct engine *e, const struct signet_id *transcript, struct session_slot **slot_out);
/* Store a session that is new or has changed, with its tags. Takes the session over on success. */
SIGNET_MUST_USE enum signet_err engine_save_session(
    struct engine *e, struct signet_session *session);
/* Make the time of something that a device has sent later than all that came from it before,
 * whatever the clock says: by it the session to answer on is found. */
SIGNET_MUST_USE enum signet_err engine_next_time(
    struct engine *e, const struct signet_id *device, uint64_t *now_ms);
/* End an account's sessions with a device. */
SIGNET_MUST_USE enum signet_err engine_drop_sessions(
    struct engine *e, const struct signet_id *address, const struct signet_id *device);
/* Forget the keys of messages that have not come for 30 days, in all sessions. */
SIGNET_MUST_USE enum signet_err engine_expire_sessions(struct engine *e, uint64_t now_ms);
/* The session to send on to an account's device (docs/protocol.md, section 5). Errors: UNKNOWN (a
 * new one is due). */
SIGNET_MUST_USE enum signet_err engine_pick_session(struct engine *e,
    const struct signet_id *address, const struct signet_id *device, uint64_t now_ms,
    struct session_slot **slot_out);
SIGNET_MUST_USE enum signet_err engine_take(
    struct engine *e, struct contact_slot *slot, const struct signet_id *device);
SIGNET_MUST_USE enum signet_err engine_taken(struct engine *e, const struct request *request,
    const struct relay_message *message, uint64_t now_ms);

SIGNET_MUST_USE enum signet_err engine_not_taken(struct engine *e, const struct request *request,
    const struct relay_message *refusal, uint64_t now_ms);

/* ---- login (engine_login.c, engine_upkeep.c, engine_bundle.c) ---- */

SIGNET_MUST_USE enum signet_err engine_challenged(
    struct engine *e, const struct relay_message *message);
SIGNET_MUST_USE enum signet_err engine_registered(struct engine *e);
SIGNET_MUST_USE enum signet_err engine_not_registered(
    struct engine *e, uint64_t code, uint64_t now_ms);
SIGNET_MUST_USE enum signet_err engine_welcomed(
    struct engine *e, const struct relay_message *message, uint64_t now_ms);
/* Whether a new bundle is to be published; `published`: the version that the relay has, or 0. */
bool engine_bundle_is_due(const struct engine *e, const struct relay_message *welcome,
    uint64_t published, uint64_t now_ms);
/* The bundle that was never confirmed once more, or else a new one. */
SIGNET_MUST_USE enum signet_err engine_publish_bundle(struct engine *e, uint64_t now_ms);
/* The relay has that bundle of ours. */
SIGNET_MUST_USE enum signet_err engine_bundle_published(struct engine *e, uint64_t version);
/* Own card or bundle was taken over by the relay. */
SIGNET_MUST_USE enum signet_err engine_published(struct engine *e, const struct request *request);
/* Ask the relay for what waits and what comes. */
SIGNET_MUST_USE enum signet_err engine_ask_delivery(struct engine *e);
/* Nothing can be done on this connection any more. */
SIGNET_MUST_USE enum signet_err engine_stop(
    struct engine *e, enum engine_problem problem, const char *whom);

/* ---- sending (engine_send.c, engine_texts.c, engine_seal.c; engine_outbox.h) ---- */

/* Move every text on as far as it goes now, and hand the relay what is sealed: at the end of each
 * call in which something may have changed for them. */
SIGNET_MUST_USE enum signet_err engine_pump(struct engine *e, uint64_t now_ms);
/* A text at the end of the list, which takes it over. */
void engine_add_text(struct engine *e, struct outgoing *text);
/* The same, but before those to the same address that were written after it. */
void engine_insert_text(struct engine *e, struct outgoing *text);
/* Sign and seal a text for all devices of a contact; sessions are there. A draft that is damaged is
 * told, and passed over. */
SIGNET_MUST_USE enum signet_err engine_seal(
    struct engine *e, struct contact_slot *slot, struct outgoing *text, uint64_t now_ms);
/* Say why a text cannot be sent; the caller takes it off the list. */
SIGNET_MUST_USE enum signet_err engine_fail_text(
    struct engine *e, struct outgoing *text, enum engine_problem problem);
/* Give up all texts to an address, or to a name, for one cause. */
SIGNET_MUST_USE enum signet_err engine_fail_texts(struct engine *e, const struct signet_id *address,
    const char *name, enum engine_problem problem);
/* The same to an address, for a cause that passes: they stay in the list, in their order. */
SIGNET_MUST_USE enum signet_err engine_hold_texts(struct engine *e, const struct signet_id *address,
    enum engine_problem problem, uint64_t not_before);
void engine_free_outgoing(struct outgoing *text);

/* ---- time (engine_wait.c) ---- */

/* A code of ours: no answer came. */
#define CODE_SILENT UINT64_MAX

/* A refusal that passes: OFTEN, SILENT, else RELAY. */
enum engine_problem engine_passing_problem(const struct relay_message *refusal);
/* A request was refused, or given up with CODE_SILENT (engine.c). */
SIGNET_MUST_USE enum signet_err engine_refused(struct engine *e, const struct request *request,
    const struct relay_message *refusal, uint64_t now_ms);
/* When something refused may be tried again. */
uint64_t engine_retry_at(const struct relay_message *refusal, uint64_t now_ms);

/* ---- receiving (engine_deliver.c, engine_pending.c) ---- */

SIGNET_MUST_USE enum signet_err engine_load_pending(struct engine *e);
/* Open the envelopes of contacts that are known again, and ask for the others'. */
SIGNET_MUST_USE enum signet_err engine_try_pending(struct engine *e);

SIGNET_MUST_USE enum signet_err engine_delivered(
    struct engine *e, const struct relay_message *message, uint64_t now_ms);
/* Acknowledge what was received in this call. */
SIGNET_MUST_USE enum signet_err engine_flush_acks(struct engine *e);

#endif
