/*
 * A damaged page of the store's file ("flipped bit in any stored record: named error, the rest
 * readable"): it costs what is on it, and nobody else anything.
 */
#include "tests/support/store_folder.h"

#include <sqlite3.h>
#include <stdio.h>

enum {
    PAGE = 4096,
    MESSAGES = 60, /* some twenty to a page */
    BAD = 30,      /* the one whose page is damaged */
};

/* ---- damage ---- */

/* Whether one of its cells begins with the needle: it may also be in what a page has left over. */
static bool holds(const uint8_t *page, const char *needle)
{
    const uint8_t *cells = page + 8;
    size_t count = (size_t)(page[3] << 8 | page[4]);

    if (page[0] != 0x0a && page[0] != 0x0d) /* leaves of an index and of a table */
        return false;
    for (size_t i = 0; i < count && i < (PAGE - 8) / 2; i++) {
        size_t at = (size_t)(cells[2 * i] << 8 | cells[2 * i + 1]);

        if (at + 64 < PAGE && memmem(page + at, 64, needle, strlen(needle)) != NULL)
            return true;
    }
    return false;
}

/* Break the head of the page that `needle` is on. */
static void damage(const char *path, const char *needle)
{
    uint8_t page[PAGE];
    FILE *stream = fopen(path, "r+");
    long number = 0;

    assert_non_null(stream);
    while (fread(page, 1, PAGE, stream) == PAGE && !holds(page, needle))
        number++;
    CHECK(holds(page, needle));
    memset(page, 0xff, 8);
    CHECK(fseek(stream, number * PAGE, SEEK_SET) == 0);
    CHECK(fwrite(page, 1, PAGE, stream) == PAGE && fclose(stream) == 0);
}

/* The same while the store is open: everything into its file, and out of its cache. */
static void damage_meanwhile(const char *path, const char *needle)
{
    sqlite3 *handle = NULL;

    CHECK(sqlite3_open(path, &handle) == SQLITE_OK);
    CHECK(sqlite3_exec(handle, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK);
    damage(path, needle);
    CHECK(sqlite3_exec(handle, "UPDATE account SET generation = 0", NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_close(handle) == SQLITE_OK);
}

static void put_text(struct store_group *group, unsigned device, uint64_t id, const char *text)
{
    struct store_op *op = rig_op(group, STORE_PUT);

    op->device = rig_id(device);
    op->message_id = id;
    op->expires_ms = group->now_ms + RIG_MESSAGE_MS;
    CHECK_OK(signet_buf_append(&op->envelope, signet_span_str(text)));
}

/* Message 1000 * i is "m<i>-" and some more, i from 1. */
static void fill(struct rig *rig, const char *path)
{
    struct store_group *group;
    char text[200];

    rig_open(rig, path);
    store_sqlite_set_cold_age(rig->store, 10);
    rig_register(rig, "alice", 1, 10);
    rig_register(rig, "bob", 2, 20);
    group = rig_group(rig, 0);
    for (unsigned i = 1; i <= MESSAGES; i++) {
        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        text[snprintf(text, 10, "m%u", i)] = '-';
        put_text(group, 10, 1000 * i, text);
    }
    CHECK(rig_run(rig, group) == STORE_DONE);
}

/* ---- what is left ---- */

static bool has(const struct store_op *op, uint64_t id)
{
    for (size_t i = 0; i < op->message_count; i++)
        if (op->messages[i].id == id)
            return true;
    return false;
}

/* Alice fetches, and somebody writes to bob in the same transaction. */
static const struct store_op *check_rest_is_there(struct rig *rig, uint64_t put_id)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_FETCH);

    op->device = rig_id(10);
    op->max_count = 999;
    op->max_bytes = 1 << 20;
    put_text(group, 20, put_id, "to bob");
    CHECK(rig_run(rig, group) == STORE_DONE);
    CHECK(op->next->answer == STORE_OK);
    CHECK(op->answer == STORE_OK && !op->more);
    CHECK(has(op, 1000) && has(op, 1000 * MESSAGES) && !has(op, 1000 * BAD));
    CHECK(op->message_count > MESSAGES / 2 && op->message_count < MESSAGES);
    return op;
}

