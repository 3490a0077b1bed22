/*
 * Mailboxes: docs/protocol.md, section 9. How delivery is kept free of races is said in
 * server/store/store.h: while a fetch is under way deliveries are ignored, and a fetch that brought
 * all that waits is followed by exactly what is put after it.
 */
#include "server/core/handle_mailbox.h"

#include <string.h>

#include "server/core/connection.h"
#include "server/core/core_state.h"
#include "server/core/handlers.h"
#include "server/core/operations.h"
#include "server/core/time.h"

static core_answer put_stored, fetched;

/* ---- put ---- */

enum signet_err handle_put(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw)
{
    struct core_op *op;

    (void)raw;
    if (!conn_allow(core, conn, &conn->device->put, &core->config.rates.put, message->req))
        return SIGNET_OK;
    op = core_op_new(core, conn, STORE_PUT, message->req, put_stored);
    if (op == NULL)
        return SIGNET_ERR_NOMEM;
    op->op.device = message->id;
    op->op.message_id = message_id_next(core->config.ids, core->wall_ms);
    op->op.expires_ms = core_put_ms(core) + core->config.message_ms;
    if (signet_buf_append(&op->op.envelope, message->envelope) != SIGNET_OK) {
        core_op_free(core, op);
        return SIGNET_ERR_NOMEM;
    }
    return core_op_submit(core, conn, op);
}

static void put_stored(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    if (op->op.answer != STORE_OK) {
        conn_refuse_answer(core, conn, op);
        return;
    }
    conn_send(core, conn,
        &(struct relay_message){
            .type = RELAY_ACCEPTED, .req = op->op.req, .message = op->op.message_id});
}

/* ---- ack ---- */

/* Only what was delivered on this connection counts, and once: whatever else a client names would
 * be looked for on the disk, 130,000 times a frame. */
enum signet_err handle_ack(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw)
{
    struct relay_message acks = *message;
    enum signet_err err = SIGNET_OK;
    uint64_t id;

    (void)core;
    (void)raw;
    while (err == SIGNET_OK && relay_ack_next(&acks, &id))
        if (window_ack(&conn->device->window, id))
            err = signet_buf_append(&conn->device->acked, signet_span_of(&id, sizeof(id)));
    return err;
}

void mailbox_acknowledge(struct relay_core *core, struct conn *conn)
{
    struct conn_device *device = conn->device;
    struct core_op *op;

    if (device->acked.len == 0)
        return;
    op = core_op_new(core, conn, STORE_ACK, 0, NULL);
    if (op == NULL) {
        conn_close(core, conn, 1011);
        return;
    }
    op->held = device->acked;
    device->acked = (struct signet_buf){0};
    op->op.device = device->id;
    op->op.ack_ids = (const void *)op->held.ptr; /* malloc aligns it */
    op->op.ack_count = op->held.len / sizeof(uint64_t);
    if (core_op_submit(core, conn, op) != SIGNET_OK) {
        conn_close(core, conn, 1011);
        return;
    }
    if (device->delivery != DELIVERY_FETCHING)
        window_forget(&device->window);
    mailbox_catch_up(core, conn);
}

/* ---- deliver ---- */

static enum signet_err fetch(struct relay_core *core, struct conn *conn)
{
    struct core_op *op = core_op_new(core, conn, STORE_FETCH, 0, fetched);

    if (op == NULL)
        return SIGNET_ERR_NOMEM;
    /* A whole window's worth: what is delivered and not acknowledged comes again, and is skipped. */
    op->op.device = conn->device->id;
    op->op.max_count = CORE_WINDOW_MESSAGES;
    op->op.max_bytes = CORE_WINDOW_BYTES;
    conn->device->delivery = DELIVERY_FETCHING;
    return core_op_submit(core, conn, op);
}

enum signet_err handle_subscribe(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw)
{
    (void)raw;
    conn_done(core, conn, message->req);
    if (conn->device->delivery != DELIVERY_NOT_SUBSCRIBED)
        return SIGNET_OK;
    return fetch(core, conn);
}

void mailbox_catch_up(struct relay_core *core, struct conn *conn)
{
    if (conn->state != CONN_READY || conn->device->delivery != DELIVERY_BEHIND ||
        conn->pending > CORE_CONGESTED || !window_is_half_free(&conn->device->window))
        return;
    if (fetch(core, conn) != SIGNET_OK)
        conn_close(core, conn, 1011);
}

/* False: it stays in the mailbox for now. */
static bool deliver(struct relay_core *core, struct conn *conn, const struct store_message *message)
{
    struct window *window = &conn->device->window;

    if (conn->pending > CORE_CONGESTED || !window_has_room(window, message->envelope.len) ||
        window_add(window, message->id, message->envelope.len) != SIGNET_OK)
        return false;
    conn_send(core, conn,
        &(struct relay_message){.type = RELAY_DELIVER,
            .message = message->id,
            .envelope = signet_buf_span(&message->envelope)});
    return true;
}

void mailbox_deliver(
    struct relay_core *core, struct conn *conn, const struct store_message *message)
{
    /* A fetch that met damage is read after all that was put with it, and may have brought it. */
    if (conn->device->delivery == DELIVERY_LIVE &&
        !window_holds(&conn->device->window, message->id) && !deliver(core, conn, message))
        conn->device->delivery = DELIVERY_BEHIND;
}

static void fetched(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    struct conn_device *device = conn->device;
    bool is_behind = op->op.answer != STORE_OK || op->op.more;
    size_t delivered = 0;

    for (size_t i = 0; op->op.answer == STORE_OK && i < op->op.message_count; i++) {
        const struct store_message *message = &op->op.messages[i];

        if (window_holds(&device->window, message->id))
            continue;
        if (!deliver(core, conn, message)) {
            is_behind = true;
            break;
        }
        delivered++;
    }
    window_forget(&device->window);
    device->delivery = is_behind ? DELIVERY_BEHIND : DELIVERY_LIVE;
    if (!is_behind && !device->is_drained_said) {
        device->is_drained_said = true;
        conn_send(core, conn, &(struct relay_message){.type = RELAY_DRAINED});
    }
    if (delivered > 0)
        mailbox_catch_up(core, conn); /* otherwise core_tick tries again */
}
