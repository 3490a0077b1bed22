/*
 * Tokens of canonical CBOR (RFC 8949, section 4.2.1) over libcbor's streaming decoder, which calls
 * back exactly once for each token that it finds whole.
 */
#include "wire/cbor_token.h"

#include <cbor.h>

#include "base/utf8.h"

enum { HEAD_MAX = 9 }; /* bytes of the longest head */

static void set(void *context, enum wire_kind kind, uint64_t value)
{
    struct wire_token *token = (struct wire_token *)context;

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
    ((struct wire_token *)context)->data = data;
}

static void on_text(void *context, cbor_data data, size_t len)
{
    set(context, WIRE_TEXT, len);
    ((struct wire_token *)context)->data = data;
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

size_t wire_token_read(signet_span in, struct wire_token *token)
{
    struct cbor_decoder_result got;
    size_t len;

    token->kind = WIRE_OTHER;
    token->value = 0;
    token->data = NULL;
    /* libcbor 0.8 refuses the unassigned tags of one byte, and COSE_Sign1's 18 with them. */
    if (in.len > 0 && in.ptr[0] >= 0xc0 && in.ptr[0] <= 0xd7) {
        set(token, WIRE_TAG, in.ptr[0] & 0x1f);
        return 1;
    }
    got = cbor_stream_decode(in.ptr, in.len, &callbacks, token);
    if (got.status != CBOR_DECODER_FINISHED || token->kind == WIRE_OTHER)
        return 0;
    len = head_len(token->value);
    if (token->data != NULL)
        len += (size_t)token->value; /* libcbor has seen that many bytes: no overflow */
    if (got.read != len)
        return 0;
    if (token->kind == WIRE_TEXT &&
        !utf8_is_valid(signet_span_of(token->data, (size_t)token->value)))
        return 0;
    return len;
}
