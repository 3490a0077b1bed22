/*
 * The engine where things are not as they should be: damaged records, clocks that jump, answers
 * that were lost. docs/protocol.md, sections 1, 3, 5 and 9; decisions 14, 20 and 22.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#define HOUR_MS UINT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

static void restart(struct sim_client *client)
{
    sim_start(client);
    sim_subscribe(client);
    sim_connect(client);
    sim_run(client->sim);
}

static enum signet_err count_line(void *ctx, uint64_t number, signet_span value)
{
    (void)number;
    (void)value;
    ++*(size_t *)ctx;
    return SIGNET_OK;
}

/* How many envelopes were refused whose sender is not known. */
static size_t refused(struct sim_client *client)
{
    static const struct signet_id nobody;
    struct record_source source = memory_records_source(client->records);
    struct record_key key = {RECORD_MESSAGE, signet_id_span(&nobody), 0};
    size_t count = 0;

    CHECK_OK(source.scan(source.ctx, &key, count_line, &count));
    return count;
}

static void check_both_ways(struct sim_client *alice, struct sim_client *bob)
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

/* Decision 20: a damaged record costs what it held, never the whole home. */
static void a_damaged_record_costs_only_what_it_held(void **state)
{
    static const enum record_kind kinds[] = {RECORD_BUNDLE, RECORD_CONTACT, RECORD_NAME,
        RECORD_SESSION, RECORD_SESSIONS, RECORD_TAG, RECORD_TRANSCRIPT, RECORD_SEEN, RECORD_ARRIVAL,
        RECORD_HEAD, RECORD_UNSHOWN, RECORD_MESSAGE};
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 200);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(alice, "bob", "one");
    sim_run(&sim);
    sim_send(bob, "alice", "two");
    sim_run(&sim);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        /* Alice has begun the session. */
        struct sim_client *whose = kinds[i] == RECORD_TRANSCRIPT ? bob : alice;

        sim_kill(whose);
        CHECK(memory_records_damage(whose->records, kinds[i]) > 0);
        restart(whose);
        check_both_ways(alice, bob);
    }
    simulation_close(&sim);
}

/* The same: a tag only says where to look. What comes before anything is sent again, too. */
static void messages_under_a_damaged_tag_find_their_session(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;
    char *history;

    (void)state;
    simulation_open(&sim, 213);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(alice, "bob", "one");
    sim_run(&sim);
    sim_send(bob, "alice", "two");
    sim_run(&sim);
    for (unsigned i = 0; i < 2; i++) {
        sim_kill(alice);
        CHECK((i == 0 ? memory_records_damage : memory_records_remove)(alice->records, RECORD_TAG) >
              0);
        restart(alice);
        sim_send(bob, "alice", "three");
        sim_run(&sim);
        sim_send(bob, "alice", "four");
        sim_run(&sim);
    }
    CHECK(refused(alice) == 0);
    history = sim_history(alice, bob, false);
    assert_string_equal(history, "two\nthree\nfour\nthree\nfour\n");
    free(history);
    simulation_close(&sim);
}

/* The same: drafts in the outbox are looked at with every connection. */
static void a_draft_to_a_damaged_contact_holds_up_nobody(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;
    size_t ready;

    (void)state;
    simulation_open(&sim, 201);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(alice, "bob", "one");
    sim_run(&sim);
    sim_disconnect(alice);
    sim_send(alice, "bob", "two");
    sim_kill(alice);
    CHECK(memory_records_damage(alice->records, RECORD_CONTACT) > 0);
    ready = alice->ready;
    restart(alice);
    CHECK(alice->ready == ready + 1);
    check_both_ways(alice, bob);
    sim_disconnect(alice);
    sim_send(alice, "bob", "lost");
    sim_kill(alice);
    CHECK(memory_records_damage(alice->records, RECORD_OUTBOX) > 0);
    restart(alice);
    check_both_ways(alice, bob);
    simulation_close(&sim);
}

/* Decision 22: a clock that was wrong once must not leave lists and bundles from the future. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_record_costs_only_what_it_held),
        cmocka_unit_test(messages_under_a_damaged_tag_find_their_session),
        cmocka_unit_test(a_draft_to_a_damaged_contact_holds_up_nobody),
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
