/* The own prekey bundles: docs/protocol.md, section 4. */
#include "engine/login/bundle.h"

#include <string.h>

#include "engine/account.h"
#include "engine/history/seen.h"
#include "wire/cbor.h"

#define DAY_MS          (UINT64_C(24) * 3600 * 1000)
#define BUNDLE_RENEW_MS (7 * DAY_MS)
#define BUNDLE_KEEP_MS  (31 * DAY_MS)
#define BUNDLE_PAUSE_MS (4 * DAY_MS)
#define UPLOAD_AGAIN_MS (DAY_MS / 2) /* the relay refuses what is a day off its clock */
enum { ONE_TIME_LOW = 128 };

/* Take `count` bundles from `at` on out of the store: their secrets, and what was begun by them. */
static enum signet_err forget_bundles(struct txn *t, size_t at, size_t count)
{
    struct counters *c = &t->own->counters;

    for (size_t i = at; i < at + count; i++) {
        enum signet_err err = own_delete_bundle(t, c->bundles[i].version);

        if (err == SIGNET_OK)
            err = seen_forget_begun(t, &c->bundles[i].id);
        if (err != SIGNET_OK)
            return err;
    }
    c->bundle_count -= count;
    memmove(
        c->bundles + at, c->bundles + at + count, (c->bundle_count - at) * sizeof(c->bundles[0]));
    return SIGNET_OK;
}

/* Secrets that nobody can name any more go. */
static enum signet_err forget_old_bundles(struct txn *t)
{
    const struct counters *c = &t->own->counters;
    size_t old = 0;

    while (old < c->bundle_count && c->bundles[old].not_after + BUNDLE_KEEP_MS < t->now_ms)
        old++;
    return old == 0 ? SIGNET_OK : forget_bundles(t, 0, old);
}

/* ---- the upload ---- */

static struct record_key upload_key(uint64_t version)
{
    struct record_key key = {.kind = RECORD_UPLOAD, .number = version};

    return key;
}

static enum signet_err encode_upload(const void *object, struct signet_buf *out)
{
    const struct relay_message *message = object;
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 2);
    wire_put_bytes(&w, message->bundle);
    wire_put_bytes(&w, message->keys);
    return wire_writer_finish(&w);
}

static enum signet_err keep_upload(
    struct txn *t, uint64_t version, const struct relay_message *message)
{
    struct record_key key = upload_key(version);

    return txn_write(t, &key, encode_upload, message);
}

/* The message borrows from `value`. Errors: UNKNOWN (confirmed, or damaged). */
static enum signet_err load_upload(
    struct txn *t, uint64_t version, struct signet_buf *value, struct relay_message *message)
{
    struct record_key key = upload_key(version);
    enum signet_err err = txn_get(t, &key, value);
    struct wire_reader r;

    if (err != SIGNET_OK)
        return err == SIGNET_ERR_AUTH ? SIGNET_ERR_UNKNOWN : err;
    r = wire_reader(signet_buf_span(value));
    wire_expect_array(&r, 2);
    message->bundle = wire_get_bytes(&r, 1, SIGNET_BUNDLE_MAX);
    message->keys = wire_get_bytes(&r, 1, SIGNET_ONE_TIME_COUNT * SIGNET_ONE_TIME_KEY_LEN);
    return wire_reader_finish(&r);
}

static enum signet_err upload(struct txn *t, uint64_t version, struct relay_message *message)
{
    struct request *request;
    enum signet_err err;

    message->type = RELAY_PUT_BUNDLE;
    if ((err = requests_ask(t, REQUEST_BUNDLE, message, &request)) != SIGNET_OK)
        return err;
    request->number = version;
    return txn_explain(t, "confidentiality", "own public keys published for those who write first",
        "RSA-3072 (OAEP), X25519",
        "bundle version %llu: one decryption key, one signed prekey, %d one-time prekeys; signed "
        "by this device",
        (unsigned long long)version, SIGNET_ONE_TIME_COUNT);
}

enum signet_err own_bundle_published(struct txn *t, uint64_t version)
{
    struct record_key key = upload_key(version);
    struct signet_buf value = {0};
    enum signet_err err = txn_get(t, &key, &value);

    signet_buf_free(&value);
    if (err == SIGNET_ERR_UNKNOWN)
        return SIGNET_OK;
    return err == SIGNET_OK || err == SIGNET_ERR_AUTH ? txn_delete(t, &key) : err;
}

/*
 * Upload the newest bundle again where the relay has not confirmed it, so that failures make no new
 * secrets. One that has grown too old for the relay was never handed out: it goes, and no other.
 * Errors: UNKNOWN (a new one is to be made).
 */
