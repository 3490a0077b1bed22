/* Groups of operations: submitted to the store, answered, and where that is in doubt tried again. */
#include "server/core/groups.h"

#include <stdlib.h>

#include "server/core/connection.h"
#include "server/core/connections.h"
#include "server/core/core_state.h"
#include "server/core/dispatch.h"
#include "server/core/operations.h"
#include "server/core/time.h"

enum { TRIES_MAX = 3 }; /* of a group that the store cannot tell the fate of, one a tick */

/* ---- submitted ---- */

void core_flush(struct relay_core *core)
{
    struct store_group *group = core->group;

    if (group == NULL)
        return;
    core->group = NULL;
    group->worker = core->config.worker;
    group->now_ms = core->wall_ms;
    group->expired_ms = core_expired_ms(core);
    core->in_flight += group->count;
    core->store->ops->submit(core->store, group);
}

size_t core_in_flight(const struct relay_core *core)
{
    return core->in_flight + (core->group != NULL ? core->group->count : 0);
}

static void group_free(struct relay_core *core, struct store_group *group)
{
    while (group->first != NULL) {
        struct core_op *op = (struct core_op *)group->first;

        group->first = op->op.next;
        core_op_free(core, op);
    }
    store_group_free(group);
}

void core_discard(struct relay_core *core, struct store_group *group)
{
    if (group == core->group)
        core->group = NULL;
    else
        core->in_flight -= group->count;
    group_free(core, group);
}

/* ---- tried again ---- */

/* Whether somebody still waits for it. What a release, or expiry, has to do can be lost. */
static bool is_awaited(const struct relay_core *core, const struct store_op *op)
{
    const struct conn *conn = conn_find(core, op->connection);

    return conn != NULL && conn->state != CONN_CLOSING;
}

/* Keep a group for another try, without what nobody waits for. */
static void keep_for_again(struct relay_core *core, struct store_group *group)
{
    struct store_op *op = group->first;
    size_t count = group->count;

    group->first = group->last = NULL;
    group->count = 0;
    while (op != NULL) {
        struct store_op *next = op->next;

        if (is_awaited(core, op)) {
            store_group_add(group, op);
        } else {
            core->is_expiring = core->is_expiring && op->type != STORE_EXPIRE;
            core_op_free(core, (struct core_op *)op);
        }
        op = next;
    }
    core->in_flight -= count - group->count;
    if (group->count == 0) {
        group_free(core, group);
        return;
    }
    group->next = NULL;
    *core->again_end = group;
    core->again_end = &group->next;
}

void groups_submit_again(struct relay_core *core)
{
    struct store_group *group = core->again;

    core->again = NULL;
    core->again_end = &core->again;
    while (group != NULL) {
        struct store_group *next = group->next;

        group->next = NULL;
        core->store->ops->submit(core->store, group);
        group = next;
    }
}

/* ---- answered ---- */

/* Say that the store went down or came back: one worker is told. */
static void note_result(struct relay_core *core, const struct store_group *group)
{
    char why[256] = "";

    if (!group->is_news)
        return;
    if (group->result == STORE_DONE) {
        log_write(core->config.log, LOG_INFO, "store.up", LOG_END);
        return;
    }
    if (core->config.store_problem != NULL)
        core->config.store_problem(core->store, why, sizeof(why));
    log_write(core->config.log, LOG_ERROR, "store.down", LOG_STR("why", why), LOG_END);
}

/* A page of the store is damaged: what is kept there is passed over, and the operator told. */
static void note_damage(struct relay_core *core, const struct store_op *op)
{
    char device[SIGNET_ID_SHORT_SIZE];

    if (!op->is_damaged || !conn_may_log(core))
        return;
    signet_id_short(&op->device, device);
    log_write(core->config.log, LOG_ERROR, "store.damaged", LOG_STR("device", device),
        LOG_U64("from", op->damaged_from), LOG_U64("to", op->damaged_to), LOG_END);
}

/* A login has ended: on this worker its connection is closed at once, on others by their loops. */
static void end_login(struct relay_core *core, const struct store_route *route, uint16_t code)
{
    struct conn *conn;

    if (route->worker == core->config.worker) {
        conn = conn_find(core, route->connection);
        if (conn != NULL)
            conn_close(core, conn, code);
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

/* Logins that the store has ended by this operation, whether who asked for it is still there or
 * not: they get no more messages. */
static void end_logins(struct relay_core *core, const struct store_op *op)
{
    if (op->type == STORE_CLAIM && op->replaced)
        end_login(core, &op->replaced_route, RELAY_CLOSE_REPLACED);
    for (size_t i = 0; i < op->removed_count; i++)
        end_login(core, &op->removed[i], RELAY_CLOSE_REMOVED);
}

static void op_answered(struct relay_core *core, struct core_op *op)
{
    struct conn *conn = conn_find(core, op->op.connection);

    if (op->op.type == STORE_EXPIRE) {
        core->is_expiring = false;
        if (op->op.more) {
            core->expire_ms = core->monotonic_ms;
            core_expire(core);
        }
    }
    if (conn == NULL || conn->state == CONN_CLOSING) {
        /* It ended while it was logging in. */
        if (op->op.type == STORE_CLAIM && op->op.answer == STORE_OK)
            core_release(core, &op->op.device, &op->op.route);
        return;
    }
    conn->in_flight--;
    conn->in_flight_bytes -= op->counted_bytes;
    dispatch_answer(core, conn, op);
}

void core_answered(struct relay_core *core, struct store_group *group)
{
    note_result(core, group);
    if (group->result == STORE_UNKNOWN && ++group->tries < TRIES_MAX) {
        keep_for_again(core, group);
        return;
    }
    core->in_flight -= group->count;
    for (struct store_op *op = group->first; op != NULL; op = op->next) {
        if (group->result == STORE_UNKNOWN)
            op->answer = STORE_PENDING;
        note_damage(core, op);
        op_answered(core, (struct core_op *)op);
        end_logins(core, op); /* a device that takes itself off the card is answered first */
    }
    group_free(core, group);
}
