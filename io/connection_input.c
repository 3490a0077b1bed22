/* Input of a connection: TCP connect, TLS handshake, HTTP upgrade, then WebSocket messages. */
#include "io/connection_internal.h"

/* ---- before it is open ---- */

static void open_now(struct io_connection *connection)
{
    connection->state = CONNECTION_OPEN;
    connection_update_timer(connection);
    connection->settings->handler->on_open(connection);
}

/* Server. Moves *position behind the request. */
static void take_request(struct io_connection *connection, signet_span in, size_t *position)
{
    struct http_request request = {0};
    size_t used = 0;
    enum http_status status = http_read_request(in, &request, &used);

    if (status == HTTP_NEED_MORE)
        return;
    if (http_write_response(status, &request, &connection->out) != SIGNET_OK) {
        connection_finish(connection, IO_CLOSE_MEMORY);
        return;
    }
    loop_add_dirty(connection);
    if (status != HTTP_SWITCHING) {
        connection->code = (uint16_t)status;
        connection_linger(connection, IO_CLOSE_HTTP);
        return;
    }
    *position += used;
    open_now(connection);
}

/* Client. Moves *position behind the response. */
static void take_response(struct io_connection *connection, signet_span in, size_t *position)
{
    size_t used = 0;
    int status = http_read_response(in, connection->accept, &used);

    if (status == HTTP_NEED_MORE)
        return;
    if (status != HTTP_SWITCHING) {
        connection->code = status == HTTP_MALFORMED ? 0 : (uint16_t)status;
        connection_finish(connection, IO_CLOSE_HTTP);
        return;
    }
    *position += used;
    open_now(connection);
}

/* ---- messages ---- */

static void take_ping(struct io_connection *connection, signet_span payload)
{
    /* RFC 6455, section 5.5.3 lets us skip pongs: a peer that sends pings and reads nothing does
     * not fill our memory. */
    if (io_connection_pending(connection) > IO_PONG_PENDING_MAX)
        return;
    if (connection_append_frame(connection, WS_OP_PONG, payload) != SIGNET_OK)
        connection_finish(connection, IO_CLOSE_MEMORY);
}

static void take_close(struct io_connection *connection)
{
    connection->code = connection->codec.code;
    connection->is_final = true;
    connection_close_with(connection, IO_CLOSE_PEER, connection->code);
}

static void take_messages(struct io_connection *connection, struct signet_buf *in, size_t *position)
{
    while (connection->state == CONNECTION_OPEN && !connection->is_paused) {
        signet_span payload;

        switch (ws_next(&connection->codec, in, position, &payload)) {
        case WS_NEED_MORE: return;
        case WS_MESSAGE: connection->settings->handler->on_message(connection, payload); break;
        case WS_PING: take_ping(connection, payload); break;
        case WS_PONG: break; /* that it came is all it says */
        case WS_CLOSE: take_close(connection); break;
        case WS_ERROR:
            connection->code = connection->codec.code;
            connection_close_with(connection, IO_CLOSE_PROTOCOL, connection->code);
            break;
        }
    }
}

/* ---- bytes ---- */

static void take_input(struct io_connection *connection, struct signet_buf *in, size_t *position)
{
    if (connection->state == CONNECTION_UPGRADE) {
        if (connection->codec.role == WS_SERVER)
            take_request(connection, signet_buf_span(in), position);
        else
            take_response(connection, signet_buf_span(in), position);
    }
    take_messages(connection, in, position);
    if (connection->state >= CONNECTION_CLOSING)
        *position = in->len;
}

/* Where to read to: the loop's buffer, behind what was left over; only a large part of one frame
 * grows where it is, since copying it at every wake-up would cost the square of its size. */
static struct signet_buf *choose_buffer(struct io_connection *connection)
{
    struct signet_buf *shared = &connection->loop->input;

