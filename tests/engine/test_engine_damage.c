/*
 * The engine where records are damaged or gone: it costs what they held, and nothing besides.
 * docs/protocol.md, section 6.
 */
#include "tests/support/sim_checks.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* A damaged record costs what it held, never the whole home. */
static void a_damaged_record_costs_only_what_it_held(void **state)
{
    static const enum record_kind kinds[] = {RECORD_BUNDLE, RECORD_CONTACT, RECORD_NAME,
        RECORD_SESSION, RECORD_SESSIONS, RECORD_TAG, RECORD_COUNTERS, RECORD_TRANSCRIPT,
        RECORD_SEEN, RECORD_ARRIVAL, RECORD_HEAD, RECORD_UNSHOWN, RECORD_MESSAGE};
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

static size_t lines(struct sim_client *client)
{
    struct record_source source = memory_records_source(client->records);
    struct record_key all = {.kind = RECORD_MESSAGE};
    size_t count = 0;

    CHECK_OK(source.scan(source.ctx, &all, count_line, &count));
    return count;
}

/* The same: numbers go on where they were, so that no line, mark or bundle takes another's place. */
static void damaged_counters_are_counted_again(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob;
    size_t before;

    (void)state;
    simulation_open(&sim, 214);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    sim_send(alice, "bob", "one");
    sim_run(&sim);
    sim_send(bob, "alice", "two");
    sim_run(&sim);
    for (unsigned i = 0; i < 3; i++) {
        sim_disconnect(alice);
        sim_send(alice, "bob", "waits in the outbox");
        sim_send(alice, "bob", "waits behind it");
        sim_kill(alice);
        before = lines(alice);
        CHECK(memory_records_damage(alice->records, RECORD_COUNTERS) == 1);
        alice->ready = 0;
        restart(alice);
        CHECK(alice->ready == 1 && alice->failed == 0);
        CHECK(lines(alice) == before + 2);
        check_both_ways(alice, bob);
        CHECK(lines(alice) == before + 4);
        core_rig_wait(&sim.rig, 8 * DAY_MS); /* a new bundle is due */
    }
    simulation_close(&sim);
}

/* The same, where nothing stands beside it: without its keys or its relay no home can do anything,
 * and says so; all else stays as it was. */
static void a_home_without_its_account_does_not_open(void **state)
{
    static const enum record_kind kinds[] = {RECORD_ACCOUNT, RECORD_RELAY};
    struct simulation sim;
    struct sim_client *alice;

    (void)state;
    simulation_open(&sim, 215);
    alice = sim_join(&sim, "alice");
    sim_kill(alice);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct memory_records *damaged = memory_records_copy(alice->records);
        struct engine_config config = {
            .library = sim.seeded.library, .records = memory_records_source(damaged)};
        struct engine *engine = NULL;

        CHECK(memory_records_damage(damaged, kinds[i]) == 1);
        CHECK(engine_open(&config, &engine) == SIGNET_ERR_AUTH && engine == NULL);
        memory_records_free(damaged);
    }
    restart(alice);
    CHECK(alice->ready == 2 && alice->failed == 0);
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

/* A relay that calls every account bob. */
static void call_bob(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct relay_message changed = *message;

    (void)client;
    if (message->type == RELAY_ACCOUNT)
        changed.name = signet_span_str("bob");
    CHECK_OK(relay_message_write(&changed, out));
}

/* The same: whoever is said to have the name of a damaged contact does not get it, and is heard. */
static void the_name_of_a_damaged_contact_stays_taken(void **state)
{
    struct simulation sim;
    struct sim_client *alice, *bob, *carol;
    char *history;

    (void)state;
    simulation_open(&sim, 215);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    carol = sim_join(&sim, "carol");
    sim_send(alice, "bob", "one");
    sim_run(&sim);
    sim_kill(alice);
    CHECK(memory_records_damage(alice->records, RECORD_CONTACT) > 0);
    restart(alice);
    alice->intercept = call_bob;
    sim_send(carol, "alice", "I am not bob");
    sim_run(&sim);
    history = sim_history(alice, carol, false);
    assert_string_equal(history, "I am not bob\n");
    free(history);
    alice->intercept = NULL;
    check_both_ways(alice, bob);
    simulation_close(&sim);
}

/* What goes wrong with one message, whatever it is, must not stop those behind it for good. */
static void a_fault_while_a_message_is_opened_costs_only_its_time(void **state)
{
    static const enum signet_err faults[] = {
        SIGNET_ERR_CRYPTO, SIGNET_ERR_STATE, SIGNET_ERR_ARGUMENT};
    struct simulation sim;
    struct sim_client *alice, *bob;

    (void)state;
    simulation_open(&sim, 215);
    alice = sim_join(&sim, "alice");
    bob = sim_join(&sim, "bob");
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        size_t received = bob->received;

        memory_records_break(bob->records, RECORD_HEAD, faults[i]);
        sim_send(alice, "bob", "one");
        sim_run(&sim);
        CHECK(bob->received == received && engine_is_ready(bob->engine));
        memory_records_break(bob->records, RECORD_HEAD, SIGNET_OK);
        sim_send(alice, "bob", "two");
        sim_run(&sim);
        sim_disconnect(bob);
        sim_connect(bob);
        sim_run(&sim);
        CHECK(bob->received == received + 2);
    }
    simulation_close(&sim);
}

