/* A disk that fails: whole transactions happen or do not, in memory as on the disk. */
#include "tests/support/store_folder.h"

#include <sqlite3.h>

static const struct store_route here = {0, 100};

/* One group that does a bit of everything; the operations are answered or not, together. */
static struct store_group *mixed_group(const struct rig *rig)
{
    struct store_group *group = rig_group(rig, 0);
    static const uint64_t acked[] = {5, 6};
    struct store_op *op = rig_op(group, STORE_ACK);

    op->device = rig_id(10);
    op->ack_ids = acked;
    op->ack_count = 2;
    op = rig_op(group, STORE_PUT);
    op->device = rig_id(10);
    op->message_id = 8;
    op->expires_ms = rig->now_ms + RIG_MESSAGE_MS;
    CHECK_OK(signet_buf_append(&op->envelope, signet_span_str("new")));
    op = rig_op(group, STORE_CARD_PUT);
    op->address = rig_id(2);
    op->list = rig_id(99);
    op->card_version = 2;
    op->devices[op->device_count++] = rig_id(21); /* instead of 20 */
    op = rig_op(group, STORE_CLAIM);
    op->device = rig_id(10);
    op->address = rig_id(1);
    op->route = (struct store_route){1, 200};
    op = rig_op(group, STORE_BUNDLE_TAKE);
    op->device = rig_id(10);
    op->address = rig_id(9);
    op = rig_op(group, STORE_FETCH);
    op->device = rig_id(10);
    op->max_count = op->max_bytes = 999;
    return group;
}

static size_t count_delivered(const struct rig *rig)
{
    size_t delivered = 0;

    for (size_t i = 0; i < rig->event_count; i++)
        delivered += rig->events[i].type == RIG_DELIVERED;
    return delivered;
}

/* What is only read is answered; nothing else is, and nothing has changed. */
static void check_only_read(struct rig *rig, const struct store_group *group)
{
    for (const struct store_op *op = group->first; op != NULL; op = op->next) {
        bool is_read = op->type == STORE_CLAIM || op->type == STORE_FETCH;

        CHECK(op->answer == (is_read ? STORE_OK : STORE_PENDING) && !op->has_one_time);
        CHECK(op->type != STORE_FETCH || op->message_count == 2);
        CHECK(op->type != STORE_PUT || op->envelope.len == 3);
    }
    CHECK(count_delivered(rig) == 0);
}

static void check_nothing_happened(struct rig *rig, const struct store_group *group)
{
    for (const struct store_op *op = group->first; op != NULL; op = op->next) {
        CHECK(op->answer == STORE_PENDING && op->message_count == 0 && !op->has_one_time);
        CHECK(op->type != STORE_CLAIM || op->bundle.len == 0);
        CHECK(op->type != STORE_PUT || op->envelope.len == 3);
    }
    CHECK(count_delivered(rig) == 0);
}

/* What mixed_group has done. */
static void check_happened(struct rig *rig, const struct store_group *group)
{
    const struct store_op *op = group->first;
    size_t delivered = 0;

    for (; op != NULL; op = op->next)
        CHECK(op->answer == STORE_OK);
    CHECK(group->last->message_count == 1 && group->last->messages[0].id == 8);
    for (size_t i = 0; i < rig->event_count; i++)
        delivered += rig->events[i].type == RIG_DELIVERED && rig->events[i].message_id == 8;
    CHECK(delivered == 1);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "8:new");
    assert_string_equal(rig_fetch(rig, 20, 9, 999), "gone");
    assert_string_equal(rig_fetch(rig, 21, 9, 999), "");
}

static void submit_again(struct rig *rig, struct store_group *group, enum store_result wanted)
{
    rig->store->ops->submit(rig->store, group);
    CHECK(store_sqlite_step(rig->store) == 1);
    CHECK(group->result == wanted);
}

/* Full disk: clear error, nothing answered, nothing lost that was; then it carries on. */
static void on_a_full_disk_nothing_happens_until_there_is_room(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;
    struct store_group *group;
    char why[128];

    rig_open(rig, file->path);
    store_fill(rig);
    CHECK(rig_claim(rig, 10, 1, here)->answer == STORE_OK);
    rig_forget_events(rig);
    group = mixed_group(rig);
    failing_disk_write(SQLITE_FULL);
    CHECK(rig_run(rig, group) == STORE_DOWN);
    check_only_read(rig, group);
    store_sqlite_error(rig->store, why, sizeof(why));
    assert_non_null(strstr(why, "full"));
    rig->last = NULL; /* what is only read still works */
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "5:cold 6:hot");
    assert_string_equal(rig_fetch(rig, 20, 9, 999), "7:bob's");
    submit_again(rig, group, STORE_DOWN);
    failing_disk_write(SQLITE_OK);
    submit_again(rig, group, STORE_DONE);
    check_happened(rig, group);
    store_group_free(group);
    rig_reopen(rig, file->path);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "8:new");
    rig_close(rig);
}

