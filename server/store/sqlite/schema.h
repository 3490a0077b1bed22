/* The tables of the relay's SQLite file, and whether a file is such a one. */
#ifndef SERVER_STORE_SQLITE_SCHEMA_H
#define SERVER_STORE_SQLITE_SCHEMA_H

#include "server/store/sqlite/db.h"

/*
 * Make an open file ready: settings, and the tables if it is empty. Errors: IO, FORMAT (another
 * program's, damaged, or newer), NOMEM; db->error says why.
 */
SIGNET_MUST_USE enum signet_err schema_prepare(struct db *db);

/* The error for an SQLite code. */
enum signet_err schema_err(int code);

#endif
