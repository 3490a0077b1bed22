/*
 * An envelope arrives: docs/protocol.md, section 8.
 *
 * Everything is computed on a copy of the session and on objects in hand; only when all has held
 * are the changes made, which the caller commits before the acknowledgement leaves. An envelope
 * that is refused is recorded with its verdict and acknowledged too: it stalls nothing.
 */
#include "engine/inbox/inbox.h"

#include <string.h>

#include "crypto/hash.h"
#include "engine/history/seen.h"
#include "engine/inbox/undecided.h"
#include "engine/txn/requests.h"

enum { ACKS_MAX = 512 }; /* a relay leaves no more than 128 unacknowledged */

static void delivery_clear(struct delivery *d)
{
    signet_session_free(d->session);
    signet_card_free(d->card);
    signet_buf_free(&d->content);
}

/* What was opened is kept, or the refusal with its cause; or the envelope, where a loss of ours
 * keeps it from being weighed. */
static enum signet_err conclude(struct txn *t, struct delivery *d, enum signet_err err)
{
    enum signet_err cause = err;

    if (err == SIGNET_OK)
        return delivery_keep(t, d);
    if (d->is_sender_lost && (err = undecided_keep(t, d)) != SIGNET_ERR_LIMIT)
        return err;
    return verdict_exists(cause) ? delivery_refuse(t, d, cause) : cause;
}

/* A fault of this machine while a message was opened, but not of its disk: nothing has changed yet.
 * Whoever finds bytes that bring one about must not stop a client for good with them. */
static bool is_fault(enum signet_err err)
{
    return err != SIGNET_OK && err != SIGNET_ERR_IO && !verdict_exists(err);
}

static enum signet_err note_fault(struct txn *t, enum signet_err err)
{
    if (err == SIGNET_ERR_NOMEM)
        return txn_note(t, "not enough memory to open a message; it waits at the relay");
    return txn_note(
        t, "a message cannot be opened here now (%s); it waits at the relay", signet_err_text(err));
}

/* Open an envelope that was kept. NOMEM: nothing has changed. */
static enum signet_err open_kept(struct txn *t, signet_span envelope)
{
    struct delivery d = {.envelope = envelope};
    enum signet_err err = crypto_sha256_one(t->library, envelope, &d.hash);

    if (err == SIGNET_OK && !is_fault(err = delivery_open(t, &d)))
        err = conclude(t, &d, err);
    delivery_clear(&d);
    return err;
}

/* Whether the sender's record can be read again. */
static bool is_there(struct txn *t, const struct signet_id *address)
{
    struct record_key key = {RECORD_CONTACT, signet_id_span(address), 0};
    struct signet_buf value = {0};
    enum signet_err err = txn_get(t, &key, &value);

    signet_buf_free(&value);
    return err == SIGNET_OK;
}

static enum signet_err visit_undecided(void *ctx, uint64_t number, signet_span value)
{
    struct txn *t = ctx;
    struct signet_id address;
    signet_span envelope;
    enum signet_err err = SIGNET_OK;

    if (undecided_decode(value, &address, &envelope) != SIGNET_OK)
        err = txn_note(t, "a message that was kept until its sender is known is damaged");
    else if (is_there(t, &address))
        err = open_kept(t, envelope);
    else
        return undecided_ask(t, &address);
    return err == SIGNET_OK ? undecided_remove(t, number, value.len) : err;
}

enum signet_err inbox_try_undecided(struct txn *t)
{
    if (!t->inbox->is_undecided_due || t->requests->phase != PHASE_READY)
        return SIGNET_OK;
    t->inbox->is_undecided_due = false;
    return undecided_scan(t, visit_undecided);
}

void inbox_known(struct inbox *inbox)
{
    inbox->is_undecided_due = inbox->undecided.count > 0;
}

enum signet_err inbox_delivered(struct txn *t, const struct relay_message *message)
{
    struct delivery d = {.envelope = message->envelope};
    enum signet_err err = SIGNET_ERR_FORMAT;

    /* A relay that delivers on without end must not keep us in this call. */
    if (t->inbox->acks.len >= ACKS_MAX * sizeof(uint64_t))
        return err;
    if ((err = crypto_sha256_one(t->library, message->envelope, &d.hash)) != SIGNET_OK)
        return err;
    err = seen_has(t, RECORD_SEEN, &d.hash);
    if (err == SIGNET_ERR_UNKNOWN) {
        err = delivery_open(t, &d);
        if (is_fault(err)) {
            /* It stays at the relay, and stalls nothing behind it. */
            delivery_clear(&d);
            return note_fault(t, err);
        }
        err = conclude(t, &d, err);
        if (err == SIGNET_OK)
            err = seen_mark(t, &d.hash);
    }
    if (err == SIGNET_OK)
        err = signet_buf_append(
            &t->inbox->acks, signet_span_of(&message->message, sizeof(message->message)));
    delivery_clear(&d);
    return err;
}

enum signet_err inbox_flush_acks(struct txn *t)
{
    struct relay_message message = {.type = RELAY_ACK};
    uint64_t ids[ACKS_MAX];
    size_t count = t->inbox->acks.len / sizeof(ids[0]);
    enum signet_err err;

    if (count == 0)
        return SIGNET_OK;
    memcpy(ids, t->inbox->acks.ptr, t->inbox->acks.len);
    message.ack_ids = ids;
    message.ack_count = count;
    err = txn_send(t, &message);
    signet_buf_truncate(&t->inbox->acks, 0);
    return err;
}

void inbox_disconnected(struct inbox *inbox)
{
    inbox->is_undecided_due = inbox->undecided.count > 0;
    signet_buf_truncate(&inbox->acks, 0);
}

void inbox_clear(struct inbox *inbox)
{
    signet_buf_free(&inbox->acks);
}
