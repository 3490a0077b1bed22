/* The SQLite file: what survives a restart or a crash, what leaves it, and what is refused. */
#include "tests/support/store_folder.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

static void write_file(const char *path, const void *bytes, size_t len, long at)
{
    FILE *stream = fopen(path, at == 0 ? "w" : "r+");

    assert_non_null(stream);
    CHECK(fseek(stream, at, SEEK_SET) == 0);
    CHECK(fwrite(bytes, 1, len, stream) == len);
    CHECK(fclose(stream) == 0);
}

static void copy_file(const char *from, const char *to)
{
    char command[4 * STORE_PATH_SIZE];

    (void)snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
    CHECK(system(command) == 0);
}

/* ---- what survives ---- */

static const struct store_route here = {0, 100};

static void check_filled(struct rig *rig)
{
    struct signet_id list = rig_id(2); /* as rig_register names it */
    struct store_op *op;

    CHECK(store_sqlite_last_id(rig->store) == 7);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "5:cold 6:hot");
    assert_string_equal(rig_fetch(rig, 20, 9, 999), "7:bob's");
    op = rig_claim(rig, 10, 1, here);
    CHECK(op->answer == STORE_OK && op->one_time_left == 8);
    CHECK(signet_id_equal(&op->list, &list));
    CHECK(rig_take(rig, 10, 3)->one_time.index == 1);
    rig->limits.mailbox_messages = 3;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    CHECK(rig_put(rig, 10, 5, "cold") == STORE_OK); /* still known */
    CHECK(rig_put(rig, 10, 8, "third") == STORE_OK && rig_put(rig, 10, 9, "no") == STORE_FULL);
}

static void everything_is_there_after_a_restart(void **state)
{
    struct store_folder *file = *state;
    struct stat status;

    rig_open(&file->rig, file->path);
    CHECK(stat(file->path, &status) == 0 && (status.st_mode & 0777) == 0600);
    store_fill(&file->rig);
    rig_reopen(&file->rig, file->path);
    check_filled(&file->rig);
    rig_close(&file->rig);
}

/* NATS (Jepsen 2.12.1): what was answered is on the disk, without any orderly end. */
static void everything_answered_is_there_after_a_crash(void **state)
{
    struct store_folder *file = *state;
    char copy[STORE_PATH_SIZE], log[STORE_PATH_SIZE + 8], copied_log[STORE_PATH_SIZE + 8];
    unsigned syncs;

    (void)snprintf(copy, sizeof(copy), "%.*s/copy", STORE_PATH_SIZE - 6, file->folder);
    (void)snprintf(log, sizeof(log), "%s-wal", file->path);
    (void)snprintf(copied_log, sizeof(copied_log), "%s-wal", copy);
    rig_open(&file->rig, file->path);
    syncs = failing_disk_syncs();
    store_fill(&file->rig);
    CHECK(failing_disk_syncs() >= syncs + 8); /* a flush for each group that writes */
    syncs = failing_disk_syncs();
    assert_string_equal(rig_fetch(&file->rig, 20, 9, 999), "7:bob's");
    CHECK(failing_disk_syncs() == syncs);
    copy_file(file->path, copy);
    copy_file(log, copied_log);
    rig_close(&file->rig);
    rig_open(&file->rig, copy);
    check_filled(&file->rig);
    rig_close(&file->rig);
}

static int64_t count_rows(const char *path, const char *table)
{
    char text[64];
    sqlite3 *handle = NULL;
    sqlite3_stmt *query = NULL;
    int64_t count;

    (void)snprintf(text, sizeof(text), "SELECT count(*) FROM %s", table);
    CHECK(sqlite3_open(path, &handle) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(handle, text, -1, &query, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(query) == SQLITE_ROW);
    count = sqlite3_column_int64(query, 0);
    CHECK(sqlite3_finalize(query) == SQLITE_OK && sqlite3_close(handle) == SQLITE_OK);
    return count;
}

static void what_waits_for_minutes_leaves_the_hot_table(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;

    rig_open(rig, file->path);
    rig_register(rig, "alice", 1, 10);
    CHECK(rig_put(rig, 10, 1, "a") == STORE_OK && rig_put(rig, 10, 2, "b") == STORE_OK);
    rig->now_ms += STORE_COLD_AGE_MS - 1;
    CHECK(rig_put(rig, 10, 3, "c") == STORE_OK);
    CHECK(!rig_expire(rig, 100));
    CHECK(count_rows(file->path, "hot") == 3 && count_rows(file->path, "cold") == 0);
    rig->now_ms++;
    CHECK(!rig_expire(rig, 100));
    CHECK(count_rows(file->path, "hot") == 1 && count_rows(file->path, "cold") == 2);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "1:a 2:b 3:c");
    rig->now_ms += RIG_MESSAGE_MS;
    while (rig_expire(rig, 1))
        ;
    CHECK(count_rows(file->path, "hot") == 0 && count_rows(file->path, "cold") == 0);
    rig_close(rig);
}

