/* Mailboxes at the relay's core: docs/protocol.md, sections 9 and 10; server/store/store.h. */
#include "tests/support/core_pair.h"

#include <stdio.h>

/* Bob logs in again, on that worker. */
static void bob_returns(struct core_pair *pair, uint32_t worker)
{
    core_client_close(&pair->bob);
    core_rig_turn(&pair->rig);
    core_client_open(&pair->bob, &pair->rig, worker);
    CHECK(core_client_login(&pair->bob, bob) == 0);
}

static void what_waited_is_delivered_then_drained(void **state)
{
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    core_pair_put(&pair, "one");
    core_pair_put(&pair, "two");
    core_client_check_quiet(&pair.bob); /* not before it subscribes */
    core_client_subscribe(&pair.bob);
    CHECK(core_client_check_delivered(&pair.bob, "one") <
          core_client_check_delivered(&pair.bob, "two"));
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_pair_put(&pair, "three");
    (void)core_client_check_delivered(&pair.bob, "three");
    core_client_check_quiet(&pair.bob);
    core_pair_close(&pair);
}

/* `deliver` until `ack`, then deleted. */
static void only_what_was_not_acknowledged_comes_again(void **state)
{
    struct core_pair pair;
    uint64_t first;

    (void)state;
    core_pair_open(&pair);
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_pair_put(&pair, "one");
    core_pair_put(&pair, "two");
    first = core_client_check_delivered(&pair.bob, "one");
    (void)core_client_check_delivered(&pair.bob, "two");
    core_client_ack(&pair.bob, first);
    bob_returns(&pair, 0);
    core_client_subscribe(&pair.bob);
    (void)core_client_check_delivered(&pair.bob, "two");
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_client_check_quiet(&pair.bob);
    core_pair_close(&pair);
}

/* Section 9: what was delivered on an earlier connection comes again, and is acknowledged then. */
static void an_acknowledgement_counts_on_its_own_connection(void **state)
{
    struct core_pair pair;
    size_t submitted;
    uint64_t id;

    (void)state;
    core_pair_open(&pair);
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_pair_put(&pair, "one");
    id = core_client_check_delivered(&pair.bob, "one");
    bob_returns(&pair, 1);
    submitted = pair.rig.submitted;
    core_client_ack(&pair.bob, id);
    CHECK(pair.rig.submitted == submitted);
    core_client_subscribe(&pair.bob);
    core_client_ack(&pair.bob, core_client_check_delivered(&pair.bob, "one"));
    bob_returns(&pair, 0);
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_client_check_quiet(&pair.bob);
    core_pair_close(&pair);
}

/* One client must not stop the relay for the others: ids that were not delivered cost the store
 * nothing, and those of one frame are one operation, each of them once. */
static void a_frame_of_acknowledgements_is_one_operation(void **state)
{
    struct signet_buf bytes = {0};
    struct core_pair pair;
    uint64_t ids[3];

    (void)state;
    core_pair_open(&pair);
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    for (size_t i = 0; i < 3; i++) {
        core_pair_put(&pair, "text");
        ids[i] = core_client_check_delivered(&pair.bob, "text");
    }
    for (uint64_t id = 1; id < 1000; id++)
        CHECK_OK(relay_message_write(
            &(struct relay_message){.type = RELAY_ACK, .ack_ids = &id, .ack_count = 1}, &bytes));
    core_receive(pair.rig.cores[1], pair.bob.conn, signet_buf_span(&bytes));
    CHECK(core_in_flight(pair.rig.cores[1]) == 0);
    for (size_t i = 0; i < 3; i++)
        CHECK_OK(relay_message_write(
            &(struct relay_message){.type = RELAY_ACK, .ack_ids = ids, .ack_count = 3}, &bytes));
    core_receive(pair.rig.cores[1], pair.bob.conn, signet_buf_span(&bytes));
    CHECK(core_in_flight(pair.rig.cores[1]) == 1);
    core_rig_turn(&pair.rig);
    bob_returns(&pair, 1);
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    signet_buf_free(&bytes);
    core_pair_close(&pair);
}

enum { MANY = 300 };

