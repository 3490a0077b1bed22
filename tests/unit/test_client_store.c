/* client: the sealed store (DESIGN: local store). */
#include "tests/support/record_checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "client/store.h"
#include "tests/support/crypto_unit.h"

static const struct store_key the_key = {{1, 2, 3}};
static const char marker[] = "MARKER-plaintext-of-a-message";

/* A folder of its own for each test, and the store's path in it. */
struct folder {
    char path[64];
    char store[80];
};

static struct folder folder_new(void)
{
    struct folder folder = {.path = "/tmp/signet-store-XXXXXX"};

    CHECK(mkdtemp(folder.path) != NULL);
    (void)snprintf(folder.store, sizeof(folder.store), "%s/store.db", folder.path);
    return folder;
}

static void folder_remove(const struct folder *folder)
{
    CHECK(unlink(folder->store) == 0);
    /* Also shows that closing leaves no log behind. */
    CHECK(rmdir(folder->path) == 0);
}

static struct store *create(const struct folder *folder, void **state)
{
    struct store *store = NULL;

    CHECK_OK(store_create(folder->store, *state, &the_key, &store));
    return store;
}

static struct store *open_store(const struct folder *folder, void **state)
{
    struct store *store = NULL;

    CHECK_OK(store_open(folder->store, &store));
    CHECK_OK(store_unlock(store, *state, &the_key));
    return store;
}

static void commit_one(struct store *store, const struct record_key *key, const char *value)
{
    struct record_batch batch = {0};

    batch_put(&batch, key, value);
    CHECK_OK(store_commit(store, &batch));
    record_batch_clear(&batch);
}

/* ---- the file as somebody else sees it ---- */

