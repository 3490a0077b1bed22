/*
 * A damaged page of the SQLite store. The operation that meets it is carried out by itself,
 * carefully: what can be read around the damage is read. SQLite tells of damage where it breaks a
 * page's structure; a bit that flips inside an envelope is seen by its recipient.
 */
#include "server/store/sqlite/sqlite_internal.h"

bool work_forgive(struct store_work *work, struct store_op *op)
{
    if (!work->is_careful || !db_is_damaged(&work->db))
        return false;
    db_forgive(&work->db);
    op->is_damaged = true;
    return true;
}

void work_note_damage(struct store_op *op, uint64_t from, uint64_t to)
{
    if (op->damaged_to == 0 || from < op->damaged_from)
        op->damaged_from = from;
    if (to > op->damaged_to)
        op->damaged_to = to;
}

/* Whether the first row from an id on can be read, or there is none. */
static bool can_read(
    struct store_work *work, enum db_statement which, int64_t device_key, uint64_t from)
{
    sqlite3_stmt *query = db_query(&work->db, which);
    bool has_failed;

    db_bind_uint(&work->db, query, 1, from);
    if (device_key != 0)
        db_bind_key(&work->db, query, 2, device_key);
    (void)db_row(&work->db, query);
    db_done(query);
    has_failed = work->db.failed != SQLITE_OK;
    db_forgive(&work->db);
    return !has_failed;
}

bool work_skip(struct store_work *work, struct store_op *op, enum db_statement which,
    int64_t device_key, uint64_t *from_io)
{
    uint64_t bad = *from_io, step = 1, good;

    if (!work_forgive(work, op))
        return false;
    /* Ids lie far apart: ever wider steps over what is damaged, then back to its end. */
    while (step < INT64_MAX - bad && !can_read(work, which, device_key, bad + step)) {
        bad += step;
        step *= 2;
    }
    if (step >= INT64_MAX - bad) {
        work_note_damage(op, *from_io, INT64_MAX);
        *from_io = INT64_MAX;
        return false;
    }
    good = bad + step;
    while (good - bad > 1) {
        uint64_t middle = bad + (good - bad) / 2;

        if (can_read(work, which, device_key, middle))
            good = middle;
        else
            bad = middle;
    }
    work_note_damage(op, *from_io, bad);
    *from_io = good;
    return true;
}
