/* The own prekey bundles: docs/protocol.md, section 4. */
#include <string.h>

#include "client/engine_internal.h"

#define DAY_MS          (UINT64_C(24) * 3600 * 1000)
#define BUNDLE_RENEW_MS (7 * DAY_MS)
#define BUNDLE_KEEP_MS  (31 * DAY_MS)
enum { ONE_TIME_LOW = 128 };

static struct record_key bundle_key(uint64_t version)
{
    struct record_key key = {.kind = RECORD_BUNDLE, .number = version};

    return key;
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

enum signet_err engine_publish_bundle(struct engine *e, uint64_t now_ms)
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

bool engine_bundle_is_due(const struct engine *e, const struct relay_message *welcome,
    uint64_t published, uint64_t now_ms)
{
    const struct counters *c = &e->counters;

    if (c->bundle_count == 0 || published != c->bundle_version ||
        welcome->one_time_left < ONE_TIME_LOW)
        return true;
    return now_ms >= c->bundles[c->bundle_count - 1].made_at + BUNDLE_RENEW_MS;
}
