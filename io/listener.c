/* How connections begin: accepted by a server, made by a client. */
#include <errno.h>
#include <stdlib.h>

#include <openssl/rand.h>
#include <unistd.h>

#include "io/connection_internal.h"
#include "io/listener_internal.h"

/* ---- server ---- */

/* Owns the descriptor from here on. There is nobody to tell of a failure but the peer. */
static void begin(struct io_listener *listener, int fd, const struct socket_address *peer)
{
    const struct io_settings *settings = listener->settings;
    const struct io_handler *handler = settings->handler;
    struct io_connection *connection = NULL;

    if (connection_new(listener->loop, settings, WS_SERVER, &connection) != SIGNET_OK) {
        close(fd);
        return;
    }
    if (tls_stream_new_server(settings->tls, fd, &connection->tls) != SIGNET_OK) {
        close(fd);
        connection_discard(connection);
        return;
    }
    connection->peer = *peer;
    connection->state = CONNECTION_HANDSHAKE;
    if (connection_watch(connection, fd) != SIGNET_OK) {
        connection_discard(connection);
        return;
    }
    /* Asked last: what the handler counted is certain to come back with on_closed. */
    if (handler->on_accept != NULL && !handler->on_accept(settings->owner, peer)) {
        connection->is_refused = true;
        connection_finish(connection, IO_CLOSE_LOCAL);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *pause)
{
    struct io_listener *listener = pause->data;

    (void)uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct io_listener *listener = poll->data;

    (void)status;
    (void)events;
    for (unsigned i = 0; i < IO_ACCEPT_QUOTA; i++) {
        struct socket_address peer;
        enum io_result result;
        int fd;

        result = socket_accept(listener->fd, &fd, &peer);
        if (result == IO_AGAIN)
            return;
        if (result != IO_OK) {
            /* No descriptor is free: the listener stays readable and the loop would spin. */
            uv_poll_stop(&listener->poll);
            (void)uv_timer_start(&listener->pause, on_pause_over, IO_ACCEPT_PAUSE_MS, 0);
            return;
        }
        begin(listener, fd, &peer);
    }
}

enum signet_err io_listener_new(struct io_loop *loop, const struct io_settings *settings, int fd,
    struct io_listener **listener_out)
{
    struct io_listener *listener;

    if (loop->is_freed)
        return SIGNET_ERR_STATE;
    if ((listener = calloc(1, sizeof(*listener))) == NULL)
        return SIGNET_ERR_NOMEM;
    if (uv_poll_init(loop->uv, &listener->poll, fd) != 0) {
        free(listener);
        return SIGNET_ERR_IO;
    }
    (void)uv_timer_init(loop->uv, &listener->pause); /* cannot fail */
    listener->poll.data = listener;
    listener->pause.data = listener;
    listener->loop = loop;
    listener->settings = settings;
    listener->fd = fd;
    listener->handle_count = 2;
    loop->handle_count += listener->handle_count;
    listener->next = loop->listeners;
    listener->link = &loop->listeners;
    if (listener->next != NULL)
        listener->next->link = &listener->next;
    loop->listeners = listener;
    (void)uv_poll_start(&listener->poll, UV_READABLE, on_readable); /* fails only when closing */
    *listener_out = listener;
    return SIGNET_OK;
}

static void on_listener_handle_closed(uv_handle_t *handle)
{
    struct io_listener *listener = handle->data;
    struct io_loop *loop = listener->loop;

    if (--listener->handle_count == 0) {
        free(listener);
        loop_drop_handles(loop, 2);
    }
}

void listener_close(struct io_listener *listener)
{
    *listener->link = listener->next;
    if (listener->next != NULL)
        listener->next->link = listener->link;
    uv_close((uv_handle_t *)&listener->poll, on_listener_handle_closed);
    uv_close((uv_handle_t *)&listener->pause, on_listener_handle_closed);
    close(listener->fd);
}

void io_listener_free(struct io_listener *listener)
{
    if (listener != NULL)
        listener_close(listener);
}

/* ---- client ---- */

/* The request is ready before TCP is: it goes out as soon as the server has proved its key. */
static enum signet_err write_request(struct io_connection *connection, const char *authority)
{
    uint8_t nonce[HTTP_NONCE_LEN];

    if (RAND_bytes(nonce, sizeof(nonce)) != 1)
        return SIGNET_ERR_CRYPTO;
    return http_write_request(authority, nonce, &connection->out, connection->accept);
}

enum signet_err io_connect(struct io_loop *loop, const struct io_settings *settings,
    const struct io_target *target, struct io_connection **connection_out)
{
    struct io_connection *connection = NULL;
    enum signet_err err;
    int fd = -1;

    if (loop->is_freed)
        return SIGNET_ERR_STATE;
    uv_update_time(loop->uv); /* the deadline counts from now, not from the last wake-up */
    if ((err = connection_new(loop, settings, WS_CLIENT, &connection)) != SIGNET_OK)
        return err;
    if ((err = write_request(connection, target->authority)) != SIGNET_OK)
        goto failed;
    if ((err = socket_connect_start(&target->address, &fd)) != SIGNET_OK)
        goto failed;
    err =
        tls_stream_new_client(settings->tls, fd, target->pins, target->pin_count, &connection->tls);
    if (err != SIGNET_OK) {
        close(fd);
        goto failed;
    }
    connection->peer = target->address;
    connection->state = CONNECTION_CONNECTING;
    if ((err = connection_watch(connection, fd)) != SIGNET_OK)
        goto failed;
    *connection_out = connection;
    return SIGNET_OK;
failed:
    connection_discard(connection);
    return err;
}
