/*
 * Where devices are logged in. A route is changed after its login was committed, in the order in
 * which groups are answered: a message that was put before is in the mailbox by then, and one that
 * is put after goes this way.
 */
#include "server/store_sqlite_internal.h"

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
    (void)work_bundle(work, device, &op->bundle, &op->one_time_left);
    (void)work_forgive(work, op); /* without one, it still has its mailbox */
}

static bool is_same(const struct store_route *a, const struct store_route *b)
{
    return a->worker == b->worker && a->connection == b->connection;
}

void work_route_set(struct store_work *work, struct store_op *op)
{
    struct store_device *device = devices_find(&work->devices, &op->device);

    if (device == NULL) { /* taken off its card in the same transaction */
        op->answer = STORE_GONE;
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
