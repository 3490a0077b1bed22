/* The SQLite file behind the store: opening, statements, transactions (db.h). */
#include "server/store/sqlite/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/store/sqlite/schema.h"

/* How long another process may hold the file: clients wait as long for an answer, and a command of
 * the operator holds it as long as the disk takes to write. */
enum { BUSY_MS = 30000 };

static const char *const texts[DB_STATEMENT_COUNT] = {
    [DB_BEGIN] = "BEGIN IMMEDIATE",
    [DB_COMMIT] = "COMMIT",
    [DB_ROLLBACK] = "ROLLBACK",

    [DB_ACCOUNT_BY_NAME] = "SELECT key, address, name, generation, version, list, card"
                           " FROM account WHERE name = ?1",
    [DB_ACCOUNT_BY_ADDRESS] = "SELECT key, address, name, generation, version, list, card"
                              " FROM account WHERE address = ?1",
    [DB_ACCOUNT_ADD] = "INSERT INTO account(address, name, generation, version, list, card)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [DB_ACCOUNT_CARD] = "UPDATE account SET generation = ?2, version = ?3, list = ?4, card = ?5"
                        " WHERE key = ?1",

    [DB_DEVICE_GET] = "SELECT key, account, cold_count, cold_bytes, cold_last"
                      " FROM device WHERE device = ?1",
    [DB_DEVICES_OF] = "SELECT device FROM device WHERE account = ?1",
    [DB_DEVICE_ADD] = "INSERT INTO device(device, account) VALUES(?1, ?2)",
    /* The row stays until its messages are gone, so that no other device is given its key. */
    [DB_DEVICE_REMOVE] = "UPDATE device SET device = CAST(key AS BLOB), account = 0,"
                         " cold_count = 0, cold_bytes = 0, cold_last = ?2 WHERE key = ?1",
    [DB_DEVICE_REMOVED] = "SELECT key, cold_last FROM device WHERE account = 0 LIMIT 1",
    [DB_DEVICE_DELETE] = "DELETE FROM device WHERE key = ?1",
    [DB_DEVICE_COLD] = "UPDATE device SET cold_count = ?2, cold_bytes = ?3, cold_last = ?4"
                       " WHERE key = ?1",
    [DB_DEVICE_LAST] = "SELECT max(cold_last) FROM device",

    [DB_BUNDLE_GET] = "SELECT version, bundle FROM bundle WHERE device = ?1",
    [DB_BUNDLE_KEYS] = "SELECT keys FROM bundle WHERE device = ?1",
    [DB_BUNDLE_PUT] = "INSERT OR REPLACE INTO bundle(device, version, expires, bundle, keys)"
                      " VALUES(?1, ?2, ?3, ?4, ?5)",
    [DB_BUNDLE_DELETE] = "DELETE FROM bundle WHERE device = ?1",
    [DB_BATCH_GET] = "SELECT taken, refilled_at, one_time_next, one_time_count, expires"
                     " FROM device JOIN bundle ON bundle.device = key WHERE key = ?1",
    [DB_BATCH_NEW] = "UPDATE device SET one_time_next = 0, one_time_count = ?2 WHERE key = ?1",
    [DB_BATCH_TAKE] = "UPDATE device SET taken = ?2, refilled_at = ?3, one_time_next = ?4"
                      " WHERE key = ?1",
    [DB_TAKE_GET] = "SELECT at FROM take WHERE device = ?1 AND requester = ?2",
    [DB_TAKE_PUT] = "INSERT OR REPLACE INTO take(device, requester, at) VALUES(?1, ?2, ?3)",
    [DB_TAKE_DELETE] = "DELETE FROM take WHERE device = ?1",
    [DB_TAKE_EXPIRE] = "DELETE FROM take WHERE (device, requester) IN"
                       " (SELECT device, requester FROM take WHERE at <= ?1 ORDER BY at LIMIT ?2)",

    [DB_INVITE_GET] = "SELECT uses, expires, operator FROM invite WHERE token = ?1",
    [DB_INVITE_ADD] = "INSERT OR IGNORE INTO invite(token, uses, expires, operator)"
                      " VALUES(?1, ?2, ?3, ?4)",
    [DB_INVITE_USE] = "UPDATE invite SET uses = uses - 1 WHERE token = ?1",
    [DB_INVITE_DELETE] = "DELETE FROM invite WHERE token = ?1 AND uses <= 0",
    [DB_INVITE_EXPIRE] = "DELETE FROM invite WHERE token IN (SELECT token FROM invite"
                         " WHERE expires > 0 AND expires <= ?1 ORDER BY expires LIMIT ?2)",

    [DB_HOT_LOAD] = "SELECT hot.id, length(envelope), device.device, key, account,"
                    " cold_count, cold_bytes, cold_last"
                    " FROM hot CROSS JOIN device ON key = hot.device AND account > 0"
                    " WHERE hot.id >= ?1"
                    " ORDER BY hot.id",
    [DB_HOT_PUT] = "INSERT OR IGNORE INTO hot(id, device, stored, expires, envelope)"
                   " VALUES(?1, ?2, ?3, ?4, ?5)",
    [DB_HOT_GET] = "SELECT expires, envelope FROM hot WHERE id = ?1",
    [DB_HOT_DELETE] = "DELETE FROM hot WHERE id = ?1",
    [DB_HOT_FIRST] = "SELECT id, stored, expires, device.device"
                     " FROM hot LEFT JOIN device ON key = hot.device AND account > 0"
                     " WHERE id >= ?1"
                     " ORDER BY id LIMIT 1",
    [DB_COLD_MOVE] = "INSERT OR IGNORE INTO cold(device, id, expires, envelope)"
                     " SELECT device, id, expires, envelope FROM hot WHERE id = ?1",
    [DB_COLD_GET] = "SELECT id, expires, envelope FROM cold WHERE id >= ?1 AND device = ?2"
                    " ORDER BY id",
    [DB_COLD_SIZE] = "SELECT length(envelope) FROM cold WHERE device = ?1 AND id = ?2",
    [DB_COLD_DELETE] = "DELETE FROM cold WHERE device = ?1 AND id = ?2",
    [DB_COLD_CLEAR] = "DELETE FROM cold WHERE device = ?1 AND id IN"
                      " (SELECT id FROM cold WHERE device = ?1 ORDER BY id LIMIT ?2)",
    [DB_COLD_EXPIRED] = "SELECT cold.device, id, expires, device.device FROM cold"
                        " LEFT JOIN device ON key = cold.device AND account > 0"
                        " WHERE expires <= ?1 AND (expires, cold.device, id) > (?2, ?3, ?4)"
                        " ORDER BY expires, cold.device, id LIMIT 1",

    [DB_FREE_GET] = "SELECT freelist_count, page_count FROM pragma_freelist_count,"
                    " pragma_page_count",
    [DB_FREE_GIVE_BACK] = "PRAGMA incremental_vacuum(1000)",
};