/* Alice's card is replaced by one with this device alone. */
static void replace_card(struct rig *rig, uint64_t version, unsigned device)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_CARD_PUT);

    op->address = rig_id(1);
    op->list = rig_id(100 + (unsigned)version);
    op->card_version = version;
    op->devices[op->device_count++] = rig_id(device);
    CHECK(rig_one(rig, group)->answer == STORE_OK);
}

/* Sixteen full mailboxes are a gigabyte: not in one transaction. */
static void the_mailbox_of_a_removed_device_goes_step_by_step(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;

    rig_open(rig, file->path);
    rig_register(rig, "alice", 1, 10);
    for (uint64_t i = 1; i <= 20; i++)
        CHECK(rig_put(rig, 10, i, "cold") == STORE_OK);
    rig->now_ms += STORE_COLD_AGE_MS;
    CHECK(!rig_expire(rig, 100));
    for (uint64_t i = 21; i <= 40; i++)
        CHECK(rig_put(rig, 10, i, "hot") == STORE_OK);
    replace_card(rig, 2, 11);
    CHECK(count_rows(file->path, "hot") == 20 && count_rows(file->path, "cold") == 20);
    /* Nobody inherits it: neither the next device, nor the same one when it comes back. */
    assert_string_equal(rig_fetch(rig, 11, 99, 999), "");
    assert_string_equal(rig_fetch(rig, 10, 99, 999), "gone");
    rig_reopen(rig, file->path);
    CHECK(store_sqlite_last_id(rig->store) == 40);
    assert_string_equal(rig_fetch(rig, 11, 99, 999), "");
    replace_card(rig, 3, 10);
    assert_string_equal(rig_fetch(rig, 10, 99, 999), "");
    CHECK(rig_put(rig, 10, 41, "new") == STORE_OK);
    rig_forget_events(rig);
    CHECK(rig_expire(rig, 10) && count_rows(file->path, "cold") == 10);
    while (rig_expire(rig, 10))
        continue;
    CHECK(count_rows(file->path, "hot") == 21 && count_rows(file->path, "cold") == 0);
    rig->now_ms += STORE_COLD_AGE_MS;
    while (rig_expire(rig, 10))
        continue;
    CHECK(count_rows(file->path, "hot") == 0 && count_rows(file->path, "cold") == 1);
    CHECK(count_rows(file->path, "device") == 1);
    assert_string_equal(rig_fetch(rig, 10, 99, 999), "41:new");
    rig_close(rig);
}

static void a_clock_that_was_set_back_holds_up_nothing(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;

    rig_open(rig, file->path);
    rig_register(rig, "alice", 1, 10);
    rig->now_ms += RIG_MESSAGE_MS;
    CHECK(rig_put(rig, 10, 1, "by a clock ahead") == STORE_OK);
    rig->now_ms -= RIG_MESSAGE_MS;
    CHECK(rig_put(rig, 10, 2, "by the right one") == STORE_OK);
    rig->now_ms += STORE_COLD_AGE_MS;
    CHECK(!rig_expire(rig, 100));
    CHECK(count_rows(file->path, "hot") == 0 && count_rows(file->path, "cold") == 2);
    rig_close(rig);
}

static void what_is_of_no_use_any_more_is_deleted(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;

    rig_open(rig, file->path);
    rig->limits.take_interval_ms = 1000;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    store_fill(rig);
    CHECK(count_rows(file->path, "invite") == 1); /* those that were used are gone */
    CHECK(count_rows(file->path, "take") == 1);
    rig->now_ms += 1000;
    CHECK(!rig_expire(rig, 100));
    CHECK(count_rows(file->path, "take") == 0 && count_rows(file->path, "invite") == 1);
    rig_close(rig);
}

