/*
 * A malicious relay against clients: each test plays the relay, and fails when the attack works.
 * The clients are real engines; the relay's messages to them are changed on the way.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

enum { KEPT_MAX = 8 };

/* What the relay has put aside. */
struct kept {
    size_t count;
    struct signet_buf messages[KEPT_MAX]; /* encoded, in the order in which they came */
    enum relay_type type;                 /* which ones to keep */
    bool also_deliver;
    struct signet_buf replacement; /* a card or bundle to show instead */
};

static void free_kept(struct kept *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        signet_buf_free(&kept->messages[i]);
    signet_buf_free(&kept->replacement);
}

static void pass(const struct relay_message *message, struct signet_buf *out)
{
    struct relay_message copy = *message;
    struct signet_id path[RELAY_PATH_MAX];

    if (copy.type == RELAY_PREKEYS && copy.has_prekey) {
        size_t count = relay_path_copy(message, path);

        copy.prekey.path = signet_span_of(path, count * sizeof(path[0]));
    }
    CHECK_OK(relay_message_write(&copy, out));
}

/* Put messages of one type aside, and perhaps deliver them too. */
static void keep(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct kept *kept = client->intercept_ctx;

    if (message->type == kept->type) {
        CHECK(kept->count < KEPT_MAX);
        pass(message, &kept->messages[kept->count++]);
        if (!kept->also_deliver)
            return;
    }
    pass(message, out);
}

static void check_history(
    struct sim_client *client, const struct sim_client *peer, const char *wanted)
{
    char *history = sim_history(client, peer, false);

    assert_string_equal(history, wanted);
    free(history);
}

/* Lines of the history under no conversation: refused envelopes whose sender is not known. */
static enum signet_err find_verdict(void *ctx, uint64_t number, signet_span value)
{
    struct message message;

    (void)number;
    CHECK_OK(message_decode(value, &message));
    *(enum verdict *)ctx = message.verdict;
    CHECK(message.text.len == 0);
    message_clear(&message);
    return SIGNET_OK;
}

static enum verdict last_refusal(struct sim_client *client)
{
    static const struct signet_id none;
    struct record_source source = memory_records_source(client->records);
    struct record_key key = {RECORD_MESSAGE, signet_id_span(&none), 0};
    enum verdict verdict = VERDICT_VERIFIED;

    CHECK_OK(source.scan(source.ctx, &key, find_verdict, &verdict));
    return verdict;
}

/* Three clients, and what the relay keeps of what goes to one of them. */
struct scene {
    struct simulation sim;
    struct sim_client *alice, *bob, *carol;
    struct kept kept;
};

static void scene_open(struct scene *scene, uint64_t seed, enum relay_type type)
{
    memset(scene, 0, sizeof(*scene));
    simulation_open(&scene->sim, seed);
    scene->alice = sim_join(&scene->sim, "alice");
    scene->bob = sim_join(&scene->sim, "bob");
    scene->carol = sim_join(&scene->sim, "carol");
    scene->kept.type = type;
    scene->bob->intercept = keep;
    scene->bob->intercept_ctx = &scene->kept;
}

static void scene_close(struct scene *scene)
{
    free_kept(&scene->kept);
    simulation_close(&scene->sim);
}

/* WhatsApp and Signal groups, "More is Less" (EuroS&P 2018): replays must not show twice. */
static void a_replayed_envelope_is_shown_once(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 20, RELAY_DELIVER);
    s.kept.also_deliver = true;
    sim_send(s.alice, "bob", "once");
    sim_run(&s.sim);
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[0]));
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[0]));
    check_history(s.bob, s.alice, "once\n");
    CHECK(s.bob->received == 1);
    scene_close(&s);
}

/* The same: a message that is held back shows as a gap, and as late when it comes. */
static void reordered_messages_are_shown_as_such(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 21, RELAY_DELIVER);
    sim_send(s.alice, "bob", "one");
    sim_send(s.alice, "bob", "two");
    sim_send(s.alice, "bob", "three");
    sim_run(&s.sim);
    CHECK(s.kept.count == 3);
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[2]));
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[0]));
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[1]));
    check_history(s.bob, s.alice, "gap three\nlate one\nlate two\n");
    scene_close(&s);
}

/* The same: a message silently dropped. */
static void a_dropped_message_is_shown_as_a_gap(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 22, RELAY_DELIVER);
    sim_send(s.alice, "bob", "one");
    sim_send(s.alice, "bob", "two");
    sim_send(s.alice, "bob", "three");
    sim_run(&s.sim);
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[0]));
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[2]));
    check_history(s.bob, s.alice, "one\ngap three\n");
    scene_close(&s);
}

