/* The relay's store: mailboxes and routes through store_ops, in memory and in a file. */
#include "tests/support/store_rig.h"

/* ---- mailboxes ---- */

static void messages_wait_oldest_first_until_acknowledged(void **state)
{
    struct rig *rig = *state;

    rig_register(rig, "alice", 1, 10);
    CHECK(rig_put(rig, 99, 1, "nobody") == STORE_GONE);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "");
    CHECK(rig_put(rig, 10, 5, "five") == STORE_OK);
    CHECK(rig_put(rig, 10, 7, "seven") == STORE_OK);
    CHECK(rig_put(rig, 10, 6, "six") == STORE_OK);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "5:five 6:six 7:seven");
    assert_string_equal(rig_fetch(rig, 10, 3, 999), "5:five 6:six 7:seven");
    assert_string_equal(rig_fetch(rig, 10, 2, 999), "5:five 6:six ...");
    assert_string_equal(rig_fetch(rig, 10, 9, 11), "5:five 6:six ...");
    assert_string_equal(rig_fetch(rig, 10, 9, 1), "5:five ..."); /* one always comes */
    CHECK(rig_ack(rig, 10, 6) == STORE_OK && rig_ack(rig, 10, 6) == STORE_OK);
    CHECK(rig_ack(rig, 10, UINT64_MAX) == STORE_OK && rig_ack(rig, 99, 5) == STORE_OK);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "5:five 7:seven");
    CHECK(rig_ack(rig, 10, 5) == STORE_OK && rig_ack(rig, 10, 7) == STORE_OK);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "");
}

/* store.h: a group whose end is unknown is submitted again with the same ids. */
static void a_message_that_is_put_again_is_there_once(void **state)
{
    struct rig *rig = *state;

    rig_register(rig, "alice", 1, 10);
    rig_register(rig, "bob", 2, 20);
    CHECK(rig_put(rig, 10, 5, "one") == STORE_OK && rig_put(rig, 10, 5, "one") == STORE_OK);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "5:one");
    store_sqlite_set_cold_age(rig->store, 0);
    CHECK(!rig_expire(rig, 100));
    CHECK(rig_put(rig, 10, 5, "one") == STORE_OK);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "5:one");
    /* An id that another device has is no reason to lose a message. */
    CHECK(rig_put(rig, 20, 6, "bob's") == STORE_OK);
    CHECK(rig_put(rig, 10, 6, "alice's") == STORE_OFTEN && rig->last->first->retry_after_ms > 0);
    assert_string_equal(rig_fetch(rig, 20, 9, 999), "6:bob's");
}

/* protocol.md, section 10: a mailbox has a quota; a full one refuses, and never evicts. */
static void a_full_mailbox_refuses_until_something_goes(void **state)
{
    struct rig *rig = *state;

    rig_register(rig, "alice", 1, 10);
    rig->limits.mailbox_messages = 3;
    rig->limits.mailbox_bytes = 10;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    CHECK(rig_put(rig, 10, 1, "12345") == STORE_OK);
    CHECK(rig_put(rig, 10, 2, "123456") == STORE_FULL);
    CHECK(rig_put(rig, 10, 2, "12345") == STORE_OK);
    CHECK(rig_put(rig, 10, 3, "1") == STORE_FULL);
    CHECK(rig_put(rig, 10, 2, "12345") == STORE_OK); /* submitted again */
    CHECK(rig_ack(rig, 10, 1) == STORE_OK);
    CHECK(rig_put(rig, 10, 3, "1") == STORE_OK && rig_put(rig, 10, 4, "1") == STORE_OK);
    CHECK(rig_put(rig, 10, 5, "") == STORE_FULL);
    store_sqlite_set_cold_age(rig->store, 0);
    CHECK(!rig_expire(rig, 100));
    CHECK(rig_put(rig, 10, 5, "") == STORE_FULL); /* what is cold counts too */
    CHECK(rig_ack(rig, 10, 3) == STORE_OK);
    CHECK(rig_put(rig, 10, 5, "1234") == STORE_OK && rig_put(rig, 10, 6, "") == STORE_FULL);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "2:12345 4:1 5:1234");
}

