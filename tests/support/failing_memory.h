/*
 * Memory that fails on demand: the n-th allocation, of our code and of OpenSSL. A program that uses
 * this is linked with failing_memory_link (tests/fault/meson.build).
 */
#ifndef TESTS_FAILING_MEMORY_H
#define TESTS_FAILING_MEMORY_H

#include <stdbool.h>

/* Let OpenSSL allocate here too; false: it has begun to already. Nothing fails yet. */
bool failing_memory_take_openssl(void);

/* Let `count` allocations succeed from now on, and fail the one after them. */
void failing_memory_start(long count);
/* All succeed again. Returns whether one has failed. */
bool failing_memory_stop(void);

/* Only what allocates meanwhile counts; so it is at first. */
void failing_memory_apply(bool does_apply);

/* For allocators of others: must this one fail? */
bool failing_memory_fails_now(void);

#endif
