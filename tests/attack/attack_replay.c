/*
 * A relay that delivers first messages again, long after: docs/protocol.md, section 5, "knows T1
 * already". Each test fails when a message is shown twice or a session is begun twice.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#include "wire/cbor.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct scene {
    struct simulation sim;
    struct sim_client *alice, *bob;
    struct signet_buf first; /* the first delivery to bob */
};

/* Without a one-time prekey nothing but memory stops a replay. */
static void withhold_one_time(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct relay_message changed = *message;

    (void)client;
    if (message->type == RELAY_PREKEYS)
        changed.has_prekey = false;
    CHECK_OK(relay_message_write(&changed, out));
}

static void keep_first(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct scene *scene = client->intercept_ctx;

    if (message->type == RELAY_DELIVER && scene->first.len == 0)
        CHECK_OK(relay_message_write(message, &scene->first));
    CHECK_OK(relay_message_write(message, out));
}

static void scene_open(struct scene *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    simulation_open(&s->sim, seed);
    s->alice = sim_join(&s->sim, "alice");
    s->bob = sim_join(&s->sim, "bob");
    s->alice->intercept = withhold_one_time;
    s->bob->intercept = keep_first;
    s->bob->intercept_ctx = s;
}

static void scene_close(struct scene *s)
{
    signet_buf_free(&s->first);
    simulation_close(&s->sim);
}

static void reconnect(struct scene *s)
{
    sim_disconnect(s->bob);
    sim_connect(s->bob);
    sim_run(&s->sim);
}

static void send_to_bob(struct scene *s, const char *text)
{
    size_t received = s->bob->received;

    sim_send(s->alice, "bob", text);
    sim_run(&s->sim);
    CHECK(s->bob->received == received + 1);
}

/* What bob has of alice; and the session lives. */
static void check_lives(struct scene *s, const char *wanted)
{
    char *history = sim_history(s->bob, s->alice, false);

    assert_string_equal(history, wanted);
    free(history);
    send_to_bob(s, "the next one");
    history = sim_history(s->bob, s->alice, false);
    CHECK(strstr(history, "the next one\n") != NULL);
    free(history);
}

/* A clock that was slow at receipt must not let the marks go before the keys. */
static void a_slow_clock_lets_no_first_message_in_twice(void **state)
{
    struct scene s;
    size_t received;

    (void)state;
    scene_open(&s, 510);
    sim_disconnect(s.bob);
    s.bob->clock_ahead_ms = (uint64_t)0 - 200 * DAY_MS;
    sim_connect(s.bob);
    sim_run(&s.sim);
    send_to_bob(&s, "pay 100");
    s.bob->clock_ahead_ms = 0;
    core_rig_wait(&s.sim.rig, 2 * DAY_MS);
    reconnect(&s);
    sim_send(s.bob, "alice", "so that the session is answered");
    sim_run(&s.sim);
    received = s.bob->received;
    sim_inject(s.bob, signet_buf_span(&s.first));
    CHECK(s.bob->received == received); /* known: acknowledged silently */
    check_lives(&s, "pay 100\n");
    scene_close(&s);
}

/* The transcript is known although the envelope's hash and the session are gone. */
static void a_session_that_is_gone_is_not_begun_again(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 511);
    send_to_bob(&s, "pay 100");
    core_rig_wait(&s.sim.rig, 59 * DAY_MS); /* the bundle's secrets are still there */
    sim_kill(s.bob);
    CHECK(memory_records_remove(s.bob->records, RECORD_SEEN) > 0);
    CHECK(memory_records_remove(s.bob->records, RECORD_SESSION) > 0);
    sim_start(s.bob);
    sim_subscribe(s.bob);
    sim_connect(s.bob);
    sim_run(&s.sim);
    sim_inject(s.bob, signet_buf_span(&s.first));
    CHECK(s.bob->received == 2); /* refused: no session */
    {
        char *history = sim_history(s.bob, s.alice, false);

        assert_string_equal(history, "pay 100\n");
        free(history);
    }
    scene_close(&s);
}

