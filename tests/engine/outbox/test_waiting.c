/*
 * Texts that cannot be sealed yet, because the relay has not told what is needed for it, or refuses
 * to: engine/outbox/pump.c and queue.c. They wait on disk, in their order, and not for ever.
 * docs/protocol.md, section 9.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#define HOUR_MS UINT64_C(3600000)

/* What the relay does with its answers to alice. */
struct relay {
    bool is_silent;             /* about accounts and prekeys, also those that are not there */
    bool is_deaf;               /* to what is put */
    enum relay_type refused;    /* refuse these instead of answering */
    size_t refusals;            /* so many times */
    uint64_t code, retry_after; /* with this */
};

static void answer(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct relay *relay = client->intercept_ctx;
    struct relay_message refusal = {.type = RELAY_REFUSED,
        .req = message->req,
        .code = relay->code,
        .retry_after_ms = relay->retry_after};
    bool is_told = message->type == RELAY_ACCOUNT || message->type == RELAY_PREKEYS ||
                   message->type == RELAY_REFUSED;

    if ((is_told && relay->is_silent) || (message->type == RELAY_ACCEPTED && relay->is_deaf))
        return;
    if (message->type == relay->refused && relay->refusals > 0) {
        relay->refusals--;
        message = &refusal;
    }
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

/* A process may end at any moment; what it was given for a contact is on disk. */
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

/* The relay asks to slow down, or cannot store: what was written before goes out before, and by
 * itself when the time has come. */
static void nothing_overtakes_a_text_that_was_refused(void **state)
{
    static const uint64_t codes[] = {RELAY_CODE_OFTEN, RELAY_CODE_STORE};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct talk t;

        open_talk(&t, 402);
        t.relay = (struct relay){
            .refused = RELAY_ACCOUNT, .refusals = 2, .code = codes[i], .retry_after = 5000};
        send_and_run(&t, "1");
        CHECK(t.alice->failed == 1 && engine_is_settled(t.alice->engine));
        CHECK(t.alice->problem == (i == 0 ? PROBLEM_OFTEN : PROBLEM_RELAY));
        send_and_run(&t, "2");
        CHECK(t.alice->failed == 1 && t.alice->queued == 1 && t.alice->accepted == 1);
        sim_wait(&t.sim, 4999);
        sim_run(&t.sim);
        CHECK(t.relay.refusals == 1);
        sim_wait(&t.sim, 1);
        sim_run(&t.sim);
        CHECK(t.relay.refusals == 0 && t.alice->accepted == 1);
        send_and_run(&t, "3");
        CHECK(t.alice->failed == 1 && t.alice->queued == 2 && t.alice->accepted == 1);
        sim_wait(&t.sim, 5000);
        sim_run(&t.sim);
        CHECK(t.alice->accepted == 4);
        close_talk(&t, "0\n1\n2\n3\n");
    }
}

/* The same where prekeys are refused, and across connections and processes. */
static void a_refused_text_keeps_its_place(void **state)
{
    struct talk t;

    (void)state;
    open_talk(&t, 403);
    core_rig_wait(&t.sim.rig, 23 * HOUR_MS); /* the session is not answered: a new one is due */
    t.relay = (struct relay){.refused = RELAY_PREKEYS, .refusals = 2, .code = RELAY_CODE_OFTEN};
    send_and_run(&t, "1");
    send_and_run(&t, "2");
    CHECK(t.alice->failed == 1 && t.alice->queued == 1 && t.relay.refusals == 1);
    sim_disconnect(t.alice);
    sim_connect(t.alice);
    sim_run(&t.sim);
    CHECK(t.relay.refusals == 0 && t.alice->accepted == 1);
    sim_kill(t.alice);
    sim_start(t.alice);
    sim_send(t.alice, "bob", "3");
    sim_connect(t.alice);
    sim_run(&t.sim);
    close_talk(&t, "0\n1\n2\n3\n");
}

