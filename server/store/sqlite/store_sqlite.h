/*
 * The store of one relay in one SQLite file: server/store/store.h carried out.
 *
 * All groups that wait are carried out in one transaction (write-ahead log, synchronous=FULL),
 * then answered one by one, in the order in which they were submitted. Within a group, what is
 * fetched is read last, and messages are delivered before the group is answered: so a fetch that
 * is answered contains all that was delivered before it. A statement that fails (disk full,
 * read-only, failing) ends the transaction, and every group in it with STORE_DOWN; STORE_UNKNOWN
 * where only the final flush failed. The store carries on by itself once the disk does. A page of
 * the file that is damaged concerns the operations that need it, and no others: they are carried
 * out by themselves, around it where that is possible (damage.c).
 *
 * Messages wait in a table that has no secondary index, and in memory it is known whose they are.
 * What nobody has fetched for some minutes moves, by STORE_EXPIRE, to a table that is clustered by
 * device and is not looked at when the store is opened.
 *
 * Other processes may open the same file for a moment, to add invitations. That only one relay
 * serves it is not seen to here.
 */
#ifndef SERVER_STORE_SQLITE_STORE_SQLITE_H
#define SERVER_STORE_SQLITE_STORE_SQLITE_H

#include "server/store/store.h"

enum store_mode {
    STORE_THREADED, /* a thread of its own, which calls the sinks */
    STORE_STEPPED,  /* works, and calls the sinks, in store_sqlite_step and close only */
    STORE_ADMIN,    /* stepped, and opened at once, since it does not look what waits in mailboxes:
                       for invitations and the directory, beside the relay that serves them */
};

/* Since when a message must have waited to be moved out of the way. */
#define STORE_COLD_AGE_MS (UINT64_C(5) * 60 * 1000)

/*
 * Open, or create with mode 0600. `path` may be ":memory:". `library` must outlive the store.
 * Errors: IO (the file cannot be opened, read or written), FORMAT (it is not a relay's store, it is
 * damaged, or of a newer version), NOMEM; store_sqlite_open_error says more. *out is unchanged
 * then.
 */
SIGNET_MUST_USE enum signet_err store_sqlite_open(const char *path, struct signet_library *library,
    const struct store_limits *limits, enum store_mode mode, struct store **out);

/* Why the last open of this thread failed: a clause for people, valid until its next open. */
const char *store_sqlite_open_error(void);

/* But for STORE_THREADED: carry out all that is submitted, in one transaction. Returns how many
 * groups. */
size_t store_sqlite_step(struct store *store);

/* Why a group was last answered with DOWN or UNKNOWN; an empty text if none was. */
void store_sqlite_error(struct store *store, char *text, size_t size);

/* The highest message id that was in the store when it was opened; 0: none, or STORE_ADMIN. */
uint64_t store_sqlite_last_id(const struct store *store);

/* Another age than STORE_COLD_AGE_MS; before the first submit. */
void store_sqlite_set_cold_age(struct store *store, uint64_t age_ms);

#endif
