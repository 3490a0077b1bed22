/* How much may be under way for a client, and what waits for it: docs/operating.md, "Limits". */
#include "tests/support/core_pair.h"

#include <stdio.h>

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
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    core = pair.rig.cores[1];
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_pending(core, pair.bob.conn, 0);
    CHECK(!is_asked(core, pair.bob.conn));
    core_pair_put(&pair, "one");
    CHECK(is_asked(core, pair.bob.conn));
    core_pending(core, pair.bob.conn, 100);
    CHECK(is_asked(core, pair.bob.conn));
    core_pending(core, pair.bob.conn, 0);
    CHECK(!is_asked(core, pair.bob.conn));
    core_pair_close(&pair);
}

/* A client that takes nothing is left to its mailbox, and dropped after a minute. */
static void a_reader_that_stalls_is_left_alone_then_dropped(void **state)
{
    struct core_pair pair;
    struct relay_core *core;

    (void)state;
    core_pair_open(&pair);
    core = pair.rig.cores[1];
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_pending(core, pair.bob.conn, CORE_CONGESTED + 1);
    core_pair_put(&pair, "one");
    core_client_check_quiet(&pair.bob);
    core_pending(core, pair.bob.conn, 0);
    core_rig_turn(&pair.rig);
    (void)core_client_check_delivered(&pair.bob, "one");

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
    core_pair_close(&pair);
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
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    CHECK_OK(relay_message_write(&message, &bytes));
    for (size_t i = 0; i < 3; i++)
        core_receive(pair.rig.cores[0], pair.alice.conn, signet_buf_span(&bytes));
    CHECK(core_next_output(pair.rig.cores[0], &output));
    CHECK(output.is_changed && output.is_paused && output.frames == NULL);
    core_rig_turn(&pair.rig);
    CHECK(!pair.alice.is_paused);
    signet_buf_free(&bytes);
    core_pair_close(&pair);
}

/* One frame is no way around that: the rest of it waits, in order, until the store has caught up. */
static void a_frame_full_of_puts_waits_for_the_store(void **state)
{
    struct signet_buf bytes = {0};
    struct core_pair pair;
    uint64_t count = 0;

    (void)state;
    core_pair_open(&pair);
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
    core_pair_close(&pair);
}

/* What is asked for counts with the size of its answer; and as long as a client does not take what
 * it was sent, nothing more is looked up for it. */
static void answers_are_bounded_like_what_is_stored(void **state)
{
    const struct relay_message message = {
        .type = RELAY_FIND, .req = 1, .name = signet_span_str("bob")};
    struct signet_buf bytes = {0};
    struct relay_core *core;
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
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
    core_client_check_quiet(&pair.alice);
    core_pending(core, pair.alice.conn, 0);
    core_rig_turn(&pair.rig);
    for (size_t i = 262144 / RELAY_CARD_MAX; i < 400; i++)
        CHECK(core_client_next(&pair.alice).type == RELAY_ACCOUNT);
    core_client_check_quiet(&pair.alice);
    CHECK(!pair.alice.is_paused);
    signet_buf_free(&bytes);
    core_pair_close(&pair);
}

TEST_FILE(core_pressure)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tick_asks_how_much_waits),
        cmocka_unit_test(a_reader_that_stalls_is_left_alone_then_dropped),
        cmocka_unit_test(a_hasty_client_is_paused),
        cmocka_unit_test(a_frame_full_of_puts_waits_for_the_store),
        cmocka_unit_test(answers_are_bounded_like_what_is_stored),
    };

    return cmocka_run_group_tests(tests, core_accounts_make, core_accounts_free);
}