static void cold_messages_come_before_hot_ones_and_are_acknowledged(void **state)
{
    struct rig *rig = *state;

    store_sqlite_set_cold_age(rig->store, 10);
    rig_register(rig, "alice", 1, 10);
    CHECK(rig_put(rig, 10, 1, "a") == STORE_OK && rig_put(rig, 10, 2, "b") == STORE_OK);
    CHECK(rig_put(rig, 10, 3, "c") == STORE_OK);
    rig->now_ms += 10;
    CHECK(rig_put(rig, 10, 4, "d") == STORE_OK && rig_put(rig, 10, 5, "e") == STORE_OK);
    CHECK(rig_expire(rig, 2)); /* bounded work, and it says so */
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "1:a 2:b 3:c 4:d 5:e");
    CHECK(!rig_expire(rig, 2));
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "1:a 2:b 3:c 4:d 5:e");
    assert_string_equal(rig_fetch(rig, 10, 2, 999), "1:a 2:b ...");
    assert_string_equal(rig_fetch(rig, 10, 3, 999), "1:a 2:b 3:c ...");
    assert_string_equal(rig_fetch(rig, 10, 4, 999), "1:a 2:b 3:c 4:d ...");
    CHECK(rig_ack(rig, 10, 2) == STORE_OK && rig_ack(rig, 10, 2) == STORE_OK);
    CHECK(rig_ack(rig, 10, 4) == STORE_OK);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "1:a 3:c 5:e");
    rig->now_ms += RIG_MESSAGE_MS - 10;
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "5:e"); /* the others' time is over */
    CHECK(!rig_expire(rig, 100));
    rig->limits.mailbox_messages = 2;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    CHECK(rig_put(rig, 10, 6, "f") == STORE_OK && rig_put(rig, 10, 7, "g") == STORE_FULL);
}

/* ---- routes ---- */

static const struct store_route here = {0, 100}, there = {1, 200};

static size_t deliveries(const struct rig *rig, struct store_route route, uint64_t message_id)
{
    size_t count = 0;

    for (size_t i = 0; i < rig->event_count; i++)
        count += rig->events[i].type == RIG_DELIVERED && rig->events[i].worker == route.worker &&
                 rig->events[i].connection == route.connection &&
                 rig->events[i].message_id == message_id;
    return count;
}

static void a_message_is_delivered_to_the_newest_login(void **state)
{
    struct rig *rig = *state;
    struct store_op *op;

    rig_register(rig, "alice", 1, 10);
    CHECK(rig_put(rig, 10, 1, "waits") == STORE_OK);
    op = rig_claim(rig, 10, 1, here);
    CHECK(op->answer == STORE_OK && !op->replaced);
    CHECK(rig_put(rig, 10, 2, "two") == STORE_OK);
    CHECK(rig->last->first->envelope.ptr == NULL); /* moved out */
    CHECK(deliveries(rig, here, 1) == 0 && deliveries(rig, here, 2) == 1);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "1:waits 2:two");
    op = rig_claim(rig, 10, 1, there);
    CHECK(op->answer == STORE_OK && op->replaced);
    CHECK(op->replaced_route.worker == here.worker);
    CHECK(op->replaced_route.connection == here.connection);
    rig_release(rig, 10, here); /* not its route any more */
    CHECK(rig_put(rig, 10, 3, "three") == STORE_OK);
    CHECK(deliveries(rig, here, 3) == 0 && deliveries(rig, there, 3) == 1);
    rig_release(rig, 10, there);
    CHECK(rig_put(rig, 10, 4, "four") == STORE_OK);
    CHECK(deliveries(rig, there, 4) == 0);
    CHECK(!rig_claim(rig, 10, 1, here)->replaced);
}

