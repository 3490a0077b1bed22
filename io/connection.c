/* The life of a connection: its beginning, what it waits for, its timer, and its end. */
#include "io/connection.h"

#include <stdlib.h>

#include "io/connection_internal.h"

const char *io_close_reason_text(enum io_close_reason reason)
{
    switch (reason) {
    case IO_CLOSE_LOCAL: return "local";
    case IO_CLOSE_PEER: return "peer";
    case IO_CLOSE_LOST: return "lost";
    case IO_CLOSE_CONNECT: return "connect";
    case IO_CLOSE_TLS: return "tls";
    case IO_CLOSE_WRONG_PIN: return "wrong-pin";
    case IO_CLOSE_HTTP: return "http";
    case IO_CLOSE_PROTOCOL: return "protocol";
    case IO_CLOSE_DEADLINE: return "deadline";
    case IO_CLOSE_SILENT: return "silent";
    case IO_CLOSE_SLOW: return "slow";
    case IO_CLOSE_MEMORY: return "memory";
    }
    return "unknown";
}

/* ---- beginning ---- */

enum signet_err connection_new(struct io_loop *loop, const struct io_settings *settings,
    enum ws_role role, struct io_connection **connection_out)
{
    struct io_connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        return SIGNET_ERR_NOMEM;
    connection->loop = loop;
    connection->settings = settings;
    connection->pending_max = settings->pending_max;
    ws_init(&connection->codec, role, settings->message_max);
    *connection_out = connection;
    return SIGNET_OK;
}

void connection_discard(struct io_connection *connection)
{
    tls_stream_free(connection->tls);
    ws_free(&connection->codec);
    signet_buf_free(&connection->in);
    signet_buf_free(&connection->out);
    free(connection);
}

enum signet_err connection_watch(struct io_connection *connection, int fd)
{
    struct io_loop *loop = connection->loop;

    if (uv_poll_init(loop->uv, &connection->poll, fd) != 0)
        return SIGNET_ERR_IO;
    (void)uv_timer_init(loop->uv, &connection->timer); /* cannot fail */
    connection->fd = fd;
    connection->poll.data = connection;
    connection->timer.data = connection;
    connection->handle_count = 2;
    loop->handle_count += connection->handle_count;
    connection->next = loop->all;
    connection->link = &loop->all;
    if (connection->next != NULL)
        connection->next->link = &connection->next;
    loop->all = connection;
    loop->connection_count++;
    connection->heard_at = uv_now(loop->uv);
    io_connection_deadline(connection, connection->settings->deadline_ms);
    connection_update_interest(connection);
    return SIGNET_OK;
}

/* ---- waiting ---- */

static int wanted_events(const struct io_connection *connection)
{
    int write =
        connection->is_waiting_to_write || connection->is_read_waiting_write ? UV_WRITABLE : 0;

    switch (connection->state) {
    case CONNECTION_CONNECTING: return UV_WRITABLE;
    case CONNECTION_HANDSHAKE: return connection->is_waiting_to_write ? UV_WRITABLE : UV_READABLE;
    case CONNECTION_UPGRADE:
    case CONNECTION_CLOSING: return UV_READABLE | write;
    case CONNECTION_OPEN: return (connection->is_paused ? 0 : UV_READABLE) | write;
    case CONNECTION_CLOSED: break;
    }
    return 0;
}

void connection_update_interest(struct io_connection *connection)
{
    int wanted = wanted_events(connection);

    if (wanted == connection->interest)
        return;
    connection->interest = (uint8_t)wanted;
    if (wanted == 0)
        (void)uv_poll_stop(&connection->poll);
    else
        /* Fails only when closing. */
        (void)uv_poll_start(&connection->poll, wanted, connection->loop->on_poll);
}

uint64_t connection_ping_at(const struct io_connection *connection)
{
    uint64_t ping_ms = connection->settings->ping_ms;

    if (ping_ms == 0 || connection->state != CONNECTION_OPEN || connection->is_paused)
        return UINT64_MAX;
    /* Counted from the ping itself: after a long stall of ours the peer still has its time. */
    return ping_ms + (connection->pinged_at != 0 ? connection->pinged_at : connection->heard_at);
}