static int64_t count_pages(const char *path)
{
    sqlite3_stmt *query = NULL;
    sqlite3 *handle = NULL;
    int64_t pages;

    CHECK(sqlite3_open(path, &handle) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(handle, "PRAGMA page_count", -1, &query, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(query) == SQLITE_ROW);
    pages = sqlite3_column_int64(query, 0);
    CHECK(sqlite3_finalize(query) == SQLITE_OK && sqlite3_close(handle) == SQLITE_OK);
    return pages;
}

/* A rush of messages does not cost the disk for good. */
static void what_expires_frees_the_disk(void **state)
{
    enum { MESSAGES = 400, LEN = 98304 };
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;
    char *text = malloc(LEN + 1);
    int64_t full;

    assert_non_null(text);
    memset(text, 'x', LEN);
    text[LEN] = '\0';
    rig_open(rig, file->path);
    store_fill(rig);
    rig->limits.mailbox_bytes = UINT64_C(1) << 30;
    rig->limits.mailbox_messages = MESSAGES + 3;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        CHECK(rig_put(rig, 20, 10 + i, text) == STORE_OK);
        rig_forget_events(rig);
    }
    full = count_pages(file->path);
    rig->now_ms += RIG_MESSAGE_MS;
    while (rig_expire(rig, 1000))
        rig_forget_events(rig);
    CHECK(full > MESSAGES * LEN / 4096);
    CHECK(count_pages(file->path) < full / 2);
    rig_close(rig);
    free(text);
}

static void put_long(struct store_group *group, uint64_t id, const char *text)
{
    struct store_op *op = rig_op(group, STORE_PUT);

    op->device = rig_id(20);
    op->message_id = id;
    op->expires_ms = group->now_ms + RIG_MESSAGE_MS;
    CHECK_OK(signet_buf_append(&op->envelope, signet_span_str(text)));
}

/* Nor does the write-ahead log. */
static void the_log_is_cut_back_after_a_rush(void **state)
{
    enum { MESSAGES = 750, LEN = 98304, LOG_MAX = 64 << 20 };
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;
    char log[STORE_PATH_SIZE + 8];
    struct store_group *group;
    char *text = malloc(LEN + 1);
    struct stat status;

    assert_non_null(text);
    memset(text, 'x', LEN);
    text[LEN] = '\0';
    (void)snprintf(log, sizeof(log), "%s-wal", file->path);
    rig_open(rig, file->path);
    store_fill(rig);
    rig->limits.mailbox_bytes = UINT64_C(1) << 30;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    group = rig_group(rig, 0);
    for (uint64_t i = 0; i < MESSAGES; i++)
        put_long(group, 10 + i, text);
    CHECK(rig_run(rig, group) == STORE_DONE);
    CHECK(stat(log, &status) == 0 && status.st_size > LOG_MAX);
    CHECK(rig_put(rig, 10, 1000, "and on") == STORE_OK);
    CHECK(stat(log, &status) == 0 && status.st_size <= LOG_MAX);
    rig_close(rig);
    free(text);
}

/* Nobody waits for the disk longer because somebody's messages are large. */
static void large_messages_leave_in_smaller_steps(void **state)
{
    enum { MESSAGES = 40, LEN = 98304 };
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;
    char *text = malloc(LEN + 1);

    assert_non_null(text);
    memset(text, 'x', LEN);
    text[LEN] = '\0';
    rig_open(rig, file->path);
    rig_register(rig, "alice", 1, 10);
    rig->limits.mailbox_bytes = UINT64_C(1) << 30;
    rig->limits.mailbox_messages = MESSAGES;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    for (uint64_t i = 0; i < MESSAGES; i++)
        CHECK(rig_put(rig, 10, 1 + i, text) == STORE_OK);
    rig->now_ms += STORE_COLD_AGE_MS;
    CHECK(rig_expire(rig, 100));
    CHECK(count_rows(file->path, "cold") == 4); /* 25 rows each */
    while (rig_expire(rig, 100))
        continue;
    CHECK(count_rows(file->path, "hot") == 0 && count_rows(file->path, "cold") == MESSAGES);
    rig->now_ms += RIG_MESSAGE_MS;
    CHECK(rig_expire(rig, 100));
    CHECK(count_rows(file->path, "cold") == MESSAGES - 4);
    while (rig_expire(rig, 100))
        rig_forget_events(rig);
    CHECK(count_rows(file->path, "cold") == 0);
    rig_close(rig);
    free(text);
}

static void ignore_answer(void *ctx, struct store_group *group)
{
    (void)ctx;
    (void)group;
}

/* Administration works while the relay runs. */
static void another_process_can_add_an_invitation_meanwhile(void **state)
{
    struct store_folder *file = *state;
    struct rig other;
    struct store_group *group;
    struct store_op *op;

    rig_open(&file->rig, file->path);
    rig_open(&other, file->path);
    rig_invite(&other, 7, 1);
    group = rig_group(&file->rig, 0);
    op = rig_op(group, STORE_INVITE_CHECK);
    rig_token(op, 7);
    CHECK(rig_one(&file->rig, group)->answer == STORE_OK);
    rig_close(&other);
    rig_invite(&file->rig, 8, 1);
    rig_close(&file->rig);
}

