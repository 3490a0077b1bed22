/*
 * The relay's messages as bytes: docs/protocol.md, section 9. One table says which fields a type
 * has, in order; reading and writing both follow it.
 */
#include "wire/relay_message.h"

#include <string.h>

enum {
    FIELDS_MAX = 5, /* after the type */
    TYPE_MAX = RELAY_DRAINED,
};

/* The largest time that the formats hold: docs/protocol.md, section 1. */
#define TIME_MAX_MS UINT64_C(9007199254740991)

/* What a field is, and which member of struct relay_message holds it. */
enum field {
    NO_FIELD,
    REQ,
    TOKEN,
    NAME,
    WHO, /* a name or an id */
    ID,
    CARD,
    PROOF,
    BUNDLE,
    BUNDLE_OR_NULL,
    KEYS,
    PREKEY_OR_NULL,
    ENVELOPE,
    MESSAGE,
    ACKS,
    NONCE,
    CODE,
    RETRY_AFTER,
    TIME,
    ONE_TIME_LEFT,
};

static const enum field shapes[TYPE_MAX + 1][FIELDS_MAX] = {
    [RELAY_REGISTER] = {REQ, TOKEN, NAME, CARD, PROOF},
    [RELAY_LOGIN] = {REQ, PROOF},
    [RELAY_PUT_CARD] = {REQ, CARD},
    [RELAY_PUT_BUNDLE] = {REQ, BUNDLE, KEYS},
    [RELAY_FIND] = {REQ, WHO},
    [RELAY_TAKE] = {REQ, ID},
    [RELAY_PUT] = {REQ, ID, ENVELOPE},
    [RELAY_SUBSCRIBE] = {REQ},
    [RELAY_ACK] = {ACKS},
    [RELAY_CHALLENGE] = {NONCE},
    [RELAY_DONE] = {REQ},
    [RELAY_REFUSED] = {REQ, CODE, RETRY_AFTER},
    [RELAY_WELCOME] = {REQ, TIME, ID, BUNDLE_OR_NULL, ONE_TIME_LEFT},
    [RELAY_ACCOUNT] = {REQ, NAME, CARD},
    [RELAY_PREKEYS] = {REQ, BUNDLE, PREKEY_OR_NULL},
    [RELAY_ACCEPTED] = {REQ, MESSAGE},
    [RELAY_DELIVER] = {MESSAGE, ENVELOPE},
    [RELAY_DRAINED] = {NO_FIELD},
};

static bool type_exists(uint64_t type)
{
    return type == RELAY_DRAINED || (type < TYPE_MAX && shapes[type][0] != NO_FIELD);
}

static size_t field_count(enum relay_type type)
{
    size_t count = 0;

    while (count < FIELDS_MAX && shapes[type][count] != NO_FIELD)
        count++;
    return count;
}

/* ---- reading ---- */

/* What was read since `before`, which the reader has gone past. */
static signet_span read_since(const struct wire_reader *r, signet_span before)
{
    if (r->err != SIGNET_OK)
        return signet_span_of(NULL, 0);
    return signet_span_of(before.ptr, before.len - r->in.len);
}

static signet_span read_token(struct wire_reader *r)
{
    signet_span token = wire_get_bytes(r, 0, RELAY_TOKEN_LEN);

    if (token.len != 0 && token.len != RELAY_TOKEN_LEN)
        wire_reader_fail(r, SIGNET_ERR_FORMAT);
    return token;
}

static void read_who(struct wire_reader *r, struct relay_message *m)
{
    if (wire_peek(r) == WIRE_TEXT)
        m->name = wire_get_text(r, 1, RELAY_NAME_MAX);
    else
        wire_get_id(r, &m->id);
}

/* An array of strings of 32 bytes; its items as they are encoded. */
static signet_span read_strings(struct wire_reader *r, size_t min, size_t max, size_t *count_out)
{
    size_t count = wire_get_array(r, min, max);
    signet_span items = r->in;

    for (size_t i = 0; i < count; i++)
        wire_get_bytes(r, RELAY_PREKEY_LEN, RELAY_PREKEY_LEN);
    *count_out = r->err == SIGNET_OK ? count : 0;
    return read_since(r, items);
}

static void read_prekey(struct wire_reader *r, struct relay_message *m)
{
    size_t path_count;

    if (wire_get_null(r))
        return;
    wire_expect_array(r, 3);
    m->has_prekey = true;
    m->prekey.index = wire_get_uint(r, RELAY_PREKEYS_MAX - 1);
    m->prekey.key = wire_get_bytes(r, RELAY_PREKEY_LEN, RELAY_PREKEY_LEN);
    m->prekey.path = read_strings(r, 0, RELAY_PATH_MAX, &path_count);
}

