/* The outbox on disk. */
#include "engine/outbox/stored.h"

#include <signet/session.h>
#include <stdlib.h>

#include "engine/account.h"
#include "engine/history/history.h"
#include "wire/cbor.h"

/* IS_SPREAD: sealed, and accepted for another device. */
enum { FORMAT_VERSION = 1, IS_DRAFT = 0, IS_SEALED = 1, IS_SPREAD = 2 };

static struct record_key outbox_key(uint64_t number)
{
    struct record_key key = {.kind = RECORD_OUTBOX, .number = number};

    return key;
}

/* ---- drafts ---- */

static enum signet_err encode_draft(const void *object, struct signet_buf *out)
{
    const struct outgoing *text = object;
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 5);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_uint(&w, IS_DRAFT);
    wire_put_id(&w, &text->address);
    wire_put_uint(&w, text->sent_at);
    wire_put_bytes(&w, signet_buf_span(&text->text));
    return wire_writer_finish(&w);
}

/* What follows the version in a draft's record; the text borrows. */
static void read_draft(struct wire_reader *r, struct outgoing *text, signet_span *body)
{
    wire_expect_uint(r, IS_DRAFT);
    wire_get_id(r, &text->address);
    text->sent_at = wire_get_uint(r, SIGNET_TIME_MAX);
    *body = wire_get_bytes(r, 1, SIGNET_TEXT_MAX);
}

/* Errors: UNKNOWN (it is sealed), FORMAT. */
static enum signet_err parse_draft(signet_span value, struct outgoing *text, signet_span *body)
{
    struct wire_reader r = wire_reader(value);

    if (wire_get_array(&r, 5, 7) != 5)
        return SIGNET_ERR_UNKNOWN;
    wire_expect_uint(&r, FORMAT_VERSION);
    read_draft(&r, text, body);
    return wire_reader_finish(&r);
}

static enum signet_err decode_draft(struct txn *t, signet_span value, void *object)
{
    struct outgoing *text = object;
    signet_span body;
    enum signet_err err = parse_draft(value, text, &body);

    (void)t;
    if (err == SIGNET_ERR_UNKNOWN)
        return SIGNET_ERR_FORMAT;
    return err == SIGNET_OK ? signet_buf_append(&text->text, body) : err;
}

enum signet_err stored_save_draft(struct txn *t, struct outgoing *text)
{
    uint64_t number = ++t->own->counters.next_outbox;
    struct record_key key = outbox_key(number);
    enum signet_err err = txn_write(t, &key, encode_draft, text);

    if (err != SIGNET_OK)
        return err;
    text->draft = number;
    signet_buf_free(&text->text);
    return own_save_counters(t);
}

enum signet_err stored_load_draft(struct txn *t, struct outgoing *text)
{
    struct record_key key = outbox_key(text->draft);

    return txn_read(t, &key, decode_draft, text);
}

enum signet_err stored_delete_draft(struct txn *t, const struct outgoing *text)
{
    struct record_key key = outbox_key(text->draft);

    return txn_delete(t, &key);
}

enum signet_err stored_read_draft(
    signet_span value, const struct signet_id *own, struct message *message_out)
{
    struct message message = {.is_outgoing = true, .kind = SIGNET_KIND_TEXT};
    struct outgoing text = {0};
    signet_span body;
    enum signet_err err = parse_draft(value, &text, &body);

    if (err != SIGNET_OK)
        return err;
    message.address = *own;
    message.peer = text.address;
    message.sent_at = message.received_at = text.sent_at;
    if ((err = signet_buf_append(&message.text, body)) == SIGNET_OK)
        *message_out = message;
    return err;
}

/* ---- envelopes ---- */

/* A copy of `sealed` at the end of the list. */
static enum signet_err append_sealed(struct outbox *outbox, const struct sealed *sealed)
{
    struct sealed **link = &outbox->sealed;
    struct sealed *copy = malloc(sizeof(*copy));

    if (copy == NULL)
        return SIGNET_ERR_NOMEM;
    *copy = *sealed;
    copy->next = NULL;
    while (*link != NULL)
        link = &(*link)->next;
    *link = copy;
    return SIGNET_OK;
}

/* An envelope with what is stored beside it. */
struct stored {
    const struct sealed *sealed;
    signet_span envelope;
};

static enum signet_err encode_sealed(const void *object, struct signet_buf *out)
{
    const struct stored *stored = object;
    const struct sealed *sealed = stored->sealed;
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 7);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_uint(&w, sealed->has_arrived ? IS_SPREAD : IS_SEALED);
    wire_put_id(&w, &sealed->device);
    wire_put_id(&w, &sealed->conversation);
    wire_put_id(&w, &sealed->entry);
    wire_put_uint(&w, sealed->message);
    wire_put_bytes(&w, stored->envelope);
    return wire_writer_finish(&w);
}

static enum signet_err save_sealed(struct txn *t, const struct sealed *sealed, signet_span envelope)
{
    struct record_key key = outbox_key(sealed->number);
    struct stored stored = {sealed, envelope};

    return txn_write(t, &key, encode_sealed, &stored);
}

enum signet_err stored_add(struct txn *t, struct sealed *sealed, signet_span envelope)
{
    struct outbox *outbox = t->outbox;
    enum signet_err err;

    sealed->number = ++t->own->counters.next_outbox;
    if ((err = save_sealed(t, sealed, envelope)) == SIGNET_OK)
        err = own_save_counters(t);
    outbox->fresh.count++;
    outbox->fresh.bytes += envelope.len;
    return err == SIGNET_OK ? append_sealed(outbox, sealed) : err;
}

