/* server/worker/mailqueue.h: what the store gathers comes all at once, in its order, behind what waits. */
#include "tests/support/unit.h"

#include <stdlib.h>

#include "server/worker/mailqueue.h"

enum { MANY = 1000 };

static uv_loop_t uv;
static uv_async_t wake;
static size_t woken;

static void on_wake(uv_async_t *async)
{
    (void)async;
    woken++;
}

static int set_up(void **state)
{
    (void)state;
    return uv_loop_init(&uv) == 0 && uv_async_init(&uv, &wake, on_wake) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    uv_close((uv_handle_t *)&wake, NULL);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    return uv_loop_close(&uv);
}

static void gather(struct inbox *inbox, uint64_t from, uint64_t to)
{
    for (; from < to; from++)
        inbox_gather(inbox, &(struct inbox_item){.kind = INBOX_DELIVER, .connection = from});
}

/* The numbers from 0 on, once each; and the worker was woken. */
static void check_taken(struct inbox *inbox, struct inbox_items *items, uint64_t count)
{
    woken = 0;
    (void)uv_run(&uv, UV_RUN_NOWAIT);
    CHECK(woken == (count > 0));
    inbox_take(inbox, items);
    CHECK(items->count == count && items->late == NULL && !items->is_missed);
    for (uint64_t i = 0; i < count; i++)
        CHECK(items->items[i].connection == i);
}

static void what_is_gathered_is_seen_when_it_is_handed_over(void **state)
{
    struct inbox inbox;
    struct inbox_items items = {0};

    (void)state;
    CHECK_OK(inbox_init(&inbox, &wake));
    inbox_hand_over(&inbox); /* nothing */
    check_taken(&inbox, &items, 0);
    for (int round = 0; round < 3; round++) {
        gather(&inbox, 0, MANY);
        check_taken(&inbox, &items, 0);
        inbox_hand_over(&inbox);
        check_taken(&inbox, &items, MANY);
        check_taken(&inbox, &items, 0);
    }
    free(items.items);
    inbox_wipe(&inbox);
}

static void batches_and_single_items_come_in_the_order_in_which_they_were_given(void **state)
{
    struct inbox inbox;
    struct inbox_items items = {0};

    (void)state;
    CHECK_OK(inbox_init(&inbox, &wake));
    inbox_put(&inbox, &(struct inbox_item){.kind = INBOX_END, .connection = 0});
    gather(&inbox, 1, MANY);
    inbox_hand_over(&inbox);
    inbox_put(&inbox, &(struct inbox_item){.kind = INBOX_END, .connection = MANY});
    gather(&inbox, MANY + 1, 2 * MANY);
    inbox_hand_over(&inbox);
    check_taken(&inbox, &items, 2 * MANY);
    free(items.items);
    inbox_wipe(&inbox);
}

TEST_FILE(mailqueue)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_gathered_is_seen_when_it_is_handed_over),
        cmocka_unit_test(batches_and_single_items_come_in_the_order_in_which_they_were_given),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
