/*
 * After a loss of our own: a new session, and in it an entry that says what we have. Nothing that a
 * peer or the relay sends starts one. docs/protocol.md, sections 5 and 7; decision 21.
 */
#include "engine/recovery.h"

#include <stdlib.h>

#include "wire/cbor.h"

#define PAUSE_MS (UINT64_C(3600) * 1000)

/* RECORD_LOSS. */
struct loss {
    struct signet_id device;
    uint64_t tried_at; /* ms: when heads were last written; 0: never */
    bool is_due;       /* heads are still to be sealed */
};

static enum signet_err parse_loss(signet_span value, struct loss *loss)
{
    struct wire_reader r = wire_reader(value);

    wire_expect_array(&r, 3);
    wire_get_id(&r, &loss->device);
    loss->tried_at = wire_get_uint(&r, UINT64_MAX);
    loss->is_due = wire_get_uint(&r, 1) == 1;
    return wire_reader_finish(&r);
}

static enum signet_err save_loss(struct engine *e, const struct loss *loss)
{
    struct record_key key = {RECORD_LOSS, signet_id_span(&loss->device), 0};
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    enum signet_err err;

    wire_put_array(&w, 3);
    wire_put_id(&w, &loss->device);
    wire_put_uint(&w, loss->tried_at);
    wire_put_uint(&w, loss->is_due);
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err;
}

/* Errors: UNKNOWN (there was none, or it is damaged). */
static enum signet_err load_loss(
    struct engine *e, const struct signet_id *device, struct loss *loss)
{
    struct record_key key = {RECORD_LOSS, signet_id_span(device), 0};
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    if (err == SIGNET_OK)
        err = parse_loss(signet_buf_span(&value), loss);
    signet_buf_free(&value);
    return err == SIGNET_ERR_AUTH || err == SIGNET_ERR_FORMAT ? SIGNET_ERR_UNKNOWN : err;
}

enum signet_err engine_note_loss(struct engine *e, const struct signet_id *device)
{
    struct loss loss = {.device = *device};
    enum signet_err err = load_loss(e, device, &loss);

    if (err != SIGNET_OK && err != SIGNET_ERR_UNKNOWN)
        return err;
    loss.is_due = true;
    e->has_losses = true;
    return save_loss(e, &loss);
}

/* ---- whose it is ---- */

/* The contact that has a device; or, without one, a look at the sessions of all. */
struct owner {
    struct engine *engine;
    const struct signet_id *device; /* NULL: of all */
    uint64_t now_ms;
    bool is_found;
    struct signet_id address;
};

static enum signet_err look_at(struct owner *owner, const struct signet_card *card)
{
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; i < signet_card_device_count(card) && err == SIGNET_OK; i++) {
        const struct signet_id *device = signet_card_device(card, i);
        struct session_slot *slot;

        if (owner->device == NULL) {
            err = engine_pick_session(
                owner->engine, signet_card_address(card), device, owner->now_ms, &slot);
            if (err == SIGNET_ERR_UNKNOWN)
                err = SIGNET_OK;
        } else if (signet_id_equal(device, owner->device)) {
            owner->is_found = true;
            owner->address = *signet_card_address(card);
        }
    }
    return err;
}

static enum signet_err visit_contact(void *ctx, uint64_t number, signet_span value)
{
    struct owner *owner = ctx;
    struct contact contact;
    enum signet_err err;

    (void)number;
    err = value.len == 0 ? SIGNET_ERR_FORMAT
                         : contact_decode(owner->engine->library, value, &contact);
    if (err != SIGNET_OK) /* a damaged contact must not hide the others */
        return err == SIGNET_ERR_NOMEM ? err : SIGNET_OK;
    err = look_at(owner, contact.card);
    contact_clear(&contact);
    return err;
}

static enum signet_err look_through_contacts(struct owner *owner)
{
    struct record_key all = {.kind = RECORD_CONTACT};
    const struct record_source *records = &owner->engine->records;

    return records->scan(records->ctx, &all, visit_contact, owner);
}

/* Its record goes, so that others cannot make us look again by its tag. Where it is on the list of a
 * contact that is damaged itself, that tells the loss later. */
