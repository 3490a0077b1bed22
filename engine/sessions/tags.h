/* Lookup tags: to which session an envelope belongs. docs/protocol.md, section 6. */
#ifndef ENGINE_SESSIONS_TAGS_H
#define ENGINE_SESSIONS_TAGS_H

#include <signet/session.h>

#include "engine/txn/txn.h"

/* The tags that are stored for a session. */
struct stored_tags {
    size_t count;
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX];
    bool is_damaged; /* one of their records is damaged or gone */
};

/* The session that a tag stands for. Errors: UNKNOWN, AUTH (damaged), FORMAT, IO, NOMEM. */
SIGNET_MUST_USE enum signet_err tags_read(
    struct txn *t, const struct signet_tag *tag, struct signet_id *transcript_out);
/* Note whether the tags of a session are stored. Errors: IO, NOMEM. */
SIGNET_MUST_USE enum signet_err tags_check(
    struct txn *t, struct stored_tags *stored, const struct signet_id *transcript);
/* Replace the stored tags by those under which messages to the session may now arrive. */
SIGNET_MUST_USE enum signet_err tags_save(
    struct txn *t, struct stored_tags *stored, const struct signet_session *session);
SIGNET_MUST_USE enum signet_err tags_delete(struct txn *t, const struct stored_tags *stored);
/* Delete the record of one tag. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err tags_forget(struct txn *t, const struct signet_tag *tag);

#endif
