/*
 * The receiving side has lost a record: what comes meanwhile is not lost with it.
 * docs/protocol.md, section 8.
 */
#include "tests/support/sim_checks.h"

#define HOUR_MS UINT64_C(3600000)

/* Alice and Bob know each other, in a session that Alice began; then she goes. */
static void meet(struct simulation *sim, uint64_t seed)
{
    simulation_open(sim, seed);
    (void)sim_join(sim, "alice");
    (void)sim_join(sim, "bob");
    sim_send(&sim->clients[0], "bob", "one");
    sim_run(sim);
    sim_send(&sim->clients[1], "alice", "two");
    sim_run(sim);
    sim_kill(&sim->clients[0]);
}

static void check_received(
    struct sim_client *client, const struct sim_client *peer, const char *expected)
{
    char *history = sim_history(client, peer, false);

    assert_string_equal(history, expected);
    free(history);
}

/* A message whose sender's record is damaged waits for it, and is shown once. */
static void messages_wait_for_a_damaged_contact(void **state)
{
    struct simulation sim;
    struct sim_client *alice = &sim.clients[0], *bob = &sim.clients[1];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct contact contact = {0};

        meet(&sim, 250 + i);
        CHECK((i == 0 ? memory_records_damage : memory_records_remove)(
                  alice->records, RECORD_CONTACT) > 0);
        sim_send(bob, "alice", "three");
        sim_send(bob, "alice", "four");
        sim_run(&sim);
        restart(alice);
        sim_send(bob, "alice", "five");
        sim_run(&sim);
        CHECK(refused(alice) == 0 && alice->received == 4);
        check_received(alice, bob, "two\nthree\nfour\nfive\n");
        /* Nobody has vouched for the card that the relay gave. */
        CHECK_OK(engine_contact(alice->engine, "bob", &contact));
        CHECK(contact.state == CONTACT_NEW);
        contact_clear(&contact);
        sim_kill(alice);
        restart(alice);
        check_both_ways(alice, bob);
        check_received(alice, bob, "two\nthree\nfour\nfive\nand back\n");
        simulation_close(&sim);
    }
}

enum mischief { NO_ANSWER, UNKNOWN_ADDRESS, ANOTHER_CARD, MISCHIEF_COUNT };

/* What the relay gives for Bob's card. */
static void withhold_card(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    const enum mischief *mischief = client->intercept_ctx;
    struct relay_message refusal = {
        .type = RELAY_REFUSED, .req = message->req, .code = RELAY_CODE_UNKNOWN};
    struct relay_message other = *message;

    if (message->type != RELAY_ACCOUNT) {
        CHECK_OK(relay_message_write(message, out));
    } else if (*mischief == UNKNOWN_ADDRESS) {
        CHECK_OK(relay_message_write(&refusal, out));
    } else if (*mischief == ANOTHER_CARD) {
        other.card = signet_card_bytes(signet_account_card(engine_account(client->engine)));
        CHECK_OK(relay_message_write(&other, out));
    }
}

/* A relay that has no card, or a wrong one, delays them, and no more. */
static void messages_wait_for_an_honest_answer(void **state)
{
    struct simulation sim;
    struct sim_client *alice = &sim.clients[0], *bob = &sim.clients[1];

    (void)state;
    meet(&sim, 252);
    CHECK(memory_records_damage(alice->records, RECORD_CONTACT) > 0);
    sim_send(bob, "alice", "three");
    sim_run(&sim);
    alice->intercept = withhold_card;
    for (enum mischief mischief = NO_ANSWER; mischief < MISCHIEF_COUNT; mischief++) {
        alice->intercept_ctx = &mischief;
        restart(alice);
        sim_kill(alice);
    }
    alice->intercept = NULL;
    sim_start(alice);
    check_received(alice, bob, "two\n");
    sim_connect(alice);
    sim_run(&sim);
    CHECK(refused(alice) == 0);
    check_received(alice, bob, "two\nthree\n");
    simulation_close(&sim);
}

