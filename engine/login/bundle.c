/* The own prekey bundles: docs/protocol.md, section 4. */
#include <string.h>

#include "engine/engine_internal.h"
#include "wire/cbor.h"

#define DAY_MS          (UINT64_C(24) * 3600 * 1000)
#define BUNDLE_RENEW_MS (7 * DAY_MS)
#define BUNDLE_KEEP_MS  (31 * DAY_MS)
#define BUNDLE_PAUSE_MS (4 * DAY_MS)
#define UPLOAD_AGAIN_MS (DAY_MS / 2) /* the relay refuses what is a day off its clock */
enum { ONE_TIME_LOW = 128 };

static struct record_key bundle_key(uint64_t version)
{
    struct record_key key = {.kind = RECORD_BUNDLE, .number = version};

    return key;
}

/* Take `count` bundles from `at` on out of the store: their secrets, and what was begun by them. */
static enum signet_err forget_bundles(struct engine *e, size_t at, size_t count)
{
    struct counters *c = &e->counters;

    for (size_t i = at; i < at + count; i++) {
        struct record_key key = bundle_key(c->bundles[i].version);
        enum signet_err err = engine_delete(e, &key);

        if (err == SIGNET_OK)
            err = engine_forget_begun(e, &c->bundles[i].id);
        if (err != SIGNET_OK)
            return err;
    }
    c->bundle_count -= count;
    memmove(
        c->bundles + at, c->bundles + at + count, (c->bundle_count - at) * sizeof(c->bundles[0]));
    return SIGNET_OK;
}

/* Secrets that nobody can name any more go. */
static enum signet_err forget_old_bundles(struct engine *e, uint64_t now_ms)
{
    const struct counters *c = &e->counters;
    size_t old = 0;

    while (old < c->bundle_count && c->bundles[old].not_after + BUNDLE_KEEP_MS < now_ms)
        old++;
    return old == 0 ? SIGNET_OK : forget_bundles(e, 0, old);
}

/* ---- the upload ---- */

static struct record_key upload_key(uint64_t version)
{
    struct record_key key = {.kind = RECORD_UPLOAD, .number = version};

    return key;
}

static enum signet_err keep_upload(
    struct engine *e, uint64_t version, const struct relay_message *message)
{
    struct record_key key = upload_key(version);
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    enum signet_err err;

    wire_put_array(&w, 2);
    wire_put_bytes(&w, message->bundle);
    wire_put_bytes(&w, message->keys);
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err;
}

/* The message borrows from `value`. Errors: UNKNOWN (confirmed, or damaged). */
static enum signet_err load_upload(
    struct engine *e, uint64_t version, struct signet_buf *value, struct relay_message *message)
{
    struct record_key key = upload_key(version);
    enum signet_err err = engine_get(e, &key, value);
    struct wire_reader r;

    if (err != SIGNET_OK)
        return err == SIGNET_ERR_AUTH ? SIGNET_ERR_UNKNOWN : err;
    r = wire_reader(signet_buf_span(value));
    wire_expect_array(&r, 2);
    message->bundle = wire_get_bytes(&r, 1, SIGNET_BUNDLE_MAX);
    message->keys = wire_get_bytes(&r, 1, SIGNET_ONE_TIME_COUNT * SIGNET_ONE_TIME_KEY_LEN);
    return wire_reader_finish(&r);
}

static enum signet_err upload(struct engine *e, uint64_t version, struct relay_message *message)
{
    struct request *request;
    enum signet_err err;

    message->type = RELAY_PUT_BUNDLE;
    if ((err = engine_ask(e, REQUEST_BUNDLE, message, &request)) != SIGNET_OK)
        return err;
    request->number = version;
    return engine_explain(e, "confidentiality",
        "own public keys published for those who write first", "RSA-3072 (OAEP), X25519",
        "bundle version %llu: one decryption key, one signed prekey, %d one-time prekeys; signed "
        "by this device",
        (unsigned long long)version, SIGNET_ONE_TIME_COUNT);
}

