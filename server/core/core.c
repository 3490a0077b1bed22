/* The core as its loop sees it: times, connections, deliveries, output. */
#include "server/core/core.h"

#include <stdlib.h>

#include "crypto/secret.h"
#include "server/core/connection.h"
#include "server/core/connections.h"
#include "server/core/core_state.h"
#include "server/core/dispatch.h"
#include "server/core/groups.h"
#include "server/core/handle_mailbox.h"
#include "server/core/operations.h"

void core_frames_free(struct core_frame *frames)
{
    while (frames != NULL) {
        struct core_frame *next = frames->next;

        signet_buf_free(&frames->bytes);
        free(frames);
        frames = next;
    }
}

static void conn_free(struct conn *conn)
{
    if (conn->device != NULL) {
        window_free(&conn->device->window);
        signet_buf_free(&conn->device->acked);
    }
    free(conn->device);
    core_frames_free(conn->first);
    signet_buf_free(&conn->held);
    free(conn);
}

enum signet_err core_new(const struct core_config *config, struct store *store,
    struct signet_library *library, struct relay_core **core_out)
{
    struct relay_core *core = calloc(1, sizeof(*core));

    if (core == NULL)
        return SIGNET_ERR_NOMEM;
    core->config = *config;
    core->known_ms = config->ids != NULL ? message_ids_last_ms(config->ids) : 0;
    core->again_end = &core->again;
    core->store = store;
    core->library = library;
    *core_out = core;
    return SIGNET_OK;
}

void core_free(struct relay_core *core)
{
    if (core == NULL)
        return;
    for (size_t i = 0; i < core->slot_count; i++)
        if (core->conns[i] != NULL)
            conn_free(core->conns[i]);
    if (core->group != NULL)
        core_discard(core, core->group);
    while (core->again != NULL) {
        struct store_group *group = core->again;

        core->again = group->next;
        core_discard(core, group);
    }
    core_op_free_spare(core);
    connections_free(core);
    free(core->ended);
    free(core);
}

void core_configure(struct relay_core *core, const struct core_config *config)
{
    core->config = *config;
}

void core_set_time(struct relay_core *core, uint64_t wall_ms, uint64_t monotonic_ms)
{
    enum wall_change change = wall_trust_read(&core->wall, wall_ms, monotonic_ms, core->known_ms);

    core->wall_ms = wall_ms;
    core->monotonic_ms = monotonic_ms;
    if (change == WALL_AS_BEFORE || core->config.worker != 0) /* one worker speaks for all */
        return;
    log_write(core->config.log, change == WALL_JUMPED ? LOG_WARN : LOG_INFO,
        change == WALL_JUMPED ? "clock.jumped" : "clock.believed", LOG_U64("wall_ms", wall_ms),
        LOG_END);
}

/* ---- connections ---- */

struct conn *core_open(struct relay_core *core, const struct core_hop *hop, void *owner)
{
    struct conn *conn = calloc(1, sizeof(*conn));

    if (conn == NULL)
        return NULL;
    conn->owner = owner;
    conn->hop = *hop;
    if (crypto_random_public(core->library, conn->nonce, sizeof(conn->nonce)) != SIGNET_OK ||
        connections_add(core, conn) != SIGNET_OK) {
        conn_free(conn);
        return NULL;
    }
    conn_send(core, conn,
        &(struct relay_message){
            .type = RELAY_CHALLENGE, .nonce = signet_span_of(conn->nonce, sizeof(conn->nonce))});
    return conn;
}

void core_receive(struct relay_core *core, struct conn *conn, signet_span message)
{
    size_t max = conn->device != NULL ? RELAY_MESSAGE_MAX : RELAY_MESSAGE_MAX_BEFORE;

    if (conn->state == CONN_CLOSING)
        return;
    if (message.len == 0)
        dispatch_reject(core, conn, 1002, "no message");
    else if (message.len > max)
        dispatch_reject(core, conn, 1009, signet_err_text(SIGNET_ERR_LIMIT));
    else
        dispatch(core, conn, message);
    dispatch_throttle(core, conn);
}

