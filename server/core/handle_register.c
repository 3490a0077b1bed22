/*
 * Registration: docs/protocol.md, section 9. The invitation is looked at before any RSA operation;
 * it is used up in the transaction that stores the account.
 */
#include <string.h>

#include "server/core/connection.h"
#include "server/core/core_state.h"
#include "server/core/handle_publish.h"
#include "server/core/handlers.h"
#include "server/core/operations.h"
#include "server/core/time.h"

static core_answer register_invited, register_known, register_stored;

static void set_token(struct core_op *op, const struct relay_message *message)
{
    op->op.has_token = message->token.len == STORE_TOKEN_LEN;
    if (op->op.has_token)
        memcpy(op->op.token, message->token.ptr, STORE_TOKEN_LEN);
}

enum signet_err handle_register(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw)
{
    struct core_op *op;

    conn->state = CONN_EXPECT_LOGIN; /* until the store is asked */
    if (!conn_allow(core, conn, &conn->attempts, &core->config.rates.login, message->req))
        return SIGNET_OK;
    if (!signet_name_is_valid(message->name)) {
        conn_refuse(core, conn, message->req, RELAY_CODE_NAME, 0);
        return SIGNET_OK;
    }
    op = core_op_new(core, conn, STORE_INVITE_CHECK, message->req, register_invited);
    if (op == NULL)
        return SIGNET_ERR_NOMEM;
    set_token(op, message);
    memcpy(op->op.name, message->name.ptr, message->name.len);
    if (signet_buf_append(&op->held, raw) != SIGNET_OK) {
        core_op_free(core, op);
        return SIGNET_ERR_NOMEM;
    }
    conn->state = CONN_CHECKING;
    return core_op_submit(core, conn, op);
}

/* The token is no use. Perhaps its registration succeeded and the answer was lost: look whether
 * this very card is there under this name. */
static enum signet_err look_for_earlier(
    struct relay_core *core, struct conn *conn, struct core_op *op)
{
    struct core_op *next = core_op_new(core, conn, STORE_FIND, op->op.req, register_known);
    struct relay_message message;
    signet_span rest;
    enum signet_err err;

    if (next == NULL)
        return SIGNET_ERR_NOMEM;
    err = relay_message_read(signet_buf_span(&op->held), &message, &rest);
    if (err != SIGNET_OK) {
        core_op_free(core, next);
        return err;
    }
    memcpy(next->op.name, message.name.ptr, message.name.len);
    next->earlier = op->op.answer;
    next->held = op->held;
    op->held = (struct signet_buf){0};
    return core_op_submit(core, conn, next);
}

static void register_known(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    struct relay_message message;
    signet_span rest;

    conn->state = CONN_EXPECT_LOGIN;
    if (op->op.answer == STORE_OK &&
        relay_message_read(signet_buf_span(&op->held), &message, &rest) == SIGNET_OK &&
        signet_span_equal(signet_buf_span(&op->op.card), message.card)) {
        conn_done(core, conn, op->op.req);
    } else {
        if (op->op.answer != STORE_PENDING)
            op->op.answer = op->earlier;
        conn_refuse_answer(core, conn, op);
    }
}

/* Verify everything that the message holds and hand it to the store. */
static enum signet_err verify(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    struct signet_hop hop = conn_hop(core, conn);
    struct relay_message message;
    struct signet_card *card = NULL;
    struct core_op *next = NULL;
    size_t budget = SIZE_MAX, checked = 0;
    signet_span rest;
    enum signet_err err;

    if ((err = relay_message_read(signet_buf_span(&op->held), &message, &rest)) != SIGNET_OK)
        return err;
    if ((err = signet_card_read_unchecked(core->library, message.card, &card)) != SIGNET_OK)
        return err;
    if (!core_is_recent(core, signet_card_issued_at(card)))
        err = SIGNET_ERR_EXPIRED;
    else
        err = signet_card_check_time(card, core->wall_ms);
    if (err == SIGNET_OK)
        err = signet_registration_verify(message.proof, card, message.name, &hop);
    if (err == SIGNET_OK) /* last, for it costs most: the few keys of a card of 4 KiB */
        err = signet_card_check_keys(card, NULL, &budget, &checked);
    if (err != SIGNET_OK)
        goto out;
    err = SIGNET_ERR_NOMEM;
    next = core_op_new(core, conn, STORE_REGISTER, message.req, register_stored);
    if (next == NULL || publish_card(next, card) != SIGNET_OK)
        goto out;
    memcpy(next->op.name, message.name.ptr, message.name.len);
    set_token(next, &message);
    err = core_op_submit(core, conn, next);
    next = NULL;
out:
    core_op_free(core, next);
    signet_card_free(card);
    return err;
}

static void register_invited(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    enum signet_err err;

    conn->state = CONN_EXPECT_LOGIN; /* until the store is asked again */
    if (op->op.answer == STORE_INVITATION || op->op.answer == STORE_CLOSED) {
        err = look_for_earlier(core, conn, op);
    } else if (op->op.answer != STORE_OK) {
        conn_refuse_answer(core, conn, op);
        return;
    } else {
        err = verify(core, conn, op);
    }
    if (err == SIGNET_OK)
        conn->state = CONN_CHECKING;
    else if (err == SIGNET_ERR_NOT_YET || err == SIGNET_ERR_EXPIRED)
        conn_refuse(core, conn, op->op.req, RELAY_CODE_CLOCK, 0);
    else
        conn_refuse_err(core, conn, op->op.req, err);
}

static void register_stored(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    char who[SIGNET_ID_SHORT_SIZE];

    conn->state = CONN_EXPECT_LOGIN;
    if (op->op.answer == STORE_OK) {
        signet_id_short(&op->op.address, who);
        log_write(core->config.log, LOG_INFO, "account.registered", LOG_STR("address", who),
            LOG_STR("name", op->op.name), LOG_END);
        conn_done(core, conn, op->op.req);
    } else {
        conn_refuse_answer(core, conn, op);
    }
}
