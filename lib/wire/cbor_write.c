/*
 * Writing canonical CBOR (RFC 8949, section 4.2.1): libcbor's encoding calls choose the shortest
 * head; the order of map keys is the caller's.
 */
#include "wire/cbor.h"

#include <cbor.h>

#include "base/utf8.h"

enum { HEAD_MAX = 9 }; /* bytes of the longest head */

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
