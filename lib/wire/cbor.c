/*
 * Canonical CBOR (RFC 8949, section 4.2.1) over libcbor's streaming decoder and encoding calls.
 *
 * libcbor splits bytes into tokens; what is added here makes every value have one encoding: the
 * shortest head, definite lengths, UTF-8, map keys in order, nothing but the kinds of cbor.h.
 */
#include "wire/cbor.h"

#include <string.h>

#include <cbor.h>

#include "base/utf8.h"

enum { HEAD_MAX = 9 }; /* bytes of the longest head */

/* ---- tokens: libcbor calls back exactly once for each ---- */

struct token {
    enum wire_kind kind;
    uint64_t value;      /* integer, length, count or tag; of a negative integer: -1 - itself */
    const uint8_t *data; /* of a string */
};

static void set(void *context, enum wire_kind kind, uint64_t value)
{
    struct token *token = (struct token *)context;

    token->kind = kind;
    token->value = value;
}

static void on_uint8(void *context, uint8_t value)
{
    set(context, WIRE_UINT, value);
}

static void on_uint16(void *context, uint16_t value)
{
    set(context, WIRE_UINT, value);
}

static void on_uint32(void *context, uint32_t value)
{
    set(context, WIRE_UINT, value);
}

static void on_uint64(void *context, uint64_t value)
{
    set(context, WIRE_UINT, value);
}

static void on_negint8(void *context, uint8_t value)
{
    set(context, WIRE_NEGATIVE, value);
}

static void on_negint16(void *context, uint16_t value)
{
    set(context, WIRE_NEGATIVE, value);
}

static void on_negint32(void *context, uint32_t value)
{
    set(context, WIRE_NEGATIVE, value);
}

static void on_negint64(void *context, uint64_t value)
{
    set(context, WIRE_NEGATIVE, value);
}

static void on_bytes(void *context, cbor_data data, size_t len)
{
    set(context, WIRE_BYTES, len);
    ((struct token *)context)->data = data;
}

static void on_text(void *context, cbor_data data, size_t len)
{
    set(context, WIRE_TEXT, len);
    ((struct token *)context)->data = data;
}

static void on_array(void *context, size_t count)
{
    set(context, WIRE_ARRAY, count);
}

static void on_map(void *context, size_t pair_count)
{
    set(context, WIRE_MAP, pair_count);
}

static void on_tag(void *context, uint64_t tag)
{
    set(context, WIRE_TAG, tag);
}

static void on_null(void *context)
{
    set(context, WIRE_NULL, 0);
}

/* Indefinite lengths, breaks, floats and other simple values stay WIRE_OTHER. */
static void on_other(void *context)
{
    (void)context;
}

static void on_other_bool(void *context, bool value)
{
    (void)context;
    (void)value;
}

static void on_other_float(void *context, float value)
{
    (void)context;
    (void)value;
}

static void on_other_double(void *context, double value)
{
    (void)context;
    (void)value;
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint8 = on_negint8,
    .negint16 = on_negint16,
    .negint32 = on_negint32,
    .negint64 = on_negint64,
    .byte_string = on_bytes,
    .byte_string_start = on_other,
    .string = on_text,
    .string_start = on_other,
    .array_start = on_array,
    .indef_array_start = on_other,
    .map_start = on_map,
    .indef_map_start = on_other,
    .tag = on_tag,
    .null = on_null,
    .undefined = on_other,
    .boolean = on_other_bool,
    .float2 = on_other_float,
    .float4 = on_other_float,
    .float8 = on_other_double,
    .indef_break = on_other,
};

/* ---- writing ---- */

struct wire_writer wire_writer(struct signet_buf *out)
{
    struct wire_writer w = {out, out->len, SIGNET_OK};

    return w;
}

/* Room for one head; false, and nothing to write, after an error. */
static bool head_room(struct wire_writer *w)
{
    if (w->err == SIGNET_OK)
        w->err = signet_buf_reserve(w->out, HEAD_MAX);
    return w->err == SIGNET_OK;
}

