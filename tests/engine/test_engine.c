/*
 * The engine where things are not as they should be: clocks that jump, answers that were lost.
 * docs/protocol.md, sections 1, 3, 5 and 9.
 */
#include "tests/support/sim_checks.h"

#include <stdlib.h>

#define HOUR_MS UINT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

/* A clock that was wrong once must not leave lists and bundles from the future. */
static void a_clock_that_was_wrong_does_no_lasting_harm(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 202);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(alice, "bob", "one");
    sim_run(&sim);
    sim_disconnect(alice);
    alice->clock_ahead_ms = 3650 * DAY_MS;
    sim_connect(alice);
    sim_run(&sim);
    CHECK(alice->ready == 1 && alice->problem == PROBLEM_CLOCK);
    sim_disconnect(alice);
    alice->clock_ahead_ms = 0;
    sim_connect(alice);
    sim_run(&sim);
    CHECK(alice->ready == 2);
    check_both_ways(alice, bob);
    simulation_close(&sim);
}

/* Section 9: an attempt to join that comes to nothing can be repeated days later. */
static void joining_can_be_repeated_days_later(void **state)
{
    struct simulation sim;
    struct sim_client *alice;

    (void)state;
    simulation_open(&sim, 203);
    alice = sim_prepare(&sim, "alice");
    core_rig_wait(&sim.rig, 3 * DAY_MS);
    sim_connect(alice);
    sim_run(&sim);
    CHECK(alice->ready == 1 && alice->failed == 0);
    simulation_close(&sim);
}

/* Lets the registration through, and cuts the connection before its answer. */
static void lose_answer(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    (void)client;
    if (message->type == RELAY_CHALLENGE)
        CHECK_OK(relay_message_write(message, out));
}

/* Section 9: registering the same card and name again is answered `done`, also days later. */
static void a_registration_whose_answer_was_lost_is_found_again(void **state)
{
    struct simulation sim;
    struct sim_client *alice;

    (void)state;
    simulation_open(&sim, 204);
    alice = sim_prepare(&sim, "alice");
    alice->intercept = lose_answer;
    sim_connect(alice);
    sim_run(&sim);
    CHECK(alice->ready == 0);
    sim_kill(alice);
    alice->intercept = NULL;
    core_rig_wait(&sim.rig, 3 * DAY_MS);
    restart(alice);
    CHECK(alice->ready == 1 && alice->failed == 0);
    simulation_close(&sim);
}

/* Section 3: the own card goes along until the peer knows it, also one that was renewed while the
 * init data still shows the list before it. */
static void a_list_renewed_in_an_unanswered_session_goes_along(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;
    char *history;

    (void)state;
    simulation_open(&sim, 205);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_kill(bob);
    core_rig_wait(&sim.rig, 30 * DAY_MS - HOUR_MS);
    sim_disconnect(alice);
    sim_connect(alice);
    sim_send(alice, "bob", "one");
    sim_run(&sim);
    sim_disconnect(alice);
    core_rig_wait(&sim.rig, 2 * HOUR_MS);
    sim_connect(alice);
    sim_run(&sim);
    sim_send(alice, "bob", "two");
    sim_run(&sim);
    CHECK(alice->accepted == 2);
    restart(bob);
    history = sim_history(bob, alice, false);
    assert_string_equal(history, "one\ntwo\n");
    free(history);
    simulation_close(&sim);
}

/* Section 5: the session last received on, also where both were in the same instant or the clock
 * went back: the peer may have lost the other one. */
static void the_session_last_received_on_is_answered(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;
    size_t received;

    (void)state;
    simulation_open(&sim, 206);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    for (unsigned i = 0; i < 6; i++) {
        bob->clock_ahead_ms = i % 2 == 0 ? 5 * HOUR_MS : 0;
        sim_send(alice, "bob", "in a session");
        sim_run(&sim);
        sim_kill(alice); /* the session is lost, and a new one begun */
        CHECK(memory_records_damage(alice->records, RECORD_SESSION) > 0);
        restart(alice);
        bob->clock_ahead_ms = 0;
        sim_send(alice, "bob", "in another");
        sim_run(&sim);
        received = alice->received;
        sim_send(bob, "alice", "answer");
        sim_run(&sim);
        CHECK(alice->received == received + 1);
    }
    {
        char *history = sim_history(alice, bob, false);

        assert_string_equal(history, "answer\nanswer\nanswer\nanswer\nanswer\nanswer\n");
        free(history);
    }
    simulation_close(&sim);
}

