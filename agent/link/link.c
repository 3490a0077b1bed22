/* A link from its beginning to its end. */
#include "agent/link/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/link/state.h"
#include "io/clock.h"

enum {
    PING_MS = 10000, /* a relay that does not answer is given up after twice as long */
    PAUSE_FIRST_MS = 1000,
    PAUSE_MAX_MS = 30000,
    MESSAGE_MAX = 1048576, /* a relay packs several deliveries into one message */
    PENDING_MAX = 8388608,
};

/* ---- connecting ---- */

void link_connect(struct link *link)
{
    if (!link->is_stopped && link->connection == NULL)
        link_dial(link);
}

static void on_pause_over(uv_timer_t *timer)
{
    link_connect(timer->data);
}

void link_retry(struct link *link)
{
    uint64_t pause_ms = link->pause_ms == 0 ? PAUSE_FIRST_MS : link->pause_ms * 2;

    link->pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
    /* Up to a quarter more, so that not all come back at once after a restart. */
    (void)uv_timer_start(
        &link->pause, on_pause_over, link->pause_ms + uv_hrtime() / 1000 % (link->pause_ms / 4), 0);
}

const char *link_relay(const struct link *link)
{
    return link->authority;
}

bool link_is_open(const struct link *link)
{
    return link->is_open;
}

/* ---- ending ---- */

void link_drop(struct link *link)
{
    link_dial_stop(link);
    link->is_open = false;
}

void link_give_up(struct link *link)
{
    (void)uv_timer_stop(&link->pause);
    if (link->is_open)
        link->address_count = link->address_next = 0; /* the last one */
    else
        link_dial_stop(link);
    link->is_open = false;
}

void link_stop(struct link *link)
{
    link->is_stopped = true;
}

void link_finish(struct link *link, bool is_clean)
{
    if (link->connection == NULL)
        return;
    io_connection_close(link->connection, is_clean ? WS_CODE_NORMAL : 0);
    (void)uv_run(link->loop, UV_RUN_NOWAIT);
    while (link->connection != NULL && io_connection_pending(link->connection) > 0)
        (void)uv_run(link->loop, UV_RUN_ONCE);
}

/* ---- beginning and end ---- */

static void name_relay(struct link *link)
{
    const struct invitation *relay = link->relay;
    bool is_v6 = strchr(relay->host, ':') != NULL;

    (void)snprintf(link->authority, sizeof(link->authority), "%s%s%s:%u", is_v6 ? "[" : "",
        relay->host, is_v6 ? "]" : "", (unsigned)relay->port);
}

enum signet_err link_new(uv_loop_t *loop, const struct invitation *relay,
    const struct link_handler *handler, void *ctx, struct link **link_out)
{
    struct link *link = calloc(1, sizeof(*link));
    enum signet_err err = SIGNET_ERR_NOMEM;

    if (link == NULL)
        goto out;
    link->loop = loop;
    link->relay = relay;
    link->handler = handler;
    link->ctx = ctx;
    name_relay(link);
    if ((err = tls_client_new(&link->tls)) != SIGNET_OK)
        goto out;
    if ((err = io_loop_new(loop, &link->io)) != SIGNET_OK)
        goto out;
    link->settings = (struct io_settings){
        .handler = &link_io_handler,
        .owner = link,
        .tls = link->tls,
        .ping_ms = PING_MS * clock_patience(),
        .message_max = MESSAGE_MAX,
        .frame_max = MESSAGE_MAX,
        .pending_max = PENDING_MAX,
    };
    (void)uv_timer_init(loop, &link->patience); /* cannot fail */
    (void)uv_timer_init(loop, &link->pause);
    link->patience.data = link->pause.data = link;
    *link_out = link;
    link = NULL;
out:
    link_free(link);
    return err;
}

void link_close(struct link *link)
{
    if (link == NULL)
        return;
    link_stop(link);
    link_dial_stop(link);
    io_loop_free(link->io);
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    tls_context_free(link->tls);
    free(link);
}
