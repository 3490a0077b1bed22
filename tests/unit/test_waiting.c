/*
 * Texts that cannot be sealed yet, because the relay has not told what is needed for it, or refuses
 * to: client/engine_send.c, engine_texts.c. They wait on disk, in their order, and not for ever.
 * docs/protocol.md, section 9.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#define HOUR_MS UINT64_C(3600000)

/* What the relay does with its answers to alice. */
struct relay {
    bool is_silent; /* about accounts and prekeys */
};

static void answer(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    const struct relay *relay = client->intercept_ctx;
    bool is_told = message->type == RELAY_ACCOUNT || message->type == RELAY_PREKEYS;

    if (is_told && relay->is_silent)
        return;
    CHECK_OK(relay_message_write(message, out));
}

struct talk {
    struct simulation sim;
    struct sim_client *alice, *bob;
    struct relay relay;
};

/* Alice and bob have a session; alice's card of bob is too old to send to without asking. */
static void open_talk(struct talk *t, uint64_t seed)
{
    memset(t, 0, sizeof(*t));
    simulation_open(&t->sim, seed);
    t->alice = sim_join(&t->sim, "alice");
    t->bob = sim_join(&t->sim, "bob");
    sim_send(t->alice, "bob", "0");
    sim_run(&t->sim);
    CHECK(t->alice->accepted == 1);
    core_rig_wait(&t->sim.rig, 2 * HOUR_MS);
    t->alice->intercept = answer;
    t->alice->intercept_ctx = &t->relay;
}

static void send_and_run(struct talk *t, const char *text)
{
    sim_send(t->alice, "bob", text);
    sim_run(&t->sim);
}

static void close_talk(struct talk *t, const char *received)
{
    char *history = sim_history(t->bob, t->alice, false);

    assert_string_equal(history, received);
    free(history);
    simulation_close(&t->sim);
}

/* Decision 14: a process may end at any moment; what it was given for a contact is on disk. */
static void what_waits_for_an_answer_outlives_the_process(void **state)
{
    struct talk t;

    (void)state;
    open_talk(&t, 400);
    t.relay.is_silent = true;
    send_and_run(&t, "1");
    send_and_run(&t, "2");
    CHECK(t.alice->accepted == 1);
    sim_kill(t.alice);
    t.relay.is_silent = false;
    sim_start(t.alice);
    sim_connect(t.alice);
    sim_run(&t.sim);
    send_and_run(&t, "3");
    close_talk(&t, "0\n1\n2\n3\n");
}

/* A fingerprint says to whom, also where nobody by it was met yet. */
static void a_fingerprint_is_enough_to_be_kept(void **state)
{
    char address[SIGNET_ID_TEXT_SIZE];
    struct sim_client *carol;
    struct talk t;

    (void)state;
    open_talk(&t, 401);
    carol = sim_join(&t.sim, "carol");
    signet_id_text(sim_address(carol), address);
    sim_disconnect(t.bob);
    sim_send(t.bob, address, "hello");
    sim_send(t.bob, "dave", "whoever that is");
    sim_connect(t.bob);
    sim_disconnect(t.bob);
    CHECK(t.bob->queued == 1 && t.bob->failed == 1 && t.bob->problem == PROBLEM_OFFLINE);
    sim_kill(t.bob);
    sim_start(t.bob);
    sim_connect(t.bob);
    sim_run(&t.sim);
    CHECK(carol->received == 1);
    close_talk(&t, "0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_for_an_answer_outlives_the_process),
        cmocka_unit_test(a_fingerprint_is_enough_to_be_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