/* ---- opening ---- */

static enum signet_err refuse(struct db *db, enum signet_err err, const char *why)
{
    (void)snprintf(db->error, sizeof(db->error), "%s", why);
    return err;
}

/* SQLite would create it by the umask. An existing file is left to SQLite alone: closing another
 * descriptor of it would drop the locks that this process may have. */
static enum signet_err create_file(struct db *db, const char *path)
{
    int fd;

    if (strcmp(path, ":memory:") == 0)
        return SIGNET_OK;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? SIGNET_OK : refuse(db, SIGNET_ERR_IO, strerror(errno));
    if (close(fd) != 0)
        return refuse(db, SIGNET_ERR_IO, strerror(errno));
    return SIGNET_OK;
}

enum signet_err db_open(struct db *db, const char *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    enum signet_err err = create_file(db, path);
    int code;

    if (err != SIGNET_OK)
        return err;
    code = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (db->handle == NULL)
        return refuse(db, SIGNET_ERR_NOMEM, sqlite3_errstr(SQLITE_NOMEM));
    if (code != SQLITE_OK)
        return refuse(db, schema_err(code), sqlite3_errmsg(db->handle));
    (void)sqlite3_busy_timeout(db->handle, BUSY_MS);
    err = schema_prepare(db);
    for (size_t i = 0; i < DB_STATEMENT_COUNT && err == SIGNET_OK; i++) {
        code = sqlite3_prepare_v3(
            db->handle, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL);
        if (code != SQLITE_OK)
            err = refuse(db, schema_err(code), sqlite3_errmsg(db->handle));
    }
    return err;
}

