/*
 * A worker: a thread with its own uv loop, listener and core. Workers share the address they listen
 * on (the system spreads connections over them), the store, and the library.
 */
#ifndef SERVER_WORKER_WORKER_H
#define SERVER_WORKER_WORKER_H

#include <uv.h>

#include "io/tls.h"
#include "server/core/core.h"
#include "server/worker/addresses.h"

struct worker;

struct worker_setup {
    struct core_config core;
    struct store *store;
    struct signet_library *library;
    struct tls_context *tls;   /* the worker's from worker_new on, whether that succeeds or not */
    int listener;              /* likewise: a listening socket */
    struct worker *const *all; /* every worker by its number, to tell them of replaced logins */
    size_t count;
    uv_async_t *stopped;         /* sent when the thread ends */
    struct addresses *addresses; /* shared by the workers; NULL: addresses are not limited */
};

/* Prepare everything and attach to the store; nothing runs yet. Errors: NOMEM, IO. */
SIGNET_MUST_USE enum signet_err worker_new(
    const struct worker_setup *setup, struct worker **worker_out);
/* Start the thread. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err worker_start(struct worker *worker);

/* ---- from the main thread, while it runs ---- */

/* Another configuration and TLS context (the worker's then). Without memory it is not taken. */
void worker_configure(
    struct worker *worker, const struct core_config *config, struct tls_context *tls);
/* Accept nothing more, answer what was submitted, close; the thread ends within 5 seconds. */
void worker_stop(struct worker *worker);
/* Whether the thread has ended. */
bool worker_has_stopped(const struct worker *worker);

/* Wait for the thread, if it was started. */
void worker_join(struct worker *worker);
/* After worker_join, and after the store was closed, which may still answer. NULL is fine. */
void worker_free(struct worker *worker);

#endif
