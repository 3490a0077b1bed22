/*
 * The outbox where the relay cannot take a message now: engine/outbox/device_queues.c. What is refused
 * waits, and nothing overtakes it; docs/protocol.md, section 9 (codes 8 to 10).
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

enum { TEXTS = 5 };

struct talk {
    struct simulation sim;
    struct sim_client *alice, *bob;
};

static void open_talk(struct talk *t, uint64_t seed)
{
    simulation_open(&t->sim, seed);
    t->alice = sim_join(&t->sim, "alice");
    t->bob = sim_join(&t->sim, "bob");
    sim_send(t->alice, "bob", "0");
    sim_run(&t->sim);
    CHECK(t->alice->accepted == 1);
    sim_disconnect(t->bob);
}

static void send_texts(struct talk *t, char first)
{
    char text[2] = {first, '\0'};

    for (int i = 0; i < TEXTS; i++, text[0]++)
        sim_send(t->alice, "bob", text);
    sim_run(&t->sim);
}

/* Bob comes back; he has these texts, one a line, verified. */
static void check_received(struct talk *t, const char *texts)
{
    char *history;

    sim_connect(t->bob);
    sim_run(&t->sim);
    history = sim_history(t->bob, t->alice, false);
    CHECK_SPAN(signet_span_str(history), texts);
    free(history);
    simulation_close(&t->sim);
}

/* The store is down for the first of several messages. */
static void nothing_overtakes_what_was_refused(void **state)
{
    (void)state;
    for (size_t failures = 1; failures <= TEXTS; failures++) {
        struct talk t;

        open_talk(&t, 300 + failures);
        t.sim.rig.failure = STORE_DOWN;
        t.sim.rig.failures = failures;
        for (char text[2] = "1"; text[0] <= '5'; text[0]++) {
            sim_send(t.alice, "bob", text);
            sim_run(&t.sim);
        }
        t.sim.rig.failures = 0;
        sim_disconnect(t.alice);
        sim_connect(t.alice);
        sim_run(&t.sim);
        CHECK(t.alice->accepted == TEXTS + 1);
        check_received(&t, "0\n1\n2\n3\n4\n5\n");
    }
}

/* What is sent while the relay refuses is told to wait, each once; the next text after that takes
 * the others along, on the same connection. */
static void a_further_text_takes_along_what_waits(void **state)
{
    struct talk t;

    (void)state;
    open_talk(&t, 310);
    t.sim.rig.failure = STORE_DOWN;
    t.sim.rig.failures = 100;
    send_texts(&t, '1');
    CHECK(t.alice->accepted == 1);
    CHECK(t.alice->failed + t.alice->queued == TEXTS);
    CHECK(t.alice->failed > 0 && t.alice->problem == PROBLEM_RELAY);
    assert_string_equal(t.alice->blamed, "bob"); /* not one of his devices */
    t.sim.rig.failures = 0;
    sim_run(&t.sim);
    CHECK(t.alice->accepted == 1);
    sim_send(t.alice, "bob", "6");
    sim_run(&t.sim);
    CHECK(t.alice->accepted == TEXTS + 2);
    check_received(&t, "0\n1\n2\n3\n4\n5\n6\n");
}

/* A full mailbox is no obstacle on the way to another one. */
static void others_are_not_held_up(void **state)
{
    struct talk t;
    struct sim_client *carol;

    (void)state;
    open_talk(&t, 311);
    carol = sim_join(&t.sim, "carol");
    t.sim.rig.failure = STORE_DOWN;
    t.sim.rig.failures = 1;
    sim_send(t.alice, "bob", "1");
    sim_run(&t.sim);
    CHECK(t.alice->failed == 1);
    sim_send(t.alice, "carol", "hello");
    sim_run(&t.sim);
    CHECK(carol->received == 1 && t.alice->accepted == 2);
    sim_send(t.alice, "bob", "2");
    sim_run(&t.sim);
    check_received(&t, "0\n1\n2\n");
}

