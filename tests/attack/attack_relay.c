/*
 * A malicious relay against messages on their way: each test plays the relay, and fails when the
 * attack works. The clients are real engines; the relay's messages to them are changed on the way.
 */
#include "tests/support/relay_scene.h"

#include <stdlib.h>

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

/* WhatsApp and Signal groups, "More is Less" (EuroS&P 2018): replays must not show twice. */
static void a_replayed_envelope_is_shown_once(void **state)
{
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 20, RELAY_DELIVER);
    s.kept.also_deliver = true;
    sim_send(s.alice, "bob", "once");
    sim_run(&s.sim);
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[0]));
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[0]));
    relay_scene_check_history(s.bob, s.alice, "once\n");
    CHECK(s.bob->received == 1);
    relay_scene_close(&s);
}

/* The same: a message that is held back shows as a gap, and as late when it comes. */
static void reordered_messages_are_shown_as_such(void **state)
{
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 21, RELAY_DELIVER);
    sim_send(s.alice, "bob", "one");
    sim_send(s.alice, "bob", "two");
    sim_send(s.alice, "bob", "three");
    sim_run(&s.sim);
    CHECK(s.kept.count == 3);
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[2]));
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[0]));
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[1]));
    relay_scene_check_history(s.bob, s.alice, "gap three\nlate one\nlate two\n");
    relay_scene_close(&s);
}

/* The same: a message silently dropped. */
static void a_dropped_message_is_shown_as_a_gap(void **state)
{
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 22, RELAY_DELIVER);
    sim_send(s.alice, "bob", "one");
    sim_send(s.alice, "bob", "two");
    sim_send(s.alice, "bob", "three");
    sim_run(&s.sim);
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[0]));
    sim_inject(s.bob, signet_buf_span(&s.kept.messages[2]));
    relay_scene_check_history(s.bob, s.alice, "one\ngap three\n");
    relay_scene_close(&s);
}

/* Threema (USENIX Security 2023): one's own messages reflected. */
static void a_reflected_message_is_refused(void **state)
{
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 23, RELAY_DELIVER);
    sim_send(s.alice, "bob", "to bob");
    sim_run(&s.sim);
    sim_inject(s.alice, signet_buf_span(&s.kept.messages[0]));
    CHECK(s.alice->received == 1);
    relay_scene_check_history(s.alice, s.bob, "unknown-session \n");
    relay_scene_close(&s);
}

/* Wire: a ciphertext redirected to somebody else. */
static void a_redirected_message_is_refused(void **state)
{
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 24, RELAY_DELIVER);
    sim_send(s.alice, "carol", "so that a session is there");
    sim_run(&s.sim);
    sim_send(s.alice, "bob", "to bob");
    sim_run(&s.sim);
    sim_inject(s.carol, signet_buf_span(&s.kept.messages[0]));
    CHECK(last_refusal(s.carol) == VERDICT_UNKNOWN);
    relay_scene_check_history(s.carol, s.alice, "so that a session is there\n");
    relay_scene_close(&s);
}

/* Synapse CVE-2025-30355: a poison message must not stall those behind it. */
static void a_poison_message_stalls_nothing(void **state)
{
    static const uint8_t poison[][4] = {{0xff, 0xff, 0xff, 0xff}, {0x86, 0x01, 0x48, 0x00}, {0}};
    struct relay_scene s;

    (void)state;
    relay_scene_open(&s, 25, RELAY_DRAINED);
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
    relay_scene_check_history(s.bob, s.alice, "before\nafter\n");
    CHECK(s.bob->received == 5);
    relay_scene_close(&s);
}

/* A bit flipped anywhere in an envelope: refused or, in the lookup tag, not found; never shown. */
static void a_flipped_bit_is_never_shown(void **state)
{
    struct relay_scene s;
    struct relay_message message;
    signet_span rest;
    struct signet_buf original = {0};

    (void)state;
    relay_scene_open(&s, 26, RELAY_DELIVER);
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
    relay_scene_close(&s);
}

TEST_FILE(attack_relay)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replayed_envelope_is_shown_once),
        cmocka_unit_test(reordered_messages_are_shown_as_such),
        cmocka_unit_test(a_dropped_message_is_shown_as_a_gap),
        cmocka_unit_test(a_reflected_message_is_refused),
        cmocka_unit_test(a_redirected_message_is_refused),
        cmocka_unit_test(a_poison_message_stalls_nothing),
        cmocka_unit_test(a_flipped_bit_is_never_shown),
    };

    return cmocka_run_group_tests_name("attack_relay", tests, NULL, NULL);
}
