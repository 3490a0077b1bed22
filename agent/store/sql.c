/* The store's way to SQLite: opening files, running statements, saying what went wrong. */
#include "agent/store/sql.h"

#include <stdio.h>
#include <string.h>

enum signet_err store_sql_say(struct store_sql *sql, enum signet_err err, const char *why)
{
    (void)snprintf(sql->text, sizeof(sql->text), "%s", why);
    sql->hint = NULL;
    return err;
}

enum signet_err store_sql_say_damaged(struct store_sql *sql, enum signet_err err, const char *why)
{
    (void)store_sql_say(sql, err, why);
    sql->hint =
        "join again as a new account with another --home DIR; an older copy of this one must "
        "not be used to send";
    return err;
}

/* Where the person can see to it. */
static enum signet_err say_place(struct store_sql *sql, const char *why)
{
    (void)store_sql_say(sql, SIGNET_ERR_IO, why);
    sql->hint = "see to the permissions of the home and its files, and to the disk";
    return SIGNET_ERR_IO;
}

/* "WHY: what the system says" */
static enum signet_err say_system(struct store_sql *sql, const char *why)
{
    int cause = sql->db == NULL ? 0 : sqlite3_system_errno(sql->db);

    (void)say_place(sql, why);
    if (cause == 0)
        return SIGNET_ERR_IO;
    (void)snprintf(sql->text, sizeof(sql->text), "%s: %s", why, strerror(cause));
    return SIGNET_ERR_IO;
}

enum signet_err store_sql_failed(struct store_sql *sql, int answer)
{
    switch (answer & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return SIGNET_OK;
    case SQLITE_NOMEM: return store_sql_say(sql, SIGNET_ERR_NOMEM, "out of memory");
    case SQLITE_NOTADB: return store_sql_say_damaged(sql, SIGNET_ERR_FORMAT, "not a signet store");
    case SQLITE_CORRUPT: return store_sql_say_damaged(sql, SIGNET_ERR_IO, "the store is damaged");
    case SQLITE_FULL:
        (void)store_sql_say(sql, SIGNET_ERR_IO, "the disk is full");
        sql->hint = "make room, then try again";
        return SIGNET_ERR_IO;
    case SQLITE_READONLY: return say_place(sql, "the store or its disk is read-only");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return store_sql_say(sql, SIGNET_ERR_IO, "another process has the store open");
    case SQLITE_CANTOPEN: return say_system(sql, "the store cannot be opened");
    case SQLITE_IOERR: return say_system(sql, "reading or writing the store failed");
    default: return store_sql_say(sql, SIGNET_ERR_IO, sqlite3_errstr(answer));
    }
}

enum signet_err store_sql_open(struct store_sql *sql, const char *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int answer = sqlite3_open_v2(path, &sql->db, flags, NULL);

    if (answer != SQLITE_OK)
        return store_sql_failed(sql, answer);
    /* A planted schema must not run anything. */
    (void)sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(sql->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(sql->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(sql->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    /* Exclusive before the first access: then WAL needs no shared memory. */
    return store_sql_run(sql, "PRAGMA locking_mode = EXCLUSIVE;"
                              "PRAGMA mmap_size = 0;"
                              "PRAGMA temp_store = MEMORY;"
                              "PRAGMA cell_size_check = ON;"
                              "PRAGMA secure_delete = ON;"
                              "PRAGMA synchronous = FULL");
}

void store_sql_close(struct store_sql *sql)
{
    (void)sqlite3_close(sql->db);
    sql->db = NULL;
}

enum signet_err store_sql_run(struct store_sql *sql, const char *statements)
{
    return store_sql_failed(sql, sqlite3_exec(sql->db, statements, NULL, NULL, NULL));
}

enum signet_err store_sql_prepare(
    struct store_sql *sql, const char *statement, sqlite3_stmt **prepared_out)
{
    return store_sql_failed(sql,
        sqlite3_prepare_v3(sql->db, statement, -1, SQLITE_PREPARE_PERSISTENT, prepared_out, NULL));
}

enum signet_err store_sql_number(struct store_sql *sql, const char *statement, int64_t *number_out)
{
    sqlite3_stmt *prepared = NULL;
    enum signet_err err;
    int answer;

    if ((err = store_sql_prepare(sql, statement, &prepared)) != SIGNET_OK)
        return err;
    answer = sqlite3_step(prepared);
    if (answer == SQLITE_ROW)
        *number_out = sqlite3_column_int64(prepared, 0);
    else if (answer == SQLITE_DONE)
        err = SIGNET_ERR_UNKNOWN;
    else
        err = store_sql_failed(sql, answer);
    (void)sqlite3_finalize(prepared);
    return err;
}
