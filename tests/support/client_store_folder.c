/* A folder for the client's store (client_store_folder.h). */
#include "tests/support/client_store_folder.h"

#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

const struct store_key client_store_key = {{1, 2, 3}};

struct client_store_folder client_store_folder_new(void)
{
    struct client_store_folder folder = {.path = "/tmp/signet-store-XXXXXX"};

    CHECK(mkdtemp(folder.path) != NULL);
    (void)snprintf(folder.store, sizeof(folder.store), "%s/store.db", folder.path);
    return folder;
}

void client_store_folder_remove(const struct client_store_folder *folder)
{
    CHECK(unlink(folder->store) == 0);
    /* Also shows that closing leaves no log behind. */
    CHECK(rmdir(folder->path) == 0);
}

struct store *client_store_create(const struct client_store_folder *folder, void **state)
{
    struct store *store = NULL;

    CHECK_OK(store_create(folder->store, *state, &client_store_key, &store));
    return store;
}

struct store *client_store_open(const struct client_store_folder *folder, void **state)
{
    struct store *store = NULL;

    CHECK_OK(store_open(folder->store, &store));
    CHECK_OK(store_unlock(store, *state, &client_store_key));
    return store;
}

void client_store_commit_one(struct store *store, const struct record_key *key, const char *value)
{
    struct record_batch batch = {0};

    batch_put(&batch, key, value);
    CHECK_OK(store_commit(store, &batch));
    record_batch_clear(&batch);
}

void client_store_run_sql(const struct client_store_folder *folder, const char *statements)
{
    sqlite3 *db = NULL;

    CHECK(sqlite3_open(folder->store, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, statements, NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_close(db) == SQLITE_OK);
}
