/*
 * What is past its time leaves the SQLite store, and what has waited for minutes leaves the hot
 * table: in bounded steps, oldest first, a row at a time.
 */
#include "server/store/sqlite/sqlite_internal.h"

enum {
    KEEP_PAGES = 4096, /* free pages that are always kept: 16 MiB */
    ROW_BYTES = 4096,  /* of an envelope that count as one row more: others wait for the disk */
};

/* A table that messages leave. */
struct sweep {
    /* The next one that is due, or false. */
    bool (*find)(struct store_work *work, struct store_op *op, const struct store_group *group,
        struct store_due *due_out);
    void (*remove)(struct store_work *work, struct store_due *due);
    /* It cannot be removed: begin behind it from now on. */
    void (*pass_over)(struct store_work *work, const struct store_due *due);
};

/* Remove one message that is due. Returns for how many rows it counts; 0: there is none, or damage
 * was met. */
static uint64_t sweep(struct store_work *work, struct store_op *op, const struct store_group *group,
    const struct sweep *sweep)
{
    struct store_due due = {0};

    if (!sweep->find(work, op, group, &due) || op->is_damaged)
        return 0;
    sweep->remove(work, &due);
    if (work_forgive(work, op)) {
        sweep->pass_over(work, &due);
        op->device = due.device;
        work_note_damage(op, due.id, due.id);
    }
    return work->db.failed == SQLITE_OK && !op->is_damaged ? 1 + due.size / ROW_BYTES : 0;
}

/* All that are due, as far as `left` rows go; returns how many are left. */
static uint64_t sweep_all(struct store_work *work, struct store_op *op,
    const struct store_group *group, const struct sweep *table, uint64_t left)
{
    uint64_t cost;

    while (left > 0 && (cost = sweep(work, op, group, table)) > 0)
        left -= cost < left ? cost : left;
    return left;
}

/* ---- the hot table: by id, and so by age ---- */

static bool read_hot(
    struct store_work *work, const struct store_group *group, struct store_due *due_out)
{
    sqlite3_stmt *query = db_query(&work->db, DB_HOT_FIRST);
    uint64_t stored_ms;

    db_bind_uint(&work->db, query, 1, work->hot_from);
    if (!db_row(&work->db, query))
        return false;
    stored_ms = db_uint(query, 1);
    *due_out = (struct store_due){
        .id = db_uint(query, 0),
        .expires_ms = db_uint(query, 2),
        .device = db_id(query, 3),
        .is_expired = db_uint(query, 2) <= group->expired_ms,
    };
    db_done(query);
    /* What was stored by a clock that has been set back must not hold up what is behind it. */
    return due_out->is_expired || stored_ms > group->now_ms ||
           group->now_ms - stored_ms >= work->cold_age_ms;
}

static bool find_hot(struct store_work *work, struct store_op *op, const struct store_group *group,
    struct store_due *due_out)
{
    bool is_found = read_hot(work, group, due_out);
    (void)work_skip(work, op, DB_HOT_FIRST, 0, &work->hot_from);
    return is_found;
}

static void remove_hot(struct store_work *work, struct store_due *due)
{
    struct store_device *device = work_device(work, &due->device);
    sqlite3_stmt *query;
    size_t index;

    if (device == NULL || !device_has(device, due->id, &index)) {
        query = db_query(&work->db, DB_HOT_DELETE);
        db_bind_uint(&work->db, query, 1, due->id);
        (void)db_run(&work->db, query);
        return;
    }
    due->size = device_at(device, index)->size;
    if (due->is_expired)
        work_hot_delete(work, device, index);
    else
        work_cold_move(work, device, index);
}

static void pass_over_hot(struct store_work *work, const struct store_due *due)
{
    work->hot_from = due->id + 1;
}

/* ---- the cold table: by expiry ---- */

static bool find_cold(struct store_work *work, struct store_op *op, const struct store_group *group,
    struct store_due *due_out)
{
    sqlite3_stmt *query = db_query(&work->db, DB_COLD_EXPIRED);

    db_bind_uint(&work->db, query, 1, group->expired_ms);
    db_bind_uint(&work->db, query, 2, work->cold_after.expires_ms);
    db_bind_key(&work->db, query, 3, work->cold_after.device_key);
    db_bind_uint(&work->db, query, 4, work->cold_after.id);
    if (!db_row(&work->db, query)) {
        if (work_forgive(work, op))
            work->cold_after.expires_ms = INT64_MAX; /* there is no way around */
        return false;
    }
    *due_out = (struct store_due){
        .device_key = db_key(query, 0),
        .id = db_uint(query, 1),
        .expires_ms = db_uint(query, 2),
        .device = db_id(query, 3),
        .is_expired = true,
    };
    db_done(query);
    return true;
}