static void check_order(const struct store_op *op)
{
    for (size_t i = 1; i < op->message_count; i++)
        CHECK(op->messages[i - 1].id < op->messages[i].id);
}

static bool names_bad(const struct store_op *op)
{
    return op->is_damaged && op->damaged_from <= 1000 * BAD && op->damaged_to >= 1000 * BAD;
}

static void a_damaged_page_of_old_messages_costs_those_alone(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;
    const struct store_op *fetch;

    fill(rig, file->path);
    rig->now_ms += 10;
    CHECK(!rig_expire(rig, 1000)); /* into the cold table */
    rig->store->ops->close(rig->store);
    rig->store = NULL;
    damage(file->path, "m30-");
    rig_reopen(rig, file->path);
    fetch = check_rest_is_there(rig, 1);
    check_order(fetch);
    CHECK(names_bad(fetch) && fetch->damaged_from > 1000 && fetch->damaged_to < 1000 * MESSAGES);
    assert_string_equal(rig_fetch(rig, 20, 9, 999), "1:to bob");
    rig_close(rig);
}

static void a_damaged_page_of_new_messages_costs_those_alone(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;
    const struct store_op *fetch;

    fill(rig, file->path);
    damage_meanwhile(file->path, "m30-");
    fetch = check_rest_is_there(rig, 1000000);
    check_order(fetch);
    CHECK(names_bad(fetch));
    rig->store->ops->close(rig->store);
    rig->store = NULL;
    rig_reopen(rig, file->path); /* which reads that table */
    CHECK(store_sqlite_last_id(rig->store) == 1000000);
    check_order(check_rest_is_there(rig, 1000001));
    rig_close(rig);
}

/* Expire until there is no more; returns whether the bad message was named. */
static bool expire_all(struct rig *rig)
{
    bool is_named = false, is_more = true;

    for (int i = 0; is_more; i++) {
        CHECK(i < 100);
        is_more = rig_expire(rig, 10);
        is_named |= names_bad(rig->last->first);
        rig_forget_events(rig);
    }
    return is_named;
}

static void expiry_passes_over_what_is_damaged(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;

    fill(rig, file->path);
    damage_meanwhile(file->path, "m30-");
    rig->now_ms += 10;
    CHECK(expire_all(rig)); /* the readable ones into the cold table */
    (void)check_rest_is_there(rig, 1000000);
    damage_meanwhile(file->path, "m50-");
    rig->now_ms += RIG_MESSAGE_MS;
    (void)expire_all(rig);
    CHECK(!rig_expire(rig, 10) && !rig->last->first->is_damaged); /* once is enough */
    assert_string_equal(rig_fetch(rig, 20, 9, 999), "");
    rig_close(rig);
}

static void an_operation_that_needs_a_damaged_page_fails_alone(void **state)
{
    struct store_folder *file = *state;
    struct rig *rig = &file->rig;
    struct store_group *group;
    struct store_op *take;

    fill(rig, file->path);
    CHECK(rig_bundle(rig, 10, 1, "bundle of ten", 3) == STORE_OK);
    damage_meanwhile(file->path, "bundle of ten");
    group = rig_group(rig, 0);
    put_text(group, 20, 1, "before");
    take = rig_op(group, STORE_BUNDLE_TAKE);
    take->device = rig_id(10);
    take->address = rig_id(2);
    put_text(group, 20, 2, "behind");
    CHECK(rig_run(rig, group) == STORE_DONE);
    CHECK(take->answer == STORE_PENDING && take->is_damaged && take->damaged_to == 0);
    CHECK(group->first->answer == STORE_OK && group->last->answer == STORE_OK);
    assert_string_equal(rig_fetch(rig, 20, 9, 999), "1:before 2:behind");
    rig_close(rig);
}

TEST_FILE(store_damage)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_damaged_page_of_old_messages_costs_those_alone),
        IN_FOLDER(a_damaged_page_of_new_messages_costs_those_alone),
        IN_FOLDER(expiry_passes_over_what_is_damaged),
        IN_FOLDER(an_operation_that_needs_a_damaged_page_fails_alone),
    };

    return cmocka_run_group_tests_name("store_damage", tests, NULL, NULL);
}
