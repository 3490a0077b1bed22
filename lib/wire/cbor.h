/*
 * Canonical CBOR: RFC 8949, section 4.2.1 (core deterministic encoding), and of that only unsigned
 * and negative integers, byte and text strings, arrays, maps, tags and null.
 *
 * Reader and writer keep their first error, so that a codec reads as the structure it codes: call
 * one after the other, ask once at the end. A failed reader yields zeros and empty spans; decide
 * nothing before cbor_reader_finish. Spans read borrow from the input. Every string and array has
 * a ceiling given by the caller; nothing is ever allocated from a length that the input claims.
 */
#ifndef WIRE_CBOR_H
#define WIRE_CBOR_H

#include <signet/buffer.h>
#include <signet/id.h>

enum { CBOR_DEPTH_MAX = 16 };

/* ---- writing ---- */

struct cbor_writer {
    struct signet_buf *out;
    size_t start;        /* out->len at the beginning: where an error returns to */
    enum signet_err err; /* the first one */
};

/* A writer that appends to `out`. */
struct cbor_writer cbor_writer(struct signet_buf *out);
void cbor_put_uint(struct cbor_writer *w, uint64_t value);
/* A negative integer: value is -1..INT64_MIN. */
void cbor_put_negative(struct cbor_writer *w, int64_t value);
void cbor_put_bytes(struct cbor_writer *w, signet_span bytes);
/* FORMAT where it is not UTF-8. */
void cbor_put_text(struct cbor_writer *w, signet_span text);
void cbor_put_id(struct cbor_writer *w, const struct signet_id *id);
void cbor_put_array(struct cbor_writer *w, size_t count);
/* Keys must then be put in canonical order by the caller. */
void cbor_put_map(struct cbor_writer *w, size_t pair_count);
void cbor_put_tag(struct cbor_writer *w, uint64_t tag);
void cbor_put_null(struct cbor_writer *w);
/* Bytes that are canonical CBOR already. */
void cbor_put_encoded(struct cbor_writer *w, signet_span encoded);
/* The head of a byte string whose `len` bytes the caller will append to the buffer itself. */
void cbor_put_bytes_head(struct cbor_writer *w, size_t len);
/* The first error; after one, the buffer is as it was when the writer was made. */
SIGNET_MUST_USE enum signet_err cbor_writer_finish(struct cbor_writer *w);

/* ---- reading ---- */

struct cbor_reader {
    signet_span in;      /* what is left */
    enum signet_err err; /* the first one: FORMAT or LIMIT */
};

enum cbor_kind {
    CBOR_END, /* no input left, or a failed reader */
    CBOR_UINT,
    CBOR_NEGATIVE,
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_MAP,
    CBOR_TAG,
    CBOR_NULL,
    CBOR_OTHER, /* what signet does not speak */
};

struct cbor_reader cbor_reader(signet_span in);
/* The kind of the next item, without reading it. */
enum cbor_kind cbor_peek(const struct cbor_reader *r);
/* LIMIT where the value is above max. */
uint64_t cbor_get_uint(struct cbor_reader *r, uint64_t max);
int64_t cbor_get_negative(struct cbor_reader *r);
/* min..max bytes; LIMIT above max, FORMAT below min. */
signet_span cbor_get_bytes(struct cbor_reader *r, size_t min, size_t max);
/* min..max bytes of valid UTF-8. */
signet_span cbor_get_text(struct cbor_reader *r, size_t min, size_t max);
void cbor_get_id(struct cbor_reader *r, struct signet_id *id_out);
/* An array of min..max items; returns how many. */
size_t cbor_get_array(struct cbor_reader *r, size_t min, size_t max);
/* A map of exactly that many pairs. The caller reads the keys one by one with the expect calls,
 * in canonical order: any other order, key or duplicate then fails. */
void cbor_expect_map(struct cbor_reader *r, size_t pair_count);
void cbor_expect_array(struct cbor_reader *r, size_t count);
void cbor_expect_tag(struct cbor_reader *r, uint64_t tag);
void cbor_expect_uint(struct cbor_reader *r, uint64_t value);
void cbor_expect_negative(struct cbor_reader *r, int64_t value);
void cbor_expect_text(struct cbor_reader *r, const char *text);
/* True, and read past it, where the next item is null. */
bool cbor_get_null(struct cbor_reader *r);
/* Read one whole item of any accepted kind, checked to be canonical (map keys in order, depth at
 * most CBOR_DEPTH_MAX), and return its bytes: at most max, LIMIT above. */
signet_span cbor_get_item(struct cbor_reader *r, size_t max);
/* Fail with `err`, unless there is an error already: for checks of the caller's own. */
void cbor_reader_fail(struct cbor_reader *r, enum signet_err err);
/* The first error; FORMAT where bytes are left over. */
SIGNET_MUST_USE enum signet_err cbor_reader_finish(const struct cbor_reader *r);

#endif
