/* An agent at its relay: what comes from the link and from the clock goes to the engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/online.h"
#include "io/clock.h"

/* ---- explaining ---- */

static void explain(struct agent *agent, const struct engine_step *step)
{
    struct engine_event *event = calloc(1, sizeof(*event));

    if (event == NULL)
        return; /* the step is not worth more */
    event->type = EVENT_STEP;
    event->step = *step;
    agent_add_event(agent, event);
}

static void explain_binding(struct agent *agent, const struct link_binding *binding)
{
    const struct invitation *relay = engine_relay(agent->engine);
    struct engine_step step = {
        .serves = "confidentiality, integrity",
        .what = "connection to the relay sealed",
        .algorithm = binding->cipher,
    };
    char pin[SIGNET_ID_SHORT_SIZE];

    if (!agent->place.explain)
        return;
    (void)snprintf(
        step.detail, sizeof(step.detail), "TLS 1.3, without early data, tickets or compression");
    explain(agent, &step);
    signet_id_short(&binding->pin, pin);
    step = (struct engine_step){
        .serves = "authentication",
        .what = "relay's key compared with the invitation",
        .algorithm = "SHA-256",
    };
    (void)snprintf(step.detail, sizeof(step.detail), "pin %s: it is the relay's %s key", pin,
        signet_id_equal(&binding->pin, &relay->pins[0]) ? "current" : "backup");
    explain(agent, &step);
    step = (struct engine_step){
        .serves = "authentication",
        .what = "value taken that only the two ends of this connection know",
        .algorithm = "TLS exporter, RFC 9266",
    };
    (void)snprintf(step.detail, sizeof(step.detail), "%d bytes; the login will be bound to it",
        TLS_EXPORTER_LEN);
    explain(agent, &step);
}

/* ---- what the link tells ---- */

static void on_open(void *ctx)
{
    struct agent *agent = ctx;
    struct engine_output output = {0};
    struct link_binding binding;
    struct engine_hop hop;
    enum signet_err err = link_read_binding(agent->online->link, &binding);

    if (err == SIGNET_OK) {
        explain_binding(agent, &binding);
        hop.pin = binding.pin;
        memcpy(hop.exporter, binding.exporter, sizeof(hop.exporter));
        err = engine_connected(agent->engine, &hop, clock_wall_ms(), &output);
    }
    if (agent_settle(agent, err, &output) == SIGNET_OK)
        agent_deliver(agent);
}

static void on_message(void *ctx, signet_span message)
{
    struct agent *agent = ctx;
    struct link *link = agent->online->link;
    struct engine_output output = {0};
    enum signet_err err = SIGNET_ERR_FORMAT;

    if (message.len > 0) /* nothing is no answer, and must not pass for one below */
        err = engine_receive(agent->engine, message, clock_wall_ms(), &output);
    if (err == SIGNET_ERR_FORMAT) {
        link_refuse(link);
        err = SIGNET_OK;
    }
    /* It is the relay whose answer is awaited: keys that are made at a login take their time. */
    link_await(link);
    if (agent_settle(agent, err, &output) == SIGNET_OK)
        agent_deliver(agent);
}

/* Causes that are more than a relay out of reach are final. */
static void on_down(void *ctx, enum link_cause cause, const char *why)
{
    struct agent *agent = ctx;
    const char *relay = agent_relay(agent);
    struct agent_down down = {.exit_code = EXIT_FAILED, .is_final = cause != LINK_UNREACHABLE};

    switch (cause) {
    case LINK_WRONG_RELAY:
        down.code = "wrong-relay";
        down.exit_code = EXIT_REFUSED;
        down.hint = "do not continue; ask the operator whether the relay's keys were changed, and "
                    "for a new invitation";
        (void)snprintf(down.text, sizeof(down.text),
            "the relay at %s shows a key that is not pinned in your invitation", relay);
        break;
    case LINK_ELSEWHERE:
        down.code = "elsewhere";
        down.hint = "is there a copy of this home? use only one of them";
        (void)snprintf(down.text, sizeof(down.text),
            "the relay ended the connection: this device has logged in from somewhere else");
        break;
    case LINK_UNREACHABLE:
        down.code = "unreachable";
        down.hint = "is the relay running, and this machine connected?";
        (void)snprintf(
            down.text, sizeof(down.text), "cannot reach the relay at %s: %s", relay, why);
        break;
    }
    agent_failed(agent, &down);
}

static void on_closed(void *ctx, bool was_open)
{
    struct agent *agent = ctx;

    agent->online->is_ready = false;
    if (!was_open || agent_disconnected(agent) == SIGNET_OK)
        agent_deliver(agent);
}

const struct link_handler agent_link_handler = {
    .on_open = on_open, .on_message = on_message, .on_down = on_down, .on_closed = on_closed};

/* ---- what the clock tells ---- */

void agent_on_due(uv_timer_t *timer)
{
    struct agent *agent = timer->data;
    struct engine_output output = {0};
    enum signet_err err;

    if (!agent_is_usable(agent))
        return;
    err = engine_tick(agent->engine, clock_wall_ms(), &output);
    if (agent_settle(agent, err, &output) == SIGNET_OK)
        agent_deliver(agent);
}

/* What is done at a login must not wait for a connection that lasts for months to be lost. */
void agent_on_watch(uv_timer_t *timer)
{
    struct agent *agent = timer->data;

    if (!agent_is_usable(agent) || !engine_wants_login(agent->engine, clock_wall_ms()))
        return;
    link_drop(agent->online->link);
    agent->online->is_ready = false;
    if (agent_disconnected(agent) == SIGNET_OK)
        agent_connect(agent);
}

/* ---- calls of the owner ---- */

const char *agent_relay(const struct agent *agent)
{
    return link_relay(agent->online->link);
}

void agent_connect(struct agent *agent)
{
    if (agent_is_usable(agent))
        link_connect(agent->online->link);
}

void agent_retry(struct agent *agent)
{
    link_retry(agent->online->link);
}

void agent_give_up(struct agent *agent)
{
    if (!agent_is_usable(agent))
        return;
    link_give_up(agent->online->link);
    agent->online->is_ready = false;
    (void)agent_disconnected(agent); /* an error has ended the agent */
}
