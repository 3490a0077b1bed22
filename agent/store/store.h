/*
 * The client's records on disk: SQLite, each value sealed by itself.
 *
 * The file shows which kinds of records there are, how many and how big; neither names nor
 * contents, and nothing can be changed or exchanged unnoticed. What it cannot notice is that the
 * whole file, or single records, have been taken away or set back to an older copy.
 *
 * A store belongs to one thread. Only one process may have it open; home.h sees to that.
 */
#ifndef AGENT_STORE_STORE_H
#define AGENT_STORE_STORE_H

#include <signet/library.h>

#include "engine/records.h"

enum { STORE_KEY_LEN = 32 };

/* Random; whoever holds it reads everything. */
struct store_key {
    uint8_t k[STORE_KEY_LEN];
};

/* Four flushes a commit where it were 1, one and a quarter with 16: see docs/performance.md. */
enum { STORE_FORGET_COMMITS = 16 };

struct store;

/*
 * Open an existing store; what is in it can be read after store_unlock. *store_out is set after an
 * error too, unless memory ran out (NULL then): it serves store_error_text, and must be closed.
 * Errors: FORMAT (not a store, or one of a newer version), IO, NOMEM.
 */
SIGNET_MUST_USE enum signet_err store_open(const char *path, struct store **store_out);
/* Whether there is any record of a kind; needs no key. Errors: IO, FORMAT. */
SIGNET_MUST_USE enum signet_err store_holds(
    struct store *store, enum record_kind kind, bool *holds_out);
/*
 * The key is copied, the library borrowed.
 * Errors: AUTH (another key, or the file was damaged), FORMAT, IO, NOMEM, CRYPTO.
 */
SIGNET_MUST_USE enum signet_err store_unlock(
    struct store *store, struct signet_library *library, const struct store_key *key);

/*
 * Make a store where there is no file yet, and open and unlock it. It is complete before it has its
 * name, so that an empty or half store.db is never one that is only beginning; a crash before that
 * leaves files with STORE_NEW in their names.
 * Errors as of both above; *store_out as of store_open.
 */
#define STORE_NEW ".new"
SIGNET_MUST_USE enum signet_err store_create(const char *path, struct signet_library *library,
    const struct store_key *key, struct store **store_out);

/*
 * Write the log back and empty it: what was overwritten or deleted is in no file then. Where the
 * disk does not take it, it is tried again with the next commit.
 */
void store_forget(struct store *store);

/* NULL is fine; wipes. */
void store_close(struct store *store);

/*
 * Reads from the store, until it is closed. A scan may read further records while it visits, and
 * may scan again; nothing may be committed meanwhile.
 */
struct record_source store_source(struct store *store);

/*
 * Make all changes of a batch, in one transaction, and return when it is on disk. What they
 * overwrite or delete is in no file any more after STORE_FORGET_COMMITS commits, and after closing;
 * where the process was killed, after the next opening.
 * Errors: ARGUMENT (a number over INT64_MAX), IO, NOMEM, CRYPTO; nothing has changed then.
 */
SIGNET_MUST_USE enum signet_err store_commit(struct store *store, const struct record_batch *batch);

/* Why the last call failed: a clause for people, borrowed until the next call. NULL is fine. */
const char *store_error_text(const struct store *store);
/* What to do about it; NULL: nothing to say. */
const char *store_error_hint(const struct store *store);

#endif