static uint8_t *head_at(const struct wire_writer *w)
{
    return w->out->ptr + w->out->len;
}

void wire_put_uint(struct wire_writer *w, uint64_t value)
{
    if (head_room(w))
        w->out->len += cbor_encode_uint(value, head_at(w), HEAD_MAX);
}

void wire_put_negative(struct wire_writer *w, int64_t value)
{
    if (w->err == SIGNET_OK && value >= 0)
        w->err = SIGNET_ERR_ARGUMENT;
    if (head_room(w))
        w->out->len += cbor_encode_negint((uint64_t)(-1 - value), head_at(w), HEAD_MAX);
}

void wire_put_bytes(struct wire_writer *w, signet_span bytes)
{
    wire_put_bytes_head(w, bytes.len);
    wire_put_encoded(w, bytes);
}

void wire_put_text(struct wire_writer *w, signet_span text)
{
    if (w->err == SIGNET_OK && !utf8_is_valid(text))
        w->err = SIGNET_ERR_FORMAT;
    if (head_room(w))
        w->out->len += cbor_encode_string_start(text.len, head_at(w), HEAD_MAX);
    wire_put_encoded(w, text);
}

void wire_put_id(struct wire_writer *w, const struct signet_id *id)
{
    wire_put_bytes(w, signet_id_span(id));
}

void wire_put_array(struct wire_writer *w, size_t count)
{
    if (head_room(w))
        w->out->len += cbor_encode_array_start(count, head_at(w), HEAD_MAX);
}

void wire_put_map(struct wire_writer *w, size_t pair_count)
{
    if (head_room(w))
        w->out->len += cbor_encode_map_start(pair_count, head_at(w), HEAD_MAX);
}

void wire_put_tag(struct wire_writer *w, uint64_t tag)
{
    if (head_room(w))
        w->out->len += cbor_encode_tag(tag, head_at(w), HEAD_MAX);
}

void wire_put_null(struct wire_writer *w)
{
    if (head_room(w))
        w->out->len += cbor_encode_null(head_at(w), HEAD_MAX);
}

void wire_put_encoded(struct wire_writer *w, signet_span encoded)
{
    if (w->err == SIGNET_OK)
        w->err = signet_buf_append(w->out, encoded);
}

void wire_put_bytes_head(struct wire_writer *w, size_t len)
{
    if (head_room(w))
        w->out->len += cbor_encode_bytestring_start(len, head_at(w), HEAD_MAX);
}

enum signet_err wire_writer_finish(struct wire_writer *w)
{
    if (w->err != SIGNET_OK)
        signet_buf_truncate(w->out, w->start);
    return w->err;
}

/* ---- reading ---- */

struct wire_reader wire_reader(signet_span in)
{
    struct wire_reader r = {in, SIGNET_OK};

    return r;
}

void wire_reader_fail(struct wire_reader *r, enum signet_err err)
{
    if (r->err != SIGNET_OK)
        return;
    r->err = err;
    r->in = signet_span_of(NULL, 0);
}

enum wire_kind wire_peek(const struct wire_reader *r)
{
    static const enum wire_kind major[7] = {
        WIRE_UINT, WIRE_NEGATIVE, WIRE_BYTES, WIRE_TEXT, WIRE_ARRAY, WIRE_MAP, WIRE_TAG};
    uint8_t first;

    if (r->in.len == 0)
        return WIRE_END;
    first = r->in.ptr[0];
    if (first == 0xf6)
        return WIRE_NULL;
    if (first >= 0xe0 || (first & 0x1f) > 27)
        return WIRE_OTHER;
    return major[first >> 5];
}

/* How many bytes the shortest head of a value has. */
static size_t head_len(uint64_t value)
{
    if (value < 24)
        return 1;
    if (value <= UINT8_MAX)
        return 2;
    if (value <= UINT16_MAX)
        return 3;
    return value <= UINT32_MAX ? 5 : HEAD_MAX;
}

