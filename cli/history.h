/* What was said, in the order in which it arrived here or was sent, and last what waits to be sealed:
 * all of it, or one conversation. */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include "cli/inbox.h"

struct history {
    struct inbox_item *items; /* by number; those that are queued last */
    size_t count, capacity;
    size_t damaged; /* records that cannot be read; their conversation is zero */
};

/* Find the lines; peer NULL: of all conversations. Errors: FORMAT, IO, NOMEM, CRYPTO, ARGUMENT
 * (the own address). */
SIGNET_MUST_USE enum signet_err history_load(
    struct history *history, const struct agent *agent, const struct signet_id *peer);
void history_free(struct history *history);

#endif
