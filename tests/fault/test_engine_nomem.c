/*
 * engine/: the n-th allocation fails, for every n, in every message of the relay in a short
 * conversation. The call says so, or goes on without the message that found no memory, and the
 * engine can be freed: nothing is freed twice or used after
 * (AddressSanitizer). Each attempt runs in a process of its own, because a failed engine is lost.
 */
#include "tests/support/simulation.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/failing_memory.h"

enum { IS_DONE = 10, IS_OUT_OF_MEMORY = 11, IS_WRONG = 12, HAS_GONE_ON = 13 };

static bool is_delivery(signet_span inbox)
{
    struct relay_message message;

    return relay_message_read(inbox, &message, &inbox) == SIGNET_OK &&
           message.type == RELAY_DELIVER;
}

/* A message for which there was no memory waits at the relay, and is taken when it comes again. */
static bool comes_again(struct sim_client *client, struct engine_output *output)
{
    signet_span inbox = signet_buf_span(&client->connection.inbox);
    enum signet_err err;

    if (!is_delivery(inbox))
        return true;
    if (output->first_frame != NULL ||
        memory_records_commit(client->records, &output->changes) != SIGNET_OK)
        return false;
    engine_output_clear(output);
    err = engine_receive(client->engine, inbox, client->sim->rig.wall_ms, output);
    return err == SIGNET_OK && output->first_frame != NULL;
}

/* In the child: returns how it ends. */
static int attempt(struct sim_client *client, long succeed)
{
    struct engine_output output = {0};
    bool has_failed;
    enum signet_err err;

    failing_memory_start(succeed);
    err = engine_receive(client->engine, signet_buf_span(&client->connection.inbox),
        client->sim->rig.wall_ms, &output);
    has_failed = failing_memory_stop();
    if (err == SIGNET_OK && has_failed && !comes_again(client, &output))
        err = SIGNET_ERR_STATE;
    engine_output_clear(&output);
    engine_free(client->engine);
    if (err == SIGNET_OK)
        return has_failed ? HAS_GONE_ON : IS_DONE;
    return err == SIGNET_ERR_NOMEM ? IS_OUT_OF_MEMORY : IS_WRONG;
}

static size_t gone_on; /* failures that did not end the call */

/* Returns how many allocations the call makes. */
static long sweep(struct sim_client *client)
{
    for (long succeed = 0;; succeed++) {
        pid_t child = fork();
        int status = 0;

        CHECK(child >= 0);
        if (child == 0)
            _exit(attempt(client, succeed));
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
        if (WEXITSTATUS(status) == IS_DONE)
            return succeed;
        CHECK(WEXITSTATUS(status) == IS_OUT_OF_MEMORY || WEXITSTATUS(status) == HAS_GONE_ON);
        gone_on += WEXITSTATUS(status) == HAS_GONE_ON;
    }
}

/* Let everything happen, each step after all of its failures. */
static long run(struct simulation *sim)
{
    long count = 0;

    do {
        core_rig_turn(&sim->rig);
        for (size_t i = 0; i < sim->client_count; i++) {
            if (sim->clients[i].connection.inbox.len > 0)
                count += sweep(&sim->clients[i]);
        }
    } while (sim_step(sim));
    return count;
}

static void no_failed_allocation_harms_more_than_its_call(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 400);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(alice, "bob", "one");
    CHECK(run(&sim) > 100);
    sim_send(bob, "alice", "two");
    CHECK(run(&sim) > 50);
    CHECK(alice->received == 1 && bob->received == 1);
    CHECK(gone_on > 20); /* a message costs at most itself */
    simulation_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_failed_allocation_harms_more_than_its_call),
    };

    return cmocka_run_group_tests_name("engine_nomem", tests, NULL, NULL);
}
