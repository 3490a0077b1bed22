/* The store's way to SQLite: opening files, running statements, saying what went wrong. */
#ifndef AGENT_STORE_SQL_H
#define AGENT_STORE_SQL_H

#include <sqlite3.h>

#include <signet/buffer.h>

struct store_sql {
    sqlite3 *db;
    char text[160];   /* why the last call failed */
    const char *hint; /* what to do about it; NULL: nothing to say */
};

/* Note why, for store_error_text, and return `err`. */
enum signet_err store_sql_say(struct store_sql *sql, enum signet_err err, const char *why);
/* The same where the file does not hold any more what it held. */
enum signet_err store_sql_say_damaged(struct store_sql *sql, enum signet_err err, const char *why);
/* Translate what SQLite just answered. */
enum signet_err store_sql_failed(struct store_sql *sql, int answer);

/* A column of the row at hand, borrowed until the statement moves on. */
static inline signet_span store_sql_column(sqlite3_stmt *statement, int index)
{
    const void *bytes = sqlite3_column_blob(statement, index);
    int len = sqlite3_column_bytes(statement, index);

    return signet_span_of(bytes, bytes == NULL || len < 0 ? 0 : (size_t)len);
}

/* Open an existing file, which may be empty, for this process alone. Errors: IO, FORMAT, NOMEM. */
SIGNET_MUST_USE enum signet_err store_sql_open(struct store_sql *sql, const char *path);
/* NULL handles are fine. */
void store_sql_close(struct store_sql *sql);

/* Run statements that give no rows. Errors: IO, FORMAT, NOMEM. */
SIGNET_MUST_USE enum signet_err store_sql_run(struct store_sql *sql, const char *statements);
/* The number that a statement's first row begins with. Errors: UNKNOWN (no row), as above. */
SIGNET_MUST_USE enum signet_err store_sql_number(
    struct store_sql *sql, const char *statement, int64_t *number_out);
SIGNET_MUST_USE enum signet_err store_sql_prepare(
    struct store_sql *sql, const char *statement, sqlite3_stmt **prepared_out);

#endif