/* Threema (USENIX Security 2023): one's own messages reflected. */
static void a_reflected_message_is_refused(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 23, RELAY_DELIVER);
    sim_send(s.alice, "bob", "to bob");
    sim_run(&s.sim);
    sim_inject(s.alice, signet_buf_span(&s.kept.messages[0]));
    CHECK(s.alice->received == 1);
    check_history(s.alice, s.bob, "unknown-session \n");
    scene_close(&s);
}

/* Wire: a ciphertext redirected to somebody else. */
static void a_redirected_message_is_refused(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 24, RELAY_DELIVER);
    sim_send(s.alice, "carol", "so that a session is there");
    sim_run(&s.sim);
    sim_send(s.alice, "bob", "to bob");
    sim_run(&s.sim);
    sim_inject(s.carol, signet_buf_span(&s.kept.messages[0]));
    CHECK(last_refusal(s.carol) == VERDICT_UNKNOWN);
    check_history(s.carol, s.alice, "so that a session is there\n");
    scene_close(&s);
}

/* Synapse CVE-2025-30355: a poison message must not stall those behind it. */
static void a_poison_message_stalls_nothing(void **state)
{
    static const uint8_t poison[][4] = {{0xff, 0xff, 0xff, 0xff}, {0x86, 0x01, 0x48, 0x00}, {0}};
    struct scene s;

    (void)state;
    scene_open(&s, 25, RELAY_DRAINED);
    sim_send(s.alice, "bob", "before");
    sim_run(&s.sim);
    for (size_t i = 0; i < 3; i++) {
        struct relay_message message = {.type = RELAY_DELIVER, .message = 77 + i};
        struct signet_buf bytes = {0};

        message.envelope = signet_span_of(poison[i], sizeof(poison[i]));
        CHECK_OK(relay_message_write(&message, &bytes));
        sim_inject(s.bob, signet_buf_span(&bytes));
        signet_buf_free(&bytes);
    }
    CHECK(last_refusal(s.bob) == VERDICT_MALFORMED);
    sim_send(s.alice, "bob", "after");
    sim_run(&s.sim);
    check_history(s.bob, s.alice, "before\nafter\n");
    CHECK(s.bob->received == 5);
    scene_close(&s);
}

/* A bit flipped anywhere in an envelope: refused or, in the lookup tag, not found; never shown. */
static void a_flipped_bit_is_never_shown(void **state)
{
    struct scene s;
    struct relay_message message;
    signet_span rest;
    struct signet_buf original = {0};

    (void)state;
    scene_open(&s, 26, RELAY_DELIVER);
    s.kept.also_deliver = true;
    sim_send(s.alice, "bob", "first");
    sim_run(&s.sim);
    sim_send(s.bob, "alice", "answer");
    sim_run(&s.sim);
    s.kept.also_deliver = false;
    sim_send(s.alice, "bob", "second");
    sim_run(&s.sim);
    CHECK(s.kept.count == 2);
    CHECK_OK(relay_message_read(signet_buf_span(&s.kept.messages[1]), &message, &rest));
    CHECK_OK(signet_buf_append(&original, message.envelope));
    for (size_t at = 0; at < original.len; at += 7) {
        struct signet_buf bytes = {0};

        original.ptr[at] ^= 0x10;
        message.envelope = signet_buf_span(&original);
        CHECK_OK(relay_message_write(&message, &bytes));
        sim_inject(s.bob, signet_buf_span(&bytes));
        signet_buf_free(&bytes);
        original.ptr[at] ^= 0x10;
    }
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[1]));
    {
        char *history = sim_history(s.bob, s.alice, false);
        const char *last = strstr(history, "second\n");

        CHECK(strncmp(history, "first\n", 6) == 0 && last != NULL);
        CHECK(strcmp(last, "second\n") == 0 && (last == history || last[-1] == '\n'));
        free(history);
    }
    signet_buf_free(&original);
    scene_close(&s);
}

/* ---- the directory ---- */

/* Show another card for every name that is asked for. */
static void replace_card(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct kept *kept = client->intercept_ctx;
    struct relay_message changed = *message;

    if (message->type == RELAY_ACCOUNT) {
        if (kept->replacement.len == 0)
            CHECK_OK(signet_buf_append(&kept->replacement, message->card));
        changed.card = signet_buf_span(&kept->replacement);
    }
    pass(&changed, out);
}

