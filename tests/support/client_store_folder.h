/*
 * A folder of its own for the client's sealed store, which is made and opened there with one key; and
 * the file as somebody else sees it, who has no key but SQLite.
 */
#ifndef TESTS_CLIENT_STORE_FOLDER_H
#define TESTS_CLIENT_STORE_FOLDER_H

#include "tests/support/record_checks.h"

#include "agent/store/store.h"

extern const struct store_key client_store_key;

struct client_store_folder {
    char path[64];
    char store[80]; /* the path of the store; not there yet */
};

struct client_store_folder client_store_folder_new(void);
/* There must be nothing in it but the store, closed. */
void client_store_folder_remove(const struct client_store_folder *folder);

/* The library is cmocka's state (crypto_unit.h). */
struct store *client_store_create(const struct client_store_folder *folder, void **state);
struct store *client_store_open(const struct client_store_folder *folder, void **state);
void client_store_commit_one(struct store *store, const struct record_key *key, const char *value);
/* Statements on the store's file, without the key. */
void client_store_run_sql(const struct client_store_folder *folder, const char *statements);

#endif
