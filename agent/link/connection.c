/* A link's connection: what is bound to it, what comes by it, why it ended. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/link/link_internal.h"
#include "io/clock.h"

enum { LOGIN_MS = 15000, CODE_ELSEWHERE = 4001 };

static void on_login_late(uv_timer_t *timer)
{
    struct link *link = timer->data;

    io_connection_close(link->connection, WS_CODE_NORMAL);
}

static void explain(struct link *link, const struct engine_step *step)
{
    struct engine_event *event = calloc(1, sizeof(*event));

    if (event == NULL)
        return; /* the step is not worth more */
    event->type = EVENT_STEP;
    event->step = *step;
    link_add_event(link, event);
}

static void explain_hop(struct link *link, const struct engine_hop *hop)
{
    const struct invitation *relay = engine_relay(link->agent->engine);
    struct engine_step step = {
        .serves = "confidentiality, integrity",
        .what = "connection to the relay sealed",
        .algorithm = tls_cipher_name(io_connection_tls(link->connection)),
    };
    char pin[SIGNET_ID_SHORT_SIZE];

    if (!link->agent->place.explain)
        return;
    (void)snprintf(
        step.detail, sizeof(step.detail), "TLS 1.3, without early data, tickets or compression");
    explain(link, &step);
    signet_id_short(&hop->pin, pin);
    step = (struct engine_step){
        .serves = "authentication",
        .what = "relay's key compared with the invitation",
        .algorithm = "SHA-256",
    };
    (void)snprintf(step.detail, sizeof(step.detail), "pin %s: it is the relay's %s key", pin,
        signet_id_equal(&hop->pin, &relay->pins[0]) ? "current" : "backup");
    explain(link, &step);
    step = (struct engine_step){
        .serves = "authentication",
        .what = "value taken that only the two ends of this connection know",
        .algorithm = "TLS exporter, RFC 9266",
    };
    (void)snprintf(step.detail, sizeof(step.detail), "%d bytes; the login will be bound to it",
        TLS_EXPORTER_LEN);
    explain(link, &step);
}

static void on_open(struct io_connection *connection)
{
    struct link *link = io_connection_owner(connection);
    struct tls_stream *tls = io_connection_tls(connection);
    struct engine_output output = {0};
    struct engine_hop hop;
    enum signet_err err;

    if (connection != link->connection || !link_is_usable(link))
        return;
    io_connection_deadline(connection, 0);
    (void)uv_timer_start(&link->patience, on_login_late, LOGIN_MS, 0);
    link->is_open = true;
    if ((err = tls_peer_pin(tls, &hop.pin)) == SIGNET_OK &&
        (err = tls_exporter(tls, hop.exporter)) == SIGNET_OK) {
        explain_hop(link, &hop);
        err = engine_connected(link->agent->engine, &hop, clock_wall_ms(), &output);
    }
    if (link_settle(link, err, &output) == SIGNET_OK)
        link_deliver(link);
}

static void on_message(struct io_connection *connection, signet_span message)
{
    struct link *link = io_connection_owner(connection);
    struct engine_output output = {0};
    enum signet_err err = SIGNET_ERR_FORMAT;

    if (connection != link->connection || !link->is_open || !link_is_usable(link))
        return;
    if (message.len > 0) /* nothing is no answer, and must not pass for one below */
        err = engine_receive(link->agent->engine, message, clock_wall_ms(), &output);
    if (err == SIGNET_ERR_FORMAT) {
        link->is_nonsense = true;
        io_connection_close(connection, WS_CODE_PROTOCOL);
        err = SIGNET_OK;
    }
    /* It is the relay whose answer is awaited: the keys that are made at a login take their time. */
    if (!link->is_ready && uv_is_active((uv_handle_t *)&link->patience)) {
        uv_update_time(&link->uv);
        (void)uv_timer_start(&link->patience, on_login_late, LOGIN_MS, 0);
    }
    if (link_settle(link, err, &output) == SIGNET_OK)
        link_deliver(link);
}

/* Why a connection ended: a clause. NULL: nothing more to say than that it did. */
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

/* Causes that are more than a relay out of reach. False: there is none of them. */
static bool explain_end(
    struct link *link, const struct io_connection *connection, enum io_close_reason reason)
{
    struct link_down down = {.is_final = true, .exit_code = EXIT_FAILED};

    if (reason == IO_CLOSE_WRONG_PIN) {
        down.code = "wrong-relay";
        down.exit_code = EXIT_REFUSED;
        down.hint = "do not continue; ask the operator whether the relay's keys were changed, and "
                    "for a new invitation";
        (void)snprintf(down.text, sizeof(down.text),
            "the relay at %s shows a key that is not pinned in your invitation", link->authority);
    } else if (reason == IO_CLOSE_PEER && io_connection_code(connection) == CODE_ELSEWHERE) {
        down.code = "elsewhere";
        down.hint = "is there a copy of this home? use only one of them";
        (void)snprintf(down.text, sizeof(down.text),
            "the relay ended the connection: this device has logged in from somewhere else");
    } else {
        return false;
    }
    link_failed(link, &down);
    return true;
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    struct link *link = io_connection_owner(connection);
    bool was_open = link->is_open;

    if (connection != link->connection)
        return;
    link->connection = NULL;
    (void)uv_timer_stop(&link->patience);
    if (!link_is_usable(link))
        return;
    if (!was_open && reason != IO_CLOSE_WRONG_PIN && link_dial_next(link))
        return;
    if (!explain_end(link, connection, reason))
        link_unreachable(link, ending(link, reason));
    link->is_open = link->is_ready = link->is_nonsense = false;
    if (!was_open || link_disconnected(link) == SIGNET_OK)
        link_deliver(link);
}

void link_on_due(uv_timer_t *timer)
{
    struct link *link = timer->data;
    struct engine_output output = {0};
    enum signet_err err;

    if (!link_is_usable(link))
        return;
    err = engine_tick(link->agent->engine, clock_wall_ms(), &output);
    if (link_settle(link, err, &output) == SIGNET_OK)
        link_deliver(link);
}

void link_give_up(struct link *link)
{
    if (!link_is_usable(link))
        return;
    (void)uv_timer_stop(&link->pause);
    if (link->is_open)
        link->address_count = link->address_next = 0; /* the last one */
    else
        link_dial_stop(link);
    link->is_open = link->is_ready = false;
    (void)link_disconnected(link); /* an error has ended the link */
}

const struct io_handler link_io_handler = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};
