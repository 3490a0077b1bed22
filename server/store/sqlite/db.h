/*
 * The SQLite file behind the store: its statements, and one transaction at a time.
 *
 * Like the CBOR reader, it keeps the first failure of a transaction: from then on nothing is
 * carried out and no row is found, so that operations read as what they do; db_commit then rolls
 * back. What an operation decided in between does not count.
 */
#ifndef SERVER_STORE_SQLITE_DB_H
#define SERVER_STORE_SQLITE_DB_H

#include <sqlite3.h>

#include <signet/error.h>
#include <signet/id.h>

enum { DB_ERROR_SIZE = 256 };

/* The statements, by noun. What they bind and give stands beside their text in db.c. */
enum db_statement {
    DB_BEGIN,
    DB_COMMIT,
    DB_ROLLBACK,
    DB_ACCOUNT_BY_NAME,
    DB_ACCOUNT_BY_ADDRESS,
    DB_ACCOUNT_ADD,
    DB_ACCOUNT_CARD,
    DB_DEVICE_GET,
    DB_DEVICES_OF,
    DB_DEVICE_ADD,
    DB_DEVICE_REMOVE,
    DB_DEVICE_REMOVED,
    DB_DEVICE_DELETE,
    DB_DEVICE_COLD,
    DB_DEVICE_LAST,
    DB_BUNDLE_GET,
    DB_BUNDLE_KEYS,
    DB_BUNDLE_PUT,
    DB_BUNDLE_DELETE,
    DB_BATCH_GET,
    DB_BATCH_NEW,
    DB_BATCH_TAKE,
    DB_TAKE_GET,
    DB_TAKE_PUT,
    DB_TAKE_DELETE,
    DB_TAKE_EXPIRE,
    DB_INVITE_GET,
    DB_INVITE_ADD,
    DB_INVITE_USE,
    DB_INVITE_DELETE,
    DB_INVITE_EXPIRE,
    DB_HOT_LOAD,
    DB_HOT_PUT,
    DB_HOT_GET,
    DB_HOT_DELETE,
    DB_HOT_FIRST,
    DB_COLD_MOVE,
    DB_COLD_GET,
    DB_COLD_SIZE,
    DB_COLD_DELETE,
    DB_COLD_CLEAR,
    DB_COLD_EXPIRED,
    DB_FREE_GET,
    DB_FREE_GIVE_BACK,
    DB_STATEMENT_COUNT,
};

struct db {
    sqlite3 *handle;
    sqlite3_stmt *statements[DB_STATEMENT_COUNT];
    int failed;                /* SQLite's code of the first failure in this transaction */
    char error[DB_ERROR_SIZE]; /* and its text */
};

enum db_end {
    DB_COMMITTED,
    DB_ROLLED_BACK,
    DB_IN_DOUBT, /* rolled back here, but a crash now might bring it back */
};

/*
 * Open or create (mode 0600; ":memory:" for none). Errors: IO, FORMAT, NOMEM; db->error says why,
 * and db_close is still due.
 */
SIGNET_MUST_USE enum signet_err db_open(struct db *db, const char *path);
void db_close(struct db *db);

/* Begin a transaction; forgets an earlier failure. */
void db_begin(struct db *db);
/* Commit, or roll back where something has failed. */
enum db_end db_commit(struct db *db);
void db_rollback(struct db *db);
/* Fail for a reason of one's own: an SQLite code. */
void db_fail(struct db *db, int code);
/* Whether what has failed is that a page of the file is damaged. */
bool db_is_damaged(const struct db *db);
/* Carry on reading behind damage. What then remains is db_rollback: SQLite commits no transaction
 * that has met any. */
void db_forgive(struct db *db);

/* A statement, ready to be bound; parameters count from 1. Spans stay borrowed while it runs. */
sqlite3_stmt *db_query(struct db *db, enum db_statement which);
/* What is above INT64_MAX becomes that. */
void db_bind_uint(struct db *db, sqlite3_stmt *query, int parameter, uint64_t value);
void db_bind_key(struct db *db, sqlite3_stmt *query, int parameter, int64_t key);
void db_bind_bytes(struct db *db, sqlite3_stmt *query, int parameter, signet_span bytes);
void db_bind_id(struct db *db, sqlite3_stmt *query, int parameter, const struct signet_id *id);
void db_bind_text(struct db *db, sqlite3_stmt *query, int parameter, const char *text);
/* The next row, if there is one. */
bool db_row(struct db *db, sqlite3_stmt *query);
/* No more rows are wanted. Needed only where the same table is changed afterwards. */
void db_done(sqlite3_stmt *query);
/* Run what gives no row; returns how many rows it has changed. */
uint64_t db_run(struct db *db, sqlite3_stmt *query);

/* How many rows were changed since it was opened. */
uint64_t db_changes(const struct db *db);

/* Columns of the present row, counted from 0; valid until the next call with that statement. */
uint64_t db_uint(sqlite3_stmt *query, int column);
int64_t db_key(sqlite3_stmt *query, int column);
signet_span db_bytes(sqlite3_stmt *query, int column);
/* Zeros where the column does not hold 32 bytes. */
struct signet_id db_id(sqlite3_stmt *query, int column);

#endif
