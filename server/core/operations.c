/* Operations for the store: made, added to the group that is being gathered, and used again. */
#include "server/core/operations.h"

#include <stdlib.h>

#include "server/core/connection.h"
#include "server/core/core_state.h"

enum {
    SPARE_MAX = 4096, /* operations kept for use again */
    EXPIRE_INTERVAL_MS = 10000,
    EXPIRE_ROWS = 1000,
};

struct core_op *core_op_new(struct relay_core *core, const struct conn *conn,
    enum store_op_type type, uint64_t req, core_answer *answered)
{
    struct core_op *op = core->spare;

    if (op != NULL) {
        core->spare = (struct core_op *)op->op.next;
        core->spare_count--;
        op->op.next = NULL;
    } else if ((op = calloc(1, sizeof(*op))) == NULL) {
        return NULL;
    }
    op->op.type = type;
    op->op.connection = conn != NULL ? conn->number : 0;
    op->op.req = req;
    op->answered = answered;
    return op;
}

void core_op_free(struct relay_core *core, struct core_op *op)
{
    if (op == NULL)
        return;
    signet_buf_free(&op->held);
    store_op_clear(&op->op);
    if (core->spare_count == SPARE_MAX) {
        free(op);
        return;
    }
    op->answered = NULL;
    op->counted_bytes = 0;
    op->earlier = STORE_PENDING;
    op->checked = 0;
    op->op.next = (struct store_op *)core->spare;
    core->spare = op;
    core->spare_count++;
}

void core_op_free_spare(struct relay_core *core)
{
    while (core->spare != NULL) {
        struct core_op *op = core->spare;

        core->spare = (struct core_op *)op->op.next;
        free(op);
    }
}

/* What it holds, and what its answer will at most. A fetch is bounded by the window instead. */
static size_t bytes_of(const struct core_op *op)
{
    size_t held =
        op->held.len + op->op.envelope.len + op->op.card.len + op->op.bundle.len + op->op.keys.len;

    switch (op->op.type) {
    case STORE_FIND: return held + RELAY_CARD_MAX;
    case STORE_BUNDLE_TAKE: return held + RELAY_BUNDLE_MAX;
    default: return held;
    }
}

enum signet_err core_op_submit(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    if (core->group == NULL) {
        core->group = calloc(1, sizeof(*core->group));
        if (core->group == NULL) {
            core_op_free(core, op);
            return SIGNET_ERR_NOMEM;
        }
    }
    if (conn != NULL) {
        op->counted_bytes = bytes_of(op);
        conn->in_flight++;
        conn->in_flight_bytes += op->counted_bytes;
    }
    store_group_add(core->group, &op->op);
    return SIGNET_OK;
}

void core_release(
    struct relay_core *core, const struct signet_id *device, const struct store_route *route)
{
    struct core_op *op = core_op_new(core, NULL, STORE_RELEASE, 0, NULL);

    /* Without memory the route stays until the device logs in again: messages then wait for it. */
    if (op == NULL)
        return;
    op->op.device = *device;
    op->op.route = *route;
    if (core_op_submit(core, NULL, op) != SIGNET_OK)
        return;
}

void core_expire(struct relay_core *core)
{
    struct core_op *op;

    /* One worker asks for all. */
    if (core->config.worker != 0 || core->is_expiring || core->monotonic_ms < core->expire_ms)
        return;
    core->expire_ms = core->monotonic_ms + EXPIRE_INTERVAL_MS;
    op = core_op_new(core, NULL, STORE_EXPIRE, 0, NULL);
    if (op == NULL)
        return;
    op->op.limit = EXPIRE_ROWS;
    core->is_expiring = core_op_submit(core, NULL, op) == SIGNET_OK; /* the next time, if not */
}
