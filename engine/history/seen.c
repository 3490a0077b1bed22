/* Marks of what was seen: hashes of envelopes, transcripts of sessions that peers have begun. */
#include <string.h>

#include "engine/engine_internal.h"
#include "wire/cbor.h"

#define SEEN_KEEP_MS (UINT64_C(31) * 24 * 3600 * 1000)
enum { FORGET_MAX = 4096 }; /* at one login */

static struct record_key mark_key(enum record_kind kind, const struct signet_id *id)
{
    struct record_key key = {kind, signet_id_span(id), 0};

    return key;
}

/* Not NULL: the records are visited in their order. */
static struct record_key arrival_key(uint64_t number)
{
    struct record_key key = {RECORD_ARRIVAL, signet_span_str(""), number};

    return key;
}

/* Where the clock has gone back since old marks were last looked for, that time counts: the mark is
 * not older than it is. */
enum signet_err engine_mark_seen(struct engine *e, const struct signet_id *hash, uint64_t now_ms)
{
    struct record_key mark = mark_key(RECORD_SEEN, hash);
    struct record_key arrival = arrival_key(e->counters.next_message);
    uint64_t cleaned_at = e->counters.cleaned_at;
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    enum signet_err err;

    wire_put_array(&w, 2);
    wire_put_uint(&w, now_ms > cleaned_at ? now_ms : cleaned_at);
    wire_put_id(&w, hash);
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = engine_put(e, &mark, signet_span_of(NULL, 0));
    if (err == SIGNET_OK)
        err = engine_put(e, &arrival, signet_buf_span(&value));
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
    uint64_t now_ms;
    size_t left;  /* how many more may go now */
    bool is_done; /* what comes is young */
};

/* In the order in which they came: the first young one ends it. */
static enum signet_err visit_arrival(void *ctx, uint64_t number, signet_span value)
{
    struct old_marks *old = ctx;
    struct wire_reader r = wire_reader(value);
    struct record_key arrival = arrival_key(number);
    struct record_key mark;
    struct signet_id hash;
    uint64_t at;
    enum signet_err err;

    wire_expect_array(&r, 2);
    at = wire_get_uint(&r, UINT64_MAX);
    wire_get_id(&r, &hash);
    if (wire_reader_finish(&r) != SIGNET_OK)
        return engine_delete(old->engine, &arrival); /* damaged: its mark stays */
    if (at > old->now_ms)
        return SIGNET_OK; /* the clock was ahead then: it waits */
    old->is_done = old->now_ms - at <= SEEN_KEEP_MS;
    if (old->is_done || old->left-- == 0)
        return SIGNET_ERR_LIMIT; /* enough */
    mark = mark_key(RECORD_SEEN, &hash);
    err = engine_delete(old->engine, &mark);
    return err == SIGNET_OK ? engine_delete(old->engine, &arrival) : err;
}

enum signet_err engine_forget_seen(struct engine *e, uint64_t now_ms, bool *is_done)
{
    struct old_marks old = {.engine = e, .now_ms = now_ms, .left = FORGET_MAX};
    struct record_key all = arrival_key(0);
    enum signet_err err = e->records.scan(e->records.ctx, &all, visit_arrival, &old);

    *is_done = old.is_done || err == SIGNET_OK;
    return err == SIGNET_ERR_LIMIT ? SIGNET_OK : err;
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