/* How often a text to bob, whose record is damaged, brings a note. */
static size_t notes_of_a_send(struct sim_client *alice)
{
    struct engine_text text = {.peer = "bob", .text = signet_span_str("x"), .token = 77};
    struct engine_output output = {0};
    struct engine_event *event;
    size_t count = 0;

    CHECK_OK(engine_send(alice->engine, &text, alice->sim->rig.wall_ms, &output));
    while ((event = engine_output_event(&output)) != NULL) {
        count += event->type == EVENT_NOTE;
        free(event);
    }
    engine_output_clear(&output);
    return count;
}

/* Nothing of a contact is forgotten without a word, whoever looks the contact up first: engine_contact
 * has no output, and leaves the note to the next call. */
static void a_damaged_contact_is_told_whoever_looks_first(void **state)
{
    (void)state;
    for (int looks = 0; looks < 3; looks++) {
        struct simulation sim;
        struct sim_client *alice;
        struct contact contact = {0};

        simulation_open(&sim, 900);
        alice = sim_join(&sim, "alice");
        (void)sim_join(&sim, "bob");
        sim_send(alice, "bob", "one");
        sim_run(&sim);
        sim_kill(alice);
        CHECK(memory_records_damage(alice->records, RECORD_CONTACT) > 0);
        sim_start(alice);
        for (int i = 0; i < looks; i++)
            CHECK_ERR(engine_contact(alice->engine, "bob", &contact), SIGNET_ERR_AUTH);
        CHECK(notes_of_a_send(alice) == 1);
        CHECK(notes_of_a_send(alice) == 0);
        simulation_close(&sim);
    }
}

TEST_FILE(engine_damage)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_record_costs_only_what_it_held),
        cmocka_unit_test(damaged_counters_are_counted_again),
        cmocka_unit_test(a_home_without_its_account_does_not_open),
        cmocka_unit_test(messages_under_a_damaged_tag_find_their_session),
        cmocka_unit_test(a_draft_to_a_damaged_contact_holds_up_nobody),
        cmocka_unit_test(the_name_of_a_damaged_contact_stays_taken),
        cmocka_unit_test(a_fault_while_a_message_is_opened_costs_only_its_time),
        cmocka_unit_test(a_damaged_contact_is_told_whoever_looks_first),
    };

    return cmocka_run_group_tests_name("engine damage", tests, NULL, NULL);
}
