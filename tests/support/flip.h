/* A copy of bytes with one of them changed. */
#ifndef TESTS_FLIP_H
#define TESTS_FLIP_H

#include "tests/support/unit.h"

/* Every bit of byte `at` is the same but one; the caller frees it. */
static inline struct signet_buf flipped(signet_span bytes, size_t at)
{
    struct signet_buf copy = {0};

    CHECK_OK(signet_buf_append(&copy, bytes));
    copy.ptr[at] ^= (uint8_t)(1U << (at % 8));
    return copy;
}

static inline struct signet_buf copy_of(signet_span bytes)
{
    struct signet_buf copy = {0};

    CHECK_OK(signet_buf_append(&copy, bytes));
    return copy;
}

#endif