/* However much waits: it is not looked at. */
static void administration_does_not_read_the_mailboxes(void **state)
{
    struct store_group group = {.now_ms = 1000000};
    struct store_op op = {.type = STORE_INVITE_ADD, .uses = 1};
    struct store_folder *file = *state;
    struct store_sink sink = {NULL, ignore_answer, NULL, NULL};
    struct store *store = NULL;

    rig_open(&file->rig, file->path);
    store_fill(&file->rig);
    CHECK_OK(
        store_sqlite_open(file->path, file->rig.library, &file->rig.limits, STORE_ADMIN, &store));
    CHECK(store_sqlite_last_id(store) == 0);
    store->ops->attach(store, 0, &sink);
    rig_token(&op, 9);
    store_group_add(&group, &op);
    store->ops->submit(store, &group);
    CHECK(store_sqlite_step(store) == 1 && op.answer == STORE_OK);
    store->ops->close(store);
    CHECK(count_rows(file->path, "invite") == 2);
    rig_close(&file->rig);
}

/* ---- what is refused ---- */

static void check_refused(const char *path, enum signet_err wanted, const char *why)
{
    struct store_limits limits = {0};
    struct signet_library *library = NULL;
    struct store *store = NULL;

    CHECK_OK(signet_library_new(NULL, &library));
    CHECK_ERR(store_sqlite_open(path, library, &limits, STORE_THREADED, &store), wanted);
    CHECK(store == NULL);
    if (strstr(store_sqlite_open_error(), why) == NULL)
        fail_msg("'%s' is not about '%s'", store_sqlite_open_error(), why);
    signet_library_free(library);
}

static void run_sql(const char *path, const char *text)
{
    sqlite3 *handle = NULL;

    CHECK(sqlite3_open(path, &handle) == SQLITE_OK);
    CHECK(sqlite3_exec(handle, text, NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_close(handle) == SQLITE_OK);
}

static void files_that_are_not_a_store_are_refused_and_left_alone(void **state)
{
    struct store_folder *file = *state;
    char text[8192];

    check_refused("/nonexistent/store", SIGNET_ERR_IO, "No such file");
    check_refused(file->folder, SIGNET_ERR_IO, "unable to open");
    memset(text, 'x', sizeof(text));
    write_file(file->path, text, sizeof(text), 0);
    check_refused(file->path, SIGNET_ERR_FORMAT, "not a database");
    CHECK(unlink(file->path) == 0);
    run_sql(file->path, "CREATE TABLE other(x)");
    check_refused(file->path, SIGNET_ERR_FORMAT, "another program");
    CHECK(count_rows(file->path, "sqlite_schema") == 1);
}

static void a_newer_or_damaged_store_is_refused(void **state)
{
    struct store_folder *file = *state;
    char garbage[4096];

    rig_open(&file->rig, file->path);
    store_fill(&file->rig);
    rig_close(&file->rig);
    run_sql(file->path, "PRAGMA user_version = 2");
    check_refused(file->path, SIGNET_ERR_FORMAT, "newer version");
    run_sql(file->path, "PRAGMA user_version = 1");
    memset(garbage, 0xa5, sizeof(garbage));
    for (long page = 1; page < 16; page++)
        write_file(file->path, garbage, sizeof(garbage), page * (long)sizeof(garbage));
    check_refused(file->path, SIGNET_ERR_FORMAT, "malformed");
    write_file(file->path, garbage, 16, 0);
    check_refused(file->path, SIGNET_ERR_FORMAT, "not a database");
}

TEST_FILE(store_sqlite)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(everything_is_there_after_a_restart),
        IN_FOLDER(everything_answered_is_there_after_a_crash),
        IN_FOLDER(what_waits_for_minutes_leaves_the_hot_table),
        IN_FOLDER(the_mailbox_of_a_removed_device_goes_step_by_step),
        IN_FOLDER(a_clock_that_was_set_back_holds_up_nothing),
        IN_FOLDER(what_is_of_no_use_any_more_is_deleted),
        IN_FOLDER(what_expires_frees_the_disk),
        IN_FOLDER(the_log_is_cut_back_after_a_rush),
        IN_FOLDER(large_messages_leave_in_smaller_steps),
        IN_FOLDER(another_process_can_add_an_invitation_meanwhile),
        IN_FOLDER(administration_does_not_read_the_mailboxes),
        IN_FOLDER(files_that_are_not_a_store_are_refused_and_left_alone),
        IN_FOLDER(a_newer_or_damaged_store_is_refused),
    };

    return cmocka_run_group_tests_name("store_sqlite", tests, NULL, NULL);
}