/* No answer is waited for without end: the person is told, and it is tried again later. */
static void an_answer_is_not_awaited_for_ever(void **state)
{
    struct talk t;

    (void)state;
    open_talk(&t, 404);
    t.relay.is_silent = true;
    send_and_run(&t, "1");
    sim_wait(&t.sim, 29999);
    CHECK(t.alice->failed == 0 && !engine_is_settled(t.alice->engine));
    sim_wait(&t.sim, 1);
    CHECK(t.alice->failed == 1 && t.alice->problem == PROBLEM_SILENT);
    CHECK(engine_is_settled(t.alice->engine) && t.alice->is_online);
    sim_send(t.alice, "carol", "nobody was ever told who that is");
    sim_run(&t.sim);
    sim_wait(&t.sim, 30000);
    CHECK(t.alice->failed == 2 && t.alice->problem == PROBLEM_OFFLINE);
    t.relay.is_silent = false;
    sim_run(&t.sim); /* what was asked again meanwhile */
    sim_wait(&t.sim, 30000);
    sim_run(&t.sim);
    sim_wait(&t.sim, 30000);
    sim_run(&t.sim);
    CHECK(t.alice->accepted == 2);
    t.relay.is_deaf = true;
    send_and_run(&t, "2");
    sim_wait(&t.sim, 30000);
    CHECK(t.alice->failed == 3 && t.alice->problem == PROBLEM_SILENT);
    t.relay.is_deaf = false;
    sim_wait(&t.sim, 30000);
    sim_run(&t.sim);
    CHECK(t.alice->accepted == 3);
    close_talk(&t, "0\n1\n2\n");
}

/* On a slow machine tests are patient: nothing but the time is another. */
static void an_answer_is_awaited_as_patiently_as_was_said(void **state)
{
    struct talk t;

    (void)state;
    open_talk(&t, 410);
    t.sim.patience = 3;
    sim_kill(t.alice);
    sim_start(t.alice);
    sim_connect(t.alice);
    sim_run(&t.sim);
    t.relay.is_silent = true;
    send_and_run(&t, "1");
    sim_wait(&t.sim, 89999);
    CHECK(t.alice->failed == 0 && !engine_is_settled(t.alice->engine));
    sim_wait(&t.sim, 1);
    CHECK(t.alice->failed == 1 && t.alice->problem == PROBLEM_SILENT);
    t.relay.is_silent = false;
    sim_wait(&t.sim, 30000);
    sim_run(&t.sim);
    close_talk(&t, "0\n1\n");
}

/* An answer that comes after all does no harm. */
static void a_late_answer_is_passed_over(void **state)
{
    struct talk t;
    struct signet_buf late;

    (void)state;
    open_talk(&t, 405);
    sim_send(t.alice, "bob", "1");
    core_rig_turn(&t.sim.rig);
    late = t.alice->connection.inbox;
    t.alice->connection.inbox = (struct signet_buf){0};
    sim_wait(&t.sim, 30000);
    CHECK(t.alice->failed == 1 && t.alice->problem == PROBLEM_SILENT);
    sim_inject(t.alice, signet_buf_span(&late));
    CHECK(!t.alice->is_nonsense);
    signet_buf_free(&late);
    sim_wait(&t.sim, 30000);
    sim_run(&t.sim);
    CHECK(t.alice->accepted == 2);
    close_talk(&t, "0\n1\n");
}

/* While a stranger's name is being asked for, others are heard; the stranger, soon after. */
static void a_name_that_does_not_come_holds_up_nobody_else(void **state)
{
    struct sim_client *carol;
    struct talk t;

    (void)state;
    open_talk(&t, 406);
    carol = sim_join(&t.sim, "carol");
    sim_send(t.bob, "alice", "known");
    sim_run(&t.sim);
    CHECK(t.alice->received == 1);
    t.relay.is_silent = true;
    sim_send(carol, "alice", "a stranger");
    sim_run(&t.sim);
    sim_send(carol, "alice", "again");
    sim_send(t.bob, "alice", "urgent");
    sim_run(&t.sim);
    CHECK(t.alice->received == 2);
    sim_wait(&t.sim, 4999);
    CHECK(t.alice->received == 2);
    sim_wait(&t.sim, 1);
    CHECK(t.alice->received == 4);
    sim_send(carol, "alice", "and again");
    sim_run(&t.sim);
    CHECK(t.alice->received == 5);
    close_talk(&t, "0\n");
}

