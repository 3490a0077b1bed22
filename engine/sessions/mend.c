/* Finding the session of a tag, also where tags are damaged. */
#include "engine/sessions/sessions.h"

static enum signet_err visit_session(void *ctx, uint64_t number, signet_span value)
{
    struct txn *t = ctx;
    struct signet_session *session = NULL;
    struct session_slot *slot;
    enum signet_err err = signet_session_decode(t->library, value, &session);

    (void)number;
    if (err != SIGNET_OK) /* a damaged one is noticed when it is used */
        return err == SIGNET_ERR_NOMEM ? err : SIGNET_OK;
    err = sessions_load(t, signet_session_transcript(session), &slot);
    signet_session_free(session);
    if (err != SIGNET_OK) /* UNKNOWN: it has ended in this very call */
        return err == SIGNET_ERR_UNKNOWN ? SIGNET_OK : err;
    err = tags_check(t, &slot->tags, signet_session_transcript(slot->session));
    return err == SIGNET_OK ? tags_save(t, &slot->tags, slot->session) : err;
}

/* Write the tags that do not read back, of all sessions. */
static enum signet_err mend_tags(struct txn *t)
{
    struct record_key all = {.kind = RECORD_SESSION};

    t->sessions->has_mended_tags = true;
    return txn_scan(t, &all, visit_session, t);
}

/* Strangers can name as many unknown tags as they like: they make us look through the sessions once,
 * since from then on each has its tags. */
enum signet_err sessions_find_tag(
    struct txn *t, const struct signet_tag *tag, struct signet_id *transcript_out)
{
    enum signet_err err = tags_read(t, tag, transcript_out);

    if (err == SIGNET_ERR_AUTH || (err == SIGNET_ERR_UNKNOWN && !t->sessions->has_mended_tags)) {
        if ((err = mend_tags(t)) == SIGNET_OK)
            err = tags_read(t, tag, transcript_out);
    }
    if (err != SIGNET_ERR_AUTH)
        return err;
    err = tags_forget(t, tag); /* its session is gone: do not look for it again */
    return err == SIGNET_OK ? SIGNET_ERR_UNKNOWN : err;
}