/* What was received goes although others want to send: room is made, and logins work. */
static void a_full_disk_lets_go_of_what_was_acknowledged(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;
    struct store_group *group;

    rig_open(rig, file->path);
    store_fill(rig);
    group = mixed_group(rig);
    failing_disk_write_once(SQLITE_FULL);
    CHECK(rig_run(rig, group) == STORE_DOWN);
    for (const struct store_op *op = group->first; op != NULL; op = op->next) {
        bool wants_room =
            op->type == STORE_PUT || op->type == STORE_CARD_PUT || op->type == STORE_BUNDLE_TAKE;

        CHECK(op->answer == (wants_room ? STORE_PENDING : STORE_OK));
    }
    CHECK(count_delivered(rig) == 0);
    rig->last = NULL;
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "");
    store_group_free(group);
    rig_reopen(rig, file->path);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "");
    assert_string_equal(rig_fetch(rig, 20, 9, 999), "7:bob's");
    rig_close(rig);
}

static void each_code_of_a_failing_disk_takes_everything_back(void **state)
{
    static const int codes[] = {SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_READONLY, SQLITE_NOMEM};
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;
    struct store_group *group;

    rig_open(rig, file->path);
    store_fill(rig);
    group = mixed_group(rig);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        failing_disk_write(codes[i]);
        rig->store->ops->submit(rig->store, group);
        CHECK(store_sqlite_step(rig->store) == 1 && group->result != STORE_DONE);
        if (group->result == STORE_DOWN)
            check_only_read(rig, group);
        else
            check_nothing_happened(rig, group);
        failing_disk_write(SQLITE_OK);
        assert_string_equal(rig_fetch(rig, 10, 9, 999), "5:cold 6:hot");
        CHECK(rig_put(rig, 20, 7, "bob's") == STORE_OK);
        CHECK(rig_put(rig, 21, 9, "x") == STORE_GONE);
    }
    rig_forget_events(rig);
    submit_again(rig, group, STORE_DONE);
    CHECK(group->last->message_count == 1);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "8:new");
    store_group_free(group);
    rig_close(rig);
}

/* PostgreSQL's fsync lesson: after a flush that failed nothing is known, so nothing is claimed. */
static void after_a_failed_flush_the_same_group_is_submitted_again(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;
    struct store_group *group;

    rig_open(rig, file->path);
    store_fill(rig);
    CHECK(rig_claim(rig, 10, 1, here)->answer == STORE_OK);
    rig_forget_events(rig);
    group = mixed_group(rig);
    failing_disk_sync(SQLITE_IOERR_FSYNC);
    CHECK(rig_run(rig, group) == STORE_UNKNOWN);
    check_nothing_happened(rig, group);
    submit_again(rig, group, STORE_UNKNOWN);
    failing_disk_sync(SQLITE_OK);
    submit_again(rig, group, STORE_DONE);
    rig->last = NULL;
    check_happened(rig, group);
    store_group_free(group);
    rig_close(rig);
}

/* One group in a transaction that ends as wanted; returns whether it brings news. */
static bool brings_news(struct rig *rig, struct store_group *group, enum store_result wanted)
{
    rig_forget_events(rig);
    CHECK(rig_run(rig, group) == wanted);
    return group->is_news;
}

static struct store_group *put_group(const struct rig *rig, uint32_t worker, uint64_t message_id)
{
    struct store_group *group = rig_group(rig, worker);
    struct store_op *op = rig_op(group, STORE_PUT);

    op->device = rig_id(10);
    op->message_id = message_id;
    op->expires_ms = rig->now_ms + RIG_MESSAGE_MS;
    CHECK_OK(signet_buf_append(&op->envelope, signet_span_str("x")));
    return group;
}

static struct store_group *fetch_group(const struct rig *rig)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_FETCH);

    op->device = rig_id(10);
    op->max_count = op->max_bytes = 999;
    return group;
}

/* Whatever is only read meanwhile, and however many workers there are. */
static void a_failing_disk_is_news_once_and_so_is_its_end(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;

    rig_open(rig, file->path);
    store_fill(rig);
    CHECK(!brings_news(rig, put_group(rig, 0, 100), STORE_DONE));
    failing_disk_write(SQLITE_FULL);
    CHECK(brings_news(rig, put_group(rig, 0, 101), STORE_DOWN));
    CHECK(!brings_news(rig, put_group(rig, 1, 102), STORE_DOWN));
    CHECK(!brings_news(rig, fetch_group(rig), STORE_DONE));
    CHECK(!brings_news(rig, put_group(rig, 1, 103), STORE_DOWN));
    failing_disk_write(SQLITE_OK);
    CHECK(!brings_news(rig, fetch_group(rig), STORE_DONE));
    CHECK(brings_news(rig, put_group(rig, 1, 104), STORE_DONE));
    CHECK(!brings_news(rig, put_group(rig, 0, 105), STORE_DONE));
    rig_close(rig);
}

TEST_FILE(store_disk)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(on_a_full_disk_nothing_happens_until_there_is_room),
        IN_FOLDER(a_full_disk_lets_go_of_what_was_acknowledged),
        IN_FOLDER(each_code_of_a_failing_disk_takes_everything_back),
        IN_FOLDER(after_a_failed_flush_the_same_group_is_submitted_again),
        IN_FOLDER(a_failing_disk_is_news_once_and_so_is_its_end),
    };

    return cmocka_run_group_tests_name("store_disk", tests, NULL, NULL);
}
