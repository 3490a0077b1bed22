/* One connection: output, refusals, limits, end. */
#include "server/core/connection.h"

#include <stdlib.h>
#include <string.h>

#include "server/core/connections.h"
#include "server/core/core_state.h"
#include "server/core/operations.h"

enum {
    IN_FLIGHT_MAX = 1024,         /* operations of one connection before the next one waits */
    IN_FLIGHT_BYTES_MAX = 262144, /* and bytes that they hold, or will when they are answered */
    MESSAGE_OVERHEAD = 512,       /* heads, ids and numbers of one message, at most */
    RETRY_STORE_MS = 1000,
    REFUSALS_BEFORE = 16, /* of one connection that has not logged in */
    CODE_POLICY = 1008,   /* RFC 6455, section 7.4.1 */
};

/* The frame to append `len` bytes to: the last one, while it has room. */
static struct core_frame *frame_for(struct conn *conn, size_t len)
{
    struct core_frame *frame = conn->last;

    if (frame != NULL && frame->bytes.len + len <= CORE_FRAME_MAX)
        return frame;
    frame = calloc(1, sizeof(*frame));
    if (frame == NULL || signet_buf_reserve(&frame->bytes, len) != SIGNET_OK) {
        free(frame);
        return NULL;
    }
    if (conn->last != NULL)
        conn->last->next = frame;
    else
        conn->first = frame;
    conn->last = frame;
    return frame;
}

void conn_send(struct relay_core *core, struct conn *conn, const struct relay_message *message)
{
    size_t len = MESSAGE_OVERHEAD + message->card.len + message->bundle.len + message->envelope.len;
    struct core_frame *frame;

    if (conn->state == CONN_CLOSING)
        return;
    frame = frame_for(conn, len);
    if (frame == NULL || relay_message_write(message, &frame->bytes) != SIGNET_OK) {
        conn_close(core, conn, 1011);
        return;
    }
    conn_list(core, conn);
}

void conn_done(struct relay_core *core, struct conn *conn, uint64_t req)
{
    conn_send(core, conn, &(struct relay_message){.type = RELAY_DONE, .req = req});
}

void conn_refuse(
    struct relay_core *core, struct conn *conn, uint64_t req, enum relay_code code, uint64_t retry)
{
    conn_send(core, conn,
        &(struct relay_message){
            .type = RELAY_REFUSED, .req = req, .code = code, .retry_after_ms = retry});
    /* Whoever is not known costs us no more than this: a login that fails is five bytes. */
    if (conn->device == NULL && ++conn->refusals == REFUSALS_BEFORE)
        conn_close(core, conn, CODE_POLICY);
}

void conn_refuse_answer(struct relay_core *core, struct conn *conn, const struct core_op *op)
{
    uint64_t req = op->op.req;

    switch (op->op.answer) {
    case STORE_GONE: conn_refuse(core, conn, req, RELAY_CODE_UNKNOWN, 0); return;
    case STORE_FULL: conn_refuse(core, conn, req, RELAY_CODE_FULL, 0); return;
    case STORE_TAKEN: conn_refuse(core, conn, req, RELAY_CODE_NAME_TAKEN, 0); return;
    case STORE_STALE: conn_refuse(core, conn, req, RELAY_CODE_VERSION, 0); return;
    case STORE_NAME: conn_refuse(core, conn, req, RELAY_CODE_NAME, 0); return;
    case STORE_INVITATION: conn_refuse(core, conn, req, RELAY_CODE_INVITATION, 0); return;
    case STORE_CLOSED: conn_refuse(core, conn, req, RELAY_CODE_CLOSED, 0); return;
    case STORE_OFTEN: conn_refuse(core, conn, req, RELAY_CODE_OFTEN, op->op.retry_after_ms); return;
    case STORE_PENDING:
    case STORE_OK: break; /* the store is down, or its answer is no use */
    }
    conn_refuse(core, conn, req, RELAY_CODE_STORE, RETRY_STORE_MS);
}

bool conn_may_log(struct relay_core *core)
{
    static const struct rate_limit limit = {.per_second = 5, .burst = 50};
    uint64_t retry_after_ms;

    return rate_allow(&core->complaints, &limit, core->monotonic_ms, &retry_after_ms);
}

void conn_refuse_err(struct relay_core *core, struct conn *conn, uint64_t req, enum signet_err err)
{
    if (err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_CRYPTO) {
        log_write(core->config.log, LOG_ERROR, "connection.failed", LOG_ERR(err), LOG_END);
        conn_close(core, conn, 1011);
        return;
    }
    if (conn_may_log(core))
        log_write(core->config.log, LOG_WARN, "request.refused", LOG_ERR(err), LOG_END);
    conn_refuse(core, conn, req, RELAY_CODE_INVALID, 0);
}

void conn_close(struct relay_core *core, struct conn *conn, uint16_t code)
{
    if (conn->state == CONN_CLOSING)
        return;
    conn->state = CONN_CLOSING;
    conn->close_code = code;
    conn_list(core, conn);
}

bool conn_allow(struct relay_core *core, struct conn *conn, struct rate *rate,
    const struct rate_limit *limit, uint64_t req)
{
    uint64_t retry_after_ms = 0;

    if (rate_allow(rate, limit, core->monotonic_ms, &retry_after_ms))
        return true;
    conn_refuse(core, conn, req, RELAY_CODE_OFTEN, retry_after_ms);
    if (conn->device == NULL)
        conn_close(core, conn, CODE_POLICY);
    return false;
}

bool conn_is_full(const struct conn *conn)
{
    return conn->in_flight >= IN_FLIGHT_MAX || conn->in_flight_bytes >= IN_FLIGHT_BYTES_MAX ||
           conn->pending > CORE_CONGESTED;
}

bool conn_is_half_free(const struct conn *conn)
{
    return conn->in_flight <= IN_FLIGHT_MAX / 2 &&
           conn->in_flight_bytes <= IN_FLIGHT_BYTES_MAX / 2 && conn->pending <= CORE_CONGESTED;
}

struct signet_hop conn_hop(const struct relay_core *core, const struct conn *conn)
{
    struct signet_hop hop = {
        .pin = conn->hop.pin,
        .origin = signet_span_str(core->config.name),
    };

    memcpy(hop.server_nonce, conn->nonce, sizeof(hop.server_nonce));
    memcpy(hop.exporter, conn->hop.exporter, sizeof(hop.exporter));
    return hop;
}