static void a_login_is_told_list_bundle_and_what_is_left_of_it(void **state)
{
    struct rig *rig = *state;
    struct signet_id list = rig_id(2); /* as rig_register names it */
    struct store_op *op;

    rig_register(rig, "alice", 1, 10);
    rig_register(rig, "bob", 2, 20);
    CHECK(rig_claim(rig, 99, 1, here)->answer == STORE_GONE);
    CHECK(rig_claim(rig, 20, 1, here)->answer == STORE_GONE); /* bob's device */
    CHECK(rig_claim(rig, 10, 9, here)->answer == STORE_GONE);
    op = rig_claim(rig, 10, 1, here);
    CHECK(op->answer == STORE_OK && op->bundle.len == 0 && op->one_time_left == 0);
    CHECK(signet_id_equal(&op->list, &list));
    CHECK(rig_bundle(rig, 10, 1, "bundle", 5) == STORE_OK);
    CHECK(rig_take(rig, 10, 2)->has_one_time);
    op = rig_claim(rig, 10, 1, here);
    CHECK_SPAN(signet_buf_span(&op->bundle), "bundle");
    CHECK(op->one_time_left == 4);
}

/* The index of the event that answers the group, or that delivers the message. */
static size_t index_of(const struct rig *rig, const struct store_group *group, uint64_t message_id)
{
    for (size_t i = 0; i < rig->event_count; i++)
        if (group != NULL
                ? rig->events[i].group == group
                : rig->events[i].type == RIG_DELIVERED && rig->events[i].message_id == message_id)
            return i;
    fail();
    return 0;
}

static void add_put(
    const struct rig *rig, struct store_group *group, unsigned device, uint64_t message_id)
{
    struct store_op *op = rig_op(group, STORE_PUT);

    op->device = rig_id(device);
    op->message_id = message_id;
    op->expires_ms = rig->now_ms + RIG_MESSAGE_MS;
}

static struct store_op *add_fetch(struct store_group *group, unsigned device)
{
    struct store_op *op = rig_op(group, STORE_FETCH);

    op->device = rig_id(device);
    op->max_count = 9;
    op->max_bytes = 999;
    return op;
}

/* store.h: a fetch that is answered contains all that was committed before it, and deliver brings
 * exactly what is committed after it. */
static void whatever_is_not_in_a_fetch_is_delivered_after_its_answer(void **state)
{
    struct rig *rig = *state;
    struct store_group *before, *fetching, *after;
    struct store_op *fetch;

    rig_register(rig, "alice", 1, 10);
    CHECK(rig_claim(rig, 10, 1, there)->answer == STORE_OK);
    rig_forget_events(rig);
    before = rig_group(rig, 0);
    fetching = rig_group(rig, 1);
    after = rig_group(rig, 0);
    add_put(rig, before, 10, 1);
    fetch = add_fetch(fetching, 10);
    add_put(rig, fetching, 10, 2); /* after the fetch, in its own group */
    add_put(rig, after, 10, 3);
    rig->store->ops->submit(rig->store, before);
    rig->store->ops->submit(rig->store, fetching);
    rig->store->ops->submit(rig->store, after);
    CHECK(store_sqlite_step(rig->store) == 3);
    CHECK(fetch->answer == STORE_OK && fetch->message_count == 2 && !fetch->more);
    CHECK(fetch->messages[0].id == 1 && fetch->messages[1].id == 2);
    CHECK(index_of(rig, NULL, 1) < index_of(rig, before, 0));
    CHECK(index_of(rig, before, 0) < index_of(rig, fetching, 0));
    CHECK(index_of(rig, NULL, 2) < index_of(rig, fetching, 0));
    CHECK(index_of(rig, fetching, 0) < index_of(rig, NULL, 3));
    CHECK(index_of(rig, NULL, 3) < index_of(rig, after, 0));
    store_group_free(before);
    store_group_free(fetching);
    store_group_free(after);
}

TEST_FILE(store)
{
    const struct CMUnitTest tests[] = {
        RIG_BOTH(messages_wait_oldest_first_until_acknowledged),
        RIG_BOTH(a_message_that_is_put_again_is_there_once),
        RIG_BOTH(a_full_mailbox_refuses_until_something_goes),
        RIG_BOTH(cold_messages_come_before_hot_ones_and_are_acknowledged),
        RIG_BOTH(a_message_is_delivered_to_the_newest_login),
        RIG_BOTH(a_login_is_told_list_bundle_and_what_is_left_of_it),
        RIG_BOTH(whatever_is_not_in_a_fetch_is_delivered_after_its_answer),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