/* Take what is delivered: "0", "1", "2" and so on, each once. Returns how many there are by now. */
static size_t take_numbers(struct core_client *client, uint64_t ids[MANY], size_t count)
{
    for (;;) {
        struct relay_message message = core_client_next(client);
        char text[16];

        if (message.type == RELAY_DRAINED)
            continue;
        if (message.type == 0)
            return count;
        (void)snprintf(text, sizeof(text), "%zu", count);
        CHECK(message.type == RELAY_DELIVER && count < MANY);
        CHECK_SPAN(message.envelope, text);
        ids[count++] = message.message;
    }
}

static void put_numbers(struct core_pair *pair)
{
    char text[16];

    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof(text), "%zu", i);
        core_pair_put(pair, text);
    }
}

/* Section 10: 128 messages unacknowledged; the others wait in the mailbox, and none is lost,
 * repeated or overtaken. */
static void the_window_bounds_live_messages(void **state)
{
    struct core_pair pair;
    uint64_t ids[MANY];
    size_t count;

    (void)state;
    core_pair_open(&pair);
    core_client_subscribe(&pair.bob);
    put_numbers(&pair);
    count = take_numbers(&pair.bob, ids, 0);
    CHECK(count == CORE_WINDOW_MESSAGES);
    for (size_t i = 0; i < MANY; i++) {
        CHECK(i < count);
        core_client_ack(&pair.bob, ids[i]);
        count = take_numbers(&pair.bob, ids, count);
        CHECK(count - i - 1 <= CORE_WINDOW_MESSAGES);
    }
    CHECK(count == MANY);
    core_pair_put(&pair, "after");
    (void)core_client_check_delivered(&pair.bob, "after");
    core_pair_close(&pair);
}

/* What is acknowledged after the store has read it for a fetch, and before the core is told of that,
 * does not come a second time. */
static void an_acknowledgement_overtakes_a_fetch(void **state)
{
    struct relay_message message = {.type = RELAY_ACK, .ack_count = CORE_WINDOW_MESSAGES / 2};
    struct signet_buf bytes = {0};
    struct core_pair pair;
    uint64_t ids[MANY];

    (void)state;
    core_pair_open(&pair);
    put_numbers(&pair);
    core_client_subscribe(&pair.bob);
    CHECK(take_numbers(&pair.bob, ids, 0) == CORE_WINDOW_MESSAGES);
    for (size_t half = 0; half < 2; half++) {
        message.ack_ids = ids + half * message.ack_count;
        signet_buf_truncate(&bytes, 0);
        CHECK_OK(relay_message_write(&message, &bytes));
        core_receive(pair.rig.cores[1], pair.bob.conn, signet_buf_span(&bytes));
        core_flush(pair.rig.cores[1]);
        (void)store_sqlite_step(pair.rig.store);
    }
    core_rig_turn(&pair.rig);
    CHECK(take_numbers(&pair.bob, ids, CORE_WINDOW_MESSAGES) > CORE_WINDOW_MESSAGES);
    signet_buf_free(&bytes);
    core_pair_close(&pair);
}

static void the_window_bounds_what_waited(void **state)
{
    struct core_pair pair;
    uint64_t ids[MANY];
    size_t count;

    (void)state;
    core_pair_open(&pair);
    put_numbers(&pair);
    core_client_subscribe(&pair.bob);
    count = take_numbers(&pair.bob, ids, 0);
    CHECK(count == CORE_WINDOW_MESSAGES);
    /* Acknowledged all at once, and once more. */
    while (count < MANY) {
        core_client_send(&pair.bob,
            &(struct relay_message){.type = RELAY_ACK, .ack_ids = ids, .ack_count = count});
        count = take_numbers(&pair.bob, ids, count);
    }
    core_client_check_quiet(&pair.bob);
    core_pair_close(&pair);
}

