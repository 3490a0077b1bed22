/*
 * client: what somebody who has the store's file, and no key, can read in it and change unnoticed:
 * nothing.
 */
#include "tests/support/client_store_folder.h"

#include <sqlite3.h>

#include "tests/support/crypto_unit.h"

static const char marker[] = "MARKER-plaintext-of-a-message";

/* What is stored for the one record of a kind; its length. */
static size_t value_bytes(
    const struct client_store_folder *folder, enum record_kind kind, uint8_t bytes[512])
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
static bool flip_value(const struct client_store_folder *folder, enum record_kind kind, size_t at)
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
    client_store_run_sql(folder, statement);
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

static bool store_contains(const struct client_store_folder *folder, signet_span bytes)
{
    char log[96];

    (void)snprintf(log, sizeof(log), "%s-wal", folder->store);
    return file_contains(folder->store, bytes) || file_contains(log, bytes);
}

/* What is typed or received is in no file in the clear, for disks are stolen and backed up. */
static void neither_names_nor_values_are_in_the_file(void **state)
{
    struct client_store_folder folder = client_store_folder_new();
    struct store *store = client_store_create(&folder, state);
    struct record_key key = key_of(RECORD_CONTACT, "MARKER-name", 1);

    client_store_commit_one(store, &key, marker);
    CHECK(!store_contains(&folder, signet_span_str("MARKER")));
    store_close(store);
    CHECK(!store_contains(&folder, signet_span_str("MARKER")));
    CHECK(store_contains(&folder, signet_span_str("record")));
    client_store_folder_remove(&folder);
}

/* A flipped bit in a stored record gives an error that names it; the rest can be read. */
static void a_flipped_bit_refuses_that_record_and_no_other(void **state)
{
    struct client_store_folder folder = client_store_folder_new();
    struct store *store = client_store_create(&folder, state);
    struct record_key key = key_of(RECORD_MESSAGE, "bob", 1);
    struct record_key other = key_of(RECORD_CONTACT, "bob", 0);
    size_t at = 0;

    client_store_commit_one(store, &key, "hello");
    client_store_commit_one(store, &other, "untouched");
    store_close(store);
    for (; flip_value(&folder, RECORD_MESSAGE, at); at++) {
        store = client_store_open(&folder, state);
        check_no_value(store_source(store), &key, SIGNET_ERR_AUTH);
        assert_string_equal(store_error_text(store), "a record of the store is damaged");
        check_value(store_source(store), &other, "untouched");
        store_close(store);
        CHECK(flip_value(&folder, RECORD_MESSAGE, at));
    }
    CHECK(at == 32 + 5 + 16);
    store = client_store_open(&folder, state);
    check_value(store_source(store), &key, "hello");
    store_close(store);
    client_store_folder_remove(&folder);
}

static void a_scan_shows_damaged_records_empty_and_goes_on(void **state)
{
    struct client_store_folder folder = client_store_folder_new();
    struct store *store = client_store_create(&folder, state);
    struct record_key key = key_of(RECORD_MESSAGE, "bob", 1);

    client_store_commit_one(store, &key, "one");
    key.number = 2;
    client_store_commit_one(store, &key, "two");
    key.number = 3;
    client_store_commit_one(store, &key, "three");
    store_close(store);
    client_store_run_sql(&folder, "UPDATE record SET value = x'00' WHERE number = 1;"
                                  "UPDATE record SET value = zeroblob(60) WHERE number = 2");
    store = client_store_open(&folder, state);
    key.number = 0;
    check_scan(store_source(store), &key, "1= 2= 3=three ");
    store_close(store);
    client_store_folder_remove(&folder);
}

/* The associated data binds a value to its row, so that rows cannot be exchanged. */
static void records_exchanged_between_rows_are_refused(void **state)
{
    static const char *const moves[] = {
        /* numbers, kinds, names exchanged */
        "UPDATE record SET number = 3 - number WHERE kind = 13",
        "UPDATE record SET kind = 18 - kind",
        "UPDATE record SET name = (SELECT name FROM record WHERE kind = 5) WHERE kind = 13",
    };

    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        struct client_store_folder folder = client_store_folder_new();
        struct store *store = client_store_create(&folder, state);
        struct record_key message = key_of(RECORD_MESSAGE, "bob", 1);
        struct record_key contact = key_of(RECORD_CONTACT, "bob", 0);
        struct record_key all = key_of(i == 1 ? RECORD_CONTACT : RECORD_MESSAGE, NULL, 0);

        client_store_commit_one(store, &message, "one");
        if (i == 2)
            client_store_commit_one(store, &contact, "Bob");
        store_close(store);
        client_store_run_sql(&folder, moves[i]);
        store = client_store_open(&folder, state);
        check_scan(store_source(store), &all, i == 0 ? "2= " : "1= ");
        store_close(store);
        client_store_folder_remove(&folder);
    }
}

static void a_record_of_another_store_is_refused(void **state)
{
    struct client_store_folder one = client_store_folder_new(), two = client_store_folder_new();
    struct record_key key = key_of(RECORD_ACCOUNT, "", 0);
    struct store *store = client_store_create(&one, state);
    char statements[256];

    client_store_commit_one(store, &key, "one");
    store_close(store);
    store = client_store_create(&two, state);
    client_store_commit_one(store, &key, "two");
    store_close(store);
    (void)snprintf(statements, sizeof(statements),
        "ATTACH '%s' AS other; UPDATE record SET"
        " name = (SELECT name FROM other.record), value = (SELECT value FROM other.record)",
        two.store);
    client_store_run_sql(&one, statements);
    store = client_store_open(&one, state);
    check_no_value(store_source(store), &key, SIGNET_ERR_UNKNOWN);
    key.name.ptr = NULL;
    check_scan(store_source(store), &key, "0= ");
    store_close(store);
    client_store_folder_remove(&one);
    client_store_folder_remove(&two);
}

/* secure_delete: the sealed value of a deleted record is overwritten. */
static void a_deleted_record_leaves_no_bytes_in_the_file(void **state)
{
    struct client_store_folder folder = client_store_folder_new();
    struct store *store = client_store_create(&folder, state);
    struct record_key key = key_of(RECORD_SESSION, "", 0);
    struct record_batch batch = {0};
    uint8_t sealed[512];
    size_t len;

    client_store_commit_one(store, &key, "a key that is to be forgotten");
    store_close(store);
    len = value_bytes(&folder, RECORD_SESSION, sealed);
    CHECK(store_contains(&folder, signet_span_of(sealed, len)));
    store = client_store_open(&folder, state);
    CHECK_OK(record_batch_delete(&batch, &key));
    CHECK_OK(store_commit(store, &batch));
    record_batch_clear(&batch);
    store_close(store);
    CHECK(!store_contains(&folder, signet_span_of(sealed, len)));
    CHECK(!store_contains(&folder, signet_span_of(sealed + len / 2, 16)));
    client_store_folder_remove(&folder);
}

TEST_FILE(client_store_sealed)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(neither_names_nor_values_are_in_the_file),
        cmocka_unit_test(a_flipped_bit_refuses_that_record_and_no_other),
        cmocka_unit_test(a_scan_shows_damaged_records_empty_and_goes_on),
        cmocka_unit_test(records_exchanged_between_rows_are_refused),
        cmocka_unit_test(a_record_of_another_store_is_refused),
        cmocka_unit_test(a_deleted_record_leaves_no_bytes_in_the_file),
    };

    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
