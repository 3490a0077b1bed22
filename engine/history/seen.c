/* Marks of what was seen: hashes of envelopes, transcripts of sessions that peers have begun. */
#include "engine/history/seen.h"

#include "engine/account.h"
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

/* RECORD_ARRIVAL. */
struct arrival {
    uint64_t at; /* ms */
    struct signet_id hash;
};

static enum signet_err encode_arrival(const void *object, struct signet_buf *out)
{
    const struct arrival *arrival = object;
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 2);
    wire_put_uint(&w, arrival->at);
    wire_put_id(&w, &arrival->hash);
    return wire_writer_finish(&w);
}

static enum signet_err decode_arrival(signet_span value, struct arrival *arrival)
{
    struct wire_reader r = wire_reader(value);

    wire_expect_array(&r, 2);
    arrival->at = wire_get_uint(&r, UINT64_MAX);
    wire_get_id(&r, &arrival->hash);
    return wire_reader_finish(&r);
}

/* Where the clock has gone back since old marks were last looked for, that time counts: the mark is
 * not older than it is. */
enum signet_err seen_mark(struct txn *t, const struct signet_id *hash)
{
    const struct counters *c = &t->own->counters;
    struct arrival arrival = {t->now_ms > c->cleaned_at ? t->now_ms : c->cleaned_at, *hash};
    struct record_key mark = mark_key(RECORD_SEEN, hash);
    struct record_key key = arrival_key(c->next_message);
    enum signet_err err = txn_put(t, &mark, signet_span_of(NULL, 0));

    return err == SIGNET_OK ? txn_write(t, &key, encode_arrival, &arrival) : err;
}

enum signet_err seen_has(struct txn *t, enum record_kind kind, const struct signet_id *id)
{
    struct record_key key = mark_key(kind, id);
    struct signet_buf value = {0};
    enum signet_err err = txn_get(t, &key, &value);

    signet_buf_free(&value);
    /* A damaged mark is a mark all the same. */
    return err == SIGNET_ERR_AUTH ? SIGNET_OK : err;
}

struct old_marks {
    struct txn *t;
    size_t left;  /* how many more may go now */
    bool is_done; /* what comes is young */
};

/* In the order in which they came: the first young one ends it. */
static enum signet_err visit_arrival(void *ctx, uint64_t number, signet_span value)
{
    struct old_marks *old = ctx;
    struct record_key key = arrival_key(number);
    uint64_t now_ms = old->t->now_ms;
    struct record_key mark;
    struct arrival arrival;
    enum signet_err err;

    if (decode_arrival(value, &arrival) != SIGNET_OK)
        return txn_delete(old->t, &key); /* damaged: its mark stays */
    if (arrival.at > now_ms)
        return SIGNET_OK; /* the clock was ahead then: it waits */
    old->is_done = now_ms - arrival.at <= SEEN_KEEP_MS;
    if (old->is_done || old->left-- == 0)
        return SIGNET_ERR_LIMIT; /* enough */
    mark = mark_key(RECORD_SEEN, &arrival.hash);
    err = txn_delete(old->t, &mark);
    return err == SIGNET_OK ? txn_delete(old->t, &key) : err;
}

enum signet_err seen_forget(struct txn *t, bool *is_done)
{
    struct old_marks old = {.t = t, .left = FORGET_MAX};
    struct record_key all = arrival_key(0);
    enum signet_err err = txn_scan(t, &all, visit_arrival, &old);

    *is_done = old.is_done || err == SIGNET_OK;
    return err == SIGNET_ERR_LIMIT ? SIGNET_OK : err;
}

/* ---- transcripts: known as long as the bundle's secrets, by which a session begins anew ---- */

enum signet_err seen_mark_begun(
    struct txn *t, const struct signet_id *bundle, const struct signet_id *transcript)
{
    struct record_key mark = mark_key(RECORD_TRANSCRIPT, transcript);
    struct record_key of_bundle = mark_key(RECORD_BEGUN, bundle);
    enum signet_err err = txn_put(t, &mark, signet_id_span(bundle));

    of_bundle.number = t->own->counters.next_message;
    return err == SIGNET_OK ? txn_put(t, &of_bundle, signet_id_span(transcript)) : err;
}

struct begun {
    struct txn *t;
    const struct signet_id *bundle;
};

static enum signet_err visit_begun(void *ctx, uint64_t number, signet_span value)
{
    struct begun *begun = ctx;
    struct record_key of_bundle = mark_key(RECORD_BEGUN, begun->bundle);
    struct record_key mark = {RECORD_TRANSCRIPT, value, 0};
    enum signet_err err;

    of_bundle.number = number;
    err = txn_delete(begun->t, &of_bundle);
    return err == SIGNET_OK && value.len > 0 ? txn_delete(begun->t, &mark) : err;
}

enum signet_err seen_forget_begun(struct txn *t, const struct signet_id *bundle)
{
    struct record_key of_bundle = mark_key(RECORD_BEGUN, bundle);
    struct begun begun = {t, bundle};

    return txn_scan(t, &of_bundle, visit_begun, &begun);
}
