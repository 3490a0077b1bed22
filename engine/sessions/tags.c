/*
 * Lookup tags as records.
 *
 * The sessions themselves know their tags, so that a tag whose record is damaged is only a detour.
 */
#include "engine/sessions/tags.h"

#include <string.h>

static struct record_key tag_key(const struct signet_tag *tag)
{
    struct record_key key = {RECORD_TAG, signet_span_of(tag->b, sizeof(tag->b)), 0};

    return key;
}

static enum signet_err decode_id(struct txn *t, signet_span value, void *object)
{
    (void)t;
    return signet_id_read(value, object);
}

enum signet_err tags_read(
    struct txn *t, const struct signet_tag *tag, struct signet_id *transcript_out)
{
    struct record_key key = tag_key(tag);

    return txn_read(t, &key, decode_id, transcript_out);
}

enum signet_err tags_check(
    struct txn *t, struct stored_tags *stored, const struct signet_id *transcript)
{
    for (size_t i = 0; i < stored->count; i++) {
        struct signet_id named = {{0}};
        enum signet_err err = tags_read(t, &stored->tags[i], &named);

        if (err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_IO)
            return err;
        if (!signet_id_equal(&named, transcript))
            stored->is_damaged = true;
    }
    return SIGNET_OK;
}

enum signet_err tags_save(
    struct txn *t, struct stored_tags *stored, const struct signet_session *session)
{
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX];
    size_t count;
    enum signet_err err = signet_session_tags(session, tags, &count);

    if (err != SIGNET_OK)
        return err;
    if (!stored->is_damaged && count == stored->count &&
        memcmp(tags, stored->tags, count * sizeof(tags[0])) == 0)
        return SIGNET_OK;
    if ((err = tags_delete(t, stored)) != SIGNET_OK)
        return err;
    for (size_t i = 0; i < count; i++) {
        struct record_key key = tag_key(&tags[i]);

        err = txn_put(t, &key, signet_id_span(signet_session_transcript(session)));
        if (err != SIGNET_OK)
            return err;
    }
    memcpy(stored->tags, tags, count * sizeof(tags[0]));
    stored->count = count;
    stored->is_damaged = false;
    return SIGNET_OK;
}

enum signet_err tags_forget(struct txn *t, const struct signet_tag *tag)
{
    struct record_key key = tag_key(tag);

    return txn_delete(t, &key);
}

enum signet_err tags_delete(struct txn *t, const struct stored_tags *stored)
{
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; i < stored->count && err == SIGNET_OK; i++)
        err = tags_forget(t, &stored->tags[i]);
    return err;
}