/* A session that lives is not replaced, whatever became of the marks. */
static void a_session_that_lives_is_not_begun_again(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 512);
    send_to_bob(&s, "pay 100");
    sim_send(s.bob, "alice", "so that the session is answered");
    sim_run(&s.sim);
    CHECK(memory_records_remove(s.bob->records, RECORD_SEEN) > 0);
    CHECK(memory_records_remove(s.bob->records, RECORD_TRANSCRIPT) > 0);
    CHECK(memory_records_remove(s.bob->records, RECORD_HEAD) > 0);
    sim_inject(s.bob, signet_buf_span(&s.first));
    check_lives(&s, "pay 100\nreplayed \n");
    scene_close(&s);
}

/* The marks go with the bundle's secrets, by which alone they matter. */
static void marks_do_not_outlive_what_they_guard(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 513);
    send_to_bob(&s, "one");
    for (unsigned i = 0; i < 9; i++) {
        core_rig_wait(&s.sim.rig, 8 * DAY_MS);
        reconnect(&s);
    }
    CHECK(memory_records_remove(s.bob->records, RECORD_TRANSCRIPT) == 0);
    CHECK(memory_records_remove(s.bob->records, RECORD_BEGUN) == 0);
    sim_inject(s.bob, signet_buf_span(&s.first));
    CHECK(memory_records_remove(s.bob->records, RECORD_TRANSCRIPT) == 0);
    scene_close(&s);
}

static enum signet_err take_first(void *ctx, uint64_t number, signet_span value)
{
    struct message *message = ctx;

    (void)number;
    return message->text.len == 0 ? message_decode(value, message) : SIGNET_OK;
}

/* Section 8, step 7: an entry that comes again is no fork, and is not shown again, however old. */
static void an_old_entry_sealed_anew_is_shown_once(void **state)
{
    struct record_key lines = {.kind = RECORD_MESSAGE};
    struct signet_buf content = {0};
    struct wire_writer w = wire_writer(&content);
    struct record_source source;
    struct message first = {0};
    struct scene s;
    char *history;

    (void)state;
    scene_open(&s, 514);
    for (unsigned i = 0; i < 66; i++) /* more than a chain remembers */
        send_to_bob(&s, i == 0 ? "pay 100" : "other");
    source = memory_records_source(s.alice->records);
    CHECK_OK(source.scan(source.ctx, &lines, take_first, &first));
    wire_put_array(&w, 5);
    wire_put_bytes(&w, signet_buf_span(&first.signed_bytes));
    wire_put_null(&w);
    wire_put_bytes(&w, signet_span_of(first.salt, sizeof(first.salt)));
    wire_put_bytes(&w, signet_buf_span(&first.text));
    wire_put_null(&w);
    CHECK_OK(wire_writer_finish(&w));
    sim_inject_content(s.alice, s.bob, signet_buf_span(&content));
    history = sim_history(s.bob, s.alice, false);
    CHECK(strncmp(history, "pay 100\n", 8) == 0 && strstr(history + 8, "pay 100") == NULL);
    CHECK(strstr(history, "replayed \n") != NULL && strstr(history, "fork") == NULL);
    free(history);
    message_clear(&first);
    signet_buf_free(&content);
    scene_close(&s);
}

TEST_FILE(attack_replay)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_clock_lets_no_first_message_in_twice),
        cmocka_unit_test(a_session_that_is_gone_is_not_begun_again),
        cmocka_unit_test(a_session_that_lives_is_not_begun_again),
        cmocka_unit_test(marks_do_not_outlive_what_they_guard),
        cmocka_unit_test(an_old_entry_sealed_anew_is_shown_once),
    };

    return cmocka_run_group_tests_name("attack_replay", tests, NULL, NULL);
}