enum signet_err engine_bundle_published(struct engine *e, uint64_t version)
{
    struct record_key key = upload_key(version);
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    signet_buf_free(&value);
    if (err == SIGNET_ERR_UNKNOWN)
        return SIGNET_OK;
    return err == SIGNET_OK || err == SIGNET_ERR_AUTH ? engine_delete(e, &key) : err;
}

/*
 * Upload the newest bundle again where the relay has not confirmed it, so that failures make no new
 * secrets. One that has grown too old for the relay was never handed out: it goes, and no other.
 * Errors: UNKNOWN (a new one is to be made).
 */
static enum signet_err upload_again(struct engine *e, uint64_t now_ms)
{
    const struct counters *c = &e->counters;
    struct relay_message message = {.type = RELAY_PUT_BUNDLE};
    struct record_key key = upload_key(c->bundle_version);
    struct signet_buf value = {0};
    enum signet_err err = load_upload(e, c->bundle_version, &value, &message);

    if (err == SIGNET_OK && c->bundle_count > 0) {
        uint64_t made_at = c->bundles[c->bundle_count - 1].made_at;

        if (now_ms >= made_at && now_ms - made_at < UPLOAD_AGAIN_MS) {
            err = upload(e, c->bundle_version, &message);
        } else if ((err = forget_bundles(e, c->bundle_count - 1, 1)) == SIGNET_OK &&
                   (err = engine_delete(e, &key)) == SIGNET_OK) {
            err = SIGNET_ERR_UNKNOWN;
        }
    }
    signet_buf_free(&value);
    return err;
}

/* ---- making ---- */

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

static enum signet_err make_bundle(struct engine *e, uint64_t now_ms)
{
    struct signet_bundle_secrets *previous = NULL, *secrets = NULL;
    struct signet_buf bundle = {0}, keys = {0};
    struct relay_message message = {.type = RELAY_PUT_BUNDLE};
    struct signet_bundle_order order = {
        .account = e->account,
        .version = e->counters.bundle_version + 1,
        .now_ms = now_ms,
    };
    enum signet_err err;

    if ((err = load_newest(e, &previous)) != SIGNET_OK)
        goto out;
    order.previous = previous;
    if ((err = signet_bundle_make(e->library, &order, &secrets, &bundle, &keys)) != SIGNET_OK)
        goto out;
    message.bundle = signet_buf_span(&bundle);
    message.keys = signet_buf_span(&keys);
    if ((err = keep_bundle(e, secrets, now_ms)) != SIGNET_OK)
        goto out;
    if ((err = keep_upload(e, order.version, &message)) != SIGNET_OK)
        goto out;
    err = upload(e, order.version, &message);
out:
    signet_bundle_secrets_free(previous);
    signet_bundle_secrets_free(secrets);
    signet_buf_free(&bundle);
    signet_buf_free(&keys);
    return err;
}

enum signet_err engine_publish_bundle(struct engine *e, uint64_t now_ms)
{
    enum signet_err err = upload_again(e, now_ms);

    if (err != SIGNET_ERR_UNKNOWN)
        return err;
    if ((err = forget_old_bundles(e, now_ms)) != SIGNET_OK)
        return err;
    /* First messages to any of these may be on their way: the newest has to do. */
    if (e->counters.bundle_count == OWN_BUNDLES_MAX)
        return SIGNET_OK;
    return make_bundle(e, now_ms);
}

bool engine_bundle_is_due(const struct engine *e, const struct relay_message *welcome,
    uint64_t published, uint64_t now_ms)
{
    const struct counters *c = &e->counters;

    const struct own_bundle *newest;
    uint64_t age_ms;

    if (c->bundle_count == 0 || published != c->bundle_version)
        return true;
    newest = &c->bundles[c->bundle_count - 1];
    age_ms = now_ms > newest->made_at ? now_ms - newest->made_at : 0;
    if (age_ms >= BUNDLE_RENEW_MS)
        return true;
    /* Who empties our prekeys again and again must not push out the bundles of before: with this
     * pause there is room for all of two months. */
    if (c->bundle_count >= OWN_BUNDLES_MAX / 2 && age_ms < BUNDLE_PAUSE_MS)
        return false;
    return welcome->one_time_left < ONE_TIME_LOW;
}