/* They take up to so much room; what comes beyond is refused with its cause, and nothing stalls. */
static void no_more_than_so_many_messages_wait(void **state)
{
    enum { KEPT = 256, SENT = 260 };
    struct simulation sim;
    struct sim_client *alice = &sim.clients[0], *bob = &sim.clients[1];
    enum mischief mischief = NO_ANSWER;
    size_t shown = 0, unknown = 0;
    char *history;

    (void)state;
    meet(&sim, 253);
    CHECK(memory_records_damage(alice->records, RECORD_CONTACT) > 0);
    for (unsigned i = 0; i < SENT; i++)
        sim_send(bob, "alice", "again");
    alice->intercept = withhold_card;
    alice->intercept_ctx = &mischief;
    restart(alice);
    sim_kill(alice);
    alice->intercept = NULL;
    restart(alice);
    history = sim_history(alice, bob, false);
    for (const char *at = history; (at = strstr(at, "again")) != NULL; at++)
        shown++;
    for (const char *at = history; (at = strstr(at, "unknown-session")) != NULL; at++)
        unknown++;
    CHECK(shown == KEPT && unknown == SENT - KEPT);
    free(history);
    check_both_ways(alice, bob);
    simulation_close(&sim);
}

/* ---- a session is lost ---- */

/* A message each way arrives. */
static void check_again(struct sim_client *alice, struct sim_client *bob)
{
    size_t at_alice = alice->received, at_bob = bob->received, before = refused(alice);

    sim_send(alice, "bob", "there");
    sim_run(alice->sim);
    sim_send(bob, "alice", "and back");
    sim_run(alice->sim);
    CHECK(alice->received == at_alice + 1 && bob->received == at_bob + 1);
    CHECK(refused(alice) == before);
}

static void lose_session(struct sim_client *client)
{
    sim_kill(client);
    CHECK(memory_records_damage(client->records, RECORD_SESSION) > 0);
}

static void check_sent(
    struct sim_client *client, const struct sim_client *peer, const char *expected)
{
    char *history = sim_history(client, peer, true);

    assert_string_equal(history, expected);
    free(history);
}

/* What can never be opened is refused; the other side is told what is missing, once,
 * without anybody typing, and writes in the new session. */
static void the_other_side_learns_what_is_missing(void **state)
{
    struct simulation sim;
    struct sim_client *alice = &sim.clients[0], *bob = &sim.clients[1];

    (void)state;
    meet(&sim, 254);
    CHECK(memory_records_damage(alice->records, RECORD_SESSION) > 0);
    sim_send(bob, "alice", "three");
    sim_send(bob, "alice", "four");
    sim_run(&sim);
    restart(alice);
    CHECK(refused(alice) == 2 && alice->failed == 0);
    check_sent(bob, alice, "two\nmissing three\nmissing four\n");
    check_received(bob, alice, "one\nmissing \n");
    CHECK(bob->received == 2);
    sim_send(bob, "alice", "five");
    sim_run(&sim);
    check_received(alice, bob, "two\ngap five\n");
    for (unsigned i = 0; i < 3; i++) {
        sim_wait(&sim, HOUR_MS);
        sim_kill(alice);
        restart(alice);
    }
    CHECK(bob->received == 2 && refused(alice) == 2);
    check_again(alice, bob);
    simulation_close(&sim);
}

/* At most hourly, whatever becomes of the process. */
static void a_new_session_is_begun_once_an_hour(void **state)
{
    struct simulation sim;
    struct sim_client *alice = &sim.clients[0], *bob = &sim.clients[1];

    (void)state;
    meet(&sim, 255);
    for (unsigned i = 0; i < 3; i++) {
        /* The second time it is the new session; the third time there is none yet. */
        CHECK((memory_records_damage(alice->records, RECORD_SESSION) > 0) == (i < 2));
        sim_send(bob, "alice", "lost");
        sim_run(&sim);
        restart(alice);
        CHECK(bob->received == 2);
        sim_kill(alice);
    }
    restart(alice);
    check_sent(bob, alice, "two\nmissing lost\nlost\nlost\n");
    sim_wait(&sim, HOUR_MS - 1);
    sim_run(&sim);
    CHECK(bob->received == 2);
    sim_wait(&sim, 1);
    sim_run(&sim);
    CHECK(bob->received == 3);
    check_sent(bob, alice, "two\nmissing lost\nmissing lost\nmissing lost\n");
    simulation_close(&sim);
}

