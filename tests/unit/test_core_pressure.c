/* How much may be under way for a client, and what waits for it: docs/operating.md, "Limits". */
#include "tests/support/core_rig.h"

#include <stdio.h>

static struct signet_library *library;
static struct signet_account *alice, *bob;

static int make_accounts(void **state)
{
    (void)state;
    CHECK_OK(signet_library_new(NULL, &library));
    alice = core_rig_account(library, 0, CORE_RIG_START_MS);
    bob = core_rig_account(library, 1, CORE_RIG_START_MS);
    return 0;
}

static int free_accounts(void **state)
{
    (void)state;
    signet_account_free(alice);
    signet_account_free(bob);
    signet_library_free(library);
    return 0;
}

/* Alice on worker 0 and bob on worker 1, both logged in. */
struct pair {
    struct core_rig rig;
    struct core_client alice, bob;
};

static void pair_open(struct pair *pair)
{
    core_rig_open(&pair->rig, library);
    core_client_open(&pair->alice, &pair->rig, 0);
    core_client_join(&pair->alice, alice, "alice");
    core_client_open(&pair->bob, &pair->rig, 1);
    core_client_join(&pair->bob, bob, "bob");
}

static void pair_close(struct pair *pair)
{
    core_client_close(&pair->alice);
    core_client_close(&pair->bob);
    core_rig_close(&pair->rig);
}

static void put(struct pair *pair, const char *text)
{
    CHECK(core_client_put(&pair->alice, signet_account_device(bob), signet_span_str(text)) == 0);
}

static void subscribe(struct core_client *client)
{
    core_client_send(client, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = 77});
    CHECK(core_client_next(client).type == RELAY_DONE);
}

/* The next message is a delivery of this text; returns its id. */
static uint64_t check_delivered(struct core_client *client, const char *text)
{
    struct relay_message message = core_client_next(client);

    CHECK(message.type == RELAY_DELIVER);
    CHECK_SPAN(message.envelope, text);
    return message.message;
}

static void check_quiet(struct core_client *client)
{
    CHECK(core_client_next(client).type == 0);
}

/* Whether the connections come up without frames: the loop is to say how much waits. */
static bool is_asked(struct relay_core *core, const struct conn *conn)
{
    struct core_output output;
    bool is_any = false;

    core_tick(core);
    while (core_next_output(core, &output)) {
        CHECK(output.conn == conn && output.frames == NULL);
        is_any = true;
    }
    return is_any;
}

/* What was sent may never be taken, and nothing else be sent: the tick asks until it is known that
 * nothing waits. */
static void a_tick_asks_how_much_waits(void **state)
{
    struct relay_core *core;
    struct pair pair;

    (void)state;
    pair_open(&pair);
    core = pair.rig.cores[1];
    subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_pending(core, pair.bob.conn, 0);
    CHECK(!is_asked(core, pair.bob.conn));
    put(&pair, "one");
    CHECK(is_asked(core, pair.bob.conn));
    core_pending(core, pair.bob.conn, 100);
    CHECK(is_asked(core, pair.bob.conn));
    core_pending(core, pair.bob.conn, 0);
    CHECK(!is_asked(core, pair.bob.conn));
    pair_close(&pair);
}

/* A client that takes nothing is left to its mailbox, and dropped after a minute. */
static void a_reader_that_stalls_is_left_alone_then_dropped(void **state)
{
    struct pair pair;
    struct relay_core *core;

    (void)state;
    pair_open(&pair);
    core = pair.rig.cores[1];
    subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_pending(core, pair.bob.conn, CORE_CONGESTED + 1);
    put(&pair, "one");
    check_quiet(&pair.bob);
    core_pending(core, pair.bob.conn, 0);
    core_rig_turn(&pair.rig);
    (void)check_delivered(&pair.bob, "one");

    core_pending(core, pair.bob.conn, 2 * CORE_CONGESTED);
    for (size_t taken = 1; taken < 100; taken++) { /* a little is not nothing */
        core_rig_wait(&pair.rig, CORE_STALLED_MS);
        CHECK(pair.bob.conn != NULL);
        core_pending(core, pair.bob.conn, 2 * CORE_CONGESTED - taken);
    }
    core_rig_wait(&pair.rig, CORE_STALLED_MS);
    CHECK(pair.bob.conn != NULL);
    core_rig_wait(&pair.rig, 1000);
    CHECK(pair.bob.conn == NULL && pair.bob.close_code == RELAY_CLOSE_SLOW);
    pair_close(&pair);
}

