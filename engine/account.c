/* The own account's records. */
#include "engine/account.h"

#include <string.h>

#include "engine/history/verdict.h"
#include "wire/cbor.h"

#define BUNDLE_LIFE_MS (UINT64_C(30) * 24 * 3600 * 1000)
enum { FORMAT_VERSION = 1 };

static const struct record_key account_key = {.kind = RECORD_ACCOUNT};
static const struct record_key relay_key = {.kind = RECORD_RELAY};
static const struct record_key counters_key = {.kind = RECORD_COUNTERS};

static enum signet_err encode_account(const void *object, struct signet_buf *out)
{
    return signet_account_encode(object, out);
}

static enum signet_err decode_account(struct txn *t, signet_span value, void *object)
{
    return signet_account_decode(t->library, value, object);
}

enum signet_err own_load_account(struct txn *t)
{
    return txn_read(t, &account_key, decode_account, &t->own->account);
}

enum signet_err own_save_account(struct txn *t)
{
    return txn_write(t, &account_key, encode_account, t->own->account);
}

static enum signet_err encode_relay(const void *object, struct signet_buf *out)
{
    const struct relay_record *relay = object;
    struct signet_buf link = {0};
    struct wire_writer w = wire_writer(out);
    enum signet_err err;

    w.err = invitation_write(&relay->invitation, &link);
    wire_put_array(&w, 4);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_text(&w, signet_buf_span(&link));
    wire_put_text(&w, signet_span_str(relay->name));
    wire_put_uint(&w, relay->is_registered);
    err = wire_writer_finish(&w);
    signet_buf_free(&link);
    return err;
}

static enum signet_err decode_relay(struct txn *t, signet_span value, void *object)
{
    struct relay_record *relay = object;
    struct wire_reader r = wire_reader(value);
    char text[INVITATION_TEXT_MAX + 1] = {0};
    signet_span link, name;
    enum signet_err err;

    (void)t;
    wire_expect_array(&r, 4);
    wire_expect_uint(&r, FORMAT_VERSION);
    link = wire_get_text(&r, 1, INVITATION_TEXT_MAX);
    name = wire_get_text(&r, 1, SIGNET_NAME_MAX);
    relay->is_registered = wire_get_uint(&r, 1) == 1;
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    memcpy(text, link.ptr, link.len);
    memset(relay->name, 0, sizeof(relay->name));
    memcpy(relay->name, name.ptr, name.len);
    return invitation_read(text, &relay->invitation);
}

enum signet_err own_load_relay(struct txn *t)
{
    return txn_read(t, &relay_key, decode_relay, &t->own->relay);
}

enum signet_err own_save_relay(struct txn *t)
{
    return txn_write(t, &relay_key, encode_relay, &t->own->relay);
}

static enum signet_err encode_counters(const void *object, struct signet_buf *out)
{
    const struct counters *c = object;
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 6);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_uint(&w, c->cleaned_at);
    wire_put_uint(&w, c->next_message);
    wire_put_uint(&w, c->next_outbox);
    wire_put_uint(&w, c->bundle_version);
    wire_put_array(&w, c->bundle_count);
    for (size_t i = 0; i < c->bundle_count; i++) {
        wire_put_array(&w, 4);
        wire_put_id(&w, &c->bundles[i].id);
        wire_put_uint(&w, c->bundles[i].version);
        wire_put_uint(&w, c->bundles[i].made_at);
        wire_put_uint(&w, c->bundles[i].not_after);
    }
    return wire_writer_finish(&w);
}

static enum signet_err decode_counters(struct txn *t, signet_span value, void *object)
{
    struct counters *c = object;
    struct wire_reader r = wire_reader(value);

    (void)t;
    wire_expect_array(&r, 6);
    wire_expect_uint(&r, FORMAT_VERSION);
    c->cleaned_at = wire_get_uint(&r, UINT64_MAX);
    c->next_message = wire_get_uint(&r, INT64_MAX);
    c->next_outbox = wire_get_uint(&r, INT64_MAX);
    c->bundle_version = wire_get_uint(&r, INT64_MAX);
    c->bundle_count = wire_get_array(&r, 0, OWN_BUNDLES_MAX);
    for (size_t i = 0; i < c->bundle_count; i++) {
        wire_expect_array(&r, 4);
        wire_get_id(&r, &c->bundles[i].id);
        c->bundles[i].version = wire_get_uint(&r, INT64_MAX);
        c->bundles[i].made_at = wire_get_uint(&r, UINT64_MAX);
        c->bundles[i].not_after = wire_get_uint(&r, UINT64_MAX);
    }
    return wire_reader_finish(&r);
}

