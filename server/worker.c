/*
 * A worker: connections drive its core; what the core wants of the store is submitted once per
 * wake-up, and what it wants to send is handed to the connections then.
 */
#include "server/worker.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/connection.h"
#include "server/inbox.h"
#include "wire/relay_message.h"

enum {
    TICK_MS = 1000,
    LOGIN_MS = 10000,
    PING_MS = 60000,
    PENDING_MAX = 4194304, /* bytes of output after which a reader is dropped */
    STOP_MS = 4000,        /* of draining; the last words take at most one more */
    STOP_TICK_MS = 50,
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
    bool is_touched;     /* the core knows this wake-up's time, and may have something to do */
    bool is_draining;    /* accepts nothing, reads nothing */
    bool is_closing;     /* what was submitted is answered */
    uint64_t stop_at_ms; /* monotonic */
};

/* Before the core is used in a wake-up. */
static struct relay_core *touch(struct worker *worker)
{
    if (!worker->is_touched) {
        core_set_time(worker->core, clock_wall_ms(), clock_monotonic_ms());
        worker->is_touched = true;
    }
    return worker->core;
}

/* ---- output ---- */

static void send_frames(struct worker *worker, const struct core_output *output)
{
    struct io_connection *connection = output->owner;
    enum signet_err err = SIGNET_OK;

    for (struct core_frame *frame = output->frames; frame != NULL && err == SIGNET_OK;
         frame = frame->next)
        err = io_connection_send(connection, signet_buf_span(&frame->bytes));
    /* STATE: it is closing already. LIMIT: it is closing now, as a slow reader. */
    if (err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_CRYPTO)
        io_connection_close(connection, 0);
    else if (output->frames != NULL)
        core_pending(worker->core, output->conn, io_connection_pending(connection));
}

static void carry_out(struct worker *worker, const struct core_output *output)
{
    struct io_connection *connection = output->owner;

    send_frames(worker, output);
    if (output->is_changed) {
        io_connection_limit(connection, output->message_max);
        if (output->is_logged_in)
            io_connection_deadline(connection, 0);
        io_connection_pause(connection, output->is_paused);
    }
    if (output->close_code != 0)
        io_connection_close(connection, output->close_code);
}

static void flush(struct worker *worker)
{
    struct core_output output;
    struct store_route route;

    if (!worker->is_touched)
        return;
    worker->is_touched = false;
    while (core_next_output(worker->core, &output)) {
        carry_out(worker, &output);
        core_frames_free(output.frames);
    }
    while (core_next_replaced(worker->core, &route))
        if (route.worker < worker->setup.count)
            inbox_put(&worker->setup.all[route.worker]->inbox,
                &(struct inbox_item){.kind = INBOX_REPLACE, .connection = route.connection});
    /* When all is answered, only releases come: nobody needs them any more. */
    if (!worker->is_closing)
        core_flush(worker->core);
}

/* ---- connections ---- */

static void on_open(struct io_connection *connection)
{
    struct worker *worker = io_connection_owner(connection);
    struct tls_stream *tls = io_connection_tls(connection);
    struct core_hop hop;
    struct conn *conn = NULL;

    if (tls_local_pin(tls, &hop.pin) == SIGNET_OK && tls_exporter(tls, hop.exporter) == SIGNET_OK)
        conn = core_open(touch(worker), &hop, connection);
    if (conn == NULL)
        io_connection_close(connection, WS_CODE_INTERNAL);
    io_connection_set_user(connection, conn);
}

static void on_message(struct io_connection *connection, signet_span message)
{
    struct worker *worker = io_connection_owner(connection);
    struct conn *conn = io_connection_user(connection);

    if (conn != NULL && !worker->is_draining)
        core_receive(touch(worker), conn, message);
}

/* Output is written, and ends are told, after the flush of a wake-up: ask for another. */
static void on_drained(struct io_connection *connection)
{
    struct worker *worker = io_connection_owner(connection);
    struct conn *conn = io_connection_user(connection);

    if (conn == NULL)
        return;
    core_pending(touch(worker), conn, 0);
    (void)uv_async_send(&worker->wake);
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    struct worker *worker = io_connection_owner(connection);
    struct conn *conn = io_connection_user(connection);
    char peer[SOCKET_TEXT_SIZE];

    socket_address_text(io_connection_peer(connection), peer);
    log_write(worker->setup.core.log, LOG_DEBUG, "connection.closed", LOG_STR("peer", peer),
        LOG_STR("why", io_close_reason_text(reason)),
        LOG_U64("code", io_connection_code(connection)), LOG_END);
    if (conn == NULL)
        return;
    core_closed(touch(worker), conn);
    (void)uv_async_send(&worker->wake);
}