/* Heads are answered by nothing: two that have lost everything come to rest. */
static void two_sides_that_lost_their_sessions_come_to_rest(void **state)
{
    struct simulation sim;
    struct sim_client *alice = &sim.clients[0], *bob = &sim.clients[1];
    uint64_t sent;

    (void)state;
    meet(&sim, 256);
    sim_send(bob, "alice", "three");
    sim_run(&sim);
    sim_start(alice);
    sim_send(alice, "bob", "four");
    lose_session(alice);
    lose_session(bob);
    restart(alice);
    restart(bob);
    check_sent(bob, alice, "two\nmissing three\n");
    check_sent(alice, bob, "one\nfour\n"); /* sealed after the loss */
    sent = sim.sent_bytes;
    sim_wait(&sim, 2 * HOUR_MS);
    sim_run(&sim);
    CHECK(sim.sent_bytes == sent);
    check_again(alice, bob);
    simulation_close(&sim);
}

/* A stranger learns nothing by writing, nor by what it breaks. */
static void a_stranger_is_told_nothing(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 257);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(bob, "alice", "one");
    sim_run(&sim);
    lose_session(alice);
    sim_send(bob, "alice", "two");
    sim_run(&sim);
    restart(alice);
    sim_wait(&sim, 2 * HOUR_MS);
    sim_run(&sim);
    CHECK(alice->received == 2 && bob->received == 0);
    check_sent(bob, alice, "one\ntwo\n");
    simulation_close(&sim);
}

/* ---- heads from somebody malicious ---- */

static enum signet_err take_own(void *ctx, uint64_t number, signet_span value)
{
    struct signet_entry_draft *draft = ctx;
    struct message message;

    (void)number;
    CHECK_OK(message_decode(value, &message));
    if (message.is_outgoing) {
        draft->previous = message.id;
        draft->sequence = message.sequence + 1;
    }
    message_clear(&message);
    return SIGNET_OK;
}

/* Heads that name `parent`, or nothing, in the place after all that the client has sent. */
static void inject_heads(
    struct sim_client *from, struct sim_client *to, const struct signet_id *parent)
{
    struct record_source source = memory_records_source(from->records);
    const struct signet_account *own = engine_account(from->engine);
    struct record_key all = {.kind = RECORD_MESSAGE};
    struct signet_buf content = {0};
    struct signet_id id;
    struct signet_entry_draft draft = {
        .to = *sim_address(to),
        .to_list = *signet_card_list(signet_account_card(engine_account(to->engine))),
        .parents = parent,
        .parent_count = parent != NULL,
        .sent_at = from->sim->rig.wall_ms,
        .kind = SIGNET_KIND_HEADS,
    };

    CHECK_OK(source.scan(source.ctx, &all, take_own, &draft));
    CHECK_OK(signet_entry_sign(from->sim->seeded.library, own, &draft, &content, &id));
    sim_inject_content(from, to, signet_buf_span(&content));
    signet_buf_free(&content);
    sim_run(from->sim);
}

/* What somebody claims to have, or not, starts nothing; the worst of it is one line. */
static void false_heads_cost_a_line(void **state)
{
    static const struct signet_id unknown = {{7}};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct simulation sim;
        struct sim_client *alice = &sim.clients[0], *bob = &sim.clients[1];
        struct signet_entry_draft last = {.sequence = 0};
        const struct signet_id *parents[] = {&unknown, &last.previous, NULL};
        struct record_key all = {.kind = RECORD_MESSAGE};
        struct record_source source;
        size_t received, at_bob;

        meet(&sim, 258 + i);
        restart(alice);
        source = memory_records_source(alice->records);
        CHECK_OK(source.scan(source.ctx, &all, take_own, &last));
        received = alice->received;
        at_bob = bob->received;
        inject_heads(bob, alice, parents[i]);
        sim_wait(&sim, 2 * HOUR_MS);
        sim_run(&sim);
        CHECK(alice->received == received + (parents[i] == NULL) && bob->received == at_bob);
        check_sent(alice, bob, parents[i] == NULL ? "missing one\n" : "one\n");
        simulation_close(&sim);
    }
}

TEST_FILE(recovery)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_wait_for_a_damaged_contact),
        cmocka_unit_test(messages_wait_for_an_honest_answer),
        cmocka_unit_test(no_more_than_so_many_messages_wait),
        cmocka_unit_test(the_other_side_learns_what_is_missing),
        cmocka_unit_test(a_new_session_is_begun_once_an_hour),
        cmocka_unit_test(two_sides_that_lost_their_sessions_come_to_rest),
        cmocka_unit_test(a_stranger_is_told_nothing),
        cmocka_unit_test(false_heads_cost_a_line),
    };

    return cmocka_run_group_tests_name("engine loss", tests, NULL, NULL);
}