/* What the relay refuses for a time goes out by itself when that has passed. */
static void what_was_refused_for_a_time_is_tried_again(void **state)
{
    struct talk t;

    (void)state;
    open_talk(&t, 313);
    t.sim.rig.failure = STORE_DOWN;
    t.sim.rig.failures = 100;
    send_texts(&t, '1');
    t.sim.rig.failures = 0;
    CHECK(t.alice->accepted == 1 && engine_is_settled(t.alice->engine));
    sim_wait(&t.sim, engine_deadline(t.alice->engine) - t.sim.rig.wall_ms);
    sim_run(&t.sim);
    CHECK(t.alice->accepted == TEXTS + 1);
    check_received(&t, "0\n1\n2\n3\n4\n5\n");
}

/* A relay that cannot store for an hour refuses each second: the person is told once. */
static void what_is_refused_again_is_told_once(void **state)
{
    struct talk t;

    (void)state;
    open_talk(&t, 314);
    t.sim.rig.failure = STORE_DOWN;
    t.sim.rig.failures = 100;
    sim_send(t.alice, "bob", "1");
    sim_run(&t.sim);
    CHECK(t.alice->failed == 1 && t.alice->problem == PROBLEM_RELAY);
    for (int i = 0; i < 8; i++) {
        size_t failures = t.sim.rig.failures;

        sim_wait(&t.sim, 1000);
        sim_run(&t.sim);
        CHECK(t.sim.rig.failures < failures && t.alice->failed == 1);
    }
    t.sim.rig.failures = 0;
    sim_wait(&t.sim, 1000);
    sim_run(&t.sim);
    CHECK(t.alice->accepted == 2);
    check_received(&t, "0\n1\n");
}

/* A relay that accepts one message, and no more. */
static void accept_one(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    size_t *accepted = client->intercept_ctx;

    if (message->type != RELAY_ACCEPTED || (*accepted)++ == 0)
        CHECK_OK(relay_message_write(message, out));
}

/* What was written in weeks without a relay goes out in portions: the next one with the answers to
 * the one before. */
static void a_large_outbox_goes_out_in_portions(void **state)
{
    enum { LARGE = 60000, COUNT = 40, PORTION_MAX = 1310720 };
    char *text = malloc(LARGE + 1);
    size_t accepted = 0;
    uint64_t sent;
    struct talk t;

    (void)state;
    CHECK(text != NULL);
    memset(text, 'x', LARGE);
    text[LARGE] = '\0';
    open_talk(&t, 312);
    sim_disconnect(t.alice);
    for (size_t i = 0; i < COUNT; i++)
        sim_send(t.alice, "bob", text);
    sim_kill(t.alice);
    sim_start(t.alice);
    t.alice->intercept = accept_one;
    t.alice->intercept_ctx = &accepted;
    sent = t.sim.sent_bytes;
    sim_connect(t.alice);
    sim_run(&t.sim);
    CHECK(accepted > 1 && t.sim.sent_bytes - sent < PORTION_MAX);
    t.alice->intercept = NULL;
    sim_disconnect(t.alice);
    sim_connect(t.alice);
    sim_run(&t.sim);
    CHECK(t.alice->accepted == 1 + COUNT);
    sim_connect(t.bob);
    sim_run(&t.sim);
    CHECK(t.bob->received == 1 + COUNT);
    free(text);
    simulation_close(&t.sim);
}

TEST_FILE(outbox)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_overtakes_what_was_refused),
        cmocka_unit_test(a_further_text_takes_along_what_waits),
        cmocka_unit_test(others_are_not_held_up),
        cmocka_unit_test(what_was_refused_for_a_time_is_tried_again),
        cmocka_unit_test(what_is_refused_again_is_told_once),
        cmocka_unit_test(a_large_outbox_goes_out_in_portions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
