/* The end of a connection with last words: what is pending, and a close frame. */
#include "io/connection_internal.h"

void connection_linger(struct io_connection *connection, enum io_close_reason reason)
{
    connection->state = CONNECTION_CLOSING;
    connection->reason = reason;
    connection->closing_at = uv_now(connection->loop->uv) + IO_CLOSE_MS;
    connection_update_timer(connection);
    connection_update_interest(connection);
    loop_add_dirty(connection);
}

void connection_close_with(
    struct io_connection *connection, enum io_close_reason reason, uint16_t code)
{
    const uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    size_t len = code == WS_CODE_NONE ? 0 : sizeof(payload);

    if (connection->state == CONNECTION_CLOSING || connection->state == CONNECTION_CLOSED)
        return;
    if (connection->state != CONNECTION_OPEN ||
        connection_append_frame(connection, WS_OP_CLOSE, signet_span_of(payload, len)) != SIGNET_OK)
        connection_finish(connection, reason);
    else
        connection_linger(connection, reason);
}

void io_connection_close(struct io_connection *connection, uint16_t code)
{
    if (code == 0)
        connection_finish(connection, IO_CLOSE_LOCAL);
    else
        connection_close_with(connection, IO_CLOSE_LOCAL, code);
}
