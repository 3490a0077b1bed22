/* What comes by a link's connection, and why it ended. */
#include "agent/link/state.h"
#include "io/clock.h"

enum { LOGIN_MS = 15000, CODE_ELSEWHERE = 4001 };

static void on_login_late(uv_timer_t *timer)
{
    struct link *link = timer->data;

    io_connection_close(link->connection, WS_CODE_NORMAL);
}

static void on_open(struct io_connection *connection)
{
    struct link *link = io_connection_owner(connection);

    if (connection != link->connection || link->is_stopped)
        return;
    io_connection_deadline(connection, 0);
    (void)uv_timer_start(&link->patience, on_login_late, LOGIN_MS * clock_patience(), 0);
    link->is_open = true;
    link->handler->on_open(link->ctx);
}

static void on_message(struct io_connection *connection, signet_span message)
{
    struct link *link = io_connection_owner(connection);

    if (connection == link->connection && link->is_open && !link->is_stopped)
        link->handler->on_message(link->ctx, message);
}

/* Why a connection ended: a clause. */
static const char *ending(const struct link *link, enum io_close_reason reason)
{
    if (link->is_nonsense || reason == IO_CLOSE_PROTOCOL)
        return "it does not keep to the protocol";
    switch (reason) {
    case IO_CLOSE_CONNECT: return "nothing answers there";
    case IO_CLOSE_TLS: return "no TLS 1.3 connection can be made";
    case IO_CLOSE_HTTP: return "what answers there is not a relay";
    case IO_CLOSE_DEADLINE:
    case IO_CLOSE_SILENT:
    case IO_CLOSE_LOCAL: return "it does not answer";
    case IO_CLOSE_MEMORY: return "out of memory";
    default: return link->is_open ? "the connection was lost" : "the connection was refused";
    }
}

static void tell_end(
    const struct link *link, const struct io_connection *connection, enum io_close_reason reason)
{
    if (reason == IO_CLOSE_WRONG_PIN)
        link->handler->on_down(link->ctx, LINK_WRONG_RELAY, NULL);
    else if (reason == IO_CLOSE_PEER && io_connection_code(connection) == CODE_ELSEWHERE)
        link->handler->on_down(link->ctx, LINK_ELSEWHERE, NULL);
    else
        link->handler->on_down(link->ctx, LINK_UNREACHABLE, ending(link, reason));
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    struct link *link = io_connection_owner(connection);
    bool was_open = link->is_open;

    if (connection != link->connection)
        return;
    link->connection = NULL;
    (void)uv_timer_stop(&link->patience);
    if (link->is_stopped)
        return;
    if (!was_open && reason != IO_CLOSE_WRONG_PIN && link_dial_next(link))
        return;
    tell_end(link, connection, reason);
    link->is_open = link->is_nonsense = false;
    link->handler->on_closed(link->ctx, was_open);
}

const struct io_handler link_io_handler = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};

/* ---- calls of the owner ---- */

enum signet_err link_read_binding(const struct link *link, struct link_binding *binding_out)
{
    struct tls_stream *tls = io_connection_tls(link->connection);
    struct link_binding binding = {.cipher = tls_cipher_name(tls)};
    enum signet_err err;

    if ((err = tls_peer_pin(tls, &binding.pin)) != SIGNET_OK)
        return err;
    if ((err = tls_exporter(tls, binding.exporter)) != SIGNET_OK)
        return err;
    *binding_out = binding;
    return SIGNET_OK;
}

enum signet_err link_send(struct link *link, signet_span message)
{
    return link->is_open ? io_connection_send(link->connection, message) : SIGNET_OK;
}

void link_refuse(struct link *link)
{
    link->is_nonsense = true;
    io_connection_close(link->connection, WS_CODE_PROTOCOL);
}

void link_await(struct link *link)
{
    if (!uv_is_active((uv_handle_t *)&link->patience))
        return;
    uv_update_time(link->loop);
    (void)uv_timer_start(&link->patience, on_login_late, LOGIN_MS * clock_patience(), 0);
}

void link_let_in(struct link *link)
{
    link->pause_ms = 0;
    (void)uv_timer_stop(&link->patience);
}
