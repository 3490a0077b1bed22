/* All connections of a core: by number, and the queue of those with something for the loop to do. */
#ifndef SERVER_CORE_CONNECTIONS_H
#define SERVER_CORE_CONNECTIONS_H

#include <signet/error.h>
#include <stdint.h>

struct relay_core;
struct conn;

/* Give it a number and keep it under that. Errors: LIMIT, NOMEM. */
SIGNET_MUST_USE enum signet_err connections_add(struct relay_core *core, struct conn *conn);
/* Forget it: nothing finds it any more. */
void connections_remove(struct relay_core *core, struct conn *conn);
/* NULL: no such connection any more. */
struct conn *conn_find(const struct relay_core *core, uint64_t number);
/* The loop has something to do for it. */
void conn_list(struct relay_core *core, struct conn *conn);
/* The one that was listed first; NULL: none. */
struct conn *connections_next_listed(struct relay_core *core);
/* Free what finds them. The connections themselves are the caller's. */
void connections_free(struct relay_core *core);

#endif
