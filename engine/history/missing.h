/* What the other side, after a loss of its own, says that it has got of us. */
#ifndef ENGINE_HISTORY_MISSING_H
#define ENGINE_HISTORY_MISSING_H

#include <signet/entry.h>

#include "engine/txn/txn.h"

/* SIGNET_KIND_HEADS: mark those of our texts in the history that its author has not got.
 * Errors: IO, NOMEM. */
SIGNET_MUST_USE enum signet_err missing_mark(
    struct txn *t, const struct signet_entry *heads, uint64_t *missing_out);

#endif
