/*
 * What a worker does in its loop: connections drive its core; what the core wants of the store is
 * submitted once per wake-up, and what it wants to send is handed to the connections then.
 */
#include "server/worker/worker_internal.h"

#include <stdlib.h>

#include "io/clock.h"

enum {
    STOP_MS = 4000, /* of draining */
    LAST_WORDS_MS = 1000,
    STOP_TICK_MS = 50,
    REFUSED_LOG_MS = 10000, /* between lines about refused addresses */
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
    else if (io_connection_is_blocked(connection) || io_connection_pending(connection) == 0)
        core_pending(worker->core, output->conn, io_connection_pending(connection));
    /* What was not tried yet is not late: the core asks again. */
    if (output->frames == NULL)
        io_connection_push(connection);
}

static void carry_out(struct worker *worker, const struct core_output *output)
{
    struct io_connection *connection = output->owner;

    /* First of all, for the welcome may be larger than what is let wait before it. */
    if (output->is_changed && output->is_logged_in)
        io_connection_limit(connection, output->message_max, WORKER_PENDING_MAX);
    send_frames(worker, output);
    if (output->is_changed) {
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
    struct core_ended ended;

    if (!worker->is_touched)
        return;
    worker->is_touched = false;
    while (core_next_output(worker->core, &output)) {
        carry_out(worker, &output);
        core_frames_free(output.frames);
    }
    while (core_next_ended(worker->core, &ended))
        if (ended.route.worker < worker->setup.count)
            inbox_put(&worker->setup.all[ended.route.worker]->inbox,
                &(struct inbox_item){
                    .kind = INBOX_END, .connection = ended.route.connection, .code = ended.code});
    /* When all is answered, only releases come: nobody needs them any more. */
    if (!worker->is_closing)
        core_flush(worker->core);
}

/* ---- connections ---- */

static bool on_accept(void *owner, const struct socket_address *peer)
{
    struct worker *worker = owner;
    uint64_t now_ms = clock_monotonic_ms();
    char host[SOCKET_TEXT_SIZE];

    if (worker->setup.addresses == NULL || addresses_enter(worker->setup.addresses, peer))
        return true;
    if (worker->refused_at_ms != 0 && now_ms - worker->refused_at_ms < REFUSED_LOG_MS)
        return false;
    worker->refused_at_ms = now_ms;
    socket_host_text(peer, host);
    log_write(worker->setup.core.log, LOG_WARN, "connection.refused", LOG_STR("peer", host),
        LOG_STR("why", "as many connections as one address may have"), LOG_END);
    return false;
}

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

/* What is wrong within a message is told by the core. */
static void log_rejected(struct worker *worker, const struct io_connection *connection)
{
    const struct conn *conn = io_connection_user(connection);

    if (core_may_log(touch(worker)))
        log_write(worker->setup.core.log, LOG_WARN, "connection.rejected",
            LOG_STR("why", "wrong or too large frame"),
            LOG_U64("code", io_connection_code(connection)),
            LOG_BOOL("logged_in", conn != NULL && core_is_logged_in(conn)), LOG_END);
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    struct worker *worker = io_connection_owner(connection);
    struct conn *conn = io_connection_user(connection);

    if (reason == IO_CLOSE_PROTOCOL)
        log_rejected(worker, connection);
    if (worker->setup.addresses != NULL)
        addresses_leave(worker->setup.addresses, io_connection_peer(connection));
    if (conn == NULL)
        return;
    core_closed(touch(worker), conn);
    (void)uv_async_send(&worker->wake);
}

const struct io_handler worker_handler = {
    .on_accept = on_accept,
    .on_open = on_open,
    .on_message = on_message,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

/* ---- the inbox ---- */

void worker_answered(void *ctx, struct store_group *group)
{
    struct worker *worker = ctx;

    inbox_gather(&worker->inbox, &(struct inbox_item){.kind = INBOX_ANSWERED, .group = group});
}

void worker_deliver(void *ctx, uint64_t connection, struct store_message message)
{
    struct worker *worker = ctx;

    inbox_gather(&worker->inbox,
        &(struct inbox_item){.kind = INBOX_DELIVER, .connection = connection, .message = message});
}

void worker_hand_over(void *ctx)
{
    struct worker *worker = ctx;

    inbox_hand_over(&worker->inbox);
}

static void handle(struct worker *worker, struct inbox_item *item)
{
    switch (item->kind) {
    case INBOX_ANSWERED: core_answered(worker->core, item->group); break;
    case INBOX_DELIVER: core_deliver(worker->core, item->connection, item->message); break;
    case INBOX_END: core_end(worker->core, item->connection, item->code); break;
    }
}

static void reload(struct worker *worker)
{
    struct core_config *config = atomic_exchange(&worker->next_config, NULL);
    struct tls_context *tls = atomic_exchange(&worker->next_tls, NULL);

    if (config != NULL) {
        core_configure(worker->core, config);
        worker->setup.core.log = config->log; /* of the lines that are written here */
    }
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
    (void)uv_timer_start(&worker->tick, worker_on_tick, 0, STOP_TICK_MS);
}

void worker_on_wake(uv_async_t *wake)
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

void worker_close_handles(struct worker *worker)
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
    uint64_t now_ms = clock_monotonic_ms();

    if (!worker->is_closing &&
        (core_in_flight(worker->core) == 0 || now_ms >= worker->stop_at_ms)) {
        worker->is_closing = true;
        if (worker->stop_at_ms < now_ms + LAST_WORDS_MS)
            worker->stop_at_ms = now_ms + LAST_WORDS_MS;
        io_loop_close_connections(worker->io, WS_CODE_GOING_AWAY);
    }
    if (worker->is_closing &&
        (io_loop_connections(worker->io) == 0 || now_ms >= worker->stop_at_ms))
        worker_close_handles(worker);
}

void worker_on_tick(uv_timer_t *tick)
{
    struct worker *worker = tick->data;

    core_tick(touch(worker));
    flush(worker);
    if (worker->is_draining)
        drain(worker);
}

void worker_on_check(uv_check_t *check)
{
    flush(check->data);
}

/* For input that was read outside the phase in which descriptors are polled. */
void worker_on_prepare(uv_prepare_t *prepare)
{
    flush(prepare->data);
}
