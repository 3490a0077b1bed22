/*
 * A growing run of bytes: the one way in which signet's functions give output.
 *
 * Zero-initialise ({0}) and free with signet_buf_free. Functions append; after an error the
 * contents are as before the call, unless they say otherwise. Growing copies, wipes the old block
 * and frees it, and free wipes too: a buffer may hold secrets.
 */
#ifndef SIGNET_BUFFER_H
#define SIGNET_BUFFER_H

#include <signet/error.h>
#include <signet/span.h>

SIGNET_C_BEGIN

struct signet_buf {
    uint8_t *ptr;
    size_t len;      /* bytes in use */
    size_t capacity; /* bytes allocated */
};

/* Make room for `more` further bytes. Errors: NOMEM. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_buf_reserve(struct signet_buf *buf, size_t more);

/* Append the bytes. Errors: NOMEM. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_buf_append(
    struct signet_buf *buf, signet_span bytes);

/* Append `count` bytes of value `byte`. Errors: NOMEM. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_buf_fill(
    struct signet_buf *buf, uint8_t byte, size_t count);

/* Drop the first `count` bytes (at most all of them); the rest moves to the front. */
SIGNET_API void signet_buf_consume(struct signet_buf *buf, size_t count);

/* Shorten to `len` bytes, wiping what is dropped; no effect where it is not longer. */
SIGNET_API void signet_buf_truncate(struct signet_buf *buf, size_t len);

/* Wipe, free and zero; a zero-initialised buffer is fine, and so is NULL. */
SIGNET_API void signet_buf_free(struct signet_buf *buf);

/* The bytes in use, borrowed until the buffer changes. */
static inline signet_span signet_buf_span(const struct signet_buf *buf)
{
    return signet_span_of(buf->ptr, buf->len);
}

SIGNET_C_END

#endif
