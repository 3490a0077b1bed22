/* Texts on their way to being sealed: docs/protocol.md, sections 3 to 7. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/recovery.h"
#include "engine/outbox/outbox.h"

#define FRESH_MS (UINT64_C(3600) * 1000) /* how long a fetched card is good to send to */

/* How far a text came. HELD: it waits for a later time. */
enum progress { WAITS, HELD, IS_DONE };

static bool is_name_asked(const struct engine *e, const char *name)
{
    for (const struct outgoing *text = e->outgoing; text != NULL; text = text->next) {
        if (text->is_asking && strcmp(text->peer, name) == 0)
            return true;
    }
    return false;
}

/* Find out the address. PROBLEM_NONE with has_address still false: the relay is being asked. */
static enum signet_err resolve(
    struct engine *e, struct outgoing *text, enum engine_problem *problem)
{
    enum signet_err err;

    if (signet_id_parse(text->peer, &text->address) == SIGNET_OK) {
        text->has_address = true;
        return SIGNET_OK;
    }
    if (!signet_name_is_valid(signet_span_str(text->peer))) {
        *problem = PROBLEM_BAD_NAME;
        return SIGNET_OK;
    }
    err = engine_load_name(e, text->peer, &text->address);
    text->has_address = err == SIGNET_OK;
    if (err != SIGNET_ERR_UNKNOWN)
        return err;
    if (strcmp(text->peer, e->relay.name) == 0) {
        *problem = PROBLEM_SELF;
        return SIGNET_OK;
    }
    if (e->phase != PHASE_READY || is_name_asked(e, text->peer))
        return SIGNET_OK;
    text->is_asking = true;
    return engine_find_name(e, text->peer);
}

/* The contact must be one that may be written to; its card fresh and in time. *ready: go on. */
static enum signet_err check_contact(struct engine *e, struct contact_slot *slot, uint64_t now_ms,
    enum engine_problem *problem, bool *ready)
{
    struct contact *contact = &slot->contact;
    enum signet_err time_err;

    *ready = false;
    if (contact->has_changed || contact->has_forked) {
        *problem = contact->has_changed ? PROBLEM_IDENTITY : PROBLEM_LIST;
        return SIGNET_OK;
    }
    if (slot->is_asking || e->phase != PHASE_READY)
        return SIGNET_OK;
    if (now_ms < contact->fetched_at || now_ms - contact->fetched_at >= FRESH_MS)
        return engine_find_contact(e, slot);
    time_err = signet_card_check_time(contact->card, now_ms);
    *ready = time_err == SIGNET_OK && !contact->is_expired;
    if (!*ready)
        *problem = PROBLEM_EXPIRED;
    if (time_err != SIGNET_ERR_EXPIRED || contact->is_expired)
        return SIGNET_OK;
    /* Once seen expired, expired for good: a clock set back opens no old door. */
    contact->is_expired = true;
    return engine_save_contact(e, slot);
}

/* A session with each device of the contact; *ready where all are there. */
static enum signet_err check_sessions(
    struct engine *e, struct contact_slot *slot, uint64_t now_ms, bool *ready)
{
    *ready = false;
    for (size_t i = 0; i < signet_card_device_count(slot->contact.card); i++) {
        const struct signet_id *device = signet_card_device(slot->contact.card, i);
        struct session_slot *session;
        enum signet_err err =
            engine_pick_session(e, &slot->contact.address, device, now_ms, &session);

        if (err == SIGNET_ERR_UNKNOWN)
            return engine_take(e, slot, device);
        if (err != SIGNET_OK)
            return err;
    }
    *ready = true;
    return SIGNET_OK;
}

/* Who writes to a stranger accepts them; at once, so that it holds for a draft, too. */
static enum signet_err accept_stranger(
    struct engine *e, struct contact_slot *slot, const struct outgoing *text)
{
    struct engine_event *event;

    if (slot->contact.state != CONTACT_NEW || text->is_automatic || text->token == 0)
        return SIGNET_OK;
    if ((event = engine_event(e, EVENT_CONTACT)) == NULL)
        return SIGNET_ERR_NOMEM;
    event->address = slot->contact.address;
    slot->contact.state = CONTACT_UNVERIFIED;
    return engine_save_contact(e, slot);
}

/* What still keeps a text whose address is known; seals it when nothing does. */
static enum signet_err advance_resolved(struct engine *e, struct outgoing *text, uint64_t now_ms,
    enum engine_problem *problem, enum progress *progress)
{
    struct contact_slot *slot;
    bool ready;
    enum signet_err err;

