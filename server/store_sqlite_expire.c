/*
 * What is past its time leaves the SQLite store, and what has waited for minutes leaves the hot
 * table: in bounded steps, oldest first, a row at a time.
 */
#include "server/store_sqlite_internal.h"

/* Free pages that are always kept: 16 MiB. */
enum { KEEP_PAGES = 4096 };

/* The device of a row, and the index of its message. */
static struct store_device *owner_of(
    struct store_work *work, const struct signet_id *id, uint64_t message_id, size_t *index_out)
{
    struct store_device *device = work_device(work, id);

    return device != NULL && device_has(device, message_id, index_out) ? device : NULL;
}

/* Take the first message out of the hot table, if it is due. */
static bool sweep_hot(struct store_work *work, uint64_t now_ms)
{
    sqlite3_stmt *query = db_query(&work->db, DB_HOT_FIRST);
    struct store_device *device;
    uint64_t message_id, stored_ms;
    struct signet_id owner;
    bool is_expired;
    size_t index;

    if (!db_row(&work->db, query))
        return false;
    message_id = db_uint(query, 0);
    stored_ms = db_uint(query, 1);
    is_expired = db_uint(query, 2) <= now_ms;
    owner = db_id(query, 3);
    db_done(query);
    if (!is_expired && (stored_ms > now_ms || now_ms - stored_ms < work->cold_age_ms))
        return false;
    device = owner_of(work, &owner, message_id, &index);
    if (device == NULL) {
        query = db_query(&work->db, DB_HOT_DELETE);
        db_bind_uint(&work->db, query, 1, message_id);
        (void)db_run(&work->db, query);
    } else if (is_expired) {
        work_hot_delete(work, device, index);
    } else {
        work_cold_move(work, device, index);
    }
    return work->db.failed == SQLITE_OK;
}

/* Delete one expired message from the cold table. */
static bool sweep_cold(struct store_work *work, uint64_t now_ms)
{
    sqlite3_stmt *query = db_query(&work->db, DB_COLD_EXPIRED);
    struct store_device *device;
    uint64_t message_id;
    struct signet_id owner;
    int64_t key;

    db_bind_uint(&work->db, query, 1, now_ms);
    if (!db_row(&work->db, query))
        return false;
    key = db_key(query, 0);
    message_id = db_uint(query, 1);
    owner = db_id(query, 2);
    db_done(query);
    device = work_device(work, &owner);
    if (device != NULL) {
        work_cold_delete(work, device, message_id);
    } else {
        query = db_query(&work->db, DB_COLD_DELETE);
        db_bind_key(&work->db, query, 1, key);
        db_bind_uint(&work->db, query, 2, message_id);
        (void)db_run(&work->db, query);
    }
    return work->db.failed == SQLITE_OK;
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

void work_expire(struct store_work *work, struct store_op *op, uint64_t now_ms)
{
    uint64_t interval = work->limits.take_interval_ms, left = op->limit;

    while (left > 0 && sweep_cold(work, now_ms))
        left--;
    while (left > 0 && sweep_hot(work, now_ms))
        left--;
    if (left > 0)
        left = sweep_rows(work, DB_INVITE_EXPIRE, now_ms, left);
    if (left > 0 && now_ms >= interval)
        left = sweep_rows(work, DB_TAKE_EXPIRE, now_ms - interval, left);
    op->more = left == 0 || give_back(work);
    op->answer = STORE_OK;
}
