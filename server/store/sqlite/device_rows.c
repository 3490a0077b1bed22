/* Devices of the SQLite store: their rows, and what is in memory of them. */
#include "server/store/sqlite/sqlite_internal.h"

static struct store_cold cold_of_row(sqlite3_stmt *query, int column)
{
    return (struct store_cold){
        .count = db_uint(query, column),
        .bytes = db_uint(query, column + 1),
        .last = db_uint(query, column + 2),
    };
}

struct store_device *work_device(struct store_work *work, const struct signet_id *id)
{
    struct store_device *device = devices_find(&work->devices, id);
    sqlite3_stmt *query;

    if (device != NULL)
        return device;
    query = db_query(&work->db, DB_DEVICE_GET);
    db_bind_id(&work->db, query, 1, id);
    if (!db_row(&work->db, query))
        return NULL;
    device = devices_add(&work->devices, id, db_key(query, 0), db_key(query, 1));
    if (device == NULL)
        db_fail(&work->db, SQLITE_NOMEM);
    else
        device->cold = cold_of_row(query, 2);
    db_done(query);
    return device;
}

void work_device_add(struct store_work *work, const struct signet_id *id, int64_t account)
{
    sqlite3_stmt *query = db_query(&work->db, DB_DEVICE_ADD);

    db_bind_id(&work->db, query, 1, id);
    db_bind_key(&work->db, query, 2, account);
    (void)db_run(&work->db, query);
}

static void delete_rows(struct store_work *work, enum db_statement which, int64_t device_key)
{
    sqlite3_stmt *query = db_query(&work->db, which);

    db_bind_key(&work->db, query, 1, device_key);
    (void)db_run(&work->db, query);
}

void work_device_remove(struct store_work *work, struct store_device *device)
{
    sqlite3_stmt *query = db_query(&work->db, DB_DEVICE_REMOVE);
    uint64_t last = device->cold.last;

    if (device->count > 0 && device_at(device, device->count - 1)->id > last)
        last = device_at(device, device->count - 1)->id;
    db_bind_key(&work->db, query, 1, device->key);
    db_bind_uint(&work->db, query, 2, last);
    (void)db_run(&work->db, query);
    delete_rows(work, DB_BUNDLE_DELETE, device->key);
    delete_rows(work, DB_TAKE_DELETE, device->key);
    if (!devices_drop(&work->devices, device))
        db_fail(&work->db, SQLITE_NOMEM);
}

/* A message of the hot table. */
static void load_row(struct store_work *work, sqlite3_stmt *query)
{
    struct store_waiting message = {db_uint(query, 0), (uint32_t)db_uint(query, 1)};
    struct signet_id id = db_id(query, 2);
    struct store_device *device = devices_find(&work->devices, &id);

    if (device == NULL) {
        device = devices_add(&work->devices, &id, db_key(query, 3), db_key(query, 4));
        if (device != NULL)
            device->cold = cold_of_row(query, 5);
    }
    if (device == NULL || !devices_put(&work->devices, device, &message))
        db_fail(&work->db, SQLITE_NOMEM);
    devices_commit(&work->devices);
}

void work_devices_load(struct store_work *work, uint64_t *last_id_out)
{
    sqlite3_stmt *query = db_query(&work->db, DB_DEVICE_LAST);
    struct store_op skipped = {.type = STORE_FETCH};
    uint64_t from = 0;

    *last_id_out = 0;
    if (db_row(&work->db, query))
        *last_id_out = db_uint(query, 0);
    db_done(query);
    work->is_careful = work->db.failed == SQLITE_OK;
    do {
        query = db_query(&work->db, DB_HOT_LOAD);
        db_bind_uint(&work->db, query, 1, from);
        while (db_row(&work->db, query)) {
            load_row(work, query);
            from = db_uint(query, 0) + 1;
        }
    } while (work_skip(work, &skipped, DB_HOT_LOAD, 0, &from));
    work->is_careful = false;
    /* Nothing could be added at its end: the table is of no use. */
    if (from == INT64_MAX)
        db_fail(&work->db, SQLITE_CORRUPT);
    else if (from > *last_id_out + 1)
        *last_id_out = from - 1;
}
