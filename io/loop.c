/* What the connections of one uv loop share: who has output, who has input left. */
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

struct io_connection *loop_take_dirty(struct io_loop *loop)
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

void loop_add_ready(struct io_connection *connection)
{
    struct io_loop *loop = connection->loop;

    if (connection->is_ready)
        return;
    connection->is_ready = true;
    connection->next_ready = NULL;
    *loop->ready_tail = connection;
    loop->ready_tail = &connection->next_ready;
    (void)uv_idle_start(&loop->idle, loop->on_idle); /* cannot fail with a callback */
}

struct io_connection *loop_take_ready(struct io_loop *loop)
{
    struct io_connection *connection = loop->ready;

    if (connection == NULL)
        return NULL;
    loop->ready = connection->next_ready;
    if (loop->ready == NULL)
        loop->ready_tail = &loop->ready;
    connection->is_ready = false;
    return connection;
}

void loop_remove_ready(struct io_connection *connection)
{
    struct io_loop *loop = connection->loop;
    struct io_connection **at = &loop->ready;

    while (*at != connection)
        at = &(*at)->next_ready;
    *at = connection->next_ready;
    if (*at == NULL)
        loop->ready_tail = at;
    connection->is_ready = false;
}

size_t io_loop_connections(const struct io_loop *loop)
{
    return loop->connection_count;
}

void loop_drop_handles(struct io_loop *loop, size_t count)
{
    loop->handle_count -= count;
    if (loop->handle_count > 0)
        return;
    signet_buf_free(&loop->input);
    free(loop);
}