/* What follows the version in a sealed record; the envelope borrows. */
static void read_sealed(struct wire_reader *r, struct sealed *sealed, signet_span *envelope)
{
    uint64_t state = wire_get_uint(r, IS_SPREAD);

    if (state == IS_DRAFT)
        wire_reader_fail(r, SIGNET_ERR_FORMAT);
    sealed->has_arrived = state == IS_SPREAD;
    wire_get_id(r, &sealed->device);
    wire_get_id(r, &sealed->conversation);
    wire_get_id(r, &sealed->entry);
    sealed->message = wire_get_uint(r, INT64_MAX);
    *envelope = wire_get_bytes(r, 1, SIGNET_ENVELOPE_MAX);
}

static enum signet_err add_draft(struct outbox *outbox, struct wire_reader *r, uint64_t number)
{
    struct outgoing *text = calloc(1, sizeof(*text));
    signet_span body;
    enum signet_err err;

    if (text == NULL)
        return SIGNET_ERR_NOMEM;
    text->draft = number;
    text->has_address = true;
    read_draft(r, text, &body);
    if ((err = wire_reader_finish(r)) != SIGNET_OK) {
        outgoing_free(text);
        return err;
    }
    queue_add(outbox, text);
    return SIGNET_OK;
}

static enum signet_err visit_outbox(void *ctx, uint64_t number, signet_span value)
{
    struct outbox *outbox = ctx;
    struct wire_reader r = wire_reader(value);
    struct sealed sealed = {.number = number};
    signet_span envelope;
    bool is_draft;
    enum signet_err err;

    if (value.len == 0)
        return SIGNET_OK; /* damaged: it cannot be sent, but must not hold up the others */
    is_draft = wire_get_array(&r, 5, 7) == 5;
    wire_expect_uint(&r, FORMAT_VERSION);
    if (is_draft)
        return add_draft(outbox, &r, number);
    read_sealed(&r, &sealed, &envelope);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    return append_sealed(outbox, &sealed);
}

enum signet_err stored_load(struct txn *t)
{
    struct record_key all = {.kind = RECORD_OUTBOX, .name = signet_span_of("", 0)};

    return txn_scan(t, &all, visit_outbox, t->outbox);
}

enum signet_err stored_read(
    struct txn *t, uint64_t number, struct signet_buf *value, signet_span *envelope)
{
    struct record_key key = outbox_key(number);
    struct sealed stored;
    struct wire_reader r;
    enum signet_err err = txn_get(t, &key, value);

    if (err != SIGNET_OK)
        return err;
    r = wire_reader(signet_buf_span(value));
    wire_expect_array(&r, 7);
    wire_expect_uint(&r, FORMAT_VERSION);
    read_sealed(&r, &stored, envelope);
    return wire_reader_finish(&r);
}

enum signet_err stored_mark_arrived(struct txn *t, struct sealed *sealed)
{
    struct signet_buf value = {0};
    signet_span envelope;
    enum signet_err err = stored_read(t, sealed->number, &value, &envelope);

    sealed->has_arrived = true;
    if (err == SIGNET_OK)
        err = save_sealed(t, sealed, envelope);
    signet_buf_free(&value);
    return err == SIGNET_ERR_AUTH || err == SIGNET_ERR_UNKNOWN ? SIGNET_OK : err;
}

enum signet_err stored_remove(struct txn *t, struct sealed *sealed)
{
    struct record_key key = outbox_key(sealed->number);
    struct sealed **link = &t->outbox->sealed;

    while (*link != sealed)
        link = &(*link)->next;
    *link = sealed->next;
    return txn_delete(t, &key);
}

struct sealed *stored_find(const struct outbox *outbox, uint64_t number)
{
    struct sealed *sealed = outbox->sealed;

    while (sealed != NULL && sealed->number != number)
        sealed = sealed->next;
    return sealed;
}

bool stored_has_siblings(const struct outbox *outbox, const struct sealed *sealed)
{
    for (const struct sealed *s = outbox->sealed; s != NULL; s = s->next) {
        if (signet_id_equal(&s->entry, &sealed->entry))
            return true;
    }
    return false;
}

void stored_free(struct outbox *outbox)
{
    while (outbox->sealed != NULL) {
        struct sealed *sealed = outbox->sealed;

        outbox->sealed = sealed->next;
        free(sealed);
    }
}

/* ---- their lines of the history ---- */

enum signet_err stored_load_line(
    struct txn *t, const struct sealed *sealed, struct message *message_out)
{
    return history_load_line(t, &sealed->conversation, sealed->message, message_out);
}

/* Note in the history when the relay accepted a message. A damaged line stays as it is. */
static enum signet_err note_accepted(struct txn *t, const struct sealed *sealed, bool *is_heads)
{
    struct message message = {0};
    enum signet_err err = stored_load_line(t, sealed, &message);

    if (err != SIGNET_OK)
        return err == SIGNET_ERR_UNKNOWN ? SIGNET_OK : err;
    message.accepted_at = t->now_ms;
    *is_heads = message.kind == SIGNET_KIND_HEADS;
    err = history_change(t, &message);
    message_clear(&message);
    return err;
}

enum signet_err stored_tell_accepted(struct txn *t, const struct sealed *sealed)
{
    struct engine_event *event;
    bool is_heads = false;
    enum signet_err err = note_accepted(t, sealed, &is_heads);

    if (err != SIGNET_OK || is_heads) /* nobody has written those */
        return err;
    event = txn_event(t, EVENT_ACCEPTED);
    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->token = sealed->token;
    event->number = sealed->message;
    event->conversation = sealed->conversation;
    event->id = sealed->entry;
    event->at = t->now_ms;
    return SIGNET_OK;
}
