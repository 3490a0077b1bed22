/* Marks of what was seen: hashes of envelopes, transcripts of sessions that peers have begun. */
#ifndef ENGINE_HISTORY_SEEN_H
#define ENGINE_HISTORY_SEEN_H

#include "engine/txn/txn.h"

/* Note the hash of an envelope whose line of the history was just added. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err seen_mark(struct txn *t, const struct signet_id *hash);
/* Whether there is a mark: of a hash (RECORD_SEEN), of a transcript (RECORD_TRANSCRIPT).
 * Errors: UNKNOWN (there is none), IO, NOMEM. */
SIGNET_MUST_USE enum signet_err seen_has(
    struct txn *t, enum record_kind kind, const struct signet_id *id);
/* A peer has begun a session with one of our bundles: after history_add, whose number marks its
 * place. The mark lives as long as the bundle's secrets. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err seen_mark_begun(
    struct txn *t, const struct signet_id *bundle, const struct signet_id *transcript);
/* The secrets of a bundle go, and with them what was begun by them. Errors: IO, NOMEM. */
SIGNET_MUST_USE enum signet_err seen_forget_begun(struct txn *t, const struct signet_id *bundle);
/* Forget hashes of 31 days ago, the oldest ones first, and so many at a time that a login does not
 * wait for it. *is_done: no more of them are there. Errors: IO, NOMEM. */
SIGNET_MUST_USE enum signet_err seen_forget(struct txn *t, bool *is_done);

#endif
