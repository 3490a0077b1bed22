/* An engine at its relay: its output and its events, its beginning and its end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/link/link_internal.h"
#include "io/clock.h"

enum {
    PING_MS = 10000, /* a relay that does not answer is given up after twice as long */
    WATCH_MS = 600000,
    PAUSE_FIRST_MS = 1000,
    PAUSE_MAX_MS = 30000,
    MESSAGE_MAX = 1048576, /* a relay packs several deliveries into one message */
    PENDING_MAX = 8388608,
};

/* ---- calls of the owner ---- */

void link_connect(struct link *link)
{
    if (link_is_usable(link) && link->connection == NULL)
        link_dial(link);
}

static void on_pause_over(uv_timer_t *timer)
{
    link_connect(timer->data);
}

/* What is done at a login must not wait for a connection that lasts for months to be lost. */
static void on_watch(uv_timer_t *timer)
{
    struct link *link = timer->data;

    if (!link_is_usable(link) || !engine_wants_login(link->agent->engine, clock_wall_ms()))
        return;
    link_dial_stop(link);
    link->is_open = link->is_ready = false;
    if (link_disconnected(link) == SIGNET_OK)
        link_connect(link);
}

void link_retry(struct link *link)
{
    uint64_t pause_ms = link->pause_ms == 0 ? PAUSE_FIRST_MS : link->pause_ms * 2;

    link->pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
    /* Up to a quarter more, so that not all come back at once after a restart. */
    (void)uv_timer_start(
        &link->pause, on_pause_over, link->pause_ms + uv_hrtime() / 1000 % (link->pause_ms / 4), 0);
}

bool link_has_ended(const struct link *link)
{
    return link->has_ended;
}

void link_report_down(struct link *link, const struct link_down *down)
{
    report_error(link->agent->place.report, down->code, down->hint, "%s", down->text);
    link_end(link, down->exit_code);
}

enum exit_code link_run(struct link *link)
{
    while (!link->has_ended)
        (void)uv_run(&link->uv, UV_RUN_DEFAULT);
    if (link->connection == NULL)
        return link->code;
    /* Last words go out; nobody waits for the answer. */
    io_connection_close(link->connection, link->agent->is_broken ? 0 : WS_CODE_NORMAL);
    (void)uv_run(&link->uv, UV_RUN_NOWAIT);
    while (link->connection != NULL && io_connection_pending(link->connection) > 0)
        (void)uv_run(&link->uv, UV_RUN_ONCE);
    return link->code;
}

uv_loop_t *link_loop(struct link *link)
{
    return &link->uv;
}

const char *link_relay(const struct link *link)
{
    return link->authority;
}

bool link_is_ready(const struct link *link)
{
    return link->is_ready;
}

/* ---- beginning and end ---- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct link *link = handle->data;

    if (link->handler->on_interrupt == NULL)
        link_end(link, EXIT_FAILED);
    else if (!link->has_ended)
        link->handler->on_interrupt(link->ctx, number);
}

/* Who has started us with nohup wants us to go on without the terminal. */
static bool is_hangup_ignored(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    return sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static enum signet_err watch_signals(struct link *link)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)uv_signal_init(&link->uv, &link->signals[i]);
        link->signals[i].data = link;
        if (numbers[i] == SIGHUP && is_hangup_ignored())
            continue;
        if (uv_signal_start(&link->signals[i], on_signal, numbers[i]) != 0)
            return SIGNET_ERR_IO;
    }
    return SIGNET_OK;
}

static void make_timers(struct link *link)
{
    uv_timer_t *timers[] = {
        &link->turn, &link->patience, &link->pause, &link->watch, &link->due, &link->quiet};

    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
        (void)uv_timer_init(&link->uv, timers[i]); /* cannot fail */
        timers[i]->data = link;
    }
    link->on_turn = link_on_turn;
    link->on_due = link_on_due;
    (void)uv_timer_start(&link->watch, on_watch, WATCH_MS, WATCH_MS);
}

static void name_relay(struct link *link)
{
    const struct invitation *relay = engine_relay(link->agent->engine);
    bool is_v6 = strchr(relay->host, ':') != NULL;

    (void)snprintf(link->authority, sizeof(link->authority), "%s%s%s:%u", is_v6 ? "[" : "",
        relay->host, is_v6 ? "]" : "", (unsigned)relay->port);
}

enum signet_err link_new(
    struct agent *agent, const struct link_handler *handler, void *ctx, struct link **link_out)
{
    struct link *link = calloc(1, sizeof(*link));
    enum signet_err err = SIGNET_ERR_NOMEM;

    if (link == NULL || uv_loop_init(&link->uv) != 0) {
        free(link);
        link = NULL;
        goto out;
    }
    link->agent = agent;
    link->handler = handler;
    link->ctx = ctx;
    link->settings = (struct io_settings){
        .handler = &link_io_handler,
        .owner = link,
        .ping_ms = PING_MS,
        .message_max = MESSAGE_MAX,
        .frame_max = MESSAGE_MAX,
        .pending_max = PENDING_MAX,
    };
    name_relay(link);
    make_timers(link);
    if ((err = watch_signals(link)) != SIGNET_OK)
        goto out;
    if ((err = io_loop_new(&link->uv, &link->io)) != SIGNET_OK)
        goto out;
    if ((err = tls_client_new(&link->tls)) != SIGNET_OK)
        goto out;
    link->settings.tls = link->tls;
    *link_out = link;
    link = NULL;
out:
    link_free(link);
    if (err != SIGNET_OK)
        report_error(
            agent->place.report, "machine", NULL, "cannot start: %s", signet_err_text(err));
    return err;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void link_free(struct link *link)
{
    struct engine_event *event;

    if (link == NULL)
        return;
    link->has_ended = true;
    link_dial_stop(link);
    io_loop_free(link->io);
    (void)uv_run(&link->uv, UV_RUN_NOWAIT); /* io's own handles are closed here */
    uv_walk(&link->uv, close_handle, NULL);
    (void)uv_run(&link->uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(&link->uv);
    tls_context_free(link->tls);
    while ((event = link->first_event) != NULL) {
        link->first_event = event->next;
        free(event);
    }
    free(link);
}
