/* Which message is accepted when, and who carries it out: docs/protocol.md, section 9. */
#include "server/core/dispatch.h"

#include "server/core/connection.h"
#include "server/core/connections.h"
#include "server/core/core_state.h"
#include "server/core/handle_mailbox.h"
#include "server/core/handlers.h"
#include "server/core/operations.h"

static const struct transition {
    enum conn_state state; /* in this state */
    enum relay_type type;  /* on this message */
    handler *run;
    enum conn_state then; /* unless the handler has answered already */
} transitions[] = {
    {CONN_EXPECT_LOGIN, RELAY_REGISTER, handle_register, CONN_CHECKING},
    {CONN_EXPECT_LOGIN, RELAY_LOGIN, handle_login, CONN_CHECKING},
    {CONN_READY, RELAY_PUT, handle_put, CONN_READY},
    {CONN_READY, RELAY_ACK, handle_ack, CONN_READY},
    {CONN_READY, RELAY_SUBSCRIBE, handle_subscribe, CONN_READY},
    {CONN_READY, RELAY_FIND, handle_find, CONN_READY},
    {CONN_READY, RELAY_TAKE, handle_take, CONN_READY},
    {CONN_READY, RELAY_PUT_CARD, handle_put_card, CONN_READY},
    {CONN_READY, RELAY_PUT_BUNDLE, handle_put_bundle, CONN_READY},
};

static const struct transition *find(enum conn_state state, enum relay_type type)
{
    for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++)
        if (transitions[i].state == state && transitions[i].type == type)
            return &transitions[i];
    return NULL;
}

void dispatch_reject(struct relay_core *core, struct conn *conn, uint16_t code, const char *why)
{
    if (conn_may_log(core))
        log_write(core->config.log, LOG_WARN, "connection.rejected", LOG_STR("why", why),
            LOG_U64("code", code), LOG_BOOL("logged_in", conn->device != NULL), LOG_END);
    conn_close(core, conn, code);
}

/* Input that waits is bounded: before login like a message, after it by the loop, which may still
 * have one message and what it read with it when it is told to pause. */
static void hold(struct relay_core *core, struct conn *conn, signet_span messages)
{
    size_t max = conn->device != NULL ? 2 * RELAY_MESSAGE_MAX : RELAY_MESSAGE_MAX_BEFORE;

    if (conn->held.len + messages.len > max)
        dispatch_reject(core, conn, 1009, "sends on before the answer");
    else if (signet_buf_append(&conn->held, messages) != SIGNET_OK)
        conn_close(core, conn, 1011);
}

/* Carry out the first message of `rest`; returns what follows it. */
static signet_span step(struct relay_core *core, struct conn *conn, signet_span rest)
{
    struct relay_message message = {0};
    const struct transition *transition;
    signet_span next = {0};
    enum signet_err err;

    err = relay_message_read(rest, &message, &next);
    if (err != SIGNET_OK) {
        dispatch_reject(core, conn, err == SIGNET_ERR_LIMIT ? 1009 : 1002, signet_err_text(err));
        return next;
    }
    transition = find(conn->state, message.type);
    if (transition == NULL) {
        dispatch_reject(core, conn, 1002, "not possible now");
        return next;
    }
    conn->state = transition->then;
    err = transition->run(core, conn, &message, signet_span_of(rest.ptr, rest.len - next.len));
    if (err != SIGNET_OK) {
        log_write(core->config.log, LOG_ERROR, "connection.failed", LOG_ERR(err), LOG_END);
        conn_close(core, conn, 1011);
    }
    return next;
}

void dispatch(struct relay_core *core, struct conn *conn, signet_span messages)
{
    while (messages.len > 0 && conn->held.len == 0 && conn->state != CONN_CLOSING &&
           conn->state != CONN_CHECKING && !conn_is_full(conn))
        messages = step(core, conn, messages);
    if (messages.len > 0 && conn->state != CONN_CLOSING)
        hold(core, conn, messages);
    if (conn->device != NULL)
        mailbox_acknowledge(core, conn);
}

static void resume(struct relay_core *core, struct conn *conn)
{
    struct signet_buf held = conn->held;

    conn->held = (struct signet_buf){0};
    dispatch(core, conn, signet_buf_span(&held));
    signet_buf_free(&held);
}

void dispatch_answer(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    bool was_checking = conn->state == CONN_CHECKING;

    if (op->answered != NULL)
        op->answered(core, conn, op);
    if (was_checking && (conn->state == CONN_READY || conn->state == CONN_EXPECT_LOGIN))
        resume(core, conn);
    dispatch_throttle(core, conn);
}

void dispatch_throttle(struct relay_core *core, struct conn *conn)
{
    bool is_half_free = conn_is_half_free(conn);
    bool is_paused;

    if (conn->state == CONN_READY && conn->held.len > 0 && is_half_free)
        resume(core, conn);
    is_paused = conn->state == CONN_CHECKING || conn->held.len > 0 || conn_is_full(conn) ||
                (conn->is_paused && !is_half_free);
    if (is_paused == conn->is_paused)
        return;
    conn->is_paused = is_paused;
    conn->is_changed = true;
    conn_list(core, conn);
}
