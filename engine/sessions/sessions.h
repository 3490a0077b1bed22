/* Sessions in the engine: docs/protocol.md, section 5 (which one to use, how many live). */
#ifndef ENGINE_SESSIONS_SESSIONS_H
#define ENGINE_SESSIONS_SESSIONS_H

#include "engine/sessions/tags.h"

/* A session in memory, as it is stored. It is valid until others have been loaded. */
struct session_slot {
    struct session_slot *next;
    struct signet_session *session;
    struct stored_tags tags;
};

struct sessions {
    struct session_slot *first; /* used last first */
    bool has_lost_one;          /* one was found to be damaged */
    bool has_losses;            /* there may be a RECORD_LOSS to look at */
    bool has_mended_tags;       /* all sessions' tags were looked at in this process */
};

/* A session by its transcript. Errors: UNKNOWN (also where its record is damaged, which is told). */
SIGNET_MUST_USE enum signet_err sessions_load(
    struct txn *t, const struct signet_id *transcript, struct session_slot **slot_out);
/* Store a session that is new or has changed, with its tags. Takes the session over on success. */
SIGNET_MUST_USE enum signet_err sessions_save(struct txn *t, struct signet_session *session);
/* Forget the record of a session that cannot be read. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err sessions_forget(struct txn *t, const struct signet_id *transcript);
/* Make the time of something that a device has sent later than all that came from it before,
 * whatever the clock says: by it the session to answer on is found. */
SIGNET_MUST_USE enum signet_err sessions_next_time(
    struct txn *t, const struct signet_id *device, uint64_t *at_ms);
/* End an account's sessions with a device. */
SIGNET_MUST_USE enum signet_err sessions_drop(
    struct txn *t, const struct signet_id *address, const struct signet_id *device);
/* Forget the keys of messages that have not come for 30 days, in all sessions. */
SIGNET_MUST_USE enum signet_err sessions_expire(struct txn *t);
/* The session to send on to an account's device. Errors: UNKNOWN (a new one is due). */
SIGNET_MUST_USE enum signet_err sessions_pick(struct txn *t, const struct signet_id *address,
    const struct signet_id *device, struct session_slot **slot_out);
/* The session that a tag stands for (mend.c). Errors: UNKNOWN, FORMAT, IO, NOMEM. */
SIGNET_MUST_USE enum signet_err sessions_find_tag(
    struct txn *t, const struct signet_tag *tag, struct signet_id *transcript_out);
void sessions_free(struct sessions *sessions);

#endif
