/*
 * Envelopes whose seal opens, but whose sender's record is lost here: kept as they came until the
 * contact is made anew. docs/protocol.md, section 8, step 5; decision 14.
 *
 * Only who has a session with us gets here, and only where a record of ours is damaged or gone:
 * nobody else can fill this store.
 */
#include "engine/inbox/delivery.h"
#include "wire/cbor.h"

/* A session follows any envelope over a thousand others. */
enum { PENDING_MAX = 256, PENDING_BYTES_MAX = 4 * 1024 * 1024 };

static struct record_key pending_key(uint64_t number)
{
    struct record_key key = {RECORD_PENDING, signet_span_str(""), number};

    return key;
}

/* The envelope borrows. Errors: FORMAT (damaged). */
static enum signet_err read_pending(
    signet_span value, struct signet_id *address, signet_span *envelope)
{
    struct wire_reader r = wire_reader(value);

    wire_expect_array(&r, 2);
    wire_get_id(&r, address);
    *envelope = wire_get_bytes(&r, 1, SIGNET_ENVELOPE_MAX);
    return wire_reader_finish(&r);
}

static enum signet_err visit_count(void *ctx, uint64_t number, signet_span value)
{
    struct engine *e = ctx;

    (void)number;
    e->pending.count++;
    e->pending.bytes += value.len;
    e->is_pending_due = true;
    return SIGNET_OK;
}

enum signet_err engine_load_pending(struct engine *e)
{
    struct record_key all = pending_key(0);

    return e->records.scan(e->records.ctx, &all, visit_count, e);
}

/* Ask for a sender's card, unless that is being done. */
static enum signet_err ask_for(struct engine *e, const struct signet_id *address)
{
    for (const struct request *r = e->requests; r != NULL; r = r->next) {
        if (r->type == REQUEST_FIND_ADDRESS && signet_id_equal(&r->address, address))
            return SIGNET_OK;
    }
    return engine_find_address(e, address);
}

enum signet_err engine_keep_pending(struct engine *e, const struct delivery *d)
{
    const struct signet_id *address = signet_session_peer_address(d->session);
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    struct record_key key;
    enum signet_err err;

    wire_put_array(&w, 2);
    wire_put_id(&w, address);
    wire_put_bytes(&w, d->envelope);
    err = wire_writer_finish(&w);
    if (err == SIGNET_OK &&
        (e->pending.count >= PENDING_MAX || value.len > PENDING_BYTES_MAX - e->pending.bytes))
        err = SIGNET_ERR_LIMIT;
    if (err == SIGNET_OK) {
        e->pending.count++;
        e->pending.bytes += value.len;
        key = pending_key(++e->counters.next_message); /* its place among all that arrives */
        err = engine_put(e, &key, signet_buf_span(&value));
    }
    signet_buf_free(&value);
    if (err == SIGNET_OK)
        err = engine_save_counters(e);
    return err == SIGNET_OK ? ask_for(e, address) : err;
}

static bool is_there(struct engine *e, const struct signet_id *address)
{
    struct record_key key = {RECORD_CONTACT, signet_id_span(address), 0};
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    signet_buf_free(&value);
    return err == SIGNET_OK;
}

static enum signet_err visit_pending(void *ctx, uint64_t number, signet_span value)
{
    struct engine *e = ctx;
    struct record_key key = pending_key(number);
    struct signet_id address;
    signet_span envelope;
    enum signet_err err = SIGNET_OK;

    if (read_pending(value, &address, &envelope) != SIGNET_OK)
        err = engine_note(e, "a message that was kept until its sender is known is damaged");
    else if (is_there(e, &address))
        err = engine_open_pending(e, envelope);
    else
        return ask_for(e, &address);
    if (err != SIGNET_OK)
        return err;
    e->pending.count--;
    e->pending.bytes -= value.len;
    return engine_delete(e, &key);
}

enum signet_err engine_try_pending(struct engine *e)
{
    struct record_key all = pending_key(0);

    if (!e->is_pending_due || e->phase != PHASE_READY)
        return SIGNET_OK;
    e->is_pending_due = false;
    return e->records.scan(e->records.ctx, &all, visit_pending, e);
}
