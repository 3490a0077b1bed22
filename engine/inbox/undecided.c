/*
 * Envelopes whose seal opens, but whose sender's record is lost here: kept as they came until the
 * contact is made anew. docs/protocol.md, section 8, step 5.
 *
 * Only who has a session with us gets here, and only where a record of ours is damaged or gone:
 * nobody else can fill this store.
 */
#include "engine/inbox/undecided.h"

#include "engine/account.h"
#include "engine/directory/lookup.h"
#include "engine/inbox/inbox.h"
#include "wire/cbor.h"

/* A session follows any envelope over a thousand others. */
enum { UNDECIDED_MAX = 256, UNDECIDED_BYTES_MAX = 4 * 1024 * 1024 };

static struct record_key undecided_key(uint64_t number)
{
    struct record_key key = {RECORD_PENDING, signet_span_str(""), number};

    return key;
}

enum signet_err undecided_decode(
    signet_span value, struct signet_id *address, signet_span *envelope)
{
    struct wire_reader r = wire_reader(value);

    wire_expect_array(&r, 2);
    wire_get_id(&r, address);
    *envelope = wire_get_bytes(&r, 1, SIGNET_ENVELOPE_MAX);
    return wire_reader_finish(&r);
}

static enum signet_err encode(const struct delivery *d, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 2);
    wire_put_id(&w, signet_session_peer_address(d->session));
    wire_put_bytes(&w, d->envelope);
    return wire_writer_finish(&w);
}

static enum signet_err visit_count(void *ctx, uint64_t number, signet_span value)
{
    struct inbox *inbox = ctx;

    (void)number;
    inbox->undecided.count++;
    inbox->undecided.bytes += value.len;
    inbox->is_undecided_due = true;
    return SIGNET_OK;
}

enum signet_err undecided_load(struct txn *t)
{
    struct record_key all = undecided_key(0);

    return txn_scan(t, &all, visit_count, t->inbox);
}

enum signet_err undecided_scan(struct txn *t, record_visitor visit)
{
    struct record_key all = undecided_key(0);

    return txn_scan(t, &all, visit, t);
}

enum signet_err undecided_ask(struct txn *t, const struct signet_id *address)
{
    if (requests_is_asking(t->requests, REQUEST_FIND_ADDRESS, address))
        return SIGNET_OK;
    return lookup_address(t, address);
}

enum signet_err undecided_keep(struct txn *t, const struct delivery *d)
{
    struct inbox *inbox = t->inbox;
    struct signet_buf value = {0};
    struct record_key key;
    enum signet_err err = encode(d, &value);

    if (err == SIGNET_OK && (inbox->undecided.count >= UNDECIDED_MAX ||
                                value.len > UNDECIDED_BYTES_MAX - inbox->undecided.bytes))
        err = SIGNET_ERR_LIMIT;
    if (err == SIGNET_OK) {
        inbox->undecided.count++;
        inbox->undecided.bytes += value.len;
        /* Its place among all that arrives. */
        key = undecided_key(++t->own->counters.next_message);
        err = txn_put(t, &key, signet_buf_span(&value));
    }
    signet_buf_free(&value);
    if (err == SIGNET_OK)
        err = own_save_counters(t);
    return err == SIGNET_OK ? undecided_ask(t, signet_session_peer_address(d->session)) : err;
}

enum signet_err undecided_remove(struct txn *t, uint64_t number, size_t len)
{
    struct record_key key = undecided_key(number);

    t->inbox->undecided.count--;
    t->inbox->undecided.bytes -= len;
    return txn_delete(t, &key);
}
