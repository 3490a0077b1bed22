/*
 * Lookup tags: to which session an envelope belongs. docs/protocol.md, section 6; decision 20.
 *
 * The sessions themselves know their tags, so that a tag whose record is damaged is only a detour.
 */
#include <string.h>

#include "engine/engine_internal.h"

static struct record_key tag_key(const struct signet_tag *tag)
{
    struct record_key key = {RECORD_TAG, signet_span_of(tag->b, sizeof(tag->b)), 0};

    return key;
}

static enum signet_err read_tag(
    struct engine *e, const struct signet_tag *tag, struct signet_id *transcript_out)
{
    struct record_key key = tag_key(tag);
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    if (err == SIGNET_OK)
        err = signet_id_read(signet_buf_span(&value), transcript_out);
    signet_buf_free(&value);
    return err;
}

enum signet_err engine_check_tags(struct engine *e, struct session_slot *slot)
{
    for (size_t i = 0; i < slot->tag_count; i++) {
        struct signet_id transcript = {{0}};
        enum signet_err err = read_tag(e, &slot->tags[i], &transcript);

        if (err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_IO)
            return err;
        if (!signet_id_equal(&transcript, signet_session_transcript(slot->session)))
            slot->is_torn = true;
    }
    return SIGNET_OK;
}

enum signet_err engine_save_tags(
    struct engine *e, struct session_slot *slot, const struct signet_session *session)
{
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX];
    size_t count;
    enum signet_err err = signet_session_tags(session, tags, &count);

    if (err != SIGNET_OK)
        return err;
    if (!slot->is_torn && count == slot->tag_count &&
        memcmp(tags, slot->tags, count * sizeof(tags[0])) == 0)
        return SIGNET_OK;
    if ((err = engine_delete_tags(e, slot)) != SIGNET_OK)
        return err;
    for (size_t i = 0; i < count; i++) {
        struct record_key key = tag_key(&tags[i]);

        err = engine_put(e, &key, signet_id_span(signet_session_transcript(session)));
        if (err != SIGNET_OK)
            return err;
    }
    memcpy(slot->tags, tags, count * sizeof(tags[0]));
    slot->tag_count = count;
    slot->is_torn = false;
    return SIGNET_OK;
}

enum signet_err engine_delete_tags(struct engine *e, const struct session_slot *slot)
{
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; i < slot->tag_count && err == SIGNET_OK; i++) {
        struct record_key key = tag_key(&slot->tags[i]);

        err = engine_delete(e, &key);
    }
    return err;
}

static enum signet_err visit_session(void *ctx, uint64_t number, signet_span value)
{
    struct engine *e = ctx;
    struct signet_session *session = NULL;
    struct session_slot *slot;
    enum signet_err err = signet_session_decode(e->library, value, &session);

    (void)number;
    if (err != SIGNET_OK) /* a damaged one is noticed when it is used */
        return err == SIGNET_ERR_NOMEM ? err : SIGNET_OK;
    err = engine_load_session(e, signet_session_transcript(session), &slot);
    signet_session_free(session);
    if (err != SIGNET_OK) /* UNKNOWN: it has ended in this very call */
        return err == SIGNET_ERR_UNKNOWN ? SIGNET_OK : err;
    if ((err = engine_check_tags(e, slot)) != SIGNET_OK)
        return err;
    return engine_save_tags(e, slot, slot->session);
}

/* Write the tags that do not read back, of all sessions. */
static enum signet_err mend_tags(struct engine *e)
{
    struct record_key all = {.kind = RECORD_SESSION};

    e->has_mended_tags = true;
    return e->records.scan(e->records.ctx, &all, visit_session, e);
}

/* Strangers can name as many unknown tags as they like: they make us look through the sessions once,
 * since from then on each has its tags. */
enum signet_err engine_find_tag(
    struct engine *e, const struct signet_tag *tag, struct signet_id *transcript_out)
{
    struct record_key key = tag_key(tag);
    enum signet_err err = read_tag(e, tag, transcript_out);

    if (err == SIGNET_ERR_AUTH || (err == SIGNET_ERR_UNKNOWN && !e->has_mended_tags)) {
        if ((err = mend_tags(e)) == SIGNET_OK)
            err = read_tag(e, tag, transcript_out);
    }
    if (err != SIGNET_ERR_AUTH)
        return err;
    err = engine_delete(e, &key); /* of a session that is gone: worth no second look */
    return err == SIGNET_OK ? SIGNET_ERR_UNKNOWN : err;
}