/* ---- which session ---- */

enum { ARRIVED_MAX = 16 };

struct arrived {
    size_t count;
    struct signet_id transcripts[ARRIVED_MAX]; /* of those with init data */
    size_t len;                                /* of the last envelope */
};

static void watch(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct arrived *arrived = client->intercept_ctx;
    struct signet_envelope_view view;

    if (message->type == RELAY_DELIVER) {
        CHECK_OK(signet_envelope_view(client->sim->seeded.library, message->envelope, &view));
        arrived->len = message->envelope.len;
        if (view.has_init && arrived->count < ARRIVED_MAX)
            arrived->transcripts[arrived->count++] = view.transcript;
    }
    CHECK_OK(relay_message_write(message, out));
}

static bool has_session(struct sim_client *client, const struct signet_id *transcript)
{
    struct record_source source = memory_records_source(client->records);
    struct record_key key = {RECORD_SESSION, signet_id_span(transcript), 0};
    struct signet_buf value = {0};
    enum signet_err err = source.get(source.ctx, &key, &value);

    signet_buf_free(&value);
    return err == SIGNET_OK;
}

/* Section 5: at most 5 sessions live; the one used longest ago goes. */
static void the_session_used_longest_ago_goes(void **state)
{
    struct arrived arrived = {0};
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 207);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    bob->intercept = watch;
    bob->intercept_ctx = &arrived;
    for (unsigned i = 0; i < 8; i++) {
        sim_send(alice, "bob", "in a new session");
        sim_run(&sim);
        core_rig_wait(&sim.rig, DAY_MS); /* unanswered */
    }
    CHECK(arrived.count == 8);
    for (size_t i = 0; i < 8; i++)
        CHECK(has_session(bob, &arrived.transcripts[i]) == (i >= 8 - SIGNET_SESSIONS_MAX));
    simulation_close(&sim);
}

/* Section 5: before anything was received, the one with the lowest T1. */
static void without_an_answer_the_lowest_transcript_is_used(void **state)
{
    (void)state;
    for (uint64_t seed = 208; seed < 212; seed++) {
        struct arrived arrived = {0};
        struct simulation sim;
        struct sim_client *alice, *bob;
        const struct signet_id *t = arrived.transcripts;

        simulation_open(&sim, seed);
        alice = sim_join(&sim, "alice");
        bob = sim_join(&sim, "bob");
        bob->intercept = watch;
        bob->intercept_ctx = &arrived;
        for (unsigned i = 0; i < 3; i++) {
            alice->clock_ahead_ms = i == 1 ? 24 * HOUR_MS : 0;
            sim_send(alice, "bob", "text");
            sim_run(&sim);
        }
        CHECK(arrived.count == 3 && !signet_id_equal(&t[0], &t[1]));
        CHECK(signet_id_equal(&t[2], signet_id_compare(&t[0], &t[1]) < 0 ? &t[0] : &t[1]));
        simulation_close(&sim);
    }
}

/* Section 3: the own card goes along until an entry of the peer names its list; not for ever. */
static void the_own_card_stays_at_home_once_it_is_known(void **state)
{
    enum { WITHOUT_CARD = 1500 }; /* bytes; a card alone has as many */
    struct arrived arrived = {0};
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 212);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    bob->intercept = watch;
    bob->intercept_ctx = &arrived;
    sim_send(alice, "bob", "one");
    sim_run(&sim);
    CHECK(arrived.len > WITHOUT_CARD);
    sim_send(bob, "alice", "two");
    sim_run(&sim);
    sim_send(alice, "bob", "three");
    sim_run(&sim);
    CHECK(arrived.len < WITHOUT_CARD);
    simulation_close(&sim);
}

TEST_FILE(engine)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_was_wrong_does_no_lasting_harm),
        cmocka_unit_test(joining_can_be_repeated_days_later),
        cmocka_unit_test(a_registration_whose_answer_was_lost_is_found_again),
        cmocka_unit_test(a_list_renewed_in_an_unanswered_session_goes_along),
        cmocka_unit_test(the_session_last_received_on_is_answered),
        cmocka_unit_test(the_session_used_longest_ago_goes),
        cmocka_unit_test(without_an_answer_the_lowest_transcript_is_used),
        cmocka_unit_test(the_own_card_stays_at_home_once_it_is_known),
    };

    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