    if (connection->in.len > IO_KEEP_MAX)
        return &connection->in;
    if (signet_buf_append(shared, signet_buf_span(&connection->in)) != SIGNET_OK)
        return NULL;
    signet_buf_free(&connection->in);
    return shared;
}

/* Keep what is left over in no more memory than it needs: an idle connection holds none. */
static enum signet_err keep_rest(
    struct io_connection *connection, struct signet_buf *in, size_t position)
{
    enum signet_err err = SIGNET_OK;

    if (in == &connection->in) {
        signet_buf_consume(in, position);
        if (in->len == 0)
            signet_buf_free(in);
        return SIGNET_OK;
    }
    if (position < in->len)
        err = signet_buf_append(&connection->in, signet_span_from(signet_buf_span(in), position));
    signet_buf_truncate(in, 0);
    return err;
}

/* No more input will come. */
static void end_of_input(struct io_connection *connection, enum io_result result)
{
    if (connection->state == CONNECTION_UPGRADE)
        connection_finish(connection, IO_CLOSE_HTTP);
    else
        connection_finish(connection, result == IO_CLOSED ? IO_CLOSE_PEER : IO_CLOSE_LOST);
}

void connection_read(struct io_connection *connection)
{
    struct signet_buf *in;
    enum io_result result;
    size_t before, position = 0;

    if (connection->state < CONNECTION_UPGRADE || connection->state == CONNECTION_CLOSED ||
        (connection->state == CONNECTION_OPEN && connection->is_paused))
        return;
    if ((in = choose_buffer(connection)) == NULL) {
        connection_finish(connection, IO_CLOSE_MEMORY);
        return;
    }
    before = in->len;
    result = tls_read(connection->tls, in, IO_READ_QUOTA);
    if (in->len > before) {
        connection->heard_at = uv_now(connection->loop->uv);
        connection->pinged_at = 0;
    }
    take_input(connection, in, &position);
    if (keep_rest(connection, in, position) != SIGNET_OK)
        connection_finish(connection, IO_CLOSE_MEMORY);
    connection->is_read_waiting_write = result == IO_AGAIN_WRITE;
    if (result == IO_OK)
        loop_add_ready(connection);
    else if (result != IO_AGAIN && result != IO_AGAIN_WRITE)
        end_of_input(connection, result);
}

/* ---- events ---- */

static void step_connect(struct io_connection *connection)
{
    switch (socket_connect_finish(connection->fd)) {
    case IO_OK: connection->state = CONNECTION_HANDSHAKE; break;
    case IO_AGAIN_WRITE: break;
    default: connection_finish(connection, IO_CLOSE_CONNECT);
    }
}

static void step_handshake(struct io_connection *connection)
{
    enum io_result result = tls_handshake(connection->tls);

    connection->is_waiting_to_write = result == IO_AGAIN_WRITE;
    switch (result) {
    case IO_OK:
        connection->state = CONNECTION_UPGRADE;
        loop_add_dirty(connection);  /* the client's request waits in `out` */
        connection_read(connection); /* OpenSSL may have read ahead of the handshake's end */
        break;
    case IO_AGAIN:
    case IO_AGAIN_WRITE: break;
    case IO_WRONG_PIN: connection_finish(connection, IO_CLOSE_WRONG_PIN); break;
    default: connection_finish(connection, IO_CLOSE_TLS);
    }
}

void connection_on_events(struct io_connection *connection, int events)
{
    if (connection->state == CONNECTION_CONNECTING)
        step_connect(connection);
    if (connection->state == CONNECTION_HANDSHAKE) {
        step_handshake(connection);
        return;
    }
    if (connection->state == CONNECTION_CONNECTING || connection->state == CONNECTION_CLOSED)
        return;
    /* Its turn comes with the others that have input left. */
    if (!connection->is_ready && ((events & UV_READABLE) != 0 || connection->is_read_waiting_write))
        connection_read(connection);
    /* A write may have waited for either. */
    if (io_connection_pending(connection) > 0)
        loop_add_dirty(connection);
}
