/* The core: connections by number, groups for the store, output for the loop. */
#include "server/core/connection.h"

#include <stdlib.h>

#include "crypto/secret.h"

enum {
    SLOT_BITS = 24, /* of a connection's number; the rest is its serial number */
    SLOT_MAX = 1 << SLOT_BITS,
    EXPIRE_INTERVAL_MS = 10000,
    EXPIRE_ROWS = 1000,
};

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
    free(core->conns);
    free(core->free_slots);
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

bool core_is_recent(const struct relay_core *core, uint64_t ms)
{
    return core->wall_ms <= ms + SIGNET_CLOCK_TOLERANCE_MS;
}

/* ---- connections ---- */

struct conn *conn_find(const struct relay_core *core, uint64_t number)
{
    size_t slot = number & (SLOT_MAX - 1);
    struct conn *conn = slot < core->slot_count ? core->conns[slot] : NULL;

    return conn != NULL && conn->number == number ? conn : NULL;
}

static enum signet_err slots_grow(struct relay_core *core)
{
    size_t count = core->slot_count > 0 ? 2 * core->slot_count : 64;
    struct conn **conns;
    uint32_t *free_slots;

    if (count > SLOT_MAX)
        return SIGNET_ERR_LIMIT;
    conns = realloc(core->conns, count * sizeof(struct conn *));
    if (conns == NULL)
        return SIGNET_ERR_NOMEM;
    core->conns = conns;
    free_slots = realloc(core->free_slots, count * sizeof(*free_slots));
    if (free_slots == NULL)
        return SIGNET_ERR_NOMEM;
    core->free_slots = free_slots;
    for (size_t i = count; i > core->slot_count; i--) {
        conns[i - 1] = NULL;
        free_slots[core->free_count++] = (uint32_t)(i - 1);
    }
    core->slot_count = count;
    return SIGNET_OK;
}

struct conn *core_open(struct relay_core *core, const struct core_hop *hop, void *owner)
{
    struct conn *conn;
    uint32_t slot;

    if (core->free_count == 0 && slots_grow(core) != SIGNET_OK)
        return NULL;
    conn = calloc(1, sizeof(*conn));
    if (conn == NULL)
        return NULL;
    if (crypto_random_public(core->library, conn->nonce, sizeof(conn->nonce)) != SIGNET_OK) {
        free(conn);
        return NULL;
    }
    slot = core->free_slots[--core->free_count];
    conn->number = ++core->serial << SLOT_BITS | slot;
    conn->owner = owner;
    conn->hop = *hop;
    core->conns[slot] = conn;
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

static void unlist(struct relay_core *core, struct conn *conn)
{
    struct conn *before = NULL;

    if (!conn->is_listed)
        return;
    for (struct conn *at = core->outputs; at != conn; at = at->next_output)
        before = at;
    if (before != NULL)
        before->next_output = conn->next_output;
    else
        core->outputs = conn->next_output;
    if (core->outputs_last == conn)
        core->outputs_last = before;
}

bool core_is_logged_in(const struct conn *conn)
{
    return conn->device != NULL;
}

void core_closed(struct relay_core *core, struct conn *conn)
{
    uint32_t slot = (uint32_t)(conn->number & (SLOT_MAX - 1));

    if (conn->device != NULL)
        core_release(core, &conn->device->id,
            &(struct store_route){.worker = core->config.worker, .connection = conn->number});
    unlist(core, conn);
    core->conns[slot] = NULL;
    core->free_slots[core->free_count++] = slot;
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

void core_end_route(struct relay_core *core, const struct store_route *route, uint16_t code)
{
    if (route->worker == core->config.worker) {
        core_end(core, route->connection, code);
        return;
    }
    if (core->ended_count == core->ended_capacity) {
        size_t capacity = core->ended_capacity > 0 ? 2 * core->ended_capacity : 8;
        struct core_ended *larger = realloc(core->ended, capacity * sizeof(*larger));

        /* That login then gets no more messages, but lives on until it ends by itself. */
        if (larger == NULL)
            return;
        core->ended = larger;
        core->ended_capacity = capacity;
    }
    core->ended[core->ended_count++] = (struct core_ended){*route, code};
}

void core_expire(struct relay_core *core)
{
    struct core_op *op;

    /* One worker asks for all. */
    if (core->config.worker != 0 || core->is_expiring || core->monotonic_ms < core->expire_ms)
        return;
    core->expire_ms = core->monotonic_ms + EXPIRE_INTERVAL_MS;
    op = core_op_new(core, NULL, STORE_EXPIRE, 0, NULL);
    if (op == NULL)
        return;
    op->op.limit = EXPIRE_ROWS;
    core->is_expiring = core_op_submit(core, NULL, op) == SIGNET_OK; /* the next time, if not */
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
    core_submit_again(core);
    core_expire(core);
    for (size_t i = 0; i < core->slot_count; i++)
        if (core->conns[i] != NULL && core->conns[i]->state == CONN_READY)
            tick_conn(core, core->conns[i]);
}

/* ---- output ---- */

bool core_next_output(struct relay_core *core, struct core_output *output_out)
{
    struct conn *conn = core->outputs;

    if (conn == NULL)
        return false;
    core->outputs = conn->next_output;
    if (core->outputs == NULL)
        core->outputs_last = NULL;
    conn->is_listed = false;
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

void core_frames_free(struct core_frame *frames)
{
    while (frames != NULL) {
        struct core_frame *next = frames->next;

        signet_buf_free(&frames->bytes);
        free(frames);
        frames = next;
    }
}

bool core_next_ended(struct relay_core *core, struct core_ended *ended_out)
{
    if (core->ended_count == 0)
        return false;
    *ended_out = core->ended[--core->ended_count];
    return true;
}