/* While nobody listens to the peer its time stands still. */
uint64_t connection_deadline_at(const struct io_connection *connection)
{
    return connection->deadline_at == 0 || connection->is_paused ? UINT64_MAX
                                                                 : connection->deadline_at;
}

void connection_update_timer(struct io_connection *connection)
{
    uint64_t now = uv_now(connection->loop->uv);
    uint64_t at = connection_ping_at(connection);

    if (connection->state == CONNECTION_CLOSED) {
        (void)uv_timer_stop(&connection->timer);
        return;
    }
    if (connection->state == CONNECTION_CLOSING)
        at = connection->closing_at;
    else if (connection_deadline_at(connection) < at)
        at = connection_deadline_at(connection);
    if (at == UINT64_MAX)
        (void)uv_timer_stop(&connection->timer);
    else
        (void)uv_timer_start(
            &connection->timer, connection->loop->on_timer, at > now ? at - now : 0, 0);
}

void io_connection_deadline(struct io_connection *connection, uint64_t ms)
{
    uint64_t now = uv_now(connection->loop->uv);

    connection->paused_at = now;
    connection->deadline_at = ms == 0 || ms > UINT64_MAX - now ? 0 : now + ms;
    connection_update_timer(connection);
}

void io_connection_pause(struct io_connection *connection, bool is_paused)
{
    uint64_t now = uv_now(connection->loop->uv);

    if (connection->is_paused == is_paused || connection->state == CONNECTION_CLOSED)
        return;
    connection->is_paused = is_paused;
    if (is_paused) {
        connection->paused_at = now;
    } else {
        /* What the peer said while nobody listened is not silence, nor is it late. */
        connection->heard_at = now;
        connection->pinged_at = 0;
        if (connection->deadline_at != 0)
            connection->deadline_at += now - connection->paused_at;
        loop_add_ready(connection);
    }
    connection_update_timer(connection);
    connection_update_interest(connection);
}

/* ---- end ---- */

void connection_finish(struct io_connection *connection, enum io_close_reason reason)
{
    if (connection->state == CONNECTION_CLOSED)
        return;
    if (connection->state != CONNECTION_CLOSING)
        connection->reason = reason;
    connection->state = CONNECTION_CLOSED;
    connection_update_interest(connection);
    connection_update_timer(connection);
    loop_add_dirty(connection);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct io_connection *connection = handle->data;
    struct io_loop *loop = connection->loop;

    if (--connection->handle_count == 0) {
        connection_discard(connection);
        loop_drop_handles(loop, 2);
    }
}

void connection_reap(struct io_connection *connection)
{
    struct io_loop *loop = connection->loop;

    if (!connection->is_refused)
        connection->settings->handler->on_closed(connection, connection->reason);
    if (connection->is_ready)
        loop_remove_ready(connection);
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    loop->connection_count--;
    uv_close((uv_handle_t *)&connection->poll, on_handle_closed);
    uv_close((uv_handle_t *)&connection->timer, on_handle_closed);
    /* The descriptor is free for others now, not after another turn of the loop. */
    tls_stream_free(connection->tls);
    connection->tls = NULL;
}

/* ---- facts ---- */

void *io_connection_owner(const struct io_connection *connection)
{
    return connection->settings->owner;
}

void io_connection_set_user(struct io_connection *connection, void *user)
{
    connection->user = user;
}

void *io_connection_user(const struct io_connection *connection)
{
    return connection->user;
}

const struct socket_address *io_connection_peer(const struct io_connection *connection)
{
    return &connection->peer;
}

struct tls_stream *io_connection_tls(const struct io_connection *connection)
{
    return connection->tls;
}

uint16_t io_connection_code(const struct io_connection *connection)
{
    return connection->code;
}

void io_connection_limit(struct io_connection *connection, size_t message_max, size_t pending_max)
{
    connection->codec.message_max = message_max;
    connection->pending_max = pending_max;
}
