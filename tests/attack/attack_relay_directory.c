/*
 * A malicious relay as the directory: it shows clients other cards, bundles and prekeys than it was
 * given. Each test plays the relay, and fails when the attack works.
 */
#include "tests/support/relay_scene.h"

/* ---- cards ---- */

/* Show another card for every name that is asked for. */
static void replace_card(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct relay_kept *kept = client->intercept_ctx;
    struct relay_message changed = *message;

    if (message->type == RELAY_ACCOUNT) {
        if (kept->replacement.len == 0)
            CHECK_OK(signet_buf_append(&kept->replacement, message->card));
        changed.card = signet_buf_span(&kept->replacement);
    }
    relay_scene_pass(&changed, out);
}

/* Matrix (S&P 2023): the server adds a device. Without the identity key it can only forge. */
static void the_server_cannot_add_a_device(void **state)
{
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 27, RELAY_DRAINED);
    s.alice->intercept = replace_card;
    s.alice->intercept_ctx = &s.kept;
    CHECK_OK(signet_buf_append(&s.kept.replacement,
        signet_card_bytes(signet_account_card(engine_account(s.bob->engine)))));
    s.kept.replacement.ptr[s.kept.replacement.len / 2] ^= 1; /* inside the signed list */
    sim_send(s.alice, "bob", "secret");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_CARD && engine_problem_is_refusal(PROBLEM_CARD));
    CHECK(s.alice->accepted == 0 && s.bob->received == 0);
    relay_scene_close(&s);
}

/* Time passes until the clients have renewed their lists. */
static void wait_until_renewed(struct relay_scene *s)
{
    sim_disconnect(s->bob);
    sim_disconnect(s->alice);
    core_rig_wait(&s->sim.rig, UINT64_C(31) * 24 * 3600 * 1000);
    sim_connect(s->bob);
    sim_connect(s->alice);
    sim_run(&s->sim);
}

/* Matrix (S&P 2023): an old device list, with a device that has been removed since. */
static void a_device_list_is_not_rolled_back(void **state)
{
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 28, RELAY_DRAINED);
    CHECK_OK(signet_buf_append(&s.kept.replacement,
        signet_card_bytes(signet_account_card(engine_account(s.bob->engine)))));
    sim_send(s.alice, "bob", "one");
    sim_run(&s.sim);
    wait_until_renewed(&s);
    sim_send(s.alice, "bob", "two");
    sim_run(&s.sim);
    CHECK(s.alice->accepted == 2);
    s.alice->intercept = replace_card; /* from now on the old card */
    s.alice->intercept_ctx = &s.kept;
    core_rig_wait(&s.sim.rig, UINT64_C(2) * 3600 * 1000);
    sim_send(s.alice, "bob", "three");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_ROLLBACK && engine_problem_is_refusal(PROBLEM_ROLLBACK));
    CHECK(s.alice->accepted == 2);
    relay_scene_check_history(s.bob, s.alice, "one\ntwo\n");
    relay_scene_close(&s);
}

/* A name that goes over to another identity blocks, until a person accepts it. */
static void a_changed_identity_blocks_until_accepted(void **state)
{
    struct engine_output output = {0};
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 29, RELAY_DRAINED);
    sim_send(s.alice, "bob", "one");
    sim_run(&s.sim);
    s.alice->intercept = replace_card;
    s.alice->intercept_ctx = &s.kept;
    CHECK_OK(signet_buf_append(&s.kept.replacement,
        signet_card_bytes(signet_account_card(engine_account(s.carol->engine)))));
    core_rig_wait(&s.sim.rig, UINT64_C(2) * 3600 * 1000);
    sim_send(s.alice, "bob", "two");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_IDENTITY && engine_problem_is_refusal(PROBLEM_IDENTITY));
    sim_send(s.alice, "bob", "three");
    sim_run(&s.sim);
    CHECK(s.alice->accepted == 1 && s.alice->failed == 2);
    CHECK(s.carol->received == 0);
    CHECK_OK(engine_accept(s.alice->engine, sim_address(s.carol), &output));
    CHECK_OK(memory_records_commit(s.alice->records, &output.changes));
    engine_output_clear(&output);
    sim_send(s.alice, "bob", "four");
    sim_run(&s.sim);
    relay_scene_check_history(s.carol, s.alice, "four\n");
    relay_scene_check_history(s.bob, s.alice, "one\n");
    relay_scene_close(&s);
}

