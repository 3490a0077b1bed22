/* The engine's records: account, relay, counters, chains, history. */
#include <string.h>

#include "engine/engine_internal.h"
#include "wire/cbor.h"

#define BUNDLE_LIFE_MS (UINT64_C(30) * 24 * 3600 * 1000)
enum { FORMAT_VERSION = 1 };

static const struct record_key account_key = {.kind = RECORD_ACCOUNT};
static const struct record_key relay_key = {.kind = RECORD_RELAY};
static const struct record_key counters_key = {.kind = RECORD_COUNTERS};

enum signet_err engine_get(struct engine *e, const struct record_key *key, struct signet_buf *out)
{
    const struct record_change *change = record_batch_find(&e->output->changes, key);

    if (change == NULL)
        return e->records.get(e->records.ctx, key, out);
    if (change->is_delete)
        return SIGNET_ERR_UNKNOWN;
    return signet_buf_append(out, signet_buf_span(&change->value));
}

enum signet_err engine_put(struct engine *e, const struct record_key *key, signet_span value)
{
    return record_batch_put(&e->output->changes, key, value);
}

enum signet_err engine_delete(struct engine *e, const struct record_key *key)
{
    return record_batch_delete(&e->output->changes, key);
}

enum signet_err engine_save_account(struct engine *e)
{
    struct signet_buf value = {0};
    enum signet_err err = signet_account_encode(e->account, &value);

    if (err == SIGNET_OK)
        err = engine_put(e, &account_key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err;
}

enum signet_err engine_save_relay(struct engine *e)
{
    const struct invitation *invitation = &e->relay.invitation;
    struct signet_buf value = {0}, link = {0};
    struct wire_writer w = wire_writer(&value);
    enum signet_err err;

    w.err = invitation_write(invitation, &link);
    wire_put_array(&w, 4);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_text(&w, signet_buf_span(&link));
    wire_put_text(&w, signet_span_str(e->relay.name));
    wire_put_uint(&w, e->relay.is_registered);
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = engine_put(e, &relay_key, signet_buf_span(&value));
    signet_buf_free(&link);
    signet_buf_free(&value);
    return err;
}

static enum signet_err parse_relay(signet_span value, struct relay_record *relay)
{
    struct wire_reader r = wire_reader(value);
    char text[INVITATION_TEXT_MAX + 1] = {0};
    signet_span link, name;
    enum signet_err err;

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

enum signet_err engine_load_relay(struct engine *e)
{
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &relay_key, &value);

    if (err == SIGNET_OK)
        err = parse_relay(signet_buf_span(&value), &e->relay);
    signet_buf_free(&value);
    return err;
}

enum signet_err engine_save_counters(struct engine *e)
{
    const struct counters *c = &e->counters;
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    enum signet_err err;

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
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = engine_put(e, &counters_key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err;
}

static enum signet_err parse_counters(signet_span value, struct counters *c)
{
    struct wire_reader r = wire_reader(value);

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
    struct engine *e = ctx;
    struct counters *c = &e->counters;
    struct signet_bundle_secrets *secrets = NULL;
    uint64_t not_after;
    enum signet_err err;

    c->bundle_version = number;
    if (value.len == 0 || c->bundle_count == OWN_BUNDLES_MAX)
        return SIGNET_OK;
    err = signet_bundle_secrets_decode(e->library, value, &secrets);
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
static enum signet_err count_again(struct engine *e)
{
    static const enum record_kind placed[] = {
        RECORD_MESSAGE, RECORD_UNSHOWN, RECORD_ARRIVAL, RECORD_BEGUN};
    struct record_key outbox = {.kind = RECORD_OUTBOX};
    struct record_key bundles = {RECORD_BUNDLE, signet_span_str(""), 0};
    struct counters *c = &e->counters;
    enum signet_err err = SIGNET_OK;

    memset(c, 0, sizeof(*c));
    for (size_t i = 0; i < sizeof(placed) / sizeof(placed[0]) && err == SIGNET_OK; i++) {
        struct record_key all = {.kind = placed[i]};

        err = e->records.scan(e->records.ctx, &all, visit_number, &c->next_message);
    }
    if (err == SIGNET_OK)
        err = e->records.scan(e->records.ctx, &outbox, visit_number, &c->next_outbox);
    return err == SIGNET_OK ? e->records.scan(e->records.ctx, &bundles, visit_bundle, e) : err;
}

enum signet_err engine_load_counters(struct engine *e)
{
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &counters_key, &value);

    if (err == SIGNET_OK)
        err = parse_counters(signet_buf_span(&value), &e->counters);
    signet_buf_free(&value);
    return err == SIGNET_ERR_AUTH ? count_again(e) : err;
}

/* The name under which a chain is stored: conversation and device. */
struct chain_name {
    uint8_t b[2 * SIGNET_ID_LEN];
};

static struct chain_name chain_name(
    const struct signet_id *conversation, const struct signet_id *device)
{
    struct chain_name name;

    memcpy(name.b, conversation->b, SIGNET_ID_LEN);
    memcpy(name.b + SIGNET_ID_LEN, device->b, SIGNET_ID_LEN);
    return name;
}

enum signet_err engine_load_chain(struct engine *e, const struct signet_id *conversation,
    const struct signet_id *device, struct chain *chain_out)
{
    struct chain_name name = chain_name(conversation, device);
    struct record_key key = {RECORD_HEAD, signet_span_of(name.b, sizeof(name.b)), 0};
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    if (err == SIGNET_ERR_UNKNOWN) {
        memset(chain_out, 0, sizeof(*chain_out));
        return SIGNET_OK;
    }
    if (err == SIGNET_OK)
        err = chain_decode(signet_buf_span(&value), chain_out);
    signet_buf_free(&value);
    return err;
}

enum signet_err engine_save_chain(struct engine *e, const struct signet_id *conversation,
    const struct signet_id *device, const struct chain *chain)
{
    struct chain_name name = chain_name(conversation, device);
    struct record_key key = {RECORD_HEAD, signet_span_of(name.b, sizeof(name.b)), 0};
    struct signet_buf value = {0};
    enum signet_err err = chain_encode(chain, &value);

    if (err == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err;
}

enum signet_err engine_add_message(struct engine *e, struct message *message, bool is_unshown)
{
    struct record_key key = {RECORD_MESSAGE, signet_id_span(&message->conversation), 0};
    struct record_key unshown = {.kind = RECORD_UNSHOWN};
    struct signet_buf value = {0};
    enum signet_err err;

    message->number = ++e->counters.next_message;
    key.number = message->number;
    unshown.number = message->number;
    if ((err = message_encode(message, &value)) != SIGNET_OK)
        goto out;
    if ((err = engine_put(e, &key, signet_buf_span(&value))) != SIGNET_OK)
        goto out;
    if (is_unshown)
        err = engine_put(e, &unshown, signet_id_span(&message->conversation));
    if (err == SIGNET_OK)
        err = engine_save_counters(e);
out:
    signet_buf_free(&value);
    return err;
}
