/* Output of a connection: gathered in one buffer, written once per wake-up. */
#include <openssl/rand.h>

#include "io/connection_internal.h"

size_t io_connection_pending(const struct io_connection *connection)
{
    return connection->out.len - connection->out_sent;
}

bool io_connection_is_blocked(const struct io_connection *connection)
{
    return connection->is_write_blocked;
}

void io_connection_push(struct io_connection *connection)
{
    if (connection->is_write_blocked)
        loop_add_dirty(connection);
}

/* RFC 6455, section 5.3: a fresh key for each frame of a client; a server has none. */
static enum signet_err fresh_mask(
    const struct io_connection *connection, uint8_t mask[WS_MASK_LEN], const uint8_t **mask_out)
{
    *mask_out = NULL;
    if (connection->codec.role == WS_SERVER)
        return SIGNET_OK;
    if (RAND_bytes(mask, WS_MASK_LEN) != 1)
        return SIGNET_ERR_CRYPTO;
    *mask_out = mask;
    return SIGNET_OK;
}

static enum signet_err end_frame(struct io_connection *connection)
{
    enum signet_err err;

    if (!connection->has_frame)
        return SIGNET_OK;
    if ((err = ws_frame_end(&connection->frame, &connection->out)) == SIGNET_OK)
        connection->has_frame = false;
    return err;
}

enum signet_err connection_append_frame(
    struct io_connection *connection, enum ws_opcode opcode, signet_span payload)
{
    uint8_t mask_bytes[WS_MASK_LEN];
    const uint8_t *mask;
    enum signet_err err;

    if ((err = end_frame(connection)) != SIGNET_OK)
        return err;
    if ((err = fresh_mask(connection, mask_bytes, &mask)) != SIGNET_OK)
        return err;
    if ((err = ws_write(&connection->out, opcode, payload, mask)) != SIGNET_OK)
        return err;
    loop_add_dirty(connection);
    return SIGNET_OK;
}

/* Is there room for `len` more bytes? The peer is given one chance to take what is there; a single
 * message always has room in an empty queue. */
static enum signet_err make_room(struct io_connection *connection, size_t len)
{
    size_t max = connection->pending_max;
    size_t pending = io_connection_pending(connection);

    if (connection->state != CONNECTION_OPEN)
        return SIGNET_ERR_STATE;
    if (pending <= max && len <= max - pending)
        return SIGNET_OK;
    connection_write(connection);
    if (connection->state != CONNECTION_OPEN)
        return SIGNET_ERR_STATE;
    pending = io_connection_pending(connection);
    if (pending == 0 || (pending <= max && len <= max - pending))
        return SIGNET_OK;
    connection_finish(connection, IO_CLOSE_SLOW);
    return SIGNET_ERR_LIMIT;
}

enum signet_err io_connection_send(struct io_connection *connection, signet_span message)
{
    enum signet_err err;

    if ((err = make_room(connection, message.len)) != SIGNET_OK)
        return err;
    return connection_append_frame(connection, WS_OP_BINARY, message);
}

static enum signet_err begin_frame(struct io_connection *connection)
{
    uint8_t mask_bytes[WS_MASK_LEN];
    const uint8_t *mask;
    enum signet_err err;

    if ((err = fresh_mask(connection, mask_bytes, &mask)) != SIGNET_OK)
        return err;
    if ((err = ws_frame_begin(&connection->frame, &connection->out, mask)) != SIGNET_OK)
        return err;
    connection->has_frame = true;
    return SIGNET_OK;
}

/* Would `len` more bytes make the gathered frame longer than it may be? */
static bool is_frame_full(const struct io_connection *connection, size_t len)
{
    size_t gathered = connection->out.len - connection->frame.offset;
    size_t max = connection->settings->frame_max;

    return gathered > 0 && (gathered > max || len > max - gathered);
}

struct signet_buf *io_connection_frame(
    struct io_connection *connection, size_t len, enum signet_err *err_out)
{
    enum signet_err err;

    if ((err = make_room(connection, len)) != SIGNET_OK)
        goto out;
    if (connection->has_frame && is_frame_full(connection, len) &&
        (err = end_frame(connection)) != SIGNET_OK)
        goto out;
    if (!connection->has_frame && (err = begin_frame(connection)) != SIGNET_OK)
        goto out;
    loop_add_dirty(connection);
    err = signet_buf_reserve(&connection->out, len);
out:
    *err_out = err;
    return err == SIGNET_OK ? &connection->out : NULL;
}

/* Drop what was written; move the rest to the front only when that is the smaller half. */
static void drop_sent(struct io_connection *connection)
{
    if (connection->out_sent == connection->out.len)
        signet_buf_free(&connection->out);
    else if (connection->out_sent > connection->out.len / 2)
        signet_buf_consume(&connection->out, connection->out_sent);
    else
        return;
    connection->out_sent = 0;
}

void connection_write(struct io_connection *connection)
{
    enum io_result result;
    size_t written = 0;

    if (connection->state < CONNECTION_UPGRADE || connection->state == CONNECTION_CLOSED)
        return;
    if (end_frame(connection) != SIGNET_OK) {
        connection_finish(connection, IO_CLOSE_MEMORY);
        return;
    }
    result = tls_write(connection->tls,
        signet_span_from(signet_buf_span(&connection->out), connection->out_sent), &written);
    connection->out_sent += written;
    drop_sent(connection);
    connection->is_waiting_to_write = result == IO_AGAIN_WRITE;
    if (result == IO_AGAIN || result == IO_AGAIN_WRITE)
        connection->is_write_blocked = true;
    else if (result != IO_OK)
        connection_finish(connection, IO_CLOSE_LOST);
}

/* All last words are written. */
static void say_goodbye(struct io_connection *connection)
{
    if (!connection->is_goodbye_said) {
        connection->is_goodbye_said = true;
        tls_shutdown(connection->tls);
    }
    /* Otherwise wait for the peer to close: closing with input unread would reset the connection
     * and destroy what is on its way. */
    if (connection->is_final)
        connection_finish(connection, connection->reason);
}

void connection_flush(struct io_connection *connection)
{
    connection_write(connection);
    if (io_connection_pending(connection) > 0 || connection->state < CONNECTION_UPGRADE)
        return;
    if (connection->state == CONNECTION_CLOSING) {
        say_goodbye(connection);
    } else if (connection->state == CONNECTION_OPEN && connection->is_write_blocked) {
        connection->is_write_blocked = false;
        if (connection->settings->handler->on_drained != NULL)
            connection->settings->handler->on_drained(connection);
    }
}
