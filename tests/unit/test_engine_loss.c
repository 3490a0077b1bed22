/*
 * The receiving side has lost a record: what comes meanwhile is not lost with it.
 * docs/protocol.md, section 8; decisions 14 and 21.
 */
#include "tests/support/sim_checks.h"

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

/* Decision 14: a message whose sender's record is damaged waits for it, and is shown once. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_wait_for_a_damaged_contact),
        cmocka_unit_test(messages_wait_for_an_honest_answer),
        cmocka_unit_test(no_more_than_so_many_messages_wait),
    };

    return cmocka_run_group_tests_name("engine loss", tests, NULL, NULL);
}