void db_close(struct db *db)
{
    for (size_t i = 0; i < DB_STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(db->statements[i]);
    (void)sqlite3_close(db->handle);
    memset(db, 0, sizeof(*db));
}

/* ---- transactions ---- */

void db_fail(struct db *db, int code)
{
    const char *why = sqlite3_errmsg(db->handle);

    if (db->failed != SQLITE_OK)
        return;
    db->failed = code;
    if (sqlite3_extended_errcode(db->handle) != code)
        why = sqlite3_errstr(code);
    (void)snprintf(db->error, sizeof(db->error), "%s", why);
}

void db_begin(struct db *db)
{
    db->failed = SQLITE_OK;
    (void)db_run(db, db_query(db, DB_BEGIN));
}

/* A statement that has not been read to its end would hold the write-ahead log. */
static void reset_all(struct db *db)
{
    for (size_t i = 0; i < DB_STATEMENT_COUNT; i++)
        (void)sqlite3_reset(db->statements[i]);
}

void db_rollback(struct db *db)
{
    reset_all(db);
    /* SQLite itself has rolled back after some failures; it then says so by this. */
    if (!sqlite3_get_autocommit(db->handle)) {
        (void)sqlite3_step(db->statements[DB_ROLLBACK]);
        (void)sqlite3_reset(db->statements[DB_ROLLBACK]);
    }
}

enum db_end db_commit(struct db *db)
{
    bool had_failed = db->failed != SQLITE_OK;
    enum db_end end = DB_ROLLED_BACK;

    reset_all(db);
    (void)db_run(db, db_query(db, DB_COMMIT));
    if (db->failed == SQLITE_OK)
        return DB_COMMITTED;
    /* The log was written, and perhaps reaches the disk: only its flush is known to have failed. */
    if (!had_failed && (db->failed & 0xff) == SQLITE_IOERR)
        end = DB_IN_DOUBT;
    db_rollback(db);
    return end;
}

/* ---- damage ---- */

bool db_is_damaged(const struct db *db)
{
    return (db->failed & 0xff) == SQLITE_CORRUPT || (db->failed & 0xff) == SQLITE_NOTADB;
}

void db_forgive(struct db *db)
{
    if (db_is_damaged(db))
        db->failed = SQLITE_OK;
}

/* ---- statements ---- */

sqlite3_stmt *db_query(struct db *db, enum db_statement which)
{
    (void)sqlite3_reset(db->statements[which]);
    return db->statements[which];
}

static void note(struct db *db, int code)
{
    if (code != SQLITE_OK)
        db_fail(db, code);
}

void db_bind_uint(struct db *db, sqlite3_stmt *query, int parameter, uint64_t value)
{
    note(
        db, sqlite3_bind_int64(query, parameter, (int64_t)(value < INT64_MAX ? value : INT64_MAX)));
}

void db_bind_key(struct db *db, sqlite3_stmt *query, int parameter, int64_t key)
{
    note(db, sqlite3_bind_int64(query, parameter, key));
}

void db_bind_bytes(struct db *db, sqlite3_stmt *query, int parameter, signet_span bytes)
{
    /* A null pointer would be bound as NULL, not as an empty string of bytes. */
    const void *ptr = bytes.len > 0 ? (const void *)bytes.ptr : "";

    note(db, sqlite3_bind_blob64(query, parameter, ptr, bytes.len, SQLITE_STATIC));
}

void db_bind_id(struct db *db, sqlite3_stmt *query, int parameter, const struct signet_id *id)
{
    db_bind_bytes(db, query, parameter, signet_id_span(id));
}

void db_bind_text(struct db *db, sqlite3_stmt *query, int parameter, const char *text)
{
    note(db, sqlite3_bind_text(query, parameter, text, -1, SQLITE_STATIC));
}

bool db_row(struct db *db, sqlite3_stmt *query)
{
    int code;

    if (db->failed != SQLITE_OK)
        return false;
    code = sqlite3_step(query);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        db_fail(db, code);
    (void)sqlite3_reset(query);
    return false;
}

void db_done(sqlite3_stmt *query)
{
    (void)sqlite3_reset(query);
}

uint64_t db_run(struct db *db, sqlite3_stmt *query)
{
    while (db_row(db, query))
        ;
    return db->failed == SQLITE_OK ? (uint64_t)sqlite3_changes64(db->handle) : 0;
}

uint64_t db_changes(const struct db *db)
{
    return (uint64_t)sqlite3_total_changes64(db->handle);
}

uint64_t db_uint(sqlite3_stmt *query, int column)
{
    return (uint64_t)sqlite3_column_int64(query, column);
}

int64_t db_key(sqlite3_stmt *query, int column)
{
    return sqlite3_column_int64(query, column);
}

signet_span db_bytes(sqlite3_stmt *query, int column)
{
    const void *ptr = sqlite3_column_blob(query, column);

    return signet_span_of(ptr, ptr != NULL ? (size_t)sqlite3_column_bytes(query, column) : 0);
}

struct signet_id db_id(sqlite3_stmt *query, int column)
{
    struct signet_id id = {{0}};

    if (signet_id_read(db_bytes(query, column), &id) != SIGNET_OK)
        memset(&id, 0, sizeof(id));
    return id;
}
