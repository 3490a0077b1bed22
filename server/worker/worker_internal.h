/* What the two files of the worker share; nobody else includes this. */
#ifndef SERVER_WORKER_WORKER_INTERNAL_H
#define SERVER_WORKER_WORKER_INTERNAL_H

#include "server/worker/worker.h"

#include <stdatomic.h>

#include "io/connection.h"
#include "server/worker/mailqueue.h"

/* Bytes of output after which a reader is dropped. */
enum {
    WORKER_PENDING_BEFORE = 4096, /* before login: the challenge, and a few refusals */
    WORKER_PENDING_MAX = 4194304,
};

struct worker {
    struct worker_setup setup;
    uv_loop_t uv;
    uv_async_t wake;
    uv_check_t check;
    uv_prepare_t prepare;
    uv_timer_t tick;
    uv_thread_t thread;
    struct io_loop *io;
    struct io_listener *listener;
    struct io_settings settings;
    struct relay_core *core;
    struct inbox inbox;
    struct inbox_items items; /* being worked on */
    struct core_config *_Atomic next_config;
    struct tls_context *_Atomic next_tls;
    atomic_bool is_stop_wanted;
    atomic_bool has_stopped;
    bool is_started;
    bool is_touched;        /* the core knows this wake-up's time, and may have something to do */
    bool is_draining;       /* accepts nothing, reads nothing */
    bool is_closing;        /* what was submitted is answered */
    uint64_t stop_at_ms;    /* monotonic */
    uint64_t refused_at_ms; /* monotonic: when the log was last told of a refused address */
};

/* ---- worker_loop.c ---- */

extern const struct io_handler worker_handler;

/* The store's sink. */
void worker_answered(void *ctx, struct store_group *group);
void worker_deliver(void *ctx, uint64_t connection, struct store_message message);
void worker_hand_over(void *ctx);

/* Callbacks of the handles. */
void worker_on_wake(uv_async_t *wake);
void worker_on_tick(uv_timer_t *tick);
void worker_on_check(uv_check_t *check);
void worker_on_prepare(uv_prepare_t *prepare);

/* Drop every connection and close every handle: the loop then ends. */
void worker_close_handles(struct worker *worker);

#endif