    if (signet_id_equal(&text->address, signet_account_address(e->account))) {
        *problem = PROBLEM_SELF;
        return SIGNET_OK;
    }
    err = engine_load_contact(e, &text->address, &slot);
    if (err == SIGNET_ERR_UNKNOWN) {
        if (e->phase != PHASE_READY || text->is_asking)
            return SIGNET_OK;
        text->is_asking = true;
        return engine_find_address(e, &text->address);
    }
    if (err != SIGNET_OK)
        return err;
    if ((err = check_contact(e, slot, now_ms, problem, &ready)) != SIGNET_OK)
        return err;
    if (*problem == PROBLEM_NONE && (err = accept_stranger(e, slot, text)) != SIGNET_OK)
        return err;
    if (!ready || *problem != PROBLEM_NONE)
        return SIGNET_OK;
    if ((err = check_sessions(e, slot, now_ms, &ready)) != SIGNET_OK || !ready)
        return err;
    if (!engine_has_room(e))
        return SIGNET_OK; /* an answer is awaited, and takes it along */
    *progress = IS_DONE;
    return engine_seal(e, slot, text, now_ms);
}

/* Whether a text has to wait before anything else: for its time, or for those to the same contact
 * that were written before it. */
static bool is_held(
    const struct engine *e, struct outgoing *text, uint64_t now_ms, enum progress *progress)
{
    const struct outgoing *first = e->outgoing;

    while (
        first != text && !(first->has_address && signet_id_equal(&first->address, &text->address)))
        first = first->next;
    if (first->not_before > now_ms)
        *progress = HELD;
    else
        text->not_before = 0;
    return first != text || *progress == HELD;
}

static enum signet_err advance(
    struct engine *e, struct outgoing *text, uint64_t now_ms, enum progress *progress)
{
    enum engine_problem problem = PROBLEM_NONE;
    enum signet_err err = SIGNET_OK;

    *progress = WAITS;
    if (!text->has_address && (err = resolve(e, text, &problem)) != SIGNET_OK)
        return err;
    if (text->has_address && !is_held(e, text, now_ms, progress))
        err = advance_resolved(e, text, now_ms, &problem, progress);
    if (err != SIGNET_OK || problem == PROBLEM_NONE)
        return err;
    *progress = IS_DONE;
    return engine_fail_text(e, text, problem);
}

/* What waits is on disk before anybody is told that it does, or this process ends. */
static enum signet_err keep_waiting(struct engine *e, struct outgoing *text, bool is_held)
{
    enum signet_err err = SIGNET_OK;

    if (text->has_address && text->draft == 0 && !text->is_heads)
        err = engine_save_draft(e, text);
    if (err != SIGNET_OK || !is_held || text->is_told)
        return err;
    text->is_told = true;
    return engine_queued(e, text->token, NULL);
}

enum signet_err engine_pump(struct engine *e, uint64_t now_ms)
{
    struct outgoing **link = &e->outgoing;
    enum signet_err err = e->phase == PHASE_READY ? engine_tell_losses(e, now_ms) : SIGNET_OK;

    if (err != SIGNET_OK)
        return err;
    e->fresh = (struct traffic){0};
    while (*link != NULL) {
        struct outgoing *text = *link;
        enum progress progress;

        err = advance(e, text, now_ms, &progress);
        if (err == SIGNET_OK && progress != IS_DONE)
            err = keep_waiting(e, text, progress == HELD);
        if (err != SIGNET_OK)
            return err;
        if (progress != IS_DONE) {
            link = &text->next;
        } else {
            *link = text->next;
            engine_free_outgoing(text);
        }
    }
    return engine_flush_outbox(e, now_ms);
}

enum signet_err engine_send(struct engine *engine, const struct engine_text *text, uint64_t now_ms,
    struct engine_output *output)
{
    struct outgoing *outgoing;
    size_t peer_len = strlen(text->peer);
    enum signet_err err;

    engine->output = output;
    engine->now_ms = now_ms;
    if (text->text.len == 0 || text->text.len > SIGNET_TEXT_MAX || !utf8_is_valid(text->text))
        return engine_fail(engine, PROBLEM_TEXT, text->token, "");
    if (peer_len == 0 || peer_len >= sizeof(outgoing->peer))
        return engine_fail(engine, PROBLEM_BAD_NAME, text->token, "");
    outgoing = calloc(1, sizeof(*outgoing));
    if (outgoing == NULL)
        return SIGNET_ERR_NOMEM;
    memcpy(outgoing->peer, text->peer, peer_len);
    outgoing->token = text->token;
    outgoing->is_automatic = text->is_automatic;
    outgoing->sent_at = now_ms;
    if ((err = signet_buf_append(&outgoing->text, text->text)) != SIGNET_OK) {
        engine_free_outgoing(outgoing);
        return err;
    }
    engine_add_text(engine, outgoing);
    return engine_pump(engine, now_ms);
}