static void run_sql(const struct folder *folder, const char *statements)
{
    sqlite3 *db = NULL;

    CHECK(sqlite3_open(folder->store, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, statements, NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_close(db) == SQLITE_OK);
}

/* What is stored for the one record of a kind; its length. */
static size_t value_bytes(const struct folder *folder, enum record_kind kind, uint8_t bytes[512])
{
    sqlite3_stmt *select = NULL;
    sqlite3 *db = NULL;
    int len;

    CHECK(sqlite3_open(folder->store, &db) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(db, "SELECT value FROM record WHERE kind = ?1", -1, &select, NULL) ==
          SQLITE_OK);
    CHECK(sqlite3_bind_int(select, 1, (int)kind) == SQLITE_OK);
    CHECK(sqlite3_step(select) == SQLITE_ROW);
    len = sqlite3_column_bytes(select, 0);
    CHECK(len > 0 && len <= 512);
    memcpy(bytes, sqlite3_column_blob(select, 0), (size_t)len);
    CHECK(sqlite3_finalize(select) == SQLITE_OK);
    CHECK(sqlite3_close(db) == SQLITE_OK);
    return (size_t)len;
}

/* Flip the lowest bit of one byte of a record's value; false beyond its end. */
static bool flip_value(const struct folder *folder, enum record_kind kind, size_t at)
{
    char statement[1200], digits[1025];
    uint8_t bytes[512];
    size_t len = value_bytes(folder, kind, bytes);

    if (at >= len)
        return false;
    bytes[at] ^= 1;
    hex_encode(signet_span_of(bytes, len), digits);
    (void)snprintf(statement, sizeof(statement), "UPDATE record SET value = x'%s' WHERE kind = %d",
        digits, (int)kind);
    run_sql(folder, statement);
    return true;
}

static bool file_contains(const char *path, signet_span bytes)
{
    static char contents[1 << 20];
    FILE *file = fopen(path, "rb");
    size_t len;

    if (file == NULL)
        return false;
    len = fread(contents, 1, sizeof(contents), file);
    CHECK(len > 0 && len < sizeof(contents));
    CHECK(fclose(file) == 0);
    return memmem(contents, len, bytes.ptr, bytes.len) != NULL;
}

static bool store_contains(const struct folder *folder, signet_span bytes)
{
    char log[96];

    (void)snprintf(log, sizeof(log), "%s-wal", folder->store);
    return file_contains(folder->store, bytes) || file_contains(log, bytes);
}

/* ---- tests ---- */

static void records_are_read_back_before_and_after_reopening(void **state)
{
    struct folder folder = folder_new();
    struct store *store = create(&folder, state);
    struct record_batch batch = {0};

    source_fill(&batch);
    CHECK_OK(store_commit(store, &batch));
    record_batch_clear(&batch);
    source_check(store_source(store));
    store_close(store);
    store = open_store(&folder, state);
    source_check(store_source(store));
    store_close(store);
    folder_remove(&folder);
}

static void the_file_is_for_its_owner_and_is_never_overwritten(void **state)
{
    struct folder folder = folder_new();
    struct store *store = create(&folder, state), *second = NULL;
    struct stat status;

    CHECK(stat(folder.store, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK_ERR(store_create(folder.store, *state, &the_key, &second), SIGNET_ERR_IO);
    assert_string_equal(store_error_text(second), "File exists");
    store_close(second);
    store_close(store);
    folder_remove(&folder);
}

/* DESIGN.md, decision 20: what is typed or received is written nowhere in the clear. */
static void neither_names_nor_values_are_in_the_file(void **state)
{
    struct folder folder = folder_new();
    struct store *store = create(&folder, state);
    struct record_key key = key_of(RECORD_CONTACT, "MARKER-name", 1);

    commit_one(store, &key, marker);
    CHECK(!store_contains(&folder, signet_span_str("MARKER")));
    store_close(store);
    CHECK(!store_contains(&folder, signet_span_str("MARKER")));
    CHECK(store_contains(&folder, signet_span_str("record")));
    folder_remove(&folder);
}

/* ATTACKS.md: a flipped bit in any stored record -> named error, the rest readable. */
static void a_flipped_bit_refuses_that_record_and_no_other(void **state)
{
    struct folder folder = folder_new();
    struct store *store = create(&folder, state);
    struct record_key key = key_of(RECORD_MESSAGE, "bob", 1);
    struct record_key other = key_of(RECORD_CONTACT, "bob", 0);
    size_t at = 0;

    commit_one(store, &key, "hello");
    commit_one(store, &other, "untouched");
    store_close(store);
    for (; flip_value(&folder, RECORD_MESSAGE, at); at++) {
        store = open_store(&folder, state);
        check_no_value(store_source(store), &key, SIGNET_ERR_AUTH);
        assert_string_equal(store_error_text(store), "a record of the store is damaged");
        check_value(store_source(store), &other, "untouched");
        store_close(store);
        CHECK(flip_value(&folder, RECORD_MESSAGE, at));
    }
    CHECK(at == 32 + 5 + 16);
    store = open_store(&folder, state);
    check_value(store_source(store), &key, "hello");
    store_close(store);
    folder_remove(&folder);
}

static void a_scan_shows_damaged_records_empty_and_goes_on(void **state)
{
    struct folder folder = folder_new();
    struct store *store = create(&folder, state);
    struct record_key key = key_of(RECORD_MESSAGE, "bob", 1);

    commit_one(store, &key, "one");
    key.number = 2;
    commit_one(store, &key, "two");
    key.number = 3;
    commit_one(store, &key, "three");
    store_close(store);
    run_sql(&folder, "UPDATE record SET value = x'00' WHERE number = 1;"
                     "UPDATE record SET value = zeroblob(60) WHERE number = 2");
    store = open_store(&folder, state);
    key.number = 0;
    check_scan(store_source(store), &key, "1= 2= 3=three ");
    store_close(store);
    folder_remove(&folder);
}

/* The associated data binds a value to its row: decision 20. */
static void records_exchanged_between_rows_are_refused(void **state)
{
    static const char *const moves[] = {
        /* numbers, kinds, names exchanged */
        "UPDATE record SET number = 3 - number WHERE kind = 13",
        "UPDATE record SET kind = 18 - kind",
        "UPDATE record SET name = (SELECT name FROM record WHERE kind = 5) WHERE kind = 13",
    };

    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        struct folder folder = folder_new();
        struct store *store = create(&folder, state);
        struct record_key message = key_of(RECORD_MESSAGE, "bob", 1);
        struct record_key contact = key_of(RECORD_CONTACT, "bob", 0);
        struct record_key all = key_of(i == 1 ? RECORD_CONTACT : RECORD_MESSAGE, NULL, 0);

        commit_one(store, &message, "one");
        if (i == 2)
            commit_one(store, &contact, "Bob");
        store_close(store);
        run_sql(&folder, moves[i]);
        store = open_store(&folder, state);
        check_scan(store_source(store), &all, i == 0 ? "2= " : "1= ");
        store_close(store);
        folder_remove(&folder);
    }
}

static void a_record_of_another_store_is_refused(void **state)
{
    struct folder one = folder_new(), two = folder_new();
    struct record_key key = key_of(RECORD_ACCOUNT, "", 0);
    struct store *store = create(&one, state);
    char statements[256];

    commit_one(store, &key, "one");
    store_close(store);
    store = create(&two, state);
    commit_one(store, &key, "two");
    store_close(store);
    (void)snprintf(statements, sizeof(statements),
        "ATTACH '%s' AS other; UPDATE record SET"
        " name = (SELECT name FROM other.record), value = (SELECT value FROM other.record)",
        two.store);
    run_sql(&one, statements);
    store = open_store(&one, state);
    check_no_value(store_source(store), &key, SIGNET_ERR_UNKNOWN);
    key.name.ptr = NULL;
    check_scan(store_source(store), &key, "0= ");
    store_close(store);
    folder_remove(&one);
    folder_remove(&two);
}

static void check_refused(const struct folder *folder, void **state, const struct store_key *key,
    enum signet_err wanted, const char *text)
{
    struct store *store = NULL;
    enum signet_err err = store_open(folder->store, &store);

    if (err == SIGNET_OK)
        err = store_unlock(store, *state, key);
    CHECK_ERR(err, wanted);
    assert_string_equal(store_error_text(store), text);
    store_close(store);
}

static void another_key_is_noticed_at_opening(void **state)
{
    struct store_key other = the_key;
    struct folder folder = folder_new();

    store_close(create(&folder, state));
    other.k[31] ^= 1;
    check_refused(&folder, state, &other, SIGNET_ERR_AUTH,
        "the key does not belong to the store, or the store is damaged");
    store_close(open_store(&folder, state));
    folder_remove(&folder);
}

static void what_is_not_our_store_is_refused_and_left_alone(void **state)
{
    struct folder folder = folder_new();
    FILE *file;

    check_refused(&folder, state, &the_key, SIGNET_ERR_IO,
        "the store cannot be opened: No such file or directory");
    run_sql(&folder, "CREATE TABLE theirs (x); PRAGMA user_version = 1");
    check_refused(&folder, state, &the_key, SIGNET_ERR_FORMAT, "not a signet store");
    run_sql(&folder, "SELECT x FROM theirs");
    CHECK(unlink(folder.store) == 0);

    store_close(create(&folder, state));
    run_sql(&folder, "PRAGMA user_version = 2");
    check_refused(&folder, state, &the_key, SIGNET_ERR_FORMAT,
        "the store was written by a newer version of signet");

    file = fopen(folder.store, "wb");
    CHECK(file != NULL && fputs("a text of more than sixteen bytes", file) >= 0);
    CHECK(fclose(file) == 0);
    check_refused(&folder, state, &the_key, SIGNET_ERR_FORMAT, "not a signet store");
    folder_remove(&folder);
}

static bool holds(const struct folder *folder, enum record_kind kind)
{
    struct store *store = NULL;
    bool holds = false;

    CHECK_OK(store_open(folder->store, &store));
    CHECK_OK(store_holds(store, kind, &holds));
    store_close(store);
    return holds;
}

static void what_a_store_holds_is_seen_without_the_key(void **state)
{
    struct folder folder = folder_new();
    struct record_key key = key_of(RECORD_ACCOUNT, "", 0);
    struct store *store;

    store_close(create(&folder, state));
    CHECK(!holds(&folder, RECORD_ACCOUNT));
    store = open_store(&folder, state);
    commit_one(store, &key, "account");
    store_close(store);
    CHECK(holds(&folder, RECORD_ACCOUNT) && !holds(&folder, RECORD_RELAY));
    CHECK(truncate(folder.store, 0) == 0);
    check_refused(&folder, state, &the_key, SIGNET_ERR_FORMAT, "the store is damaged: it is empty");
    folder_remove(&folder);
}

/* Every connection that SQLite opens meanwhile gets a disk of 12 pages. */
static int small_disk(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    return sqlite3_exec(db, "PRAGMA max_page_count = 12", NULL, NULL, NULL);
}

/* ATTACKS.md: full disk -> clear error, nothing lost that was. */
static void a_full_disk_is_told_and_changes_nothing(void **state)
{
    static const uint8_t big[100000];
    struct folder folder = folder_new();
    struct record_key key = key_of(RECORD_CONTACT, "bob", 0);
    struct record_key second = key_of(RECORD_CONTACT, "carol", 0);
    struct record_batch batch = {0};
    struct store *store;

    store_close(create(&folder, state));
    CHECK(sqlite3_auto_extension((void (*)(void))small_disk) == SQLITE_OK);
    store = open_store(&folder, state);
    sqlite3_reset_auto_extension();
    commit_one(store, &key, "before");
    batch_put(&batch, &key, "after");
    CHECK_OK(record_batch_put(&batch, &second, signet_span_of(big, sizeof(big))));
    CHECK_ERR(store_commit(store, &batch), SIGNET_ERR_IO);
    assert_string_equal(store_error_text(store), "the disk is full");
    record_batch_clear(&batch);
    check_value(store_source(store), &key, "before");
    check_no_value(store_source(store), &second, SIGNET_ERR_UNKNOWN);
    commit_one(store, &key, "later");
    store_close(store);
    store = open_store(&folder, state);
    check_value(store_source(store), &key, "later");
    store_close(store);
    folder_remove(&folder);
}

static void a_number_beyond_the_column_changes_nothing(void **state)
{
    struct folder folder = folder_new();
    struct store *store = create(&folder, state);
    struct record_key key = key_of(RECORD_CONTACT, "bob", 0);
    struct record_key large = key_of(RECORD_CONTACT, "bob", (uint64_t)INT64_MAX + 1);
    struct record_batch batch = {0};

    batch_put(&batch, &key, "value");
    batch_put(&batch, &large, "value");
    CHECK_ERR(store_commit(store, &batch), SIGNET_ERR_ARGUMENT);
    record_batch_clear(&batch);
    check_no_value(store_source(store), &key, SIGNET_ERR_UNKNOWN);
    check_no_value(store_source(store), &large, SIGNET_ERR_UNKNOWN);
    store_close(store);
    folder_remove(&folder);
}

/* Decision 20: secure_delete. The sealed value of a deleted record is overwritten. */
static void a_deleted_record_leaves_no_bytes_in_the_file(void **state)
{
    struct folder folder = folder_new();
    struct store *store = create(&folder, state);
    struct record_key key = key_of(RECORD_SESSION, "", 0);
    struct record_batch batch = {0};
    uint8_t sealed[512];
    size_t len;

    commit_one(store, &key, "a key that is to be forgotten");
    store_close(store);
    len = value_bytes(&folder, RECORD_SESSION, sealed);
    CHECK(store_contains(&folder, signet_span_of(sealed, len)));
    store = open_store(&folder, state);
    CHECK_OK(record_batch_delete(&batch, &key));
    CHECK_OK(store_commit(store, &batch));
    record_batch_clear(&batch);
    store_close(store);
    CHECK(!store_contains(&folder, signet_span_of(sealed, len)));
    CHECK(!store_contains(&folder, signet_span_of(sealed + len / 2, 16)));
    folder_remove(&folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_back_before_and_after_reopening),
        cmocka_unit_test(the_file_is_for_its_owner_and_is_never_overwritten),
        cmocka_unit_test(neither_names_nor_values_are_in_the_file),
        cmocka_unit_test(a_flipped_bit_refuses_that_record_and_no_other),
        cmocka_unit_test(a_scan_shows_damaged_records_empty_and_goes_on),
        cmocka_unit_test(records_exchanged_between_rows_are_refused),
        cmocka_unit_test(a_record_of_another_store_is_refused),
        cmocka_unit_test(another_key_is_noticed_at_opening),
        cmocka_unit_test(what_is_not_our_store_is_refused_and_left_alone),
        cmocka_unit_test(what_a_store_holds_is_seen_without_the_key),
        cmocka_unit_test(a_full_disk_is_told_and_changes_nothing),
        cmocka_unit_test(a_number_beyond_the_column_changes_nothing),
        cmocka_unit_test(a_deleted_record_leaves_no_bytes_in_the_file),
    };

    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
