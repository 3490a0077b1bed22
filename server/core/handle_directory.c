/* Others' cards and bundles: docs/protocol.md, section 9. */
#include <string.h>

#include "server/core/connection.h"
#include "server/core/core_state.h"
#include "server/core/handlers.h"
#include "server/core/operations.h"

static core_answer found, taken;

enum signet_err handle_find(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw)
{
    struct core_op *op;

    (void)raw;
    if (!conn_allow(core, conn, &conn->device->find, &core->config.rates.find, message->req))
        return SIGNET_OK;
    if (message->name.len > 0 && !signet_name_is_valid(message->name)) {
        conn_refuse(core, conn, message->req, RELAY_CODE_UNKNOWN, 0);
        return SIGNET_OK;
    }
    op = core_op_new(core, conn, STORE_FIND, message->req, found);
    if (op == NULL)
        return SIGNET_ERR_NOMEM;
    op->op.address = message->id;
    if (message->name.len > 0)
        memcpy(op->op.name, message->name.ptr, message->name.len);
    return core_op_submit(core, conn, op);
}

static void found(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    if (op->op.answer != STORE_OK) {
        conn_refuse_answer(core, conn, op);
        return;
    }
    conn_send(core, conn,
        &(struct relay_message){.type = RELAY_ACCOUNT,
            .req = op->op.req,
            .name = signet_span_str(op->op.name),
            .card = signet_buf_span(&op->op.card)});
}

enum signet_err handle_take(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw)
{
    struct core_op *op;

    (void)raw;
    if (!conn_allow(core, conn, &conn->device->take, &core->config.rates.take, message->req))
        return SIGNET_OK;
    op = core_op_new(core, conn, STORE_BUNDLE_TAKE, message->req, taken);
    if (op == NULL)
        return SIGNET_ERR_NOMEM;
    op->op.device = message->id;
    op->op.address = conn->device->address;
    return core_op_submit(core, conn, op);
}

static void taken(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    const struct signet_one_time *one_time = &op->op.one_time;
    struct relay_message message = {
        .type = RELAY_PREKEYS,
        .req = op->op.req,
        .bundle = signet_buf_span(&op->op.bundle),
        .has_prekey = op->op.has_one_time,
    };

    if (op->op.answer != STORE_OK) {
        conn_refuse_answer(core, conn, op);
        return;
    }
    if (op->op.has_one_time)
        message.prekey = (struct relay_prekey){
            .index = one_time->index,
            .key = signet_span_of(one_time->key, sizeof(one_time->key)),
            .path = signet_span_of(one_time->path, one_time->path_len * SIGNET_ID_LEN),
        };
    conn_send(core, conn, &message);
}
