/*
 * Relay and clients in one process, without a socket: the relay's core and store, and the clients'
 * engines, driven with bytes and times from one seed.
 */
#include "tests/support/simulation.h"

#include <stdio.h>
#include <stdlib.h>

static void check_history(
    struct sim_client *client, const struct sim_client *peer, bool is_outgoing, const char *wanted)
{
    char *history = sim_history(client, peer, is_outgoing);

    assert_string_equal(history, wanted);
    free(history);
}

/* The mission: two-way, signed, sealed, verified on both sides. */
static void two_clients_talk_both_ways(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 1);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(alice, "bob", "one");
    sim_send(alice, "bob", "two");
    sim_run(&sim);
    sim_send(bob, "alice", "three");
    sim_run(&sim);
    sim_send(alice, "bob", "four");
    sim_run(&sim);
    check_history(bob, alice, false, "one\ntwo\nfour\n");
    check_history(alice, bob, false, "three\n");
    check_history(alice, bob, true, "one\ntwo\nfour\n");
    CHECK(alice->accepted == 3 && bob->accepted == 1 && alice->failed + bob->failed == 0);
    CHECK(engine_is_settled(alice->engine) && engine_is_settled(bob->engine));
    simulation_close(&sim);
}

/* What is sealed is sent again as the same bytes until it is accepted. */
static void a_message_to_somebody_offline_arrives_later(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 2);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_kill(bob);
    sim_send(alice, "bob", "while you were away");
    sim_run(&sim);
    CHECK(alice->accepted == 1);
    sim_start(bob);
    sim_connect(bob);
    sim_run(&sim);
    CHECK(bob->received == 0); /* not subscribed yet */
    {
        struct engine_output output = {0};

        CHECK_OK(engine_subscribe(bob->engine, &output));
        for (struct engine_frame *frame; (frame = engine_output_frame(&output)) != NULL;) {
            core_client_send_bytes(&bob->connection, signet_buf_span(&frame->bytes));
            engine_frame_free(frame);
        }
        engine_output_clear(&output);
    }
    sim_run(&sim);
    check_history(bob, alice, false, "while you were away\n");
    CHECK(bob->drained == 2);
    simulation_close(&sim);
}

/* A draft waits for the connection, also across the end of the process. */
static void a_text_written_offline_is_kept_and_sent(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 3);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(alice, "bob", "first");
    sim_run(&sim);
    sim_disconnect(alice);
    sim_send(alice, "bob", "offline");
    sim_send(alice, "carol", "nobody knows her here");
    CHECK(alice->accepted == 1 && alice->failed == 0);
    sim_connect(alice);
    sim_disconnect(alice);
    CHECK(alice->queued == 1 && alice->failed == 1 && alice->problem == PROBLEM_OFFLINE);
    sim_kill(alice);
    sim_start(alice);
    sim_connect(alice);
    sim_run(&sim);
    check_history(bob, alice, false, "first\noffline\n");
    simulation_close(&sim);
}

static void what_cannot_be_sent_is_named(void **state)
{
    struct simulation sim;
    struct sim_client *alice;
    char *large = malloc(SIGNET_TEXT_MAX + 2);

    (void)state;
    simulation_open(&sim, 4);
    alice = sim_join(&sim, "alice");
    sim_send(alice, "nobody", "text");
    sim_run(&sim);
    CHECK(alice->failed == 1 && alice->problem == PROBLEM_UNKNOWN_NAME);
    sim_send(alice, "alice", "text");
    sim_run(&sim);
    CHECK(alice->failed == 2 && alice->problem == PROBLEM_SELF);
    sim_send(alice, "No Name", "text");
    CHECK(alice->failed == 3 && alice->problem == PROBLEM_BAD_NAME);
    sim_send(alice, "bob", "\xff");
    CHECK(alice->failed == 4 && alice->problem == PROBLEM_TEXT);
    sim_send(alice, "bob", "");
    CHECK(alice->failed == 5 && alice->problem == PROBLEM_TEXT);
    CHECK(large != NULL);
    memset(large, 'x', SIGNET_TEXT_MAX + 1);
    large[SIGNET_TEXT_MAX + 1] = '\0';
    sim_send(alice, "bob", large);
    CHECK(alice->failed == 6 && alice->problem == PROBLEM_TEXT);
    free(large);
    simulation_close(&sim);
}

/* A message of 64 KiB goes through whole, with its init data. */
static void the_largest_text_arrives(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;
    char *large = malloc(SIGNET_TEXT_MAX + 2), *history;

    (void)state;
    CHECK(large != NULL);
    memset(large, 'x', SIGNET_TEXT_MAX);
    large[SIGNET_TEXT_MAX] = '\0';
    simulation_open(&sim, 5);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(alice, "bob", large);
    sim_run(&sim);
    history = sim_history(bob, alice, false);
    CHECK(strlen(history) == SIGNET_TEXT_MAX + 1);
    free(history);
    free(large);
    simulation_close(&sim);
}