/* Section 10: 1 MiB unacknowledged. */
static void the_window_bounds_bytes(void **state)
{
    static uint8_t large[RELAY_ENVELOPE_MAX];
    struct core_pair pair;
    size_t count = 0;
    uint64_t first = 0;

    (void)state;
    core_pair_open(&pair);
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    for (size_t i = 0; i < 20; i++)
        CHECK(core_client_put(&pair.alice, signet_account_device(bob),
                  signet_span_of(large, sizeof(large))) == 0);
    for (struct relay_message message; (message = core_client_next(&pair.bob)).type != 0; count++)
        first = first == 0 ? message.message : first;
    CHECK(count == CORE_WINDOW_BYTES / RELAY_ENVELOPE_MAX);
    core_client_ack(&pair.bob, first); /* less than half is free */
    core_client_check_quiet(&pair.bob);
    core_pair_close(&pair);
}

static void puts_are_refused_with_their_code(void **state)
{
    struct signet_id nobody = {{7}};
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    CHECK(core_client_put(&pair.alice, &nobody, signet_span_str("x")) == RELAY_CODE_UNKNOWN);
    pair.rig.limits.mailbox_messages = 2;
    pair.rig.store->ops->set_limits(pair.rig.store, &pair.rig.limits);
    core_pair_put(&pair, "one");
    core_pair_put(&pair, "two");
    CHECK(core_client_put(&pair.alice, signet_account_device(bob), signet_span_str("three")) ==
          RELAY_CODE_FULL);
    pair.rig.config.rates.put = (struct rate_limit){.per_second = 1, .burst = 1};
    core_rig_configure(&pair.rig);
    CHECK(core_client_put(&pair.alice, &nobody, signet_span_str("x")) == RELAY_CODE_UNKNOWN);
    CHECK(core_client_put(&pair.alice, &nobody, signet_span_str("x")) == RELAY_CODE_OFTEN);
    core_pair_close(&pair);
}

/* `accepted` is promised only when the store has it: DOWN refuses (10), UNKNOWN is tried again with
 * the same ids until it is known. */
static void a_failing_store_never_accepts_and_never_doubles(void **state)
{
    struct core_pair pair;
    struct relay_message answer;

    (void)state;
    core_pair_open(&pair);
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    pair.rig.failure = STORE_DOWN;
    pair.rig.failures = 1;
    core_client_send(&pair.alice, &(struct relay_message){.type = RELAY_PUT,
                                      .req = 5,
                                      .id = *signet_account_device(bob),
                                      .envelope = signet_span_str("lost")});
    answer = core_client_next(&pair.alice);
    CHECK(answer.type == RELAY_REFUSED && answer.req == 5);
    CHECK(answer.code == RELAY_CODE_STORE && answer.retry_after_ms > 0);
    core_client_check_quiet(&pair.bob);

    pair.rig.failure = STORE_UNKNOWN;
    pair.rig.failures = 2;
    core_client_send(&pair.alice, &(struct relay_message){.type = RELAY_PUT,
                                      .req = 6,
                                      .id = *signet_account_device(bob),
                                      .envelope = signet_span_str("kept")});
    core_rig_wait(&pair.rig, 1000);
    core_client_check_quiet(&pair.alice); /* twice unknown: neither accepted nor refused */
    core_rig_wait(&pair.rig, 1000);
    answer = core_client_next(&pair.alice);
    CHECK(answer.type == RELAY_ACCEPTED && answer.req == 6);
    (void)core_client_check_delivered(&pair.bob, "kept");
    core_client_check_quiet(&pair.bob);
    core_pair_close(&pair);
}

/* A fetch that failed is tried again by itself. */
static void a_subscriber_outlasts_a_failing_store(void **state)
{
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    core_pair_put(&pair, "one");
    pair.rig.failure = STORE_DOWN;
    pair.rig.failures = 1;
    core_client_subscribe(&pair.bob);
    core_client_check_quiet(&pair.bob);
    core_rig_wait(&pair.rig, 1000);
    (void)core_client_check_delivered(&pair.bob, "one");
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_pair_close(&pair);
}