enum signet_err engine_trace_loss(
    struct engine *e, const struct signet_id *transcript, uint64_t now_ms)
{
    struct record_key key = {RECORD_SESSION, signet_id_span(transcript), 0};
    struct owner all = {.engine = e, .now_ms = now_ms};
    enum signet_err err = look_through_contacts(&all);

    return err == SIGNET_OK ? engine_delete(e, &key) : err;
}

/* ---- saying so ---- */

/* A stranger learns nothing of us, and to whom is in doubt nothing is sent. */
static bool may_be_told(const struct contact *contact)
{
    return contact->state != CONTACT_NEW && !contact->has_changed && !contact->has_forked;
}

static enum signet_err write_heads(
    struct engine *e, const struct signet_id *address, uint64_t now_ms)
{
    struct outgoing *heads;

    for (const struct outgoing *text = e->outgoing; text != NULL; text = text->next) {
        if (text->is_heads && signet_id_equal(&text->address, address))
            return SIGNET_OK;
    }
    if ((heads = calloc(1, sizeof(*heads))) == NULL)
        return SIGNET_ERR_NOMEM;
    heads->has_address = true;
    heads->address = *address;
    heads->is_heads = true;
    heads->sent_at = now_ms;
    engine_insert_text(e, heads); /* before what is being written: it goes in the same session */
    return SIGNET_OK;
}

struct telling {
    struct engine *engine;
    uint64_t now_ms;
};

static enum signet_err visit_loss(void *ctx, uint64_t number, signet_span value)
{
    const struct telling *telling = ctx;
    struct engine *e = telling->engine;
    uint64_t now_ms = telling->now_ms;
    struct owner owner = {.engine = e, .now_ms = now_ms};
    struct contact_slot *slot = NULL;
    struct loss stored, loss;
    enum signet_err err = SIGNET_OK;

    (void)number;
    if (value.len == 0 || parse_loss(value, &stored) != SIGNET_OK)
        return SIGNET_OK;
    if ((err = load_loss(e, &stored.device, &loss)) != SIGNET_OK)
        return err == SIGNET_ERR_UNKNOWN ? SIGNET_OK : err;
    if (!loss.is_due || (now_ms >= loss.tried_at && now_ms - loss.tried_at < PAUSE_MS)) {
        if (loss.is_due && (e->losses_at == 0 || loss.tried_at + PAUSE_MS < e->losses_at))
            e->losses_at = loss.tried_at + PAUSE_MS;
        return SIGNET_OK;
    }
    owner.device = &loss.device;
    if ((err = look_through_contacts(&owner)) != SIGNET_OK)
        return err;
    if (owner.is_found)
        err = engine_load_contact(e, &owner.address, &slot);
    if (err != SIGNET_OK || slot == NULL)
        return err == SIGNET_ERR_UNKNOWN ? SIGNET_OK : err;
    loss.tried_at = now_ms; /* whatever becomes of it */
    loss.is_due = may_be_told(&slot->contact);
    if ((err = save_loss(e, &loss)) == SIGNET_OK && loss.is_due)
        err = write_heads(e, &owner.address, now_ms);
    return err;
}

enum signet_err engine_tell_losses(struct engine *e, uint64_t now_ms)
{
    struct record_key all = {.kind = RECORD_LOSS};
    struct telling telling = {e, now_ms};
    enum signet_err err;

    if (!e->has_losses && (e->losses_at == 0 || now_ms < e->losses_at))
        return SIGNET_OK;
    e->has_losses = false;
    e->losses_at = 0;
    err = e->records.scan(e->records.ctx, &all, visit_loss, &telling);
    /* Those of this very call, which no scan shows yet. */
    for (const struct record_change *c = e->output->changes.first; c != NULL; c = c->next) {
        if (err == SIGNET_OK && c->kind == RECORD_LOSS)
            err = visit_loss(&telling, 0, signet_buf_span(&c->value));
    }
    return err;
}

enum signet_err engine_told_loss(struct engine *e, const struct contact_slot *slot, uint64_t now_ms)
{
    const struct signet_card *card = slot->contact.card;
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; i < signet_card_device_count(card) && err == SIGNET_OK; i++) {
        struct loss loss = {.device = *signet_card_device(card, i), .tried_at = now_ms};

        err = save_loss(e, &loss);
    }
    return err;
}
