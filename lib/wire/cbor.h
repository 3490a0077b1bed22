/*
 * Canonical CBOR: RFC 8949, section 4.2.1 (core deterministic encoding), and of that only unsigned
 * and negative integers, byte and text strings, arrays, maps, tags and null.
 *
 * Reader and writer keep their first error, so that a codec reads as the structure it codes: call
 * one after the other, ask once at the end. A failed reader yields zeros and empty spans; decide
 * nothing before wire_reader_finish. Spans read borrow from the input. Every string and array has
 * a ceiling given by the caller; nothing is ever allocated from a length that the input claims.
 *
 * The names begin with wire_, because libcbor's own begin with cbor_.
 */
#ifndef WIRE_CBOR_H
#define WIRE_CBOR_H

#include <signet/buffer.h>
#include <signet/id.h>

enum { WIRE_DEPTH_MAX = 16 };

/* ---- writing ---- */

struct wire_writer {
    struct signet_buf *out;
    size_t start;        /* out->len at the beginning: where an error returns to */
    enum signet_err err; /* the first one */
};

/* A writer that appends to `out`. */
struct wire_writer wire_writer(struct signet_buf *out);
void wire_put_uint(struct wire_writer *w, uint64_t value);
/* A negative integer: -1..INT64_MIN; ARGUMENT where it is not negative. */
void wire_put_negative(struct wire_writer *w, int64_t value);
void wire_put_bytes(struct wire_writer *w, signet_span bytes);
/* FORMAT where it is not UTF-8. */
void wire_put_text(struct wire_writer *w, signet_span text);
void wire_put_id(struct wire_writer *w, const struct signet_id *id);
void wire_put_array(struct wire_writer *w, size_t count);
/* Keys must then be put in canonical order by the caller. */
void wire_put_map(struct wire_writer *w, size_t pair_count);
void wire_put_tag(struct wire_writer *w, uint64_t tag);
void wire_put_null(struct wire_writer *w);
/* Bytes that are canonical CBOR already. */
void wire_put_encoded(struct wire_writer *w, signet_span encoded);
/* The head of a byte string whose `len` bytes the caller will append to the buffer itself. */
void wire_put_bytes_head(struct wire_writer *w, size_t len);
/* The first error; after one, the buffer is as it was when the writer was made. */
SIGNET_MUST_USE enum signet_err wire_writer_finish(struct wire_writer *w);

/* ---- reading ---- */

struct wire_reader {
    signet_span in;      /* what is left */
    enum signet_err err; /* the first one: FORMAT or LIMIT */
};

enum wire_kind {
    WIRE_END, /* no input left, or a failed reader */
    WIRE_UINT,
    WIRE_NEGATIVE,
    WIRE_BYTES,
    WIRE_TEXT,
    WIRE_ARRAY,
    WIRE_MAP,
    WIRE_TAG,
    WIRE_NULL,
    WIRE_OTHER, /* what signet does not speak */
};

struct wire_reader wire_reader(signet_span in);
/* The kind of the next item, without reading it. */
enum wire_kind wire_peek(const struct wire_reader *r);
/* LIMIT where the value is above max. In all calls here FORMAT is another kind of item, or bytes
 * that are not canonical. */
uint64_t wire_get_uint(struct wire_reader *r, uint64_t max);
/* LIMIT below INT64_MIN. */
int64_t wire_get_negative(struct wire_reader *r);
/* min..max bytes; LIMIT above max, FORMAT below min. */
signet_span wire_get_bytes(struct wire_reader *r, size_t min, size_t max);
/* min..max bytes of valid UTF-8. */
signet_span wire_get_text(struct wire_reader *r, size_t min, size_t max);
/* Exactly 32 bytes; zeros after an error. */
void wire_get_id(struct wire_reader *r, struct signet_id *id_out);
/* An array of min..max items; returns how many. */
size_t wire_get_array(struct wire_reader *r, size_t min, size_t max);
/* A map of exactly that many pairs. The caller reads the keys one by one with the expect calls,
 * in canonical order: any other order, key or duplicate then fails. */
void wire_expect_map(struct wire_reader *r, size_t pair_count);
void wire_expect_array(struct wire_reader *r, size_t count);
void wire_expect_tag(struct wire_reader *r, uint64_t tag);
void wire_expect_uint(struct wire_reader *r, uint64_t value);
void wire_expect_negative(struct wire_reader *r, int64_t value);
void wire_expect_text(struct wire_reader *r, const char *text);
/* True, and read past it, where the next item is null. */
bool wire_get_null(struct wire_reader *r);
/* Read one whole item of any accepted kind, checked to be canonical (map keys in order), and
 * return its bytes. LIMIT above max bytes, below INT64_MIN, and where more than WIRE_DEPTH_MAX
 * arrays, maps and tags are inside one another. */
signet_span wire_get_item(struct wire_reader *r, size_t max);
/* Fail with `err`, unless there is an error already: for checks of the caller's own. */
void wire_reader_fail(struct wire_reader *r, enum signet_err err);
/* The first error; FORMAT where bytes are left over. */
SIGNET_MUST_USE enum signet_err wire_reader_finish(const struct wire_reader *r);

#endif