static const struct io_handler handler = {
    .on_open = on_open,
    .on_message = on_message,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

/* ---- the inbox ---- */

static void on_tick(uv_timer_t *tick);

static void sink_answered(void *ctx, struct store_group *group)
{
    struct worker *worker = ctx;

    inbox_put(&worker->inbox, &(struct inbox_item){.kind = INBOX_ANSWERED, .group = group});
}

static void sink_deliver(void *ctx, uint64_t connection, struct store_message message)
{
    struct worker *worker = ctx;

    inbox_put(&worker->inbox,
        &(struct inbox_item){.kind = INBOX_DELIVER, .connection = connection, .message = message});
}

static void handle(struct worker *worker, struct inbox_item *item)
{
    switch (item->kind) {
    case INBOX_ANSWERED: core_answered(worker->core, item->group); break;
    case INBOX_DELIVER: core_deliver(worker->core, item->connection, item->message); break;
    case INBOX_REPLACE: core_replace(worker->core, item->connection); break;
    }
}

static void reload(struct worker *worker)
{
    struct core_config *config = atomic_exchange(&worker->next_config, NULL);
    struct tls_context *tls = atomic_exchange(&worker->next_tls, NULL);

    if (config != NULL)
        core_configure(worker->core, config);
    free(config);
    if (tls == NULL)
        return;
    tls_context_free(worker->setup.tls);
    worker->setup.tls = tls;
    worker->settings.tls = tls;
}

static void begin_drain(struct worker *worker)
{
    worker->is_draining = true;
    worker->stop_at_ms = clock_monotonic_ms() + STOP_MS;
    io_listener_free(worker->listener);
    worker->listener = NULL;
    (void)uv_timer_start(&worker->tick, on_tick, 0, STOP_TICK_MS);
}

static void on_wake(uv_async_t *wake)
{
    struct worker *worker = wake->data;
    struct inbox_items *items = &worker->items;

    touch(worker);
    reload(worker);
    inbox_take(&worker->inbox, items);
    for (size_t i = 0; i < items->count; i++)
        handle(worker, &items->items[i]);
    while (items->late != NULL) {
        struct store_group *group = items->late;

        items->late = group->next;
        core_answered(worker->core, group);
    }
    if (items->is_missed)
        core_missed(worker->core);
    items->count = 0;
    if (atomic_load(&worker->is_stop_wanted) && !worker->is_draining)
        begin_drain(worker);
}

/* ---- the loop ---- */

static void close_handles(struct worker *worker)
{
    io_loop_free(worker->io);
    worker->io = NULL;
    inbox_close(&worker->inbox);
    uv_close((uv_handle_t *)&worker->wake, NULL);
    uv_close((uv_handle_t *)&worker->check, NULL);
    uv_close((uv_handle_t *)&worker->prepare, NULL);
    uv_close((uv_handle_t *)&worker->tick, NULL);
}

static void drain(struct worker *worker)
{
    bool is_late = clock_monotonic_ms() >= worker->stop_at_ms;

    if (!worker->is_closing && (core_in_flight(worker->core) == 0 || is_late)) {
        worker->is_closing = true;
        io_loop_close_connections(worker->io, WS_CODE_GOING_AWAY);
    }
    if (worker->is_closing && (io_loop_connections(worker->io) == 0 || is_late))
        close_handles(worker);
}

static void on_tick(uv_timer_t *tick)
{
    struct worker *worker = tick->data;

    core_tick(touch(worker));
    flush(worker);
    if (worker->is_draining)
        drain(worker);
}

static void on_check(uv_check_t *check)
{
    flush(check->data);
}

/* For input that was read outside the phase in which descriptors are polled. */
static void on_prepare(uv_prepare_t *prepare)
{
    flush(prepare->data);
}

static void run(void *arg)
{
    struct worker *worker = arg;

    (void)uv_run(&worker->uv, UV_RUN_DEFAULT); /* until every handle is closed */
    atomic_store(&worker->has_stopped, true);
    (void)uv_async_send(worker->setup.stopped);
}

/* ---- beginning and end ---- */

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
    (void)uv_check_start(&worker->check, on_check);
    (void)uv_prepare_start(&worker->prepare, on_prepare);
    (void)uv_timer_start(&worker->tick, on_tick, TICK_MS, TICK_MS);
}

/* Errors: NOMEM, IO; what was made is in the worker. */
static enum signet_err begin(struct worker *worker)
{
    const struct worker_setup *setup = &worker->setup;
    struct store_sink sink = {worker, sink_answered, sink_deliver};
    enum signet_err err;

    if ((err = core_new(&setup->core, setup->store, setup->library, &worker->core)) != SIGNET_OK)
        return err;
    if ((err = io_loop_new(&worker->uv, &worker->io)) != SIGNET_OK)
        return err;
    worker->settings = (struct io_settings){
        .handler = &handler,
        .owner = worker,
        .tls = setup->tls,
        .deadline_ms = LOGIN_MS,
        .ping_ms = PING_MS,
        .message_max = RELAY_MESSAGE_MAX_BEFORE,
        .frame_max = CORE_FRAME_MAX,
        .pending_max = PENDING_MAX,
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
    if (uv_async_init(&worker->uv, &worker->wake, on_wake) != 0) {
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
        close_handles(worker);
        (void)uv_run(&worker->uv, UV_RUN_DEFAULT);
    }
    discard_inbox(worker);
    inbox_wipe(&worker->inbox);
    (void)uv_loop_close(&worker->uv); /* every handle is closed */
    free(atomic_load(&worker->next_config));
    tls_context_free(atomic_load(&worker->next_tls));
    give_back(worker);
}
