/*
 * Login: docs/protocol.md, section 9. The card of the account that the proof names is looked up,
 * the proof verified under the device's key on it, and the route claimed, where the store sees
 * whether the device is still on the account's card; the newest login of a device ends an older
 * one.
 */
#include <stdlib.h>

#include "server/core/connection.h"
#include "server/core/core_state.h"
#include "server/core/handlers.h"
#include "server/core/operations.h"

static core_answer login_found, login_claimed;

enum signet_err handle_login(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw)
{
    struct signet_login_claim claim;
    struct core_op *op;

    conn->state = CONN_EXPECT_LOGIN; /* until the store is asked */
    if (!conn_allow(core, conn, &conn->attempts, &core->config.rates.login, message->req))
        return SIGNET_OK;
    if (signet_login_read(message->proof, &claim) != SIGNET_OK) {
        conn_refuse(core, conn, message->req, RELAY_CODE_INVALID, 0);
        return SIGNET_OK;
    }
    op = core_op_new(core, conn, STORE_FIND, message->req, login_found);
    if (op == NULL)
        return SIGNET_ERR_NOMEM;
    op->op.address = claim.address;
    if (signet_buf_append(&op->held, raw) != SIGNET_OK) {
        core_op_free(core, op);
        return SIGNET_ERR_NOMEM;
    }
    conn->state = CONN_CHECKING;
    return core_op_submit(core, conn, op);
}

/* Verify the proof and ask for the route; `op` found the card. */
static enum signet_err verify(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    struct signet_hop hop = conn_hop(core, conn);
    struct signet_login_claim claim;
    struct relay_message message;
    struct core_op *next;
    signet_span rest;
    enum signet_err err;

    if ((err = relay_message_read(signet_buf_span(&op->held), &message, &rest)) != SIGNET_OK)
        return err;
    if ((err = signet_login_read(message.proof, &claim)) != SIGNET_OK)
        return err;
    err = signet_login_verify_stored(
        core->library, message.proof, signet_buf_span(&op->op.card), &hop);
    if (err != SIGNET_OK)
        return err;
    next = core_op_new(core, conn, STORE_CLAIM, message.req, login_claimed);
    if (next == NULL)
        return SIGNET_ERR_NOMEM;
    next->op.device = claim.device;
    next->op.address = claim.address;
    next->op.route = (struct store_route){core->config.worker, conn->number};
    return core_op_submit(core, conn, next);
}

static void refuse(struct relay_core *core, struct conn *conn, const struct core_op *op)
{
    if (op->op.answer == STORE_GONE)
        conn_refuse(core, conn, op->op.req, RELAY_CODE_NOT_REGISTERED, 0);
    else
        conn_refuse_answer(core, conn, op);
}

static void login_found(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    enum signet_err err;

    conn->state = CONN_EXPECT_LOGIN; /* until the store is asked again */
    if (op->op.answer != STORE_OK) {
        refuse(core, conn, op);
        return;
    }
    err = verify(core, conn, op);
    if (err == SIGNET_OK)
        conn->state = CONN_CHECKING;
    else
        conn_refuse_err(core, conn, op->op.req, err);
}

static enum signet_err welcome(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    struct relay_message message = {
        .type = RELAY_WELCOME,
        .req = op->op.req,
        .id = op->op.list,
        .time_ms = core->wall_ms,
        .bundle = signet_buf_span(&op->op.bundle),
        .one_time_left = op->op.one_time_left,
    };
    char who[SIGNET_ID_SHORT_SIZE];

    conn->device = calloc(1, sizeof(*conn->device));
    if (conn->device == NULL)
        return SIGNET_ERR_NOMEM;
    conn->state = CONN_READY;
    conn->is_changed = true;
    conn->device->id = op->op.device;
    conn->device->address = op->op.address;
    conn_send(core, conn, &message);
    signet_id_short(&op->op.device, who);
    log_write(core->config.log, LOG_DEBUG, "device.login", LOG_STR("device", who), LOG_END);
    return SIGNET_OK;
}

static void login_claimed(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    enum signet_err err;

    conn->state = CONN_EXPECT_LOGIN;
    if (op->op.answer != STORE_OK) {
        refuse(core, conn, op);
        return;
    }
    err = welcome(core, conn, op);
    if (err != SIGNET_OK) {
        core_release(core, &op->op.device, &op->op.route);
        conn_refuse_err(core, conn, op->op.req, err);
    }
}
