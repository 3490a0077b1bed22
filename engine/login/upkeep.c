/*
 * What is due at each login: own device list and prekey bundle in order at the relay, and a look
 * whether this home is an old copy. docs/protocol.md, sections 3, 4 and 9.
 */
#include <stdio.h>
#include <string.h>

#include "engine/account.h"
#include "engine/history/seen.h"
#include "engine/history/verdict.h"
#include "engine/login/bundle.h"
#include "engine/login/login.h"
#include "engine/sessions/sessions.h"

#define DAY_MS        (UINT64_C(24) * 3600 * 1000)
#define CARD_RENEW_MS (30 * DAY_MS)

static enum signet_err publish_card(struct txn *t)
{
    struct relay_message message = {.type = RELAY_PUT_CARD};
    struct request *request;

    message.card = signet_card_bytes(own_card(t));
    return requests_ask(t, REQUEST_CARD, &message, &request);
}

/* Whether the relay has a bundle of ours that this home has never made. */
static bool is_ahead(const struct txn *t, const struct signet_bundle *bundle)
{
    const struct counters *c = &t->own->counters;

    if (signet_bundle_version(bundle) > c->bundle_version)
        return true;
    for (size_t i = 0; i < c->bundle_count; i++) {
        if (c->bundles[i].version == signet_bundle_version(bundle))
            return !signet_id_equal(&c->bundles[i].id, signet_bundle_id(bundle));
    }
    return false;
}

/* Whether a bundle is one that this home has made and still knows. */
static bool is_own_bundle(const struct txn *t, signet_span bytes, uint64_t *version_out)
{
    struct signet_id id;

    if (signet_bundle_peek(t->library, bytes, &id) != SIGNET_OK)
        return false;
    for (size_t i = 0; i < t->own->counters.bundle_count; i++) {
        if (signet_id_equal(&t->own->counters.bundles[i].id, &id)) {
            *version_out = t->own->counters.bundles[i].version;
            return true;
        }
    }
    return false;
}

/* Compare what the relay has of us with what we have; *stopped where this home is an old copy. */
static enum signet_err compare_copies(
    struct txn *t, const struct relay_message *welcome, uint64_t *published, bool *stopped)
{
    struct signet_bundle *bundle = NULL;
    enum signet_err err;

    *published = 0;
    *stopped = !signet_account_issued_list(t->own->account, &welcome->id);
    if (!*stopped && welcome->bundle.len > 0 && !is_own_bundle(t, welcome->bundle, published)) {
        err = signet_bundle_read(t->library, welcome->bundle, own_card(t), &bundle);
        if (err != SIGNET_OK && !verdict_exists(err))
            return err;
        /* One that does not verify as ours is the relay's invention: ours is published again. */
        if (err == SIGNET_OK) {
            *published = signet_bundle_version(bundle);
            *stopped = is_ahead(t, bundle);
        }
        signet_bundle_free(bundle);
    }
    return *stopped ? requests_stop(t, PROBLEM_OLD_STORE, t->own->relay.name) : SIGNET_OK;
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

bool login_is_old(const struct login *login, uint64_t now_ms)
{
    return now_ms >= login->welcomed_at + DAY_MS;
}

static bool card_is_due(const struct txn *t)
{
    return t->now_ms >= signet_card_issued_at(own_card(t)) + CARD_RENEW_MS;
}

/* Renew the device list while there is plenty of time, and give it to the relay if it lacks it. */
static enum signet_err keep_card(struct txn *t, const struct relay_message *welcome)
{
    const struct signet_card *card = own_card(t);
    enum signet_err err;

    if (card_is_due(t)) {
        if ((err = signet_account_renew(t->own->account, t->now_ms)) != SIGNET_OK)
            return err;
        if ((err = own_save_account(t)) != SIGNET_OK)
            return err;
        card = own_card(t);
    }
    if (signet_id_equal(&welcome->id, signet_card_list(card)))
        return SIGNET_OK;
    return publish_card(t);
}

/* Once a day: what cannot matter any more goes; what is too much for one login, at the next. */
static enum signet_err clean(struct txn *t)
{
    bool is_done;
    enum signet_err err;

    if (t->now_ms < t->own->counters.cleaned_at + DAY_MS)
        return SIGNET_OK;
    /* Keys first: they must not wait until all of a busy month is cleaned up. */
    if ((err = sessions_expire(t)) != SIGNET_OK)
        return err;
    if ((err = seen_forget(t, &is_done)) != SIGNET_OK || !is_done)
        return err;
    t->own->counters.cleaned_at = t->now_ms;
    return own_save_counters(t);
}

/* Unless a card or bundle is still on its way to the relay. */
static enum signet_err become_ready(struct txn *t)
{
    for (const struct request *r = t->requests->first; r != NULL; r = r->next) {
        if (r->type == REQUEST_CARD || r->type == REQUEST_BUNDLE)
            return SIGNET_OK;
    }
    if (t->requests->phase != PHASE_UPKEEP)
        return SIGNET_OK;
    t->requests->phase = PHASE_READY;
    if (txn_event(t, EVENT_READY) == NULL)
        return SIGNET_ERR_NOMEM;
    return t->login->wants_delivery ? login_ask_delivery(t) : SIGNET_OK;
}

enum signet_err login_welcomed(struct txn *t, const struct relay_message *message)
{
    uint64_t published;
    bool is_due, stopped;
    enum signet_err err = compare_copies(t, message, &published, &stopped);

    t->login->welcomed_at = t->now_ms;
    if (err != SIGNET_OK || stopped)
        return err;
    if (published != 0 && published == t->own->counters.bundle_version &&
        (err = own_bundle_published(t, published)) != SIGNET_OK)
        return err;
    is_due = own_bundle_is_due(t, message, published);
    if ((is_due || card_is_due(t)) && is_clock_off(message, t->now_ms))
        return requests_stop(t, PROBLEM_CLOCK, t->own->relay.name);
    if (is_clock_off(message, t->now_ms) &&
        (err = txn_note(t,
             "this machine's clock is more than a day off the relay's: set it, or what you sign "
             "names a wrong time")) != SIGNET_OK)
        return err;
    t->requests->phase = PHASE_UPKEEP;
    if ((err = clean(t)) != SIGNET_OK)
        return err;
    if ((err = keep_card(t, message)) != SIGNET_OK)
        return err;
    if (is_due && (err = own_bundle_publish(t)) != SIGNET_OK)
        return err;
    return become_ready(t);
}

enum signet_err login_published(struct txn *t, const struct request *request)
{
    enum signet_err err = SIGNET_OK;

    if (request->type == REQUEST_BUNDLE)
        err = own_bundle_published(t, request->number);
    return err == SIGNET_OK ? become_ready(t) : err;
}

enum signet_err login_not_published(struct txn *t, uint64_t code)
{
    enum engine_problem problem = PROBLEM_RELAY;

    if (code == RELAY_CODE_CLOCK)
        problem = PROBLEM_CLOCK;
    else if (code == RELAY_CODE_VERSION)
        problem = PROBLEM_OLD_STORE;
    else if (code == RELAY_CODE_OFTEN)
        problem = PROBLEM_OFTEN;
    return requests_stop(t, problem, t->own->relay.name);
}