/* Matrix (S&P 2023): the server adds a device. Without the identity key it can only forge. */
static void the_server_cannot_add_a_device(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 27, RELAY_DRAINED);
    s.alice->intercept = replace_card;
    s.alice->intercept_ctx = &s.kept;
    CHECK_OK(signet_buf_append(&s.kept.replacement,
        signet_card_bytes(signet_account_card(engine_account(s.bob->engine)))));
    s.kept.replacement.ptr[s.kept.replacement.len / 2] ^= 1; /* inside the signed list */
    sim_send(s.alice, "bob", "secret");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_CARD && engine_problem_is_refusal(PROBLEM_CARD));
    CHECK(s.alice->accepted == 0 && s.bob->received == 0);
    scene_close(&s);
}

/* Time passes until the clients have renewed their lists. */
static void wait_until_renewed(struct scene *s)
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
    struct scene s;

    (void)state;
    scene_open(&s, 28, RELAY_DRAINED);
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
    CHECK(s.alice->problem == PROBLEM_LIST && engine_problem_is_refusal(PROBLEM_LIST));
    CHECK(s.alice->accepted == 2);
    check_history(s.bob, s.alice, "one\ntwo\n");
    scene_close(&s);
}

/* Decision 23: a name that goes over to another identity blocks, until a person accepts it. */
static void a_changed_identity_blocks_until_accepted(void **state)
{
    struct engine_output output = {0};
    struct scene s;

    (void)state;
    scene_open(&s, 29, RELAY_DRAINED);
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
    check_history(s.carol, s.alice, "four\n");
    check_history(s.bob, s.alice, "one\n");
    scene_close(&s);
}

/* ---- prekeys ---- */

/* Show another bundle; or another one-time prekey, where there is no other bundle. */
static void replace_bundle(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    static const uint8_t own_key[32] = {9};
    struct kept *kept = client->intercept_ctx;
    struct relay_message changed = *message;

    if (message->type != RELAY_PREKEYS) {
        pass(message, out);
        return;
    }
    if (kept->replacement.len > 0) {
        changed.bundle = signet_buf_span(&kept->replacement);
        changed.has_prekey = false;
    } else {
        CHECK(changed.has_prekey);
        changed.prekey.key = signet_span_of(own_key, sizeof(own_key));
    }
    pass(&changed, out);
}

/* Keep the bundle that is handed out. */
static void keep_bundle(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct kept *kept = client->intercept_ctx;

    if (message->type == RELAY_PREKEYS && kept->replacement.len == 0)
        CHECK_OK(signet_buf_append(&kept->replacement, message->bundle));
    pass(message, out);
}

/* The server hands out a one-time prekey of its own, whose private half it knows. */
static void the_server_cannot_replace_a_one_time_prekey(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 30, RELAY_DRAINED);
    s.alice->intercept = replace_bundle;
    s.alice->intercept_ctx = &s.kept;
    sim_send(s.alice, "bob", "secret");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_CARD && s.alice->accepted == 0);
    scene_close(&s);
}

/* The server hands out an older bundle, whose keys may have been lost since. */
static void a_bundle_is_not_rolled_back(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 31, RELAY_DRAINED);
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
    scene_close(&s);
}

/* Decision 6: the relay may run out of one-time prekeys; an honest peer still gets a session. */
static void without_one_time_prekeys_there_is_still_a_session(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 32, RELAY_DRAINED);
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
    check_history(s.bob, s.alice, "one\ntwo\n");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replayed_envelope_is_shown_once),
        cmocka_unit_test(reordered_messages_are_shown_as_such),
        cmocka_unit_test(a_dropped_message_is_shown_as_a_gap),
        cmocka_unit_test(a_reflected_message_is_refused),
        cmocka_unit_test(a_redirected_message_is_refused),
        cmocka_unit_test(a_poison_message_stalls_nothing),
        cmocka_unit_test(a_flipped_bit_is_never_shown),
        cmocka_unit_test(the_server_cannot_add_a_device),
        cmocka_unit_test(a_device_list_is_not_rolled_back),
        cmocka_unit_test(a_changed_identity_blocks_until_accepted),
        cmocka_unit_test(the_server_cannot_replace_a_one_time_prekey),
        cmocka_unit_test(a_bundle_is_not_rolled_back),
        cmocka_unit_test(without_one_time_prekeys_there_is_still_a_session),
    };

    return cmocka_run_group_tests_name("attack_relay", tests, NULL, NULL);
}
