/* Allocations that fail on demand (failing_memory.h). */
#include "tests/support/failing_memory.h"

#include <stdlib.h>

#include <openssl/crypto.h>

static long left = -1; /* allocations still to succeed; negative: all do */
static bool applies = true;

bool failing_memory_fails_now(void)
{
    return applies && left >= 0 && left-- == 0;
}

void failing_memory_start(long count)
{
    left = count;
}

bool failing_memory_stop(void)
{
    bool has_failed = left < 0;

    left = -1;
    return has_failed;
}

void failing_memory_apply(bool does_apply)
{
    applies = does_apply;
}

/* -Wl,--wrap: our own calls come here. */
void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__real_realloc(void *old, size_t len);
void *__wrap_realloc(void *old, size_t len);

void *__wrap_malloc(size_t len)
{
    return failing_memory_fails_now() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t len)
{
    return failing_memory_fails_now() ? NULL : __real_calloc(count, len);
}

void *__wrap_realloc(void *old, size_t len)
{
    return failing_memory_fails_now() ? NULL : __real_realloc(old, len);
}

static void *openssl_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(len);
}

static void *openssl_realloc(void *old, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(old, len);
}

static void openssl_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

bool failing_memory_take_openssl(void)
{
    return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}