static enum signet_err visit_number(void *ctx, uint64_t number, signet_span value)
{
    uint64_t *highest = ctx;

    (void)value; /* a damaged record has its number all the same */
    if (number > *highest)
        *highest = number;
    return SIGNET_OK;
}

static enum signet_err visit_bundle(void *ctx, uint64_t number, signet_span value)
{
    struct txn *t = ctx;
    struct counters *c = &t->own->counters;
    struct signet_bundle_secrets *secrets = NULL;
    uint64_t not_after;
    enum signet_err err;

    c->bundle_version = number;
    if (value.len == 0 || c->bundle_count == OWN_BUNDLES_MAX)
        return SIGNET_OK;
    err = signet_bundle_secrets_decode(t->library, value, &secrets);
    if (err != SIGNET_OK)
        return verdict_exists(err) ? SIGNET_OK : err;
    not_after = signet_bundle_secrets_not_after(secrets);
    c->bundles[c->bundle_count++] = (struct own_bundle){
        .id = *signet_bundle_secrets_id(secrets),
        .version = number,
        .made_at = not_after > BUNDLE_LIFE_MS ? not_after - BUNDLE_LIFE_MS : 0,
        .not_after = not_after,
    };
    signet_bundle_secrets_free(secrets);
    return SIGNET_OK;
}

/* What was counted is there to be counted again. No number may come twice: every arrival has left
 * its own beside the line of the history. */
static enum signet_err count_again(struct txn *t)
{
    static const enum record_kind placed[] = {
        RECORD_MESSAGE, RECORD_UNSHOWN, RECORD_ARRIVAL, RECORD_BEGUN, RECORD_PENDING};
    struct record_key outbox = {.kind = RECORD_OUTBOX};
    struct record_key bundles = {RECORD_BUNDLE, signet_span_str(""), 0};
    struct counters *c = &t->own->counters;
    enum signet_err err = SIGNET_OK;

    memset(c, 0, sizeof(*c));
    for (size_t i = 0; i < sizeof(placed) / sizeof(placed[0]) && err == SIGNET_OK; i++) {
        struct record_key all = {.kind = placed[i]};

        err = txn_scan(t, &all, visit_number, &c->next_message);
    }
    if (err == SIGNET_OK)
        err = txn_scan(t, &outbox, visit_number, &c->next_outbox);
    return err == SIGNET_OK ? txn_scan(t, &bundles, visit_bundle, t) : err;
}

enum signet_err own_load_counters(struct txn *t)
{
    enum signet_err err = txn_read(t, &counters_key, decode_counters, &t->own->counters);

    return err == SIGNET_ERR_AUTH ? count_again(t) : err;
}

enum signet_err own_save_counters(struct txn *t)
{
    return txn_write(t, &counters_key, encode_counters, &t->own->counters);
}

static struct record_key bundle_key(uint64_t version)
{
    struct record_key key = {.kind = RECORD_BUNDLE, .number = version};

    return key;
}

static enum signet_err encode_bundle(const void *object, struct signet_buf *out)
{
    return signet_bundle_secrets_encode(object, out);
}

static enum signet_err decode_bundle(struct txn *t, signet_span value, void *object)
{
    return signet_bundle_secrets_decode(t->library, value, object);
}

enum signet_err own_load_bundle(
    struct txn *t, uint64_t version, struct signet_bundle_secrets **secrets_out)
{
    struct record_key key = bundle_key(version);

    return txn_read(t, &key, decode_bundle, secrets_out);
}

enum signet_err own_save_bundle(struct txn *t, const struct signet_bundle_secrets *secrets)
{
    struct record_key key = bundle_key(signet_bundle_secrets_version(secrets));

    return txn_write(t, &key, encode_bundle, secrets);
}

enum signet_err own_delete_bundle(struct txn *t, uint64_t version)
{
    struct record_key key = bundle_key(version);

    return txn_delete(t, &key);
}

const struct signet_id *own_address(const struct txn *t)
{
    return signet_account_address(t->own->account);
}

const struct signet_id *own_device(const struct txn *t)
{
    return signet_account_device(t->own->account);
}

const struct signet_card *own_card(const struct txn *t)
{
    return signet_account_card(t->own->account);
}

void own_free(struct own *own)
{
    signet_account_free(own->account);
    own->account = NULL;
}
