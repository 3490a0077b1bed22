/*
 * The outbox on disk: drafts that could not be sealed yet, and sealed envelopes that the relay has
 * not accepted yet. engine_lanes.c sends them.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/outbox/outbox.h"
#include "wire/cbor.h"

/* IS_SPREAD: sealed, and accepted for another device. */
enum { FORMAT_VERSION = 1, IS_DRAFT = 0, IS_SEALED = 1, IS_SPREAD = 2 };

static struct record_key outbox_key(uint64_t number)
{
    struct record_key key = {.kind = RECORD_OUTBOX, .number = number};

    return key;
}

enum signet_err engine_save_draft(struct engine *e, struct outgoing *text)
{
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    struct record_key key;
    enum signet_err err;

    wire_put_array(&w, 5);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_uint(&w, IS_DRAFT);
    wire_put_id(&w, &text->address);
    wire_put_uint(&w, text->sent_at);
    wire_put_bytes(&w, signet_buf_span(&text->text));
    if ((err = wire_writer_finish(&w)) == SIGNET_OK) {
        text->draft = ++e->counters.next_outbox;
        key = outbox_key(text->draft);
        err = engine_put(e, &key, signet_buf_span(&value));
    }
    signet_buf_free(&value);
    if (err != SIGNET_OK)
        return err;
    signet_buf_free(&text->text);
    return engine_save_counters(e);
}

/* A copy of `sealed` at the end of the list. */
static enum signet_err append_sealed(struct engine *e, const struct sealed *sealed)
{
    struct sealed **link = &e->sealed;
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

static enum signet_err save_sealed(
    struct engine *e, const struct sealed *sealed, signet_span envelope)
{
    struct record_key key = outbox_key(sealed->number);
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    enum signet_err err;

    wire_put_array(&w, 7);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_uint(&w, sealed->has_arrived ? IS_SPREAD : IS_SEALED);
    wire_put_id(&w, &sealed->device);
    wire_put_id(&w, &sealed->conversation);
    wire_put_id(&w, &sealed->entry);
    wire_put_uint(&w, sealed->message);
    wire_put_bytes(&w, envelope);
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err;
}

enum signet_err engine_add_sealed(struct engine *e, struct sealed *sealed, signet_span envelope)
{
    enum signet_err err;

    sealed->number = ++e->counters.next_outbox;
    if ((err = save_sealed(e, sealed, envelope)) == SIGNET_OK)
        err = engine_save_counters(e);
    engine_reopen_lane(e, &sealed->device);
    e->fresh.count++;
    e->fresh.bytes += envelope.len;
    return err == SIGNET_OK ? append_sealed(e, sealed) : err;
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

/* What follows the version in a draft's record; the text borrows. */
static void read_draft(struct wire_reader *r, struct outgoing *text, signet_span *body)
{
    wire_expect_uint(r, IS_DRAFT);
    wire_get_id(r, &text->address);
    text->sent_at = wire_get_uint(r, SIGNET_TIME_MAX);
    *body = wire_get_bytes(r, 1, SIGNET_TEXT_MAX);
}

enum signet_err engine_read_queued(
    const struct engine *engine, signet_span value, struct message *message_out)
{
    struct wire_reader r = wire_reader(value);
    struct message message = {.is_outgoing = true, .kind = SIGNET_KIND_TEXT};
    struct outgoing text = {0};
    signet_span body;
    enum signet_err err;

    if (wire_get_array(&r, 5, 7) != 5)
        return SIGNET_ERR_UNKNOWN;
    wire_expect_uint(&r, FORMAT_VERSION);
    read_draft(&r, &text, &body);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    message.address = *signet_account_address(engine->account);
    message.peer = text.address;
    message.sent_at = message.received_at = text.sent_at;
    if ((err = signet_buf_append(&message.text, body)) == SIGNET_OK)
        *message_out = message;
    return err;
}

static enum signet_err add_draft(struct engine *e, struct wire_reader *r, uint64_t number)
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
        engine_free_outgoing(text);
        return err;
    }
    engine_add_text(e, text);
    return SIGNET_OK;
}

enum signet_err engine_load_draft(struct engine *e, struct outgoing *text)
{
    struct record_key key = outbox_key(text->draft);
    struct signet_buf value = {0};
    struct wire_reader r;
    signet_span body;
    enum signet_err err = engine_get(e, &key, &value);

    if (err != SIGNET_OK)
        return err;
    r = wire_reader(signet_buf_span(&value));
    wire_expect_array(&r, 5);
    wire_expect_uint(&r, FORMAT_VERSION);
    read_draft(&r, text, &body);
    if ((err = wire_reader_finish(&r)) == SIGNET_OK)
        err = signet_buf_append(&text->text, body);
    signet_buf_free(&value);
    return err;
}

static enum signet_err visit_outbox(void *ctx, uint64_t number, signet_span value)
{
    struct engine *e = ctx;
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
        return add_draft(e, &r, number);
    read_sealed(&r, &sealed, &envelope);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    return append_sealed(e, &sealed);
}

enum signet_err engine_load_outbox(struct engine *e)
{
    struct record_key all = {.kind = RECORD_OUTBOX, .name = signet_span_of("", 0)};

    return e->records.scan(e->records.ctx, &all, visit_outbox, e);
}

enum signet_err engine_read_sealed(
    struct engine *e, uint64_t number, struct signet_buf *value, signet_span *envelope)
{
    struct record_key key = outbox_key(number);
    struct sealed stored;
    struct wire_reader r;
    enum signet_err err = engine_get(e, &key, value);

    if (err != SIGNET_OK)
        return err;
    r = wire_reader(signet_buf_span(value));
    wire_expect_array(&r, 7);
    wire_expect_uint(&r, FORMAT_VERSION);
    read_sealed(&r, &stored, envelope);
    return wire_reader_finish(&r);
}

enum signet_err engine_mark_arrived(struct engine *e, struct sealed *sealed)
{
    struct signet_buf value = {0};
    signet_span envelope;
    enum signet_err err = engine_read_sealed(e, sealed->number, &value, &envelope);

    sealed->has_arrived = true;
    if (err == SIGNET_OK)
        err = save_sealed(e, sealed, envelope);
    signet_buf_free(&value);
    return err == SIGNET_ERR_AUTH || err == SIGNET_ERR_UNKNOWN ? SIGNET_OK : err;
}

enum signet_err engine_remove_sealed(struct engine *e, struct sealed *sealed)
{
    struct record_key key = outbox_key(sealed->number);
    struct sealed **link = &e->sealed;

    while (*link != sealed)
        link = &(*link)->next;
    *link = sealed->next;
    return engine_delete(e, &key);
}

void engine_free_outbox(struct engine *e)
{
    while (e->sealed != NULL) {
        struct sealed *sealed = e->sealed;

        e->sealed = sealed->next;
        free(sealed);
    }
}