/* Whoever shows a message must have heard before whose it is. */
static void who_a_stranger_is_comes_before_what_they_say(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 409);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    bob->received_before_name = SIZE_MAX;
    sim_send(alice, "bob", "hello");
    sim_run(&sim);
    CHECK(bob->received == 1 && bob->received_before_name == 0);
    simulation_close(&sim);
}

/* Too many logins, or too many devices at a time: that passes, and is not a login that fails. */
static void a_login_may_be_asked_to_wait(void **state)
{
    struct talk t;

    (void)state;
    open_talk(&t, 407);
    t.relay = (struct relay){.refused = RELAY_WELCOME, .refusals = 1, .code = RELAY_CODE_OFTEN};
    sim_disconnect(t.alice);
    sim_connect(t.alice);
    sim_run(&t.sim);
    CHECK(t.relay.refusals == 0 && t.alice->problem == PROBLEM_OFTEN);
    CHECK(engine_is_stopped(t.alice->engine));
    sim_disconnect(t.alice);
    sim_connect(t.alice);
    send_and_run(&t, "1");
    CHECK(t.alice->accepted == 2);
    close_talk(&t, "0\n1\n");
}

/* A relay that never tells what became of the first message. */
static void pass_over_one(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    bool *has_passed = client->intercept_ctx;

    if (message->type == RELAY_ACCEPTED && !*has_passed)
        *has_passed = true;
    else
        CHECK_OK(relay_message_write(message, out));
}

/* Answers to what was sent later are none to it. */
static void a_message_passed_over_is_not_awaited_for_ever(void **state)
{
    bool has_passed = false;
    struct talk t;

    (void)state;
    open_talk(&t, 408);
    t.alice->intercept = NULL;
    send_and_run(&t, "1"); /* the card is fresh, and bob's mailbox known to be open */
    t.alice->intercept = pass_over_one;
    t.alice->intercept_ctx = &has_passed;
    send_and_run(&t, "2");
    send_and_run(&t, "3");
    CHECK(has_passed && t.alice->accepted == 3 && t.alice->failed == 0);
    sim_wait(&t.sim, 20000);
    send_and_run(&t, "4");
    CHECK(t.alice->accepted == 4 && t.alice->failed == 0);
    sim_wait(&t.sim, 10000);
    CHECK(t.alice->failed == 1 && t.alice->problem == PROBLEM_SILENT);
    send_and_run(&t, "5");
    CHECK(t.alice->accepted == 6);
    close_talk(&t, "0\n1\n2\n3\n4\n5\n");
}

TEST_FILE(waiting)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_for_an_answer_outlives_the_process),
        cmocka_unit_test(a_fingerprint_is_enough_to_be_kept),
        cmocka_unit_test(nothing_overtakes_a_text_that_was_refused),
        cmocka_unit_test(a_refused_text_keeps_its_place),
        cmocka_unit_test(an_answer_is_not_awaited_for_ever),
        cmocka_unit_test(an_answer_is_awaited_as_patiently_as_was_said),
        cmocka_unit_test(a_late_answer_is_passed_over),
        cmocka_unit_test(a_name_that_does_not_come_holds_up_nobody_else),
        cmocka_unit_test(who_a_stranger_is_comes_before_what_they_say),
        cmocka_unit_test(a_login_may_be_asked_to_wait),
        cmocka_unit_test(a_message_passed_over_is_not_awaited_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
