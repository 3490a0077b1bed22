/*
 * Alice and bob at the relay's core: two accounts, made once for a test program, and two clients of
 * theirs that are logged in. For tests in which one writes to the other.
 */
#ifndef TESTS_CORE_PAIR_H
#define TESTS_CORE_PAIR_H

#include "tests/support/core_rig.h"

/* Costly, so made once: by one of the functions below. */
extern struct signet_library *library;
extern struct signet_account *alice, *bob;

/* For cmocka's groups: the accounts are of CORE_RIG_START_MS. The state is left alone. */
int core_accounts_make(void **state);
int core_accounts_free(void **state);
/* The same for those who have a real clock. */
void core_accounts_make_at(uint64_t now_ms);

struct core_pair {
    struct core_rig rig;
    struct core_client alice, bob;
};

/* Alice on worker 0 and bob on worker 1, both logged in, over a store in memory. */
void core_pair_open(struct core_pair *pair);
/* The same at a rig that is open: alice on worker 0, bob on that one. */
void core_pair_join(struct core_pair *pair, uint32_t worker);
void core_pair_close(struct core_pair *pair);
/* Alice writes to bob; it must be accepted. */
void core_pair_put(struct core_pair *pair, const char *text);

#endif
