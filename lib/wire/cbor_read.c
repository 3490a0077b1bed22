/*
 * Reading canonical CBOR (RFC 8949, section 4.2.1): the kinds, ceilings and order that the caller
 * expects, and whole items. That each token has its one encoding is checked in cbor_token.c.
 */
#include "wire/cbor_token.h"

#include <string.h>

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

/* Read one token; a container's items, and what a tag stands before, are still to come then. */
static bool next(struct wire_reader *r, struct wire_token *token)
{
    size_t len;

    if (r->err != SIGNET_OK)
        return false;
    len = wire_token_read(r->in, token);
    if (len == 0) {
        wire_reader_fail(r, SIGNET_ERR_FORMAT);
        return false;
    }
    r->in = signet_span_from(r->in, len);
    return true;
}

/* Read one token of that kind, and return its value: 0 after an error. */
static uint64_t next_value(struct wire_reader *r, enum wire_kind kind)
{
    struct wire_token token;

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
    struct wire_token token;

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
    struct wire_token token;

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
