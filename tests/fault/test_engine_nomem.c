/*
 * client/engine: the n-th allocation fails, for every n, in every message of the relay in a short
 * conversation. The call says so and the engine can be freed: nothing is freed twice or used after
 * (AddressSanitizer). Each attempt runs in a process of its own, because a failed engine is lost.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IS_DONE = 10, IS_OUT_OF_MEMORY = 11, IS_WRONG = 12 };

static long left = -1; /* allocations still to succeed; negative: all do */

static bool fails_now(void)
{
    return left >= 0 && left-- == 0;
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
    return fails_now() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t len)
{
    return fails_now() ? NULL : __real_calloc(count, len);
}

void *__wrap_realloc(void *old, size_t len)
{
    return fails_now() ? NULL : __real_realloc(old, len);
}

/* In the child: returns how it ends. */
static int attempt(struct sim_client *client, long succeed)
{
    struct engine_output output = {0};
    enum signet_err err;

    left = succeed;
    err = engine_receive(client->engine, signet_buf_span(&client->connection.inbox),
        client->sim->rig.wall_ms, &output);
    left = -1;
    engine_output_clear(&output);
    engine_free(client->engine);
    if (err == SIGNET_OK)
        return IS_DONE;
    return err == SIGNET_ERR_NOMEM ? IS_OUT_OF_MEMORY : IS_WRONG;
}

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
        CHECK(WEXITSTATUS(status) == IS_OUT_OF_MEMORY);
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
    simulation_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_failed_allocation_harms_more_than_its_call),
    };

    return cmocka_run_group_tests_name("engine_nomem", tests, NULL, NULL);
}