void core_pending(struct relay_core *core, struct conn *conn, size_t pending)
{
    bool was_congested = conn->pending > CORE_CONGESTED;

    if (conn->state == CONN_CLOSING)
        return;
    if (!was_congested || pending < conn->pending)
        conn->congested_ms = core->monotonic_ms;
    conn->pending = pending;
    conn->is_watched = pending > 0;
    if (was_congested && pending <= CORE_CONGESTED)
        mailbox_catch_up(core, conn);
    dispatch_throttle(core, conn);
}

bool core_is_logged_in(const struct conn *conn)
{
    return conn->device != NULL;
}

void core_closed(struct relay_core *core, struct conn *conn)
{
    if (conn->device != NULL)
        core_release(core, &conn->device->id,
            &(struct store_route){.worker = core->config.worker, .connection = conn->number});
    connections_remove(core, conn);
    conn_free(conn);
}

/* ---- what comes from elsewhere ---- */

void core_deliver(struct relay_core *core, uint64_t connection, struct store_message message)
{
    struct conn *conn = conn_find(core, connection);

    if (conn != NULL && conn->state == CONN_READY)
        mailbox_deliver(core, conn, &message);
    signet_buf_free(&message.envelope);
}

void core_missed(struct relay_core *core)
{
    for (size_t i = 0; i < core->slot_count; i++) {
        struct conn *conn = core->conns[i];

        if (conn == NULL || conn->state != CONN_READY || conn->device->delivery != DELIVERY_LIVE)
            continue;
        conn->device->delivery = DELIVERY_BEHIND;
        mailbox_catch_up(core, conn);
    }
}

void core_end(struct relay_core *core, uint64_t connection, uint16_t code)
{
    struct conn *conn = conn_find(core, connection);

    if (conn != NULL)
        conn_close(core, conn, code);
}

bool core_may_log(struct relay_core *core)
{
    return conn_may_log(core);
}

static void tick_conn(struct relay_core *core, struct conn *conn)
{
    if (conn->pending > CORE_CONGESTED &&
        core->monotonic_ms - conn->congested_ms > core->config.stalled_ms) {
        if (conn_may_log(core))
            log_write(core->config.log, LOG_INFO, "connection.stalled",
                LOG_U64("pending", conn->pending), LOG_END);
        conn_close(core, conn, RELAY_CLOSE_SLOW);
        return;
    }
    if (conn->is_watched)
        conn_list(core, conn);
    mailbox_catch_up(core, conn);
}

void core_tick(struct relay_core *core)
{
    groups_submit_again(core);
    core_expire(core);
    for (size_t i = 0; i < core->slot_count; i++)
        if (core->conns[i] != NULL && core->conns[i]->state == CONN_READY)
            tick_conn(core, core->conns[i]);
}

/* ---- output ---- */

bool core_next_output(struct relay_core *core, struct core_output *output_out)
{
    struct conn *conn = connections_next_listed(core);

    if (conn == NULL)
        return false;
    *output_out = (struct core_output){
        .conn = conn,
        .owner = conn->owner,
        .frames = conn->first,
        .is_changed = conn->is_changed,
        .message_max = conn->device != NULL ? RELAY_MESSAGE_MAX : RELAY_MESSAGE_MAX_BEFORE,
        .is_logged_in = conn->device != NULL,
        .is_paused = conn->is_paused,
        .close_code = conn->close_code,
    };
    conn->is_watched |= conn->first != NULL;
    conn->first = conn->last = NULL;
    conn->is_changed = false;
    return true;
}

bool core_next_ended(struct relay_core *core, struct core_ended *ended_out)
{
    if (core->ended_count == 0)
        return false;
    *ended_out = core->ended[--core->ended_count];
    return true;
}
