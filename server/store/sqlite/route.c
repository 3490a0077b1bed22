/*
 * Where devices are logged in. A route is changed after its login was committed, in the order in
 * which groups are answered: a message that was put before is in the mailbox by then, and one that
 * is put after goes this way.
 */
#include "server/store/sqlite/sqlite_internal.h"

enum { RETRY_MS = 60000 }; /* after a login too many: until another device may have gone */

/* The account's devices, for is_over_limit. */
static void note_devices(struct store_work *work, struct store_op *op, int64_t account)
{
    sqlite3_stmt *query;

    op->device_count = 0;
    if (work->limits.connections_per_account == 0)
        return;
    query = db_query(&work->db, DB_DEVICES_OF);
    db_bind_key(&work->db, query, 1, account);
    while (op->device_count < SIGNET_CARD_DEVICES_MAX && db_row(&work->db, query))
        op->devices[op->device_count++] = db_id(query, 0);
    db_done(query);
}

void work_claim(struct store_work *work, struct store_op *op)
{
    const struct store_device *device = work_device(work, &op->device);
    struct store_account account;

    op->answer = STORE_GONE;
    if (device == NULL || !work_account(work, &op->address, NULL, &account, NULL) ||
        device->account != account.key)
        return;
    op->answer = STORE_OK;
    op->list = account.list;
    note_devices(work, op, account.key);
    (void)work_bundle(work, device, &op->bundle, &op->one_time_left);
    (void)work_forgive(work, op); /* without one, it still has its mailbox */
}

static bool is_same(const struct store_route *a, const struct store_route *b)
{
    return a->worker == b->worker && a->connection == b->connection;
}

/* Whether as many other devices are logged in as may be. This is counted when routes change: of
 * two logins in one transaction the second sees the first. */
static bool is_over_limit(const struct store_work *work, const struct store_op *op)
{
    struct store_route route;
    uint64_t count = 0;

    for (size_t i = 0; i < op->device_count; i++)
        count += !signet_id_equal(&op->devices[i], &op->device) &&
                 work_route(work, &op->devices[i], &route);
    return op->device_count > 0 && count >= work->limits.connections_per_account;
}

void work_route_set(struct store_work *work, struct store_op *op)
{
    struct store_device *device = devices_find(&work->devices, &op->device);

    if (device == NULL) { /* taken off its card in the same transaction */
        op->answer = STORE_GONE;
        return;
    }
    if (is_over_limit(work, op)) {
        op->answer = STORE_OFTEN;
        op->retry_after_ms = RETRY_MS;
        return;
    }
    op->replaced = device->has_route && !is_same(&device->route, &op->route);
    op->replaced_route = device->route;
    device->has_route = true;
    device->route = op->route;
}

void work_route_clear(struct store_work *work, const struct store_op *op)
{
    struct store_device *device = devices_find(&work->devices, &op->device);

    if (device != NULL && device->has_route && is_same(&device->route, &op->route))
        device->has_route = false;
}

bool work_route(
    const struct store_work *work, const struct signet_id *device_id, struct store_route *route_out)
{
    const struct store_device *device = devices_find(&work->devices, device_id);

    if (device == NULL || !device->has_route)
        return false;
    *route_out = device->route;
    return true;
}
