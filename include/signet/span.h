/*
 * A borrowed run of bytes: the one way in which signet's functions take input.
 *
 * A span owns nothing. It is valid as long as what it points into. An empty span may have a NULL
 * pointer. Output goes to a struct signet_buf (buffer.h), never to a span.
 */
#ifndef SIGNET_SPAN_H
#define SIGNET_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <signet/attributes.h>

SIGNET_C_BEGIN

typedef struct signet_span {
    const uint8_t *ptr;
    size_t len; /* bytes */
} signet_span;

static inline signet_span signet_span_of(const void *ptr, size_t len)
{
    signet_span span = {(const uint8_t *)ptr, len};

    return span;
}

/* The characters of a C string, without its terminating zero; NULL gives the empty span. */
SIGNET_API signet_span signet_span_str(const char *text);

/* Equal length and bytes. Not constant-time: for public values only. */
SIGNET_API bool signet_span_equal(signet_span a, signet_span b);

/* The bytes from `from` on; empty where `from` is beyond the end. */
SIGNET_API signet_span signet_span_from(signet_span span, size_t from);

SIGNET_C_END

#endif
