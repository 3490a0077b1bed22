/* What the connections of one uv loop share: who has output, who has input left, who is done. */
#include <signal.h>
#include <stdlib.h>

#include "io/connection_internal.h"

void loop_add_dirty(struct io_connection *connection)
{
    struct io_loop *loop = connection->loop;

    if (connection->is_dirty)
        return;
    connection->is_dirty = true;
    connection->next_dirty = NULL;
    *loop->dirty_tail = connection;
    loop->dirty_tail = &connection->next_dirty;
}

static struct io_connection *take_dirty(struct io_loop *loop)
{
    struct io_connection *connection = loop->dirty;

    if (connection == NULL)
        return NULL;
    loop->dirty = connection->next_dirty;
    if (loop->dirty == NULL)
        loop->dirty_tail = &loop->dirty;
    connection->is_dirty = false;
    return connection;
}

/* A closed connection is reaped here and nowhere else, so no handler loses its own. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct io_loop *loop = prepare->data;
    struct io_connection *connection;

    while ((connection = take_dirty(loop)) != NULL) {
        if (connection->state != CONNECTION_CLOSED)
            connection_flush(connection);
        if (connection->state != CONNECTION_CLOSED)
            connection_update_interest(connection);
        else if (!connection->is_dirty)
            connection_reap(connection);
    }
}

static void on_idle(uv_idle_t *idle)
{
    struct io_loop *loop = idle->data;
    struct io_connection *last = loop->ready;
    struct io_connection *connection;

    /* Only those that are here now: the others' turn comes after one look at the descriptors. */
    while (last != NULL && last->next_ready != NULL)
        last = last->next_ready;
    while ((connection = loop->ready) != NULL) {
        loop->ready = connection->next_ready;
        if (loop->ready == NULL)
            loop->ready_tail = &loop->ready;
        connection->is_ready = false;
        connection_read(connection);
        connection_update_interest(connection);
        if (connection == last)
            break;
    }
    if (loop->ready == NULL)
        uv_idle_stop(&loop->idle);
}

void loop_add_ready(struct io_connection *connection)
{
    struct io_loop *loop = connection->loop;

    if (connection->is_ready)
        return;
    connection->is_ready = true;
    connection->next_ready = NULL;
    *loop->ready_tail = connection;
    loop->ready_tail = &connection->next_ready;
    (void)uv_idle_start(&loop->idle, on_idle); /* cannot fail with a callback */
}

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
    (void)uv_prepare_start(&loop->prepare, on_prepare);
    uv_unref((uv_handle_t *)&loop->prepare);
    *loop_out = loop;
    return SIGNET_OK;
}

size_t io_loop_connections(const struct io_loop *loop)
{
    return loop->connection_count;
}

void io_loop_close_connections(struct io_loop *loop, uint16_t code)
{
    struct io_connection *next;

    for (struct io_connection *one = loop->all; one != NULL; one = next) {
        next = one->next;
        io_connection_close(one, code);
    }
}

void loop_drop_handles(struct io_loop *loop, size_t count)
{
    loop->handle_count -= count;
    if (loop->handle_count > 0)
        return;
    signet_buf_free(&loop->input);
    free(loop);
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
