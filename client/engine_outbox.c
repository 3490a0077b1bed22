/*
 * The outbox: drafts that could not be sealed yet, and sealed envelopes that the relay has not
 * accepted yet. What is sealed is sent again as the same bytes until it is accepted.
 */
#include <stdlib.h>
#include <string.h>

#include "client/engine_internal.h"
#include "wire/cbor.h"

enum { FORMAT_VERSION = 1, IS_DRAFT = 0, IS_SEALED = 1 };

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
    if ((err = wire_writer_finish(&w)) != SIGNET_OK)
        return err;
    text->draft = ++e->counters.next_outbox;
    key = outbox_key(text->draft);
    err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err == SIGNET_OK ? engine_save_counters(e) : err;
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

enum signet_err engine_add_sealed(struct engine *e, struct sealed *sealed, signet_span envelope)
{
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    struct record_key key;
    enum signet_err err;

    wire_put_array(&w, 7);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_uint(&w, IS_SEALED);
    wire_put_id(&w, &sealed->device);
    wire_put_id(&w, &sealed->conversation);
    wire_put_id(&w, &sealed->entry);
    wire_put_uint(&w, sealed->message);
    wire_put_bytes(&w, envelope);
    if ((err = wire_writer_finish(&w)) != SIGNET_OK)
        return err;
    sealed->number = ++e->counters.next_outbox;
    key = outbox_key(sealed->number);
    err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    if (err == SIGNET_OK)
        err = engine_save_counters(e);
    return err == SIGNET_OK ? append_sealed(e, sealed) : err;
}

/* One sealed record; the envelope borrows. */
static void read_sealed(struct wire_reader *r, struct sealed *sealed, signet_span *envelope)
{
    wire_get_id(r, &sealed->device);
    wire_get_id(r, &sealed->conversation);
    wire_get_id(r, &sealed->entry);
    sealed->message = wire_get_uint(r, INT64_MAX);
    *envelope = wire_get_bytes(r, 1, SIGNET_ENVELOPE_MAX);
}

static enum signet_err load_draft(struct engine *e, struct wire_reader *r, uint64_t number)
{
    struct outgoing *text = calloc(1, sizeof(*text));
    signet_span body;
    enum signet_err err;

    if (text == NULL)
        return SIGNET_ERR_NOMEM;
    text->draft = number;
    text->has_address = true;
    wire_get_id(r, &text->address);
    text->sent_at = wire_get_uint(r, SIGNET_TIME_MAX);
    body = wire_get_bytes(r, 1, SIGNET_TEXT_MAX);
    if ((err = wire_reader_finish(r)) == SIGNET_OK)
        err = signet_buf_append(&text->text, body);
    if (err != SIGNET_OK) {
        engine_free_outgoing(text);
        return err;
    }
    engine_add_text(e, text);
    return SIGNET_OK;
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
    wire_expect_uint(&r, is_draft ? IS_DRAFT : IS_SEALED);
    if (is_draft)
        return load_draft(e, &r, number);
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

/* Hand one envelope to the relay. */
static enum signet_err put_sealed(struct engine *e, struct sealed *sealed)
{
    struct relay_message message = {.type = RELAY_PUT, .id = sealed->device};
    struct record_key key = outbox_key(sealed->number);
    struct signet_buf value = {0};
    struct sealed stored;
    struct request *request;
    struct wire_reader r;
    enum signet_err err = engine_get(e, &key, &value);

    if (err == SIGNET_ERR_AUTH || err == SIGNET_ERR_UNKNOWN) {
        sealed->is_in_flight = true; /* not again on this connection */
        return engine_note(e, "a message in the outbox is damaged and cannot be sent");
    }
    if (err != SIGNET_OK)
        return err;
    r = wire_reader(signet_buf_span(&value));
    wire_expect_array(&r, 7);
    wire_expect_uint(&r, FORMAT_VERSION);
    wire_expect_uint(&r, IS_SEALED);
    read_sealed(&r, &stored, &message.envelope);
    if ((err = wire_reader_finish(&r)) == SIGNET_OK)
        err = engine_ask(e, REQUEST_PUT, &message, &request);
    signet_buf_free(&value);
    if (err != SIGNET_OK)
        return err;
    request->number = sealed->number;
    sealed->is_in_flight = true;
    return SIGNET_OK;
}

enum signet_err engine_flush_outbox(struct engine *e)
{
    enum signet_err err = SIGNET_OK;

