/*
 * A malicious relay that answers one contact's name with another's card, so that a person who
 * compares fingerprints and accepts one writes to somebody else: docs/protocol.md, section 3. Each
 * test fails when the attack works.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

/* Whose cards the relay shows for whose names; empty: the true ones. */
struct scene {
    struct simulation sim;
    struct sim_client *alice, *bob, *carol, *dave;
    struct signet_buf for_bob, for_carol;
};

static void lie(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    const struct scene *scene = client->intercept_ctx;
    struct relay_message changed = *message;
    struct signet_id path[RELAY_PATH_MAX];

    if (message->type == RELAY_ACCOUNT && scene->for_bob.len > 0 &&
        signet_span_equal(message->name, signet_span_str("bob")))
        changed.card = signet_buf_span(&scene->for_bob);
    if (message->type == RELAY_ACCOUNT && scene->for_carol.len > 0 &&
        signet_span_equal(message->name, signet_span_str("carol")))
        changed.card = signet_buf_span(&scene->for_carol);
    if (message->type == RELAY_PREKEYS && message->has_prekey) {
        size_t count = relay_path_copy(message, path);

        changed.prekey.path = signet_span_of(path, count * sizeof(path[0]));
    }
    CHECK_OK(relay_message_write(&changed, out));
}

/* alice has written to bob and carol, and has compared both fingerprints. */
static void scene_open(struct scene *s, uint64_t seed)
{
    struct engine_output output = {0};

    memset(s, 0, sizeof(*s));
    simulation_open(&s->sim, seed);
    s->alice = sim_join(&s->sim, "alice");
    s->bob = sim_join(&s->sim, "bob");
    s->carol = sim_join(&s->sim, "carol");
    s->dave = sim_join(&s->sim, "dave");
    sim_send(s->alice, "bob", "hello");
    sim_send(s->alice, "carol", "hello");
    sim_run(&s->sim);
    CHECK_OK(engine_confirm(s->alice->engine, sim_address(s->bob), &output));
    CHECK_OK(engine_confirm(s->alice->engine, sim_address(s->carol), &output));
    CHECK_OK(memory_records_commit(s->alice->records, &output.changes));
    engine_output_clear(&output);
    s->alice->intercept = lie;
    s->alice->intercept_ctx = s;
}

static void scene_close(struct scene *s)
{
    signet_buf_free(&s->for_bob);
    signet_buf_free(&s->for_carol);
    simulation_close(&s->sim);
}

static void show_card(struct signet_buf *in_place, const struct sim_client *of)
{
    signet_buf_truncate(in_place, 0);
    CHECK_OK(signet_buf_append(
        in_place, signet_card_bytes(signet_account_card(engine_account(of->engine)))));
}

/* alice writes to both once cards are due again. */
static void write_to_both(struct scene *s)
{
    core_rig_wait(&s->sim.rig, UINT64_C(2) * 3600 * 1000);
    sim_send(s->alice, "bob", "for bob only");
    sim_send(s->alice, "carol", "for carol only");
    sim_run(&s->sim);
}

static enum signet_err accept_identity(struct scene *s, const struct sim_client *who)
{
    struct engine_output output = {0};
    enum signet_err err = engine_accept(s->alice->engine, sim_address(who), &output);

    CHECK_OK(memory_records_commit(s->alice->records, &output.changes));
    engine_output_clear(&output);
    return err;
}

static void check_contact(struct scene *s, const struct sim_client *peer, const char *name,
    enum contact_state state, bool has_changed)
{
    char address[SIGNET_ID_TEXT_SIZE];
    struct contact contact = {0};

    signet_id_text(sim_address(peer), address);
    CHECK_OK(engine_contact(s->alice->engine, address, &contact));
    assert_string_equal(contact.name, name);
    CHECK(contact.state == state && contact.has_changed == has_changed);
    contact_clear(&contact);
}

static void check_history(const struct scene *s, struct sim_client *client, const char *wanted)
{
    char *history = sim_history(client, s->alice, false);

    assert_string_equal(history, wanted);
    free(history);
}

/* The relay makes carol's name point to bob and bob's to dave: whoever compares bob's fingerprint
 * and finds the old one right must not have made him carol. */