/* Read one token; a container's items, and what a tag stands before, are still to come then. */
static bool next(struct wire_reader *r, struct token *token)
{
    struct cbor_decoder_result got;
    size_t len;

    token->kind = WIRE_OTHER;
    token->value = 0;
    token->data = NULL;
    if (r->err != SIGNET_OK)
        return false;
    got = cbor_stream_decode(r->in.ptr, r->in.len, &callbacks, token);
    if (got.status != CBOR_DECODER_FINISHED || token->kind == WIRE_OTHER)
        goto malformed;
    len = head_len(token->value);
    if (token->data != NULL)
        len += (size_t)token->value;
    if (got.read != len)
        goto malformed;
    if (token->kind == WIRE_TEXT &&
        !utf8_is_valid(signet_span_of(token->data, (size_t)token->value)))
        goto malformed;
    r->in = signet_span_from(r->in, got.read);
    return true;

malformed:
    wire_reader_fail(r, SIGNET_ERR_FORMAT);
    return false;
}

/* Read one token of that kind, and return its value: 0 after an error. */
static uint64_t next_value(struct wire_reader *r, enum wire_kind kind)
{
    struct token token;

    if (!next(r, &token))
        return 0;
    if (token.kind == kind)
        return token.value;
    wire_reader_fail(r, SIGNET_ERR_FORMAT);
    return 0;
}

static void expect_value(struct wire_reader *r, enum wire_kind kind, uint64_t value)
{
    if (next_value(r, kind) != value)
        wire_reader_fail(r, SIGNET_ERR_FORMAT);
}

static signet_span next_string(struct wire_reader *r, enum wire_kind kind, size_t min, size_t max)
{
    struct token token;

    if (!next(r, &token))
        return signet_span_of(NULL, 0);
    if (token.kind != kind || token.value < min)
        wire_reader_fail(r, SIGNET_ERR_FORMAT);
    else if (token.value > max)
        wire_reader_fail(r, SIGNET_ERR_LIMIT);
    if (r->err != SIGNET_OK)
        return signet_span_of(NULL, 0);
    return signet_span_of(token.data, (size_t)token.value);
}

uint64_t wire_get_uint(struct wire_reader *r, uint64_t max)
{
    uint64_t value = next_value(r, WIRE_UINT);

    if (value <= max)
        return value;
    wire_reader_fail(r, SIGNET_ERR_LIMIT);
    return 0;
}

int64_t wire_get_negative(struct wire_reader *r)
{
    uint64_t value = next_value(r, WIRE_NEGATIVE);

    if (value > INT64_MAX)
        wire_reader_fail(r, SIGNET_ERR_LIMIT);
    return r->err == SIGNET_OK ? -1 - (int64_t)value : 0;
}

signet_span wire_get_bytes(struct wire_reader *r, size_t min, size_t max)
{
    return next_string(r, WIRE_BYTES, min, max);
}

signet_span wire_get_text(struct wire_reader *r, size_t min, size_t max)
{
    return next_string(r, WIRE_TEXT, min, max);
}

void wire_get_id(struct wire_reader *r, struct signet_id *id_out)
{
    signet_span bytes = next_string(r, WIRE_BYTES, 0, SIZE_MAX);

    if (signet_id_read(bytes, id_out) == SIGNET_OK)
        return;
    memset(id_out, 0, sizeof(*id_out));
    wire_reader_fail(r, SIGNET_ERR_FORMAT);
}

size_t wire_get_array(struct wire_reader *r, size_t min, size_t max)
{
    uint64_t count = next_value(r, WIRE_ARRAY);

    if (count > max)
        wire_reader_fail(r, SIGNET_ERR_LIMIT);
    /* An item has at least one byte: a claimed count must not buy more work than bytes sent. */
    else if (count < min || count > r->in.len)
        wire_reader_fail(r, SIGNET_ERR_FORMAT);
    return r->err == SIGNET_OK ? (size_t)count : 0;
}

