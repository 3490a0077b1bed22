/*
 * The client's records in memory: for simulations, and as the measure of what a store must do.
 *
 * A copy of it is what a crash leaves behind: memory_records_copy at any moment, go on with the
 * copy.
 */
#ifndef TESTS_MEMORY_RECORDS_H
#define TESTS_MEMORY_RECORDS_H

#include "engine/records.h"

struct memory_records;

/* NULL: out of memory. */
struct memory_records *memory_records_new(void);
struct memory_records *memory_records_copy(const struct memory_records *records);
/* NULL is fine. */
void memory_records_free(struct memory_records *records);

/* Reads from the records as they are then, until they are freed. */
struct record_source memory_records_source(struct memory_records *records);

/* Make all changes, or none. Errors: IO (where told to fail), NOMEM. */
SIGNET_MUST_USE enum signet_err memory_records_commit(
    struct memory_records *records, const struct record_batch *batch);

/* Let the commit after `count` further ones fail with IO, once. */
void memory_records_fail_after(struct memory_records *records, size_t count);

/* From now on, reading a record of that kind fails as if the machine had, with this error;
 * SIGNET_OK: it works. */
void memory_records_break(
    struct memory_records *records, enum record_kind kind, enum signet_err err);

/* Damage all records of a kind, until they are written again; returns how many there are. */
size_t memory_records_damage(struct memory_records *records, enum record_kind kind);

/* Delete all records of a kind; returns how many there were. */
size_t memory_records_remove(struct memory_records *records, enum record_kind kind);

size_t memory_records_count(const struct memory_records *records);

#endif