/* One wake-up is one group and, for each client, one WebSocket message. */
static void a_wake_up_is_one_group_and_one_frame(void **state)
{
    struct signet_buf bytes = {0};
    struct core_pair pair;
    size_t submitted, frames;

    (void)state;
    core_pair_open(&pair);
    core_client_subscribe(&pair.bob);
    for (uint64_t i = 0; i < 50; i++)
        CHECK_OK(relay_message_write(&(struct relay_message){.type = RELAY_PUT,
                                         .req = i,
                                         .id = *signet_account_device(bob),
                                         .envelope = signet_span_str("envelope")},
            &bytes));
    submitted = pair.rig.submitted;
    frames = pair.alice.frames + pair.bob.frames;
    core_client_send_bytes(&pair.alice, signet_buf_span(&bytes));
    CHECK(pair.rig.submitted == submitted + 1);
    CHECK(pair.alice.frames + pair.bob.frames == frames + 2);
    for (uint64_t i = 0; i < 50; i++) {
        struct relay_message answer = core_client_next(&pair.alice);

        CHECK(answer.type == RELAY_ACCEPTED && answer.req == i);
    }
    signet_buf_free(&bytes);
    core_pair_close(&pair);
}

/* Deliveries that were lost on the way from the store are fetched. */
static void missed_deliveries_are_fetched(void **state)
{
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    core_pair_put(&pair, "one");
    (void)core_client_check_delivered(&pair.bob, "one");
    core_missed(pair.rig.cores[1]);
    core_rig_turn(&pair.rig);
    core_client_check_quiet(&pair.bob); /* it is delivered already */
    core_pair_put(&pair, "two");
    (void)core_client_check_delivered(&pair.bob, "two");
    core_pair_close(&pair);
}

/* Where a fetch had to be read again around damage it brings what is handed over behind it. */
static void what_a_fetch_has_brought_is_not_delivered_again(void **state)
{
    struct store_message again = {0};
    struct signet_buf bytes = {0};
    struct core_pair pair;
    uint64_t connection;

    (void)state;
    core_pair_open(&pair);
    core_client_subscribe(&pair.bob);
    CHECK(core_client_next(&pair.bob).type == RELAY_DRAINED);
    CHECK_OK(relay_message_write(&(struct relay_message){.type = RELAY_PUT,
                                     .req = 5,
                                     .id = *signet_account_device(bob),
                                     .envelope = signet_span_str("once")},
        &bytes));
    core_receive(pair.rig.cores[0], pair.alice.conn, signet_buf_span(&bytes));
    core_flush(pair.rig.cores[0]);
    (void)store_sqlite_step(pair.rig.store);
    CHECK(pair.rig.queue_count == 2 && pair.rig.queue[0].group == NULL);
    connection = pair.rig.queue[0].connection;
    again.id = pair.rig.queue[0].message.id;
    CHECK_OK(signet_buf_append(&again.envelope, signet_span_str("once")));
    core_rig_turn(&pair.rig);
    CHECK(core_client_check_delivered(&pair.bob, "once") == again.id);
    core_deliver(pair.rig.cores[1], connection, again);
    core_rig_turn(&pair.rig);
    core_client_check_quiet(&pair.bob);
    signet_buf_free(&bytes);
    core_pair_close(&pair);
}

TEST_FILE(core_mailbox)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waited_is_delivered_then_drained),
        cmocka_unit_test(only_what_was_not_acknowledged_comes_again),
        cmocka_unit_test(an_acknowledgement_counts_on_its_own_connection),
        cmocka_unit_test(a_frame_of_acknowledgements_is_one_operation),
        cmocka_unit_test(the_window_bounds_live_messages),
        cmocka_unit_test(an_acknowledgement_overtakes_a_fetch),
        cmocka_unit_test(the_window_bounds_what_waited),
        cmocka_unit_test(the_window_bounds_bytes),
        cmocka_unit_test(what_a_fetch_has_brought_is_not_delivered_again),
        cmocka_unit_test(puts_are_refused_with_their_code),
        cmocka_unit_test(a_failing_store_never_accepts_and_never_doubles),
        cmocka_unit_test(a_subscriber_outlasts_a_failing_store),
        cmocka_unit_test(a_wake_up_is_one_group_and_one_frame),
        cmocka_unit_test(missed_deliveries_are_fetched),
    };

    return cmocka_run_group_tests(tests, core_accounts_make, core_accounts_free);
}
