/* Marks of what was seen: hashes of envelopes, transcripts of sessions that peers have begun. */
#include <string.h>

#include "client/engine_internal.h"
#include "wire/cbor.h"

static struct record_key mark_key(enum record_kind kind, const struct signet_id *id)
{
    struct record_key key = {kind, signet_id_span(id), 0};

    return key;
}

/* The id stands in the value too: a scan does not tell names. Where the clock has gone back since
 * old marks were last looked for, that time counts: the mark is not older than it is. */
enum signet_err engine_mark_seen(
    struct engine *e, enum record_kind kind, const struct signet_id *id, uint64_t now_ms)
{
    struct record_key key = mark_key(kind, id);
    uint64_t cleaned_at = e->counters.cleaned_at;
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    enum signet_err err;

    wire_put_array(&w, 2);
    wire_put_uint(&w, now_ms > cleaned_at ? now_ms : cleaned_at);
    wire_put_id(&w, id);
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err;
}

enum signet_err engine_was_seen(struct engine *e, enum record_kind kind, const struct signet_id *id)
{
    struct record_key key = mark_key(kind, id);
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    signet_buf_free(&value);
    /* A damaged mark is a mark all the same. */
    return err == SIGNET_ERR_AUTH ? SIGNET_OK : err;
}

struct old_marks {
    struct engine *engine;
    enum record_kind kind;
    uint64_t before_ms;
};

static enum signet_err visit_mark(void *ctx, uint64_t number, signet_span value)
{
    struct old_marks *old = ctx;
    struct wire_reader r = wire_reader(value);
    struct record_key key;
    struct signet_id id;
    uint64_t at;

    (void)number;
    wire_expect_array(&r, 2);
    at = wire_get_uint(&r, UINT64_MAX);
    wire_get_id(&r, &id);
    if (wire_reader_finish(&r) != SIGNET_OK || at >= old->before_ms)
        return SIGNET_OK;
    key = mark_key(old->kind, &id);
    return engine_delete(old->engine, &key);
}

enum signet_err engine_forget_seen(struct engine *e, enum record_kind kind, uint64_t before_ms)
{
    struct old_marks old = {e, kind, before_ms};
    struct record_key all = {.kind = kind};

    return e->records.scan(e->records.ctx, &all, visit_mark, &old);
}

/* ---- transcripts: known as long as the bundle's secrets, by which a session begins anew ---- */

enum signet_err engine_mark_begun(
    struct engine *e, const struct signet_id *bundle, const struct signet_id *transcript)
{
    struct record_key mark = mark_key(RECORD_TRANSCRIPT, transcript);
    struct record_key of_bundle = mark_key(RECORD_BEGUN, bundle);
    enum signet_err err = engine_put(e, &mark, signet_id_span(bundle));

    of_bundle.number = e->counters.next_message;
    return err == SIGNET_OK ? engine_put(e, &of_bundle, signet_id_span(transcript)) : err;
}

struct begun {
    struct engine *engine;
    const struct signet_id *bundle;
};

static enum signet_err visit_begun(void *ctx, uint64_t number, signet_span value)
{
    struct begun *begun = ctx;
    struct record_key of_bundle = mark_key(RECORD_BEGUN, begun->bundle);
    struct record_key mark = {RECORD_TRANSCRIPT, value, 0};
    enum signet_err err;

    of_bundle.number = number;
    err = engine_delete(begun->engine, &of_bundle);
    return err == SIGNET_OK && value.len > 0 ? engine_delete(begun->engine, &mark) : err;
}

enum signet_err engine_forget_begun(struct engine *e, const struct signet_id *bundle)
{
    struct record_key of_bundle = mark_key(RECORD_BEGUN, bundle);
    struct begun begun = {e, bundle};

    return e->records.scan(e->records.ctx, &of_bundle, visit_begun, &begun);
}
