/* What the store's files share. */
#ifndef AGENT_STORE_STORE_INTERNAL_H
#define AGENT_STORE_STORE_INTERNAL_H

#include "agent/store/seal.h"
#include "agent/store/sql.h"

struct store {
    struct store_sql sql;
    struct store_seal seal;
    sqlite3_stmt *get, *put, *delete;
    unsigned commits; /* in the log; what they overwrote may still be in it or in the file */
};

/* Prepare the statements, once the tables are there. Errors: IO, NOMEM. */
SIGNET_MUST_USE enum signet_err store_prepare(struct store *store);

#endif