static enum signet_err upload_again(struct txn *t)
{
    const struct counters *c = &t->own->counters;
    struct relay_message message = {.type = RELAY_PUT_BUNDLE};
    struct record_key key = upload_key(c->bundle_version);
    struct signet_buf value = {0};
    enum signet_err err = load_upload(t, c->bundle_version, &value, &message);

    if (err == SIGNET_OK && c->bundle_count > 0) {
        uint64_t made_at = c->bundles[c->bundle_count - 1].made_at;

        if (t->now_ms >= made_at && t->now_ms - made_at < UPLOAD_AGAIN_MS) {
            err = upload(t, c->bundle_version, &message);
        } else if ((err = forget_bundles(t, c->bundle_count - 1, 1)) == SIGNET_OK &&
                   (err = txn_delete(t, &key)) == SIGNET_OK) {
            err = SIGNET_ERR_UNKNOWN;
        }
    }
    signet_buf_free(&value);
    return err;
}

/* ---- making ---- */

/* The secrets of the newest bundle, to use its decryption key again; NULL where there is none. */
static enum signet_err load_newest(struct txn *t, struct signet_bundle_secrets **secrets_out)
{
    enum signet_err err;

    *secrets_out = NULL;
    err = own_load_bundle(t, t->own->counters.bundle_version, secrets_out);
    /* Damaged or gone: a fresh key then. */
    return err == SIGNET_ERR_UNKNOWN || err == SIGNET_ERR_AUTH ? SIGNET_OK : err;
}

/* Store the secrets before a byte of the bundle leaves: the output's order sees to that. */
static enum signet_err keep_bundle(struct txn *t, const struct signet_bundle_secrets *secrets)
{
    uint64_t version = signet_bundle_secrets_version(secrets);
    enum signet_err err = own_save_bundle(t, secrets);

    if (err != SIGNET_OK)
        return err;
    t->own->counters.bundle_version = version;
    t->own->counters.bundles[t->own->counters.bundle_count++] = (struct own_bundle){
        .id = *signet_bundle_secrets_id(secrets),
        .version = version,
        .made_at = t->now_ms,
        .not_after = signet_bundle_secrets_not_after(secrets),
    };
    return own_save_counters(t);
}

static enum signet_err make_bundle(struct txn *t)
{
    struct signet_bundle_secrets *previous = NULL, *secrets = NULL;
    struct signet_buf bundle = {0}, keys = {0};
    struct relay_message message = {.type = RELAY_PUT_BUNDLE};
    struct signet_bundle_order order = {
        .account = t->own->account,
        .version = t->own->counters.bundle_version + 1,
        .now_ms = t->now_ms,
    };
    enum signet_err err;

    if ((err = load_newest(t, &previous)) != SIGNET_OK)
        goto out;
    order.previous = previous;
    if ((err = signet_bundle_make(t->library, &order, &secrets, &bundle, &keys)) != SIGNET_OK)
        goto out;
    message.bundle = signet_buf_span(&bundle);
    message.keys = signet_buf_span(&keys);
    if ((err = keep_bundle(t, secrets)) != SIGNET_OK)
        goto out;
    if ((err = keep_upload(t, order.version, &message)) != SIGNET_OK)
        goto out;
    err = upload(t, order.version, &message);
out:
    signet_bundle_secrets_free(previous);
    signet_bundle_secrets_free(secrets);
    signet_buf_free(&bundle);
    signet_buf_free(&keys);
    return err;
}

enum signet_err own_bundle_publish(struct txn *t)
{
    enum signet_err err = upload_again(t);

    if (err != SIGNET_ERR_UNKNOWN)
        return err;
    if ((err = forget_old_bundles(t)) != SIGNET_OK)
        return err;
    /* First messages to any of these may be on their way: the newest has to do. */
    if (t->own->counters.bundle_count == OWN_BUNDLES_MAX)
        return SIGNET_OK;
    return make_bundle(t);
}

bool own_bundle_is_due(const struct txn *t, const struct relay_message *welcome, uint64_t published)
{
    const struct counters *c = &t->own->counters;

    const struct own_bundle *newest;
    uint64_t age_ms;

    if (c->bundle_count == 0 || published != c->bundle_version)
        return true;
    newest = &c->bundles[c->bundle_count - 1];
    age_ms = t->now_ms > newest->made_at ? t->now_ms - newest->made_at : 0;
    if (age_ms >= BUNDLE_RENEW_MS)
        return true;
    /* Who empties our prekeys again and again must not push out the bundles of before: with this
     * pause there is room for all of two months. */
    if (c->bundle_count >= OWN_BUNDLES_MAX / 2 && age_ms < BUNDLE_PAUSE_MS)
        return false;
    return welcome->one_time_left < ONE_TIME_LOW;
}
