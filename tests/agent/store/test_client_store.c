/* The client's store: what it keeps, who can open it, and what a full disk costs. */
#include "tests/support/client_store_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/support/crypto_unit.h"

static void records_are_read_back_before_and_after_reopening(void **state)
{
    struct client_store_folder folder = client_store_folder_new();
    struct store *store = client_store_create(&folder, state);
    struct record_batch batch = {0};

    source_fill(&batch);
    CHECK_OK(store_commit(store, &batch));
    record_batch_clear(&batch);
    source_check(store_source(store));
    store_close(store);
    store = client_store_open(&folder, state);
    source_check(store_source(store));
    store_close(store);
    client_store_folder_remove(&folder);
}

static void the_file_is_for_its_owner_and_is_never_overwritten(void **state)
{
    struct client_store_folder folder = client_store_folder_new();
    struct store *store = client_store_create(&folder, state), *second = NULL;
    struct stat status;

    CHECK(stat(folder.store, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK_ERR(store_create(folder.store, *state, &client_store_key, &second), SIGNET_ERR_IO);
    assert_string_equal(store_error_text(second), "File exists");
    store_close(second);
    store_close(store);
    client_store_folder_remove(&folder);
}

static void check_refused(const struct client_store_folder *folder, void **state,
    const struct store_key *key, enum signet_err wanted, const char *text)
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
    struct store_key other = client_store_key;
    struct client_store_folder folder = client_store_folder_new();

    store_close(client_store_create(&folder, state));
    other.k[31] ^= 1;
    check_refused(&folder, state, &other, SIGNET_ERR_AUTH,
        "the key does not belong to the store, or the store is damaged");
    store_close(client_store_open(&folder, state));
    client_store_folder_remove(&folder);
}

static void what_is_not_our_store_is_refused_and_left_alone(void **state)
{
    struct client_store_folder folder = client_store_folder_new();
    FILE *file;

    check_refused(&folder, state, &client_store_key, SIGNET_ERR_IO,
        "the store cannot be opened: No such file or directory");
    client_store_run_sql(&folder, "CREATE TABLE theirs (x); PRAGMA user_version = 1");
    check_refused(&folder, state, &client_store_key, SIGNET_ERR_FORMAT, "not a signet store");
    client_store_run_sql(&folder, "SELECT x FROM theirs");
    CHECK(unlink(folder.store) == 0);

    store_close(client_store_create(&folder, state));
    client_store_run_sql(&folder, "PRAGMA user_version = 2");
    check_refused(&folder, state, &client_store_key, SIGNET_ERR_FORMAT,
        "the store was written by a newer version of signet");

    file = fopen(folder.store, "wb");
    CHECK(file != NULL && fputs("a text of more than sixteen bytes", file) >= 0);
    CHECK(fclose(file) == 0);
    check_refused(&folder, state, &client_store_key, SIGNET_ERR_FORMAT, "not a signet store");
    client_store_folder_remove(&folder);
}

static bool holds(const struct client_store_folder *folder, enum record_kind kind)
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
    struct client_store_folder folder = client_store_folder_new();
    struct record_key key = key_of(RECORD_ACCOUNT, "", 0);
    struct store *store;

    store_close(client_store_create(&folder, state));
    CHECK(!holds(&folder, RECORD_ACCOUNT));
    store = client_store_open(&folder, state);
    client_store_commit_one(store, &key, "account");
    store_close(store);
    CHECK(holds(&folder, RECORD_ACCOUNT) && !holds(&folder, RECORD_RELAY));
    CHECK(truncate(folder.store, 0) == 0);
    check_refused(
        &folder, state, &client_store_key, SIGNET_ERR_FORMAT, "the store is damaged: it is empty");
    client_store_folder_remove(&folder);
}

/* Every connection that SQLite opens meanwhile gets a disk of 12 pages. */
static int small_disk(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    return sqlite3_exec(db, "PRAGMA max_page_count = 12", NULL, NULL, NULL);
}

/* A full disk gives a clear error, and nothing is lost that was there. */
static void a_full_disk_is_told_and_changes_nothing(void **state)
{
    static const uint8_t big[100000];
    struct client_store_folder folder = client_store_folder_new();
    struct record_key key = key_of(RECORD_CONTACT, "bob", 0);
    struct record_key second = key_of(RECORD_CONTACT, "carol", 0);
    struct record_batch batch = {0};
    struct store *store;

    store_close(client_store_create(&folder, state));
    CHECK(sqlite3_auto_extension((void (*)(void))small_disk) == SQLITE_OK);
    store = client_store_open(&folder, state);
    sqlite3_reset_auto_extension();
    client_store_commit_one(store, &key, "before");
    batch_put(&batch, &key, "after");
    CHECK_OK(record_batch_put(&batch, &second, signet_span_of(big, sizeof(big))));
    CHECK_ERR(store_commit(store, &batch), SIGNET_ERR_IO);
    assert_string_equal(store_error_text(store), "the disk is full");
    record_batch_clear(&batch);
    check_value(store_source(store), &key, "before");
    check_no_value(store_source(store), &second, SIGNET_ERR_UNKNOWN);
    client_store_commit_one(store, &key, "later");
    store_close(store);
    store = client_store_open(&folder, state);
    check_value(store_source(store), &key, "later");
    store_close(store);
    client_store_folder_remove(&folder);
}

static void a_number_beyond_the_column_changes_nothing(void **state)
{
    struct client_store_folder folder = client_store_folder_new();
    struct store *store = client_store_create(&folder, state);
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
    client_store_folder_remove(&folder);
}

TEST_FILE(client_store)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_back_before_and_after_reopening),
        cmocka_unit_test(the_file_is_for_its_owner_and_is_never_overwritten),
        cmocka_unit_test(another_key_is_noticed_at_opening),
        cmocka_unit_test(what_is_not_our_store_is_refused_and_left_alone),
        cmocka_unit_test(what_a_store_holds_is_seen_without_the_key),
        cmocka_unit_test(a_full_disk_is_told_and_changes_nothing),
        cmocka_unit_test(a_number_beyond_the_column_changes_nothing),
    };

    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
