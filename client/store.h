/*
 * The client's records on disk: SQLite, each value sealed by itself (DESIGN: local store).
 *
 * The file shows which kinds of records there are, how many and how big; neither names nor
 * contents, and nothing can be changed or exchanged unnoticed. What it cannot notice is that the
 * whole file, or single records, have been taken away or set back to an older copy.
 *
 * A store belongs to one thread. Only one process may have it open; home.h sees to that.
 */
#ifndef CLIENT_STORE_H
#define CLIENT_STORE_H

#include <signet/library.h>

#include "client/records.h"

enum { STORE_KEY_LEN = 32 };

/* Random; whoever holds it reads everything. */
struct store_key {
    uint8_t k[STORE_KEY_LEN];
};

/* Four flushes a commit where it were 1, one and a quarter with 16: see docs/performance.md. */
enum { STORE_FORGET_COMMITS = 16 };

struct store;

/*
 * Make a store where there is no file yet, and open it, or open an existing one.
 *
 * The key is copied, the library borrowed. *store_out is set after an error too, unless memory ran
 * out (NULL then): it serves store_error_text, and must be closed.
 *
 * Errors: AUTH (another key, or the file was damaged), FORMAT (not a store, or one of a newer
 * version), IO, NOMEM, CRYPTO.
 */
SIGNET_MUST_USE enum signet_err store_create(const char *path, struct signet_library *library,
    const struct store_key *key, struct store **store_out);
SIGNET_MUST_USE enum signet_err store_open(const char *path, struct signet_library *library,
    const struct store_key *key, struct store **store_out);

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

/*
 * Whether a store has any record of a kind. Needs no key and changes nothing.
 * Errors: UNKNOWN (no file), FORMAT (not a store), IO, NOMEM; *has_out is unchanged then.
 */
SIGNET_MUST_USE enum signet_err store_peek(const char *path, enum record_kind kind, bool *has_out);

#endif