/* A commit that fails (a full disk): nothing that depends on it may have left. */
static void nothing_leaves_before_it_is_committed(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;
    uint64_t sent;

    (void)state;
    simulation_open(&sim, 6);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(alice, "bob", "one");
    sim_run(&sim);
    sent = sim.sent_bytes;
    memory_records_fail_after(alice->records, 0);
    sim_send(alice, "bob", "lost with the disk");
    CHECK(alice->commit_failed && alice->engine == NULL && sim.sent_bytes == sent);
    sim_start(alice);
    sim_connect(alice);
    sim_send(alice, "bob", "two");
    sim_run(&sim);
    check_history(bob, alice, false, "one\ntwo\n");
    simulation_close(&sim);
}

/* A store that was set back must not send: its keys were used already. */
static void an_old_copy_of_a_home_refuses_to_send(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;
    struct memory_records *old;

    (void)state;
    simulation_open(&sim, 7);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    old = memory_records_copy(alice->records);
    CHECK(old != NULL);
    /* A week later a new bundle is published. */
    sim_disconnect(alice);
    core_rig_wait(&sim.rig, UINT64_C(8) * 24 * 3600 * 1000);
    sim_connect(alice);
    sim_run(&sim);
    CHECK(alice->ready == 2);
    sim_kill(alice);
    memory_records_free(alice->records);
    alice->records = old;
    sim_start(alice);
    sim_connect(alice);
    sim_send(alice, "bob", "with keys from the past");
    sim_run(&sim);
    CHECK(alice->ready == 2 && alice->problem == PROBLEM_OLD_STORE);
    check_history(bob, alice, false, "");
    simulation_close(&sim);
}

/* The number in a text, to see its order. */
static unsigned number_of(const char *line)
{
    unsigned number = 0;

    CHECK(sscanf(line, "text %u", &number) == 1);
    return number;
}

/* What arrived: each text at most once, in rising order, nothing but `verified`. */
static unsigned check_rising(char *history)
{
    unsigned count = 0, last = 0;

    for (char *line = strtok(history, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        CHECK(number_of(line) > last);
        last = number_of(line);
        count++;
    }
    return count;
}

/* Something goes wrong with a client. */
static void disturb(struct simulation *sim, struct sim_client *client)
{
    struct engine_output output = {0};

    switch (simulation_random(sim, 3)) {
    case 0: sim_disconnect(client); break;
    case 1:
        sim_kill(client);
        sim_start(client);
        CHECK_OK(engine_subscribe(client->engine, &output));
        engine_output_clear(&output);
        break;
    default: core_rig_wait(&sim->rig, 100 + simulation_random(sim, 4000)); break;
    }
}

/*
 * Crash safety: connections and processes end between any two frames. What is in the
 * sender's history arrives exactly once, in order, verified; nothing else does.
 */
static void storm(uint64_t seed)
{
    struct simulation sim;
    struct sim_client *both[2];
    char text[32];
    char *sent, *received;

    simulation_open(&sim, seed);
    both[0] = sim_join(&sim, "alice");
    both[1] = sim_join(&sim, "bob");
    for (unsigned i = 1; i <= 40; i++) {
        for (size_t who = 0; who < 2; who++) {
            (void)snprintf(text, sizeof(text), "text %u", i);
            sim_send(both[who], both[1 - who]->name, text);
        }
        for (uint64_t steps = simulation_random(&sim, 12); steps > 0; steps--)
            (void)sim_step(&sim);
        if (simulation_random(&sim, 3) == 0)
            disturb(&sim, both[simulation_random(&sim, 2)]);
        if (simulation_random(&sim, 2) == 0) {
            sim_connect(both[0]);
            sim_connect(both[1]);
        }
    }
    for (size_t round = 0; round < 3; round++) {
        sim_connect(both[0]);
        sim_connect(both[1]);
        sim_run(&sim);
    }
    for (size_t who = 0; who < 2; who++) {
        sent = sim_history(both[who], both[1 - who], true);
        received = sim_history(both[1 - who], both[who], false);
        assert_string_equal(sent, received);
        CHECK(check_rising(received) > 20);
        free(sent);
        free(received);
    }
    simulation_close(&sim);
}

static void crashes_lose_nothing_and_double_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 110; seed++)
        storm(seed);
}

TEST_FILE(simulation)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_clients_talk_both_ways),
        cmocka_unit_test(a_message_to_somebody_offline_arrives_later),
        cmocka_unit_test(a_text_written_offline_is_kept_and_sent),
        cmocka_unit_test(what_cannot_be_sent_is_named),
        cmocka_unit_test(the_largest_text_arrives),
        cmocka_unit_test(nothing_leaves_before_it_is_committed),
        cmocka_unit_test(an_old_copy_of_a_home_refuses_to_send),
        cmocka_unit_test(crashes_lose_nothing_and_double_nothing),
    };

    return cmocka_run_group_tests_name("simulation", tests, NULL, NULL);
}