    if (e->phase != PHASE_READY)
        return SIGNET_OK;
    for (struct sealed *s = e->sealed; s != NULL && err == SIGNET_OK; s = s->next) {
        if (!s->is_in_flight)
            err = put_sealed(e, s);
    }
    return err;
}

/* Take one off the list, and out of the store. NULL: not there. The caller frees it. */
static struct sealed *take_sealed(struct engine *e, uint64_t number)
{
    struct sealed **link = &e->sealed;
    struct sealed *sealed;

    while (*link != NULL && (*link)->number != number)
        link = &(*link)->next;
    sealed = *link;
    if (sealed != NULL)
        *link = sealed->next;
    return sealed;
}

/* Other devices' envelopes of the same entry that are still to be accepted. */
static bool has_siblings(const struct engine *e, const struct sealed *sealed)
{
    for (const struct sealed *s = e->sealed; s != NULL; s = s->next) {
        if (signet_id_equal(&s->entry, &sealed->entry))
            return true;
    }
    return false;
}

/* Note in the history when the relay accepted a message. A damaged line stays as it is. */
static enum signet_err note_accepted(struct engine *e, const struct sealed *sealed, uint64_t now_ms)
{
    struct record_key key = {
        RECORD_MESSAGE, signet_id_span(&sealed->conversation), sealed->message};
    struct signet_buf value = {0};
    struct message message = {0};
    enum signet_err err = engine_get(e, &key, &value);

    if (err == SIGNET_OK)
        err = message_decode(signet_buf_span(&value), &message);
    signet_buf_free(&value);
    if (err == SIGNET_ERR_AUTH || err == SIGNET_ERR_UNKNOWN || err == SIGNET_ERR_FORMAT)
        return SIGNET_OK;
    if (err != SIGNET_OK)
        return err;
    message.accepted_at = now_ms;
    if ((err = message_encode(&message, &value)) == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    message_clear(&message);
    return err;
}

enum signet_err engine_accepted(struct engine *e, const struct request *request, uint64_t now_ms)
{
    struct record_key key = outbox_key(request->number);
    struct sealed *sealed = take_sealed(e, request->number);
    struct engine_event *event;
    enum signet_err err;

    if (sealed == NULL)
        return SIGNET_OK;
    if ((err = engine_delete(e, &key)) != SIGNET_OK || has_siblings(e, sealed))
        goto out;
    if ((err = note_accepted(e, sealed, now_ms)) != SIGNET_OK)
        goto out;
    err = SIGNET_ERR_NOMEM;
    event = engine_event(e, EVENT_ACCEPTED);
    if (event == NULL)
        goto out;
    event->token = sealed->token;
    event->number = sealed->message;
    event->conversation = sealed->conversation;
    event->id = sealed->entry;
    event->at = now_ms;
    err = SIGNET_OK;
out:
    free(sealed);
    return err;
}

static enum engine_problem problem_of(uint64_t code)
{
    switch (code) {
    case RELAY_CODE_UNKNOWN: return PROBLEM_GONE;
    case RELAY_CODE_FULL: return PROBLEM_FULL;
    case RELAY_CODE_OFTEN: return PROBLEM_OFTEN;
    default: return PROBLEM_RELAY;
    }
}

enum signet_err engine_put_refused(struct engine *e, const struct request *request, uint64_t code)
{
    enum engine_problem problem = problem_of(code);
    struct record_key key = outbox_key(request->number);
    char device[SIGNET_ID_SHORT_SIZE];
    struct sealed *sealed = e->sealed;
    uint64_t token;
    enum signet_err err;

    while (sealed != NULL && sealed->number != request->number)
        sealed = sealed->next;
    if (sealed == NULL)
        return SIGNET_OK;
    token = sealed->token;
    signet_id_short(&sealed->device, device);
    if (problem == PROBLEM_GONE) {
        free(take_sealed(e, request->number));
        if ((err = engine_delete(e, &key)) != SIGNET_OK)
            return err;
    }
    return engine_fail(e, problem, token, device);
}