static void read_acks(struct wire_reader *r, struct relay_message *m)
{
    signet_span items;

    m->ack_count = wire_get_array(r, 1, RELAY_ACKS_MAX);
    items = r->in;
    for (size_t i = 0; i < m->ack_count; i++)
        wire_get_uint(r, UINT64_MAX);
    m->acks = read_since(r, items);
}

static void read_field(struct wire_reader *r, enum field field, struct relay_message *m)
{
    switch (field) {
    case NO_FIELD: break;
    case REQ: m->req = wire_get_uint(r, UINT64_MAX); break;
    case TOKEN: m->token = read_token(r); break;
    case NAME: m->name = wire_get_text(r, 1, RELAY_NAME_MAX); break;
    case WHO: read_who(r, m); break;
    case ID: wire_get_id(r, &m->id); break;
    case CARD: m->card = wire_get_bytes(r, 1, RELAY_CARD_MAX); break;
    case PROOF: m->proof = wire_get_bytes(r, 1, RELAY_PROOF_MAX); break;
    case BUNDLE_OR_NULL:
        if (!wire_get_null(r))
            m->bundle = wire_get_bytes(r, 1, RELAY_BUNDLE_MAX);
        break;
    case BUNDLE: m->bundle = wire_get_bytes(r, 1, RELAY_BUNDLE_MAX); break;
    case KEYS: m->keys = read_strings(r, 1, RELAY_PREKEYS_MAX, &m->key_count); break;
    case PREKEY_OR_NULL: read_prekey(r, m); break;
    case ENVELOPE: m->envelope = wire_get_bytes(r, 1, RELAY_ENVELOPE_MAX); break;
    case MESSAGE: m->message = wire_get_uint(r, UINT64_MAX); break;
    case ACKS: read_acks(r, m); break;
    case NONCE: m->nonce = wire_get_bytes(r, RELAY_NONCE_LEN, RELAY_NONCE_LEN); break;
    case CODE: m->code = wire_get_uint(r, UINT64_MAX); break;
    case RETRY_AFTER: m->retry_after_ms = wire_get_uint(r, UINT64_MAX); break;
    case TIME: m->time_ms = wire_get_uint(r, TIME_MAX_MS); break;
    case ONE_TIME_LEFT: m->one_time_left = wire_get_uint(r, RELAY_PREKEYS_MAX); break;
    }
}

enum signet_err relay_message_read(
    signet_span in, struct relay_message *message_out, signet_span *rest_out)
{
    struct wire_reader r = wire_reader(in);
    struct relay_message m = {0};
    size_t count = wire_get_array(&r, 1, 1 + FIELDS_MAX);
    uint64_t type = wire_get_uint(&r, UINT64_MAX);

    if (r.err != SIGNET_OK)
        return r.err;
    if (!type_exists(type))
        return SIGNET_ERR_FORMAT;
    m.type = (enum relay_type)type;
    if (count != 1 + field_count(m.type))
        return SIGNET_ERR_FORMAT;
    for (size_t i = 0; i + 1 < count; i++)
        read_field(&r, shapes[m.type][i], &m);
    if (r.err != SIGNET_OK)
        return r.err;
    *message_out = m;
    *rest_out = r.in;
    return SIGNET_OK;
}

/* ---- writing ---- */

/* What the reader would refuse is not written. */
static void require(struct wire_writer *w, bool holds)
{
    if (w->err == SIGNET_OK && !holds)
        w->err = SIGNET_ERR_ARGUMENT;
}

static void write_uint(struct wire_writer *w, uint64_t value, uint64_t max)
{
    require(w, value <= max);
    wire_put_uint(w, value);
}

static void write_bytes(struct wire_writer *w, signet_span bytes, size_t min, size_t max)
{
    require(w, bytes.len >= min && bytes.len <= max);
    wire_put_bytes(w, bytes);
}

static void write_name(struct wire_writer *w, signet_span name)
{
    require(w, name.len >= 1 && name.len <= RELAY_NAME_MAX);
    wire_put_text(w, name);
}

/* Strings of 32 bytes, given one after the other. */
static void write_strings(struct wire_writer *w, signet_span strings, size_t min, size_t max)
{
    size_t count = strings.len / RELAY_PREKEY_LEN;

    require(w, strings.len % RELAY_PREKEY_LEN == 0 && count >= min && count <= max);
    if (w->err != SIGNET_OK)
        return;
    wire_put_array(w, count);
    for (size_t i = 0; i < count; i++)
        wire_put_bytes(w, signet_span_of(strings.ptr + i * RELAY_PREKEY_LEN, RELAY_PREKEY_LEN));
}

