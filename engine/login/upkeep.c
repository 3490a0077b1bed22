/*
 * What is due at each login: own device list and prekey bundle in order at the relay, and a look
 * whether this home is an old copy. docs/protocol.md, sections 3, 4 and 9; decision 21.
 */
#include <stdio.h>
#include <string.h>

#include "engine/engine_internal.h"

#define DAY_MS        (UINT64_C(24) * 3600 * 1000)
#define CARD_RENEW_MS (30 * DAY_MS)

static enum signet_err publish_card(struct engine *e)
{
    struct relay_message message = {.type = RELAY_PUT_CARD};
    struct request *request;

    message.card = signet_card_bytes(signet_account_card(e->account));
    return engine_ask(e, REQUEST_CARD, &message, &request);
}

/* Whether the relay has a bundle of ours that this home has never made. */
static bool is_ahead(const struct engine *e, const struct signet_bundle *bundle)
{
    const struct counters *c = &e->counters;

    if (signet_bundle_version(bundle) > c->bundle_version)
        return true;
    for (size_t i = 0; i < c->bundle_count; i++) {
        if (c->bundles[i].version == signet_bundle_version(bundle))
            return !signet_id_equal(&c->bundles[i].id, signet_bundle_id(bundle));
    }
    return false;
}

/* Whether a bundle is one that this home has made and still knows. */
static bool is_own_bundle(const struct engine *e, signet_span bytes, uint64_t *version_out)
{
    struct signet_id id;

    if (signet_bundle_peek(e->library, bytes, &id) != SIGNET_OK)
        return false;
    for (size_t i = 0; i < e->counters.bundle_count; i++) {
        if (signet_id_equal(&e->counters.bundles[i].id, &id)) {
            *version_out = e->counters.bundles[i].version;
            return true;
        }
    }
    return false;
}

/* Compare what the relay has of us with what we have; *stopped where this home is an old copy. */
static enum signet_err compare_copies(
    struct engine *e, const struct relay_message *welcome, uint64_t *published, bool *stopped)
{
    struct signet_bundle *bundle = NULL;
    enum signet_err err;

    *published = 0;
    *stopped = !signet_account_issued_list(e->account, &welcome->id);
    if (!*stopped && welcome->bundle.len > 0 && !is_own_bundle(e, welcome->bundle, published)) {
        err = signet_bundle_read(
            e->library, welcome->bundle, signet_account_card(e->account), &bundle);
        if (err != SIGNET_OK && !verdict_exists(err))
            return err;
        /* One that does not verify as ours is the relay's invention: ours is published again. */
        if (err == SIGNET_OK) {
            *published = signet_bundle_version(bundle);
            *stopped = is_ahead(e, bundle);
        }
        signet_bundle_free(bundle);
    }
    return *stopped ? engine_stop(e, PROBLEM_OLD_STORE, e->relay.name) : SIGNET_OK;
}

/*
 * More than a day off the relay's clock: it would take no list and no bundle made now, and what a
 * wrong clock has dated years ahead could not be replaced for years.
 */
static bool is_clock_off(const struct relay_message *welcome, uint64_t now_ms)
{
    return welcome->time_ms > now_ms + SIGNET_CLOCK_TOLERANCE_MS ||
           now_ms > welcome->time_ms + SIGNET_CLOCK_TOLERANCE_MS;
}

bool engine_wants_login(const struct engine *engine, uint64_t now_ms)
{
    return engine->phase == PHASE_READY && engine_is_settled(engine) &&
           now_ms >= engine->welcomed_at + DAY_MS;
}

static bool card_is_due(const struct engine *e, uint64_t now_ms)
{
    return now_ms >= signet_card_issued_at(signet_account_card(e->account)) + CARD_RENEW_MS;
}

/* Renew the device list while there is plenty of time, and give it to the relay if it lacks it. */
static enum signet_err keep_card(
    struct engine *e, const struct relay_message *welcome, uint64_t now_ms)
{
    const struct signet_card *card = signet_account_card(e->account);
    enum signet_err err;

    if (card_is_due(e, now_ms)) {
        if ((err = signet_account_renew(e->account, now_ms)) != SIGNET_OK)
            return err;
        if ((err = engine_save_account(e)) != SIGNET_OK)
            return err;
        card = signet_account_card(e->account);
    }
    if (signet_id_equal(&welcome->id, signet_card_list(card)))
        return SIGNET_OK;
    return publish_card(e);
}

/* Once a day: what cannot matter any more goes; what is too much for one login, at the next. */
static enum signet_err clean(struct engine *e, uint64_t now_ms)
{
    bool is_done;
    enum signet_err err;

    if (now_ms < e->counters.cleaned_at + DAY_MS)
        return SIGNET_OK;
    /* Keys first: they must not wait until all of a busy month is cleaned up. */
    if ((err = engine_expire_sessions(e, now_ms)) != SIGNET_OK)
        return err;
    if ((err = engine_forget_seen(e, now_ms, &is_done)) != SIGNET_OK || !is_done)
        return err;
    e->counters.cleaned_at = now_ms;
    return engine_save_counters(e);
}

/* Unless a card or bundle is still on its way to the relay. */
static enum signet_err become_ready(struct engine *e)
{
    for (const struct request *r = e->requests; r != NULL; r = r->next) {
        if (r->type == REQUEST_CARD || r->type == REQUEST_BUNDLE)
            return SIGNET_OK;
    }
    if (e->phase != PHASE_UPKEEP)
        return SIGNET_OK;
    e->phase = PHASE_READY;
    if (engine_event(e, EVENT_READY) == NULL)
        return SIGNET_ERR_NOMEM;
    return e->wants_delivery ? engine_ask_delivery(e) : SIGNET_OK;
}

enum signet_err engine_welcomed(
    struct engine *e, const struct relay_message *message, uint64_t now_ms)
{
    uint64_t published;
    bool is_due, stopped;
    enum signet_err err = compare_copies(e, message, &published, &stopped);

    e->welcomed_at = now_ms;
    if (err != SIGNET_OK || stopped)
        return err;
    if (published != 0 && published == e->counters.bundle_version &&
        (err = engine_bundle_published(e, published)) != SIGNET_OK)
        return err;
    is_due = engine_bundle_is_due(e, message, published, now_ms);
    if ((is_due || card_is_due(e, now_ms)) && is_clock_off(message, now_ms))
        return engine_stop(e, PROBLEM_CLOCK, e->relay.name);
    if (is_clock_off(message, now_ms) &&
        (err = engine_note(e,
             "this machine's clock is more than a day off the relay's: set it, or what you sign "
             "names a wrong time")) != SIGNET_OK)
        return err;
    e->phase = PHASE_UPKEEP;
    if ((err = clean(e, now_ms)) != SIGNET_OK)
        return err;
    if ((err = keep_card(e, message, now_ms)) != SIGNET_OK)
        return err;
    if (is_due && (err = engine_publish_bundle(e, now_ms)) != SIGNET_OK)
        return err;
    return become_ready(e);
}

enum signet_err engine_published(struct engine *e, const struct request *request)
{
    enum signet_err err = SIGNET_OK;

    if (request->type == REQUEST_BUNDLE)
        err = engine_bundle_published(e, request->number);
    return err == SIGNET_OK ? become_ready(e) : err;
}
