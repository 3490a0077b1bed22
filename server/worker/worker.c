/* The life of a worker: made, started, told of news, joined, freed. */
#include "server/worker/worker_internal.h"

#include <stdlib.h>
#include <unistd.h>

#include "io/clock.h"
#include "wire/relay_message.h"

enum {
    TICK_MS = 1000,
    LOGIN_MS = 10000,
    PING_MS = 60000,
};

static void run(void *arg)
{
    struct worker *worker = arg;

    (void)uv_run(&worker->uv, UV_RUN_DEFAULT); /* until every handle is closed */
    atomic_store(&worker->has_stopped, true);
    (void)uv_async_send(worker->setup.stopped);
}

static void init_handles(struct worker *worker)
{
    /* None of these can fail: they put handles into lists of the loop. Started after the io_loop,
     * prepare runs before it, so that what it sends still leaves in the same wake-up. */
    (void)uv_check_init(&worker->uv, &worker->check);
    (void)uv_prepare_init(&worker->uv, &worker->prepare);
    (void)uv_timer_init(&worker->uv, &worker->tick);
    worker->wake.data = worker;
    worker->check.data = worker;
    worker->prepare.data = worker;
    worker->tick.data = worker;
    (void)uv_check_start(&worker->check, worker_on_check);
    (void)uv_prepare_start(&worker->prepare, worker_on_prepare);
    (void)uv_timer_start(&worker->tick, worker_on_tick, TICK_MS, TICK_MS);
}

/* Errors: NOMEM, IO; what was made is in the worker. */
static enum signet_err begin(struct worker *worker)
{
    const struct worker_setup *setup = &worker->setup;
    struct store_sink sink = {worker, worker_answered, worker_deliver, worker_hand_over};
    enum signet_err err;

    if ((err = core_new(&setup->core, setup->store, setup->library, &worker->core)) != SIGNET_OK)
        return err;
    if ((err = io_loop_new(&worker->uv, &worker->io)) != SIGNET_OK)
        return err;
    worker->settings = (struct io_settings){
        .handler = &worker_handler,
        .owner = worker,
        .tls = setup->tls,
        .deadline_ms = LOGIN_MS * clock_patience(),
        .ping_ms = PING_MS * clock_patience(),
        .message_max = RELAY_MESSAGE_MAX_BEFORE,
        .frame_max = CORE_FRAME_MAX,
        .pending_max = WORKER_PENDING_BEFORE,
    };
    err = io_listener_new(worker->io, &worker->settings, setup->listener, &worker->listener);
    if (err != SIGNET_OK)
        return err;
    worker->setup.listener = -1;
    setup->store->ops->attach(setup->store, setup->core.worker, &sink);
    return SIGNET_OK;
}

static void give_back(struct worker *worker)
{
    core_free(worker->core);
    tls_context_free(worker->setup.tls);
    if (worker->setup.listener >= 0)
        close(worker->setup.listener);
    free(worker);
}

enum signet_err worker_new(const struct worker_setup *setup, struct worker **worker_out)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    enum signet_err err;

    if (worker == NULL) {
        tls_context_free(setup->tls);
        close(setup->listener);
        return SIGNET_ERR_NOMEM;
    }
    worker->setup = *setup;
    if (inbox_init(&worker->inbox, &worker->wake) != SIGNET_OK) {
        give_back(worker);
        return SIGNET_ERR_NOMEM;
    }
    if (uv_loop_init(&worker->uv) != 0) {
        inbox_wipe(&worker->inbox);
        give_back(worker);
        return SIGNET_ERR_IO;
    }
    if (uv_async_init(&worker->uv, &worker->wake, worker_on_wake) != 0) {
        (void)uv_loop_close(&worker->uv); /* nothing is open in it */
        inbox_wipe(&worker->inbox);
        give_back(worker);
        return SIGNET_ERR_IO;
    }
    err = begin(worker);
    init_handles(worker);
    if (err == SIGNET_OK)
        *worker_out = worker;
    else
        worker_free(worker);
    return err;
}

enum signet_err worker_start(struct worker *worker)
{
    if (uv_thread_create(&worker->thread, run, worker) != 0)
        return SIGNET_ERR_NOMEM;
    worker->is_started = true;
    return SIGNET_OK;
}

void worker_configure(
    struct worker *worker, const struct core_config *config, struct tls_context *tls)
{
    struct core_config *copy = malloc(sizeof(*copy));

    if (copy != NULL) {
        *copy = *config;
        free(atomic_exchange(&worker->next_config, copy));
    }
    tls_context_free(atomic_exchange(&worker->next_tls, tls));
    (void)uv_async_send(&worker->wake);
}

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->is_stop_wanted, true);
    (void)uv_async_send(&worker->wake);
}

bool worker_has_stopped(const struct worker *worker)
{
    return !worker->is_started || atomic_load(&worker->has_stopped);
}

void worker_join(struct worker *worker)
{
    if (worker->is_started)
        (void)uv_thread_join(&worker->thread);
    worker->is_started = false;
}

static void discard_inbox(struct worker *worker)
{
    struct inbox_items *items = &worker->items;

    inbox_take(&worker->inbox, items);
    for (size_t i = 0; i < items->count; i++) {
        if (items->items[i].kind == INBOX_ANSWERED)
            core_discard(worker->core, items->items[i].group);
        else if (items->items[i].kind == INBOX_DELIVER)
            signet_buf_free(&items->items[i].message.envelope);
    }
    while (items->late != NULL) {
        struct store_group *group = items->late;

        items->late = group->next;
        core_discard(worker->core, group);
    }
    free(items->items);
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    if (!atomic_load(&worker->has_stopped)) {
        worker_close_handles(worker);
        (void)uv_run(&worker->uv, UV_RUN_DEFAULT);
    }
    discard_inbox(worker);
    inbox_wipe(&worker->inbox);
    (void)uv_loop_close(&worker->uv); /* every handle is closed */
    free(atomic_load(&worker->next_config));
    tls_context_free(atomic_load(&worker->next_tls));
    give_back(worker);
}
