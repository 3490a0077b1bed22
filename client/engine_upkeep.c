/*
 * What is due at each login: own device list and prekey bundle in order at the relay, and a look
 * whether this home is an old copy. docs/protocol.md, sections 3, 4 and 9; decision 21.
 */
#include <stdio.h>
#include <string.h>

#include "client/engine_internal.h"

#define DAY_MS          (UINT64_C(24) * 3600 * 1000)
#define CARD_RENEW_MS   (30 * DAY_MS)
#define BUNDLE_RENEW_MS (7 * DAY_MS)
#define BUNDLE_KEEP_MS  (31 * DAY_MS)
#define SEEN_KEEP_MS    (31 * DAY_MS)
enum { ONE_TIME_LOW = 128 };

static struct record_key bundle_key(uint64_t version)
{
    struct record_key key = {.kind = RECORD_BUNDLE, .number = version};

    return key;
}

static enum signet_err publish_card(struct engine *e)
{
    struct relay_message message = {.type = RELAY_PUT_CARD};
    struct request *request;

    message.card = signet_card_bytes(signet_account_card(e->account));
    return engine_ask(e, REQUEST_CARD, &message, &request);
}

/* Secrets that nobody can name any more go. */
static enum signet_err forget_old_bundles(struct engine *e, uint64_t now_ms)
{
    struct counters *c = &e->counters;
    size_t old = 0;

    while (old < c->bundle_count && (c->bundles[old].not_after + BUNDLE_KEEP_MS < now_ms ||
                                        c->bundle_count - old == OWN_BUNDLES_MAX)) {
        struct record_key key = bundle_key(c->bundles[old].version);
        enum signet_err err = engine_delete(e, &key);

        if (err == SIGNET_OK)
            err = engine_forget_begun(e, &c->bundles[old].id);
        if (err != SIGNET_OK)
            return err;
        old++;
    }
    c->bundle_count -= old;
    memmove(c->bundles, c->bundles + old, c->bundle_count * sizeof(c->bundles[0]));
    return SIGNET_OK;
}

/* The secrets of the newest bundle, to use its decryption key again; NULL where there is none. */
static enum signet_err load_newest(struct engine *e, struct signet_bundle_secrets **secrets_out)
{
    struct record_key key = bundle_key(e->counters.bundle_version);
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    *secrets_out = NULL;
    if (err == SIGNET_OK)
        err = signet_bundle_secrets_decode(e->library, signet_buf_span(&value), secrets_out);
    signet_buf_free(&value);
    /* Damaged or gone: a fresh key then. */
    return err == SIGNET_ERR_UNKNOWN || err == SIGNET_ERR_AUTH ? SIGNET_OK : err;
}

/* Store the secrets before a byte of the bundle leaves: the output's order sees to that. */
static enum signet_err keep_bundle(
    struct engine *e, const struct signet_bundle_secrets *secrets, uint64_t now_ms)
{
    uint64_t version = signet_bundle_secrets_version(secrets);
    struct record_key key = bundle_key(version);
    struct signet_buf value = {0};
    enum signet_err err;

    if ((err = signet_bundle_secrets_encode(secrets, &value)) == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    if (err != SIGNET_OK)
        return err;
    e->counters.bundle_version = version;
    e->counters.bundles[e->counters.bundle_count++] = (struct own_bundle){
        .id = *signet_bundle_secrets_id(secrets),
        .version = version,
        .made_at = now_ms,
        .not_after = signet_bundle_secrets_not_after(secrets),
    };
    return engine_save_counters(e);
}

static enum signet_err publish_bundle(struct engine *e, uint64_t now_ms)
{
    struct signet_bundle_secrets *previous = NULL, *secrets = NULL;
    struct signet_buf bundle = {0}, keys = {0};
    struct relay_message message = {.type = RELAY_PUT_BUNDLE};
    struct signet_bundle_order order = {
        .account = e->account,
        .version = e->counters.bundle_version + 1,
        .now_ms = now_ms,
    };
    struct request *request;
    enum signet_err err;

    if ((err = forget_old_bundles(e, now_ms)) != SIGNET_OK)
        goto out;
    if ((err = load_newest(e, &previous)) != SIGNET_OK)
        goto out;
    order.previous = previous;
    if ((err = signet_bundle_make(e->library, &order, &secrets, &bundle, &keys)) != SIGNET_OK)
        goto out;
    if ((err = keep_bundle(e, secrets, now_ms)) != SIGNET_OK)
        goto out;
    message.bundle = signet_buf_span(&bundle);
    message.keys = signet_buf_span(&keys);
    if ((err = engine_ask(e, REQUEST_BUNDLE, &message, &request)) != SIGNET_OK)
        goto out;
    request->number = order.version;
    err = engine_explain(e, "confidentiality",
        "own public keys published for those who write first", "RSA-3072 (OAEP), X25519",
        "bundle version %llu: one decryption key, one signed prekey, %d one-time prekeys; signed "
        "by "
        "this device",
        (unsigned long long)order.version, SIGNET_ONE_TIME_COUNT);
out:
    signet_bundle_secrets_free(previous);
    signet_bundle_secrets_free(secrets);
    signet_buf_free(&bundle);
    signet_buf_free(&keys);
    return err;
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

/* Compare what the relay has of us with what we have; *stopped where this home is an old copy. */
static enum signet_err compare_copies(
    struct engine *e, const struct relay_message *welcome, uint64_t *published, bool *stopped)
{
    struct signet_bundle *bundle = NULL;
    enum signet_err err;

    *published = 0;
    *stopped = !signet_account_issued_list(e->account, &welcome->id);
    if (!*stopped && welcome->bundle.len > 0) {
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

static bool bundle_is_due(const struct engine *e, const struct relay_message *welcome,
    uint64_t published, uint64_t now_ms)
{
    const struct counters *c = &e->counters;

    if (c->bundle_count == 0 || published != c->bundle_version ||
        welcome->one_time_left < ONE_TIME_LOW)
        return true;
    return now_ms >= c->bundles[c->bundle_count - 1].made_at + BUNDLE_RENEW_MS;
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

/* Once a day: marks that cannot matter any more go. */
static enum signet_err clean(struct engine *e, uint64_t now_ms)
{
    enum signet_err err;

    if (now_ms < e->counters.cleaned_at + DAY_MS || now_ms < SEEN_KEEP_MS)
        return SIGNET_OK;
    err = engine_forget_seen(e, RECORD_SEEN, now_ms - SEEN_KEEP_MS);
    if (err != SIGNET_OK)
        return err;
    e->counters.cleaned_at = now_ms;
    return engine_save_counters(e);
}

enum signet_err engine_welcomed(
    struct engine *e, const struct relay_message *message, uint64_t now_ms)
{
    uint64_t published;
    bool is_due, stopped;
    enum signet_err err = compare_copies(e, message, &published, &stopped);

    if (err != SIGNET_OK || stopped)
        return err;
    is_due = bundle_is_due(e, message, published, now_ms);
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
    if (is_due && (err = publish_bundle(e, now_ms)) != SIGNET_OK)
        return err;
    return engine_published(e);
}

enum signet_err engine_published(struct engine *e)
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