/* A client that submits without end is not read until the store has caught up. */
static void a_hasty_client_is_paused(void **state)
{
    static uint8_t large[RELAY_ENVELOPE_MAX];
    struct relay_message message = {.type = RELAY_PUT,
        .req = 1,
        .id = *signet_account_device(bob),
        .envelope = signet_span_of(large, sizeof(large))};
    struct signet_buf bytes = {0};
    struct core_output output;
    struct pair pair;

    (void)state;
    pair_open(&pair);
    CHECK_OK(relay_message_write(&message, &bytes));
    for (size_t i = 0; i < 3; i++)
        core_receive(pair.rig.cores[0], pair.alice.conn, signet_buf_span(&bytes));
    CHECK(core_next_output(pair.rig.cores[0], &output));
    CHECK(output.is_changed && output.is_paused && output.frames == NULL);
    core_rig_turn(&pair.rig);
    CHECK(!pair.alice.is_paused);
    signet_buf_free(&bytes);
    pair_close(&pair);
}

/* One frame is no way around that: the rest of it waits, in order, until the store has caught up. */
static void a_frame_full_of_puts_waits_for_the_store(void **state)
{
    struct signet_buf bytes = {0};
    struct pair pair;
    uint64_t count = 0;

    (void)state;
    pair_open(&pair);
    for (; bytes.len + 100 < RELAY_MESSAGE_MAX; count++)
        CHECK_OK(relay_message_write(&(struct relay_message){.type = RELAY_PUT,
                                         .req = count,
                                         .id = *signet_account_device(bob),
                                         .envelope = signet_span_str("x")},
            &bytes));
    pair.rig.limits.mailbox_messages = count;
    pair.rig.store->ops->set_limits(pair.rig.store, &pair.rig.limits);
    core_receive(pair.rig.cores[0], pair.alice.conn, signet_buf_span(&bytes));
    CHECK(count > 1024 && core_in_flight(pair.rig.cores[0]) == 1024);
    core_rig_turn(&pair.rig);
    for (uint64_t i = 0; i < count; i++) {
        struct relay_message answer = core_client_next(&pair.alice);

        CHECK(answer.type == RELAY_ACCEPTED && answer.req == i);
    }
    CHECK(!pair.alice.is_paused);
    signet_buf_free(&bytes);
    pair_close(&pair);
}

/* What is asked for counts with the size of its answer; and as long as a client does not take what
 * it was sent, nothing more is looked up for it. */
static void answers_are_bounded_like_what_is_stored(void **state)
{
    const struct relay_message message = {
        .type = RELAY_FIND, .req = 1, .name = signet_span_str("bob")};
    struct signet_buf bytes = {0};
    struct relay_core *core;
    struct pair pair;

    (void)state;
    pair_open(&pair);
    core = pair.rig.cores[0];
    for (size_t i = 0; i < 400; i++)
        CHECK_OK(relay_message_write(&message, &bytes));
    core_receive(core, pair.alice.conn, signet_buf_span(&bytes));
    CHECK(core_in_flight(core) == 262144 / RELAY_CARD_MAX);
    core_pending(core, pair.alice.conn, CORE_CONGESTED + 1);
    core_rig_turn(&pair.rig);
    CHECK(pair.alice.is_paused);
    for (size_t i = 0; i < 262144 / RELAY_CARD_MAX; i++)
        CHECK(core_client_next(&pair.alice).type == RELAY_ACCOUNT);
    check_quiet(&pair.alice);
    core_pending(core, pair.alice.conn, 0);
    core_rig_turn(&pair.rig);
    for (size_t i = 262144 / RELAY_CARD_MAX; i < 400; i++)
        CHECK(core_client_next(&pair.alice).type == RELAY_ACCOUNT);
    check_quiet(&pair.alice);
    CHECK(!pair.alice.is_paused);
    signet_buf_free(&bytes);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tick_asks_how_much_waits),
        cmocka_unit_test(a_reader_that_stalls_is_left_alone_then_dropped),
        cmocka_unit_test(a_hasty_client_is_paused),
        cmocka_unit_test(a_frame_full_of_puts_waits_for_the_store),
        cmocka_unit_test(answers_are_bounded_like_what_is_stored),
    };

    return cmocka_run_group_tests(tests, make_accounts, free_accounts);
}
