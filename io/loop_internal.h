/* What the connections of one uv loop share; nobody outside of io/ includes this. */
#ifndef IO_LOOP_INTERNAL_H
#define IO_LOOP_INTERNAL_H

#include <uv.h>

#include <signet/buffer.h>

struct io_connection;
struct io_listener;

struct io_loop {
    uv_loop_t *uv;
    uv_prepare_t prepare; /* just before the loop waits: writes and reaps */
    uv_idle_t idle;       /* runs while `ready` is not empty, and keeps the loop from waiting */
    struct io_connection *all;
    struct io_connection *dirty; /* has output, or is at its end */
    struct io_connection **dirty_tail;
    struct io_connection *ready; /* has input although the descriptor may have none */
    struct io_connection **ready_tail;
    struct io_listener *listeners;
    struct signet_buf input; /* shared by all connections while they read; empty in between */
    size_t connection_count; /* that have not seen on_closed */
    size_t handle_count;     /* of uv, ours included; the last one frees the loop */
    bool is_freed;
    /* What libuv calls for each connection, and for those that are ready (turn.c). */
    uv_poll_cb on_poll;
    uv_timer_cb on_timer;
    uv_idle_cb on_idle;
};

/* loop.c */
void loop_add_dirty(struct io_connection *connection);
/* The first that is dirty, and no longer counts as such; NULL: none is. */
struct io_connection *loop_take_dirty(struct io_loop *loop);
void loop_add_ready(struct io_connection *connection);
/* The first that is ready, likewise. */
struct io_connection *loop_take_ready(struct io_loop *loop);
void loop_remove_ready(struct io_connection *connection);
/* So many handles of uv were closed. */
void loop_drop_handles(struct io_loop *loop, size_t count);

#endif