/* ---- prekeys ---- */

/* Show another bundle; or another one-time prekey, where there is no other bundle. */
static void replace_bundle(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    static const uint8_t own_key[32] = {9};
    struct relay_kept *kept = client->intercept_ctx;
    struct relay_message changed = *message;

    if (message->type != RELAY_PREKEYS) {
        relay_scene_pass(message, out);
        return;
    }
    if (kept->replacement.len > 0) {
        changed.bundle = signet_buf_span(&kept->replacement);
        changed.has_prekey = false;
    } else {
        CHECK(changed.has_prekey);
        changed.prekey.key = signet_span_of(own_key, sizeof(own_key));
    }
    relay_scene_pass(&changed, out);
}

/* Keep the bundle that is handed out. */
static void keep_bundle(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct relay_kept *kept = client->intercept_ctx;

    if (message->type == RELAY_PREKEYS && kept->replacement.len == 0)
        CHECK_OK(signet_buf_append(&kept->replacement, message->bundle));
    relay_scene_pass(message, out);
}

/* The server hands out a one-time prekey of its own, whose private half it knows. */
static void the_server_cannot_replace_a_one_time_prekey(void **state)
{
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 30, RELAY_DRAINED);
    s.alice->intercept = replace_bundle;
    s.alice->intercept_ctx = &s.kept;
    sim_send(s.alice, "bob", "secret");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_CARD && s.alice->accepted == 0);
    relay_scene_close(&s);
}

/* The server hands out an older bundle, whose keys may have been lost since. */
static void a_bundle_is_not_rolled_back(void **state)
{
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 31, RELAY_DRAINED);
    s.alice->intercept = keep_bundle;
    s.alice->intercept_ctx = &s.kept;
    sim_send(s.alice, "bob", "one");
    sim_run(&s.sim);
    sim_disconnect(s.bob);
    core_rig_wait(&s.sim.rig, UINT64_C(8) * 24 * 3600 * 1000);
    sim_connect(s.bob); /* publishes a new bundle */
    sim_run(&s.sim);
    sim_send(s.alice, "bob", "two"); /* unanswered for a day: a new session, the new bundle */
    sim_run(&s.sim);
    CHECK(s.alice->accepted == 2);
    s.alice->intercept = replace_bundle;
    core_rig_wait(&s.sim.rig, UINT64_C(2) * 24 * 3600 * 1000);
    sim_send(s.alice, "bob", "three");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_CARD && s.alice->accepted == 2);
    relay_scene_close(&s);
}

/* The relay may run out of one-time prekeys; an honest peer still gets a session. */
static void without_one_time_prekeys_there_is_still_a_session(void **state)
{
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 32, RELAY_DRAINED);
    sim_send(s.alice, "bob", "one");
    sim_run(&s.sim);
    sim_kill(s.bob);
    /* The second session within the hour gets none. */
    core_rig_wait(&s.sim.rig, UINT64_C(25) * 3600 * 1000);
    sim_send(s.alice, "bob", "two");
    sim_run(&s.sim);
    CHECK(s.alice->accepted == 2);
    sim_start(s.bob);
    {
        struct engine_output output = {0};

        CHECK_OK(engine_subscribe(s.bob->engine, &output));
        engine_output_clear(&output);
    }
    sim_connect(s.bob);
    sim_run(&s.sim);
    relay_scene_check_history(s.bob, s.alice, "one\ntwo\n");
    relay_scene_close(&s);
}

TEST_FILE(attack_relay_directory)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_cannot_add_a_device),
        cmocka_unit_test(a_device_list_is_not_rolled_back),
        cmocka_unit_test(a_changed_identity_blocks_until_accepted),
        cmocka_unit_test(the_server_cannot_replace_a_one_time_prekey),
        cmocka_unit_test(a_bundle_is_not_rolled_back),
        cmocka_unit_test(without_one_time_prekeys_there_is_still_a_session),
    };

    return cmocka_run_group_tests_name("attack_relay_directory", tests, NULL, NULL);
}