static void remove_cold(struct store_work *work, struct store_due *due)
{
    struct store_device *device = work_device(work, &due->device);
    sqlite3_stmt *query;

    if (device != NULL) {
        due->size = device->cold.bytes;
        work_cold_delete(work, device, due->id);
        due->size -= device->cold.bytes;
        return;
    }
    query = db_query(&work->db, DB_COLD_DELETE);
    db_bind_key(&work->db, query, 1, due->device_key);
    db_bind_uint(&work->db, query, 2, due->id);
    (void)db_run(&work->db, query);
}

static void pass_over_cold(struct store_work *work, const struct store_due *due)
{
    work->cold_after = *due;
}

/* ---- what is bounded by a limit ---- */

/* Delete at most `left` messages of a device that was removed, and with the last one its row.
 * Those in the hot table go as they come first there. */
static uint64_t sweep_removed(struct store_work *work, uint64_t left)
{
    sqlite3_stmt *query = db_query(&work->db, DB_DEVICE_REMOVED);
    uint64_t last, deleted;
    bool is_hot;
    int64_t key;

    if (!db_row(&work->db, query))
        return left;
    key = db_key(query, 0);
    last = db_uint(query, 1);
    db_done(query);
    query = db_query(&work->db, DB_COLD_CLEAR);
    db_bind_key(&work->db, query, 1, key);
    db_bind_uint(&work->db, query, 2, left);
    deleted = db_run(&work->db, query);
    if (deleted >= left)
        return 0;
    query = db_query(&work->db, DB_HOT_FIRST);
    db_bind_uint(&work->db, query, 1, work->hot_from);
    is_hot = db_row(&work->db, query) && db_uint(query, 0) <= last;
    db_done(query);
    if (is_hot)
        return left - deleted;
    query = db_query(&work->db, DB_DEVICE_DELETE);
    db_bind_key(&work->db, query, 1, key);
    (void)db_run(&work->db, query);
    return 0; /* there may be another one */
}

/* Delete at most `left` rows whose time is up to `until_ms`. */
static uint64_t sweep_rows(
    struct store_work *work, enum db_statement which, uint64_t until_ms, uint64_t left)
{
    sqlite3_stmt *query = db_query(&work->db, which);
    uint64_t deleted;

    db_bind_uint(&work->db, query, 1, until_ms);
    db_bind_uint(&work->db, query, 2, left);
    deleted = db_run(&work->db, query);
    return deleted < left ? left - deleted : 0;
}

/* What was deleted is room for what comes; more free pages than that are given back to the disk.
 * Returns whether more should be. */
static bool give_back(struct store_work *work)
{
    sqlite3_stmt *query = db_query(&work->db, DB_FREE_GET);
    uint64_t free_pages = 0, pages = 0;

    if (db_row(&work->db, query)) {
        free_pages = db_uint(query, 0);
        pages = db_uint(query, 1);
    }
    db_done(query);
    if (free_pages <= KEEP_PAGES || free_pages <= pages / 4)
        return false;
    (void)db_run(&work->db, db_query(&work->db, DB_FREE_GIVE_BACK));
    return work->db.failed == SQLITE_OK;
}

void work_expire(struct store_work *work, struct store_op *op, const struct store_group *group)
{
    static const struct sweep hot = {find_hot, remove_hot, pass_over_hot};
    static const struct sweep cold = {find_cold, remove_cold, pass_over_cold};
    uint64_t interval = work->limits.take_interval_ms, left = op->limit;

    op->answer = STORE_OK;
    left = sweep_all(work, op, group, &cold, left);
    if (!op->is_damaged)
        left = sweep_all(work, op, group, &hot, left);
    if (left > 0 && !op->is_damaged && !work->leaves_rest) {
        left = sweep_removed(work, left);
        if (left > 0)
            left = sweep_rows(work, DB_INVITE_EXPIRE, group->expired_ms, left);
        if (left > 0 && group->expired_ms >= interval)
            left = sweep_rows(work, DB_TAKE_EXPIRE, group->expired_ms - interval, left);
        op->more = left > 0 && give_back(work);
        work->leaves_rest = work_forgive(work, op);
    }
    /* With damage, nothing is removed this time; the next time it is passed over. */
    op->more = op->more || left == 0 || op->is_damaged;
}
