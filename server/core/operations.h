/* Operations for the store, and how the core goes on when they are answered. */
#ifndef SERVER_CORE_OPERATIONS_H
#define SERVER_CORE_OPERATIONS_H

#include "server/store/store.h"

struct relay_core;
struct conn;
struct core_op;

typedef void core_answer(struct relay_core *core, struct conn *conn, struct core_op *op);

/* One operation for the store, and how to go on when it is answered. */
struct core_op {
    struct store_op op;        /* first, so that a group frees the whole of it */
    core_answer *answered;     /* the connection is still there then; NULL: nothing to do */
    struct signet_buf held;    /* the client's message, or what else the answer needs */
    size_t counted_bytes;      /* in conn->in_flight_bytes: the store changes what it holds */
    enum store_answer earlier; /* the answer that led to this operation */
    size_t checked; /* keys of the card that is being published: signet_card_check_keys */
};

/* A new operation of that connection (NULL: none), not submitted yet. NULL: out of memory. */
struct core_op *core_op_new(struct relay_core *core, const struct conn *conn,
    enum store_op_type type, uint64_t req, core_answer *answered);
void core_op_free(struct relay_core *core, struct core_op *op);
void core_op_free_spare(struct relay_core *core);
/* Add it to the group. Errors: NOMEM; the operation is freed then. */
SIGNET_MUST_USE enum signet_err core_op_submit(
    struct relay_core *core, struct conn *conn, struct core_op *op);
/* The device of a connection that ended is not there any more. */
void core_release(
    struct relay_core *core, const struct signet_id *device, const struct store_route *route);
/* Ask the store to remove what is past its time, if that is due. */
void core_expire(struct relay_core *core);

#endif
