/* The tables of the relay's SQLite file (schema.h). */
#include "server/store/sqlite/schema.h"

#include <stdio.h>

enum {
    APPLICATION_ID = 0x73676e74, /* "sgnt": in the file's header, so that file(1) can tell */
    SCHEMA_VERSION = 1,
};

/* Integers hold the 64 bits of a uint64_t. Times are milliseconds since 1970. */
static const char tables[] =
    "CREATE TABLE account("
    "  key INTEGER PRIMARY KEY, address BLOB NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,"
    "  generation INTEGER NOT NULL, version INTEGER NOT NULL, list BLOB NOT NULL,"
    "  card BLOB NOT NULL) STRICT;"
    /* account: 0 where it was removed, until its messages are gone; none of them has an id above
     * cold_last. cold_*: what of its mailbox is in the cold table. taken, refilled_at: the bucket of
     * one-time prekeys (taken: how many are missing). one_time_*: the present batch. */
    "CREATE TABLE device("
    "  key INTEGER PRIMARY KEY, device BLOB NOT NULL UNIQUE, account INTEGER NOT NULL,"
    "  cold_count INTEGER NOT NULL DEFAULT 0, cold_bytes INTEGER NOT NULL DEFAULT 0,"
    "  cold_last INTEGER NOT NULL DEFAULT 0,"
    "  taken INTEGER NOT NULL DEFAULT 0, refilled_at INTEGER NOT NULL DEFAULT 0,"
    "  one_time_next INTEGER NOT NULL DEFAULT 0, one_time_count INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE INDEX device_account ON device(account);"
    "CREATE TABLE bundle("
    "  device INTEGER PRIMARY KEY, version INTEGER NOT NULL, expires INTEGER NOT NULL,"
    "  bundle BLOB NOT NULL, keys BLOB NOT NULL) STRICT;"
    /* Who was given a one-time prekey of whom, and when. */
    "CREATE TABLE take("
    "  device INTEGER NOT NULL, requester BLOB NOT NULL, at INTEGER NOT NULL,"
    "  PRIMARY KEY(device, requester)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX take_at ON take(at);"
    "CREATE TABLE invite("
    "  token BLOB PRIMARY KEY, uses INTEGER NOT NULL, expires INTEGER NOT NULL,"
    "  operator INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX invite_expires ON invite(expires) WHERE expires > 0;"
    /* No index but the id, which rises with time: the fastest that SQLite can insert and delete. */
    "CREATE TABLE hot("
    "  id INTEGER PRIMARY KEY, device INTEGER NOT NULL, stored INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT;"
    /* One device's messages lie side by side. */
    "CREATE TABLE cold("
    "  device INTEGER NOT NULL, id INTEGER NOT NULL, expires INTEGER NOT NULL,"
    "  envelope BLOB NOT NULL, PRIMARY KEY(device, id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX cold_expires ON cold(expires);";

/* synchronous=FULL: a commit is on the disk when it returns, which `accepted` promises. The log is
 * checkpointed from 8,000 pages on (32 MiB); what a rush, or a long backup, adds to that is cut off
 * again, but not the size that it usually has. */
static const char settings[] = "PRAGMA auto_vacuum = INCREMENTAL;" /* only while it is empty */
                               "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = FULL;"
                               "PRAGMA wal_autocheckpoint = 8000;"
                               "PRAGMA journal_size_limit = 67108864;"
                               "PRAGMA foreign_keys = OFF;"
                               "PRAGMA cache_size = -65536;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cell_size_check = ON;";

enum signet_err schema_err(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK: return SIGNET_OK;
    case SQLITE_NOMEM: return SIGNET_ERR_NOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR: return SIGNET_ERR_FORMAT; /* a table or column is not there */
    default: return SIGNET_ERR_IO;
    }
}

static enum signet_err refuse(struct db *db, enum signet_err err, const char *why)
{
    (void)snprintf(db->error, sizeof(db->error), "%s", why);
    return err;
}

/* What SQLite said last. */
static enum signet_err refuse_code(struct db *db, int code)
{
    return refuse(db, schema_err(code), sqlite3_errmsg(db->handle));
}

/* A setting of the file that is one number. */
static int read_number(struct db *db, const char *pragma, int64_t *number_out)
{
    sqlite3_stmt *query = NULL;
    int code = sqlite3_prepare_v2(db->handle, pragma, -1, &query, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(query);
    if (code == SQLITE_ROW)
        *number_out = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Another process may be creating the file as well: look and make are one transaction. */
static enum signet_err create(struct db *db)
{
    char numbers[96];
    int64_t table_count = 0;
    int code = sqlite3_exec(db->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (code != SQLITE_OK)
        return refuse_code(db, code);
    code = read_number(db, "SELECT count(*) FROM sqlite_schema", &table_count);
    (void)snprintf(numbers, sizeof(numbers), "PRAGMA application_id = %d; PRAGMA user_version = %d",
        (int)APPLICATION_ID, (int)SCHEMA_VERSION);
    if (code == SQLITE_OK && table_count == 0) {
        code = sqlite3_exec(db->handle, tables, NULL, NULL, NULL);
        if (code == SQLITE_OK)
            code = sqlite3_exec(db->handle, numbers, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK)
        code = sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return SIGNET_OK;
    (void)refuse_code(db, code);
    if (!sqlite3_get_autocommit(db->handle))
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return schema_err(code);
}

static enum signet_err check(struct db *db)
{
    int64_t application = 0, version = 0;
    int code = read_number(db, "PRAGMA application_id", &application);

    if (code == SQLITE_OK)
        code = read_number(db, "PRAGMA user_version", &version);
    if (code != SQLITE_OK)
        return refuse_code(db, code);
    if (application != APPLICATION_ID)
        return refuse(db, SIGNET_ERR_FORMAT, "the file belongs to another program");
    if (version > SCHEMA_VERSION)
        return refuse(db, SIGNET_ERR_FORMAT, "the file was made by a newer version of signetd");
    if (version != SCHEMA_VERSION)
        return refuse(db, SIGNET_ERR_FORMAT, "the file has an unknown version");
    return SIGNET_OK;
}

enum signet_err schema_prepare(struct db *db)
{
    int64_t table_count = 0;
    enum signet_err err = SIGNET_OK;
    int code;

    /* Look before anything is changed: the file may be somebody else's. */
    code = read_number(db, "SELECT count(*) FROM sqlite_schema", &table_count);
    if (code != SQLITE_OK)
        return refuse_code(db, code);
    if (table_count > 0)
        err = check(db);
    if (err != SIGNET_OK)
        return err;
    code = sqlite3_exec(db->handle, settings, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return refuse_code(db, code);
    if (table_count == 0)
        err = create(db);
    return err == SIGNET_OK ? check(db) : err;
}
