/* The connections by number, and the queue of those with something to do. */
#include "server/core/connections.h"

#include <stdlib.h>

#include "server/core/connection.h"
#include "server/core/core_state.h"

enum {
    SLOT_BITS = 24, /* of a connection's number; the rest is its serial number */
    SLOT_MAX = 1 << SLOT_BITS,
};

/* ---- the queue of those with something to do ---- */

void conn_list(struct relay_core *core, struct conn *conn)
{
    if (conn->is_listed)
        return;
    conn->is_listed = true;
    conn->next_output = NULL;
    if (core->outputs_last != NULL)
        core->outputs_last->next_output = conn;
    else
        core->outputs = conn;
    core->outputs_last = conn;
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

struct conn *connections_next_listed(struct relay_core *core)
{
    struct conn *conn = core->outputs;

    if (conn == NULL)
        return NULL;
    core->outputs = conn->next_output;
    if (core->outputs == NULL)
        core->outputs_last = NULL;
    conn->is_listed = false;
    return conn;
}

/* ---- by number ---- */

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

enum signet_err connections_add(struct relay_core *core, struct conn *conn)
{
    enum signet_err err;
    uint32_t slot;

    if (core->free_count == 0 && (err = slots_grow(core)) != SIGNET_OK)
        return err;
    slot = core->free_slots[--core->free_count];
    conn->number = ++core->serial << SLOT_BITS | slot;
    core->conns[slot] = conn;
    return SIGNET_OK;
}

void connections_remove(struct relay_core *core, struct conn *conn)
{
    uint32_t slot = (uint32_t)(conn->number & (SLOT_MAX - 1));

    unlist(core, conn);
    core->conns[slot] = NULL;
    core->free_slots[core->free_count++] = slot;
}

void connections_free(struct relay_core *core)
{
    free(core->conns);
    free(core->free_slots);
}
