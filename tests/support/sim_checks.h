/* What several tests of the engine do with a simulation, and look at. */
#ifndef TESTS_SIM_CHECKS_H
#define TESTS_SIM_CHECKS_H

#include "tests/support/simulation.h"

#include <stdlib.h>

static inline void restart(struct sim_client *client)
{
    sim_start(client);
    sim_subscribe(client);
    sim_connect(client);
    sim_run(client->sim);
}

static inline enum signet_err count_line(void *ctx, uint64_t number, signet_span value)
{
    (void)number;
    (void)value;
    ++*(size_t *)ctx;
    return SIGNET_OK;
}

/* How many envelopes were refused whose sender is not known. */
static inline size_t refused(struct sim_client *client)
{
    static const struct signet_id nobody;
    struct record_source source = memory_records_source(client->records);
    struct record_key key = {RECORD_MESSAGE, signet_id_span(&nobody), 0};
    size_t count = 0;

    CHECK_OK(source.scan(source.ctx, &key, count_line, &count));
    return count;
}

/* A message each way arrives, and nothing is said against it. */
static inline void check_both_ways(struct sim_client *alice, struct sim_client *bob)
{
    size_t accepted = alice->accepted, received = alice->received;
    char *history;

    sim_send(alice, "bob", "there");
    sim_run(alice->sim);
    CHECK(alice->accepted == accepted + 1);
    sim_send(bob, "alice", "and back");
    sim_run(alice->sim);
    CHECK(alice->received == received + 1);
    CHECK(refused(alice) == 0 && refused(bob) == 0);
    history = sim_history(bob, alice, false);
    CHECK(strstr(history, "fork") == NULL && strstr(history, "unknown") == NULL);
    free(history);
}

#endif
