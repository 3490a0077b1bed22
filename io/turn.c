/*
 * One turn of the loop: descriptors, timers and leftover input move connections on; then their
 * output is written, and those that have ended are reaped. The other files of io/ know these
 * functions only as the callbacks that io_loop_new puts into the loop.
 */
#include <signal.h>
#include <stdlib.h>

#include "io/connection_internal.h"
#include "io/listener_internal.h"

/* ---- what libuv calls ---- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct io_connection *connection = poll->data;

    /* libuv has stopped watching a broken descriptor; using it tells what is wrong with it. */
    if (status != 0) {
        connection->interest = 0;
        events = UV_READABLE | UV_WRITABLE;
    }
    connection_on_events(connection, events);
    connection_update_interest(connection);
}

static void check_silence(struct io_connection *connection, uint64_t now)
{
    if (now < connection_ping_at(connection))
        return;
    /* Timers run before input: the answer may be here. */
    if (connection->pinged_at != 0)
        connection_read(connection);
    if (now < connection_ping_at(connection))
        return;
    if (connection->pinged_at != 0) {
        connection_finish(connection, IO_CLOSE_SILENT);
        return;
    }
    connection->pinged_at = now;
    if (connection_append_frame(connection, WS_OP_PING, signet_span_of(NULL, 0)) != SIGNET_OK)
        connection_finish(connection, IO_CLOSE_MEMORY);
}

/* Input does not touch the timer; when it fires too early, it is set again from here. */
static void on_timer(uv_timer_t *timer)
{
    struct io_connection *connection = timer->data;
    uint64_t now = uv_now(connection->loop->uv);

    if (connection->state == CONNECTION_CLOSING && now >= connection->closing_at)
        connection_finish(connection, connection->reason);
    else if (connection->state < CONNECTION_CLOSING && now >= connection_deadline_at(connection))
        connection_close_with(connection, IO_CLOSE_DEADLINE, WS_CODE_POLICY);
    else
        check_silence(connection, now);
    connection_update_timer(connection);
    connection_update_interest(connection);
}

static void on_idle(uv_idle_t *idle)
{
    struct io_loop *loop = idle->data;
    struct io_connection *last = loop->ready;
    struct io_connection *connection;

    /* Only those that are here now: the others' turn comes after one look at the descriptors. */
    while (last != NULL && last->next_ready != NULL)
        last = last->next_ready;
    while ((connection = loop_take_ready(loop)) != NULL) {
        connection_read(connection);
        connection_update_interest(connection);
        if (connection == last)
            break;
    }
    if (loop->ready == NULL)
        uv_idle_stop(&loop->idle);
}

/* A closed connection is reaped here and nowhere else, so no handler loses its own. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct io_loop *loop = prepare->data;
    struct io_connection *connection;

    while ((connection = loop_take_dirty(loop)) != NULL) {
        if (connection->state != CONNECTION_CLOSED)
            connection_flush(connection);
        if (connection->state != CONNECTION_CLOSED)
            connection_update_interest(connection);
        else if (!connection->is_dirty)
            connection_reap(connection);
    }
}

/* ---- beginning and end of the loop ---- */

static void ignore_sigpipe(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGPIPE, &ignore, NULL); /* cannot fail with these arguments */
}

enum signet_err io_loop_new(uv_loop_t *uv, struct io_loop **loop_out)
{
    struct io_loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL)
        return SIGNET_ERR_NOMEM;
    ignore_sigpipe();
    loop->uv = uv;
    loop->dirty_tail = &loop->dirty;
    loop->ready_tail = &loop->ready;
    /* Neither of these can fail: they put the handle into lists of the loop. */
    (void)uv_prepare_init(uv, &loop->prepare);
    (void)uv_idle_init(uv, &loop->idle);
    loop->prepare.data = loop;
    loop->idle.data = loop;
    loop->handle_count = 2;
    loop->on_poll = on_poll;
    loop->on_timer = on_timer;
    loop->on_idle = on_idle;
    (void)uv_prepare_start(&loop->prepare, on_prepare);
    uv_unref((uv_handle_t *)&loop->prepare);
    *loop_out = loop;
    return SIGNET_OK;
}

void io_loop_close_connections(struct io_loop *loop, uint16_t code)
{
    struct io_connection *next;

    for (struct io_connection *one = loop->all; one != NULL; one = next) {
        next = one->next;
        io_connection_close(one, code);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    loop_drop_handles(handle->data, 1);
}

void io_loop_free(struct io_loop *loop)
{
    if (loop == NULL)
        return;
    loop->is_freed = true;
    while (loop->listeners != NULL)
        listener_close(loop->listeners);
    io_loop_close_connections(loop, 0);
    on_prepare(&loop->prepare);
    uv_close((uv_handle_t *)&loop->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&loop->idle, on_handle_closed);
}