static void accepting_the_old_identity_gives_it_nobody_elses_name(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 401);
    show_card(&s.for_bob, s.dave);
    show_card(&s.for_carol, s.bob);
    write_to_both(&s);
    CHECK(s.alice->failed == 2);
    check_contact(&s, s.bob, "bob", CONTACT_CONFIRMED, true);
    check_contact(&s, s.carol, "carol", CONTACT_CONFIRMED, false);
    CHECK_OK(accept_identity(&s, s.bob));
    check_contact(&s, s.bob, "bob", CONTACT_CONFIRMED, false);
    check_contact(&s, s.carol, "carol", CONTACT_CONFIRMED, false);
    write_to_both(&s);
    check_history(&s, s.bob, "hello\n");
    check_history(&s, s.carol, "hello\n");
    check_history(&s, s.dave, "");
    scene_close(&s);
}

/* A contact that has its name is nobody's successor. */
static void a_known_contact_takes_no_other_name(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 402);
    show_card(&s.for_carol, s.bob);
    write_to_both(&s);
    CHECK(s.alice->failed == 1 && s.alice->problem == PROBLEM_CARD);
    CHECK(engine_problem_is_refusal(PROBLEM_CARD));
    check_contact(&s, s.carol, "carol", CONTACT_CONFIRMED, false);
    check_history(&s, s.bob, "hello\nfor bob only\n");
    scene_close(&s);
}

/* Nor is one that got its name only after the relay had named it as another's successor. */
static void a_name_given_later_ends_the_succession(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 403);
    show_card(&s.for_bob, s.dave);
    write_to_both(&s);
    check_contact(&s, s.bob, "bob", CONTACT_CONFIRMED, true);
    sim_send(s.alice, "dave", "hello");
    sim_run(&s.sim);
    check_contact(&s, s.dave, "dave", CONTACT_UNVERIFIED, false);
    CHECK_OK(accept_identity(&s, s.dave));
    check_contact(&s, s.dave, "dave", CONTACT_UNVERIFIED, false);
    check_contact(&s, s.bob, "bob", CONTACT_CONFIRMED, true);
    scene_close(&s);
}

/* Which of two names is meant, nobody can know. */
static void one_identity_under_two_names_gets_neither(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 404);
    show_card(&s.for_bob, s.dave);
    show_card(&s.for_carol, s.dave);
    write_to_both(&s);
    CHECK(s.alice->failed == 2 && s.alice->problem == PROBLEM_IDENTITY);
    CHECK_ERR(accept_identity(&s, s.dave), SIGNET_ERR_STATE);
    check_contact(&s, s.bob, "bob", CONTACT_CONFIRMED, true);
    check_contact(&s, s.carol, "carol", CONTACT_CONFIRMED, true);
    check_contact(&s, s.dave, "", CONTACT_NEW, false);
    scene_close(&s);
}

/* What was compared is the fingerprint, not that the name belongs to it. */
static void a_name_handed_over_is_unverified(void **state)
{
    struct engine_output output = {0};
    struct scene s;

    (void)state;
    scene_open(&s, 405);
    show_card(&s.for_bob, s.dave);
    write_to_both(&s);
    CHECK_OK(engine_confirm(s.alice->engine, sim_address(s.dave), &output));
    CHECK_OK(memory_records_commit(s.alice->records, &output.changes));
    engine_output_clear(&output);
    CHECK_OK(accept_identity(&s, s.dave));
    check_contact(&s, s.dave, "bob", CONTACT_UNVERIFIED, false);
    check_contact(&s, s.bob, "", CONTACT_CONFIRMED, false);
    check_contact(&s, s.carol, "carol", CONTACT_CONFIRMED, false);
    scene_close(&s);
}

TEST_FILE(attack_names)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepting_the_old_identity_gives_it_nobody_elses_name),
        cmocka_unit_test(a_known_contact_takes_no_other_name),
        cmocka_unit_test(a_name_given_later_ends_the_succession),
        cmocka_unit_test(one_identity_under_two_names_gets_neither),
        cmocka_unit_test(a_name_handed_over_is_unverified),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
