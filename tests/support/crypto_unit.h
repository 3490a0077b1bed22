/* For tests of what stands on lib/crypto: one library per test program, bytes written as hex. */
#ifndef TESTS_CRYPTO_UNIT_H
#define TESTS_CRYPTO_UNIT_H

#include "tests/support/unit.h"

#include <signet/library.h>

#include "base/hex.h"

#define CHECK_HEX(span, text) check_hex((span), (text), __FILE__, __LINE__)

/* Group set-up and tear-down: *state is the library. */
static inline int library_setup(void **state)
{
    struct signet_library *library = NULL;

    if (signet_library_new(NULL, &library) != SIGNET_OK)
        return -1;
    *state = library;
    return 0;
}

static inline int library_teardown(void **state)
{
    signet_library_free((struct signet_library *)*state);
    return 0;
}

/* The bytes that `text` spells; free with signet_buf_free. */
static inline struct signet_buf from_hex(const char *text)
{
    struct signet_buf bytes = {0};

    CHECK_OK(hex_decode(text, &bytes));
    return bytes;
}

static inline void check_hex(signet_span span, const char *text, const char *file, int line)
{
    struct signet_buf wanted = from_hex(text);

    if (!signet_span_equal(span, signet_buf_span(&wanted)))
        _fail(file, line);
    signet_buf_free(&wanted);
}

#endif