static void write_prekey(struct wire_writer *w, const struct relay_message *m)
{
    if (!m->has_prekey) {
        wire_put_null(w);
        return;
    }
    wire_put_array(w, 3);
    write_uint(w, m->prekey.index, RELAY_PREKEYS_MAX - 1);
    write_bytes(w, m->prekey.key, RELAY_PREKEY_LEN, RELAY_PREKEY_LEN);
    write_strings(w, m->prekey.path, 0, RELAY_PATH_MAX);
}

static void write_acks(struct wire_writer *w, const struct relay_message *m)
{
    require(w, m->ack_count >= 1 && m->ack_count <= RELAY_ACKS_MAX);
    if (w->err != SIGNET_OK)
        return;
    wire_put_array(w, m->ack_count);
    for (size_t i = 0; i < m->ack_count; i++)
        wire_put_uint(w, m->ack_ids[i]);
}

static void write_field(struct wire_writer *w, enum field field, const struct relay_message *m)
{
    switch (field) {
    case NO_FIELD: break;
    case REQ: wire_put_uint(w, m->req); break;
    case TOKEN:
        require(w, m->token.len == 0 || m->token.len == RELAY_TOKEN_LEN);
        wire_put_bytes(w, m->token);
        break;
    case NAME: write_name(w, m->name); break;
    case WHO:
        if (m->name.len > 0)
            write_name(w, m->name);
        else
            wire_put_id(w, &m->id);
        break;
    case ID: wire_put_id(w, &m->id); break;
    case CARD: write_bytes(w, m->card, 1, RELAY_CARD_MAX); break;
    case PROOF: write_bytes(w, m->proof, 1, RELAY_PROOF_MAX); break;
    case BUNDLE_OR_NULL:
        if (m->bundle.len == 0)
            wire_put_null(w);
        else
            write_bytes(w, m->bundle, 1, RELAY_BUNDLE_MAX);
        break;
    case BUNDLE: write_bytes(w, m->bundle, 1, RELAY_BUNDLE_MAX); break;
    case KEYS: write_strings(w, m->keys, 1, RELAY_PREKEYS_MAX); break;
    case PREKEY_OR_NULL: write_prekey(w, m); break;
    case ENVELOPE: write_bytes(w, m->envelope, 1, RELAY_ENVELOPE_MAX); break;
    case MESSAGE: wire_put_uint(w, m->message); break;
    case ACKS: write_acks(w, m); break;
    case NONCE: write_bytes(w, m->nonce, RELAY_NONCE_LEN, RELAY_NONCE_LEN); break;
    case CODE: wire_put_uint(w, m->code); break;
    case RETRY_AFTER: wire_put_uint(w, m->retry_after_ms); break;
    case TIME: write_uint(w, m->time_ms, TIME_MAX_MS); break;
    case ONE_TIME_LEFT: write_uint(w, m->one_time_left, RELAY_PREKEYS_MAX); break;
    }
}

enum signet_err relay_message_write(const struct relay_message *message, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);
    size_t count;

    if (!type_exists(message->type))
        return SIGNET_ERR_ARGUMENT;
    count = field_count(message->type);
    wire_put_array(&w, 1 + count);
    wire_put_uint(&w, message->type);
    for (size_t i = 0; i < count; i++)
        write_field(&w, shapes[message->type][i], message);
    return wire_writer_finish(&w);
}

/* ---- the items of what was read ---- */

bool relay_ack_next(struct relay_message *ack, uint64_t *id_out)
{
    struct wire_reader r = wire_reader(ack->acks);
    uint64_t id;

    if (ack->acks.len == 0)
        return false;
    id = wire_get_uint(&r, UINT64_MAX);
    if (r.err != SIGNET_OK)
        return false;
    ack->acks = r.in;
    *id_out = id;
    return true;
}

enum signet_err relay_keys_copy(const struct relay_message *put_bundle, struct signet_buf *out)
{
    struct wire_reader r = wire_reader(put_bundle->keys);
    enum signet_err err = signet_buf_reserve(out, put_bundle->key_count * RELAY_PREKEY_LEN);

    for (size_t i = 0; i < put_bundle->key_count && err == SIGNET_OK; i++)
        err = signet_buf_append(out, wire_get_bytes(&r, RELAY_PREKEY_LEN, RELAY_PREKEY_LEN));
    return err;
}

size_t relay_path_copy(const struct relay_message *prekeys, struct signet_id path[RELAY_PATH_MAX])
{
    struct wire_reader r = wire_reader(prekeys->prekey.path);
    size_t count = 0;

    while (r.in.len > 0 && count < RELAY_PATH_MAX)
        wire_get_id(&r, &path[count++]);
    return count;
}