void wire_expect_map(struct wire_reader *r, size_t pair_count)
{
    expect_value(r, WIRE_MAP, pair_count);
}

void wire_expect_array(struct wire_reader *r, size_t count)
{
    expect_value(r, WIRE_ARRAY, count);
}

void wire_expect_tag(struct wire_reader *r, uint64_t tag)
{
    expect_value(r, WIRE_TAG, tag);
}

void wire_expect_uint(struct wire_reader *r, uint64_t value)
{
    expect_value(r, WIRE_UINT, value);
}

void wire_expect_negative(struct wire_reader *r, int64_t value)
{
    if (wire_get_negative(r) != value)
        wire_reader_fail(r, SIGNET_ERR_FORMAT);
}

void wire_expect_text(struct wire_reader *r, const char *text)
{
    if (!signet_span_equal(next_string(r, WIRE_TEXT, 0, SIZE_MAX), signet_span_str(text)))
        wire_reader_fail(r, SIGNET_ERR_FORMAT);
}

bool wire_get_null(struct wire_reader *r)
{
    if (wire_peek(r) != WIRE_NULL)
        return false;
    expect_value(r, WIRE_NULL, 0);
    return true;
}

/* ---- whole items ---- */

static void skip_item(struct wire_reader *r, unsigned depth);

/* RFC 8949, section 4.2.1: bytewise order of the keys' encodings, which also finds duplicates. */
static bool is_ascending(signet_span before, signet_span after)
{
    size_t common = before.len < after.len ? before.len : after.len;
    int order = common > 0 ? memcmp(before.ptr, after.ptr, common) : 0;

    return order < 0 || (order == 0 && before.len < after.len);
}

static void skip_pairs(struct wire_reader *r, uint64_t pair_count, unsigned depth)
{
    signet_span previous = {NULL, 0};

    for (uint64_t i = 0; i < pair_count && r->err == SIGNET_OK; i++) {
        signet_span key = r->in;

        skip_item(r, depth);
        if (r->err != SIGNET_OK)
            return;
        key.len -= r->in.len;
        if (!is_ascending(previous, key))
            wire_reader_fail(r, SIGNET_ERR_FORMAT);
        previous = key;
        skip_item(r, depth);
    }
}

/* `depth` is how many containers and tags the item is in: what bounds the recursion. */
static void skip_item(struct wire_reader *r, unsigned depth)
{
    struct token token;

    if (!next(r, &token))
        return;
    switch (token.kind) {
    case WIRE_ARRAY:
    case WIRE_MAP:
    case WIRE_TAG: break;
    case WIRE_NEGATIVE:
        if (token.value > INT64_MAX)
            wire_reader_fail(r, SIGNET_ERR_LIMIT);
        return;
    default: return;
    }
    if (depth == WIRE_DEPTH_MAX) {
        wire_reader_fail(r, SIGNET_ERR_LIMIT);
        return;
    }
    if (token.kind == WIRE_MAP)
        skip_pairs(r, token.value, depth + 1);
    else if (token.kind == WIRE_TAG)
        skip_item(r, depth + 1);
    else
        for (uint64_t i = 0; i < token.value && r->err == SIGNET_OK; i++)
            skip_item(r, depth + 1);
}

signet_span wire_get_item(struct wire_reader *r, size_t max)
{
    signet_span item = r->in;

    skip_item(r, 0);
    if (r->err != SIGNET_OK)
        return signet_span_of(NULL, 0);
    item.len -= r->in.len;
    if (item.len <= max)
        return item;
    wire_reader_fail(r, SIGNET_ERR_LIMIT);
    return signet_span_of(NULL, 0);
}

enum signet_err wire_reader_finish(const struct wire_reader *r)
{
    if (r->err != SIGNET_OK)
        return r->err;
    return r->in.len == 0 ? SIGNET_OK : SIGNET_ERR_FORMAT;
}
