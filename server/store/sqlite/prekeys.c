/*
 * Prekey bundles of the SQLite store, and who may have a one-time prekey of whom: docs/protocol.md,
 * sections 4 and 10. A batch is handed out in its order; the counter is durable before the prekey
 * is given away, so none is given twice.
 */
#include "server/store/sqlite/sqlite_internal.h"

/* The batch of a device, and its bucket: `taken` is how many prekeys are missing in it. */
struct batch {
    uint64_t taken, refilled_ms;
    uint64_t next, count;
    uint64_t expires_ms; /* of the bundle that it belongs to */
};

static bool read_batch(
    struct store_work *work, const struct store_device *device, struct batch *batch_out)
{
    sqlite3_stmt *query = db_query(&work->db, DB_BATCH_GET);

    db_bind_key(&work->db, query, 1, device->key);
    if (!db_row(&work->db, query))
        return false;
    *batch_out = (struct batch){
        .taken = db_uint(query, 0),
        .refilled_ms = db_uint(query, 1),
        .next = db_uint(query, 2),
        .count = db_uint(query, 3),
        .expires_ms = db_uint(query, 4),
    };
    db_done(query);
    return true;
}

bool work_bundle(struct store_work *work, const struct store_device *device,
    struct signet_buf *bundle, uint64_t *one_time_left_out)
{
    sqlite3_stmt *query = db_query(&work->db, DB_BUNDLE_GET);
    struct batch batch;
    enum signet_err err;

    db_bind_key(&work->db, query, 1, device->key);
    if (!db_row(&work->db, query))
        return false;
    err = signet_buf_append(bundle, db_bytes(query, 1));
    db_done(query);
    if (err != SIGNET_OK)
        db_fail(&work->db, SQLITE_NOMEM);
    if (!read_batch(work, device, &batch))
        return false;
    *one_time_left_out = batch.count > batch.next ? batch.count - batch.next : 0;
    return true;
}

/* ---- put ---- */

/* How the bundle compares with the one that is there. */
static enum store_answer judge(
    struct store_work *work, const struct store_device *device, const struct store_op *op)
{
    sqlite3_stmt *query = db_query(&work->db, DB_BUNDLE_GET);
    enum store_answer answer = STORE_PENDING; /* new */

    db_bind_key(&work->db, query, 1, device->key);
    if (!db_row(&work->db, query))
        return answer;
    if (op->bundle_version == db_uint(query, 0) &&
        signet_span_equal(signet_buf_span(&op->bundle), db_bytes(query, 1)))
        answer = STORE_OK;
    else if (op->bundle_version <= db_uint(query, 0))
        answer = STORE_STALE;
    db_done(query);
    return answer;
}

void work_bundle_put(struct store_work *work, struct store_op *op)
{
    const struct store_device *device = work_device(work, &op->device);
    sqlite3_stmt *query;

    op->answer = device != NULL ? judge(work, device, op) : STORE_GONE;
    if (op->answer != STORE_PENDING)
        return;
    query = db_query(&work->db, DB_BUNDLE_PUT);
    db_bind_key(&work->db, query, 1, device->key);
    db_bind_uint(&work->db, query, 2, op->bundle_version);
    db_bind_uint(&work->db, query, 3, op->bundle_expires_ms);
    db_bind_bytes(&work->db, query, 4, signet_buf_span(&op->bundle));
    db_bind_bytes(&work->db, query, 5, signet_buf_span(&op->keys));
    (void)db_run(&work->db, query);
    /* The bucket stays as it is: a new batch must not be a new burst. */
    query = db_query(&work->db, DB_BATCH_NEW);
    db_bind_key(&work->db, query, 1, device->key);
    db_bind_uint(&work->db, query, 2, op->keys.len / SIGNET_ONE_TIME_KEY_LEN);
    (void)db_run(&work->db, query);
    op->answer = STORE_OK;
}

/* ---- take ---- */

/* Give back to the bucket what the time since then allows. */
static void refill(const struct store_limits *limits, struct batch *batch, uint64_t now_ms)
{
    uint64_t gained;

    if (batch->taken == 0 || batch->refilled_ms > now_ms) {
        batch->refilled_ms = now_ms; /* full; or the clock was set back */
        return;
    }
    if (limits->take_refill_ms == 0) {
        batch->taken = 0;
        return;
    }
    gained = (now_ms - batch->refilled_ms) / limits->take_refill_ms;
    if (gained >= batch->taken) {
        batch->taken = 0;
        batch->refilled_ms = now_ms;
    } else {
        batch->taken -= gained;
        batch->refilled_ms += gained * limits->take_refill_ms;
    }
}

/* Whether this requester was given one of this device within the interval. */
static bool took_lately(struct store_work *work, const struct store_device *device,
    const struct signet_id *requester, uint64_t now_ms)
{
    sqlite3_stmt *query = db_query(&work->db, DB_TAKE_GET);
    uint64_t at_ms;

    db_bind_key(&work->db, query, 1, device->key);
    db_bind_id(&work->db, query, 2, requester);
    if (!db_row(&work->db, query))
        return false;
    at_ms = db_uint(query, 0);
    db_done(query);
    return at_ms <= now_ms && now_ms - at_ms < work->limits.take_interval_ms;
}

/* The next one-time prekey and its path. */
static bool prove(struct store_work *work, const struct store_device *device, uint64_t index,
    struct signet_one_time *one_time_out)
{
    sqlite3_stmt *query = db_query(&work->db, DB_BUNDLE_KEYS);
    enum signet_err err;

    db_bind_key(&work->db, query, 1, device->key);
    if (!db_row(&work->db, query))
        return false;
    err = signet_one_time_prove(work->library, db_bytes(query, 0), (uint32_t)index, one_time_out);
    db_done(query);
    return err == SIGNET_OK;
}

static void count_take(struct store_work *work, const struct store_device *device,
    const struct signet_id *requester, const struct batch *batch, uint64_t now_ms)
{
    sqlite3_stmt *query = db_query(&work->db, DB_BATCH_TAKE);

    db_bind_key(&work->db, query, 1, device->key);
    db_bind_uint(&work->db, query, 2, batch->taken);
    db_bind_uint(&work->db, query, 3, batch->refilled_ms);
    db_bind_uint(&work->db, query, 4, batch->next);
    (void)db_run(&work->db, query);
    query = db_query(&work->db, DB_TAKE_PUT);
    db_bind_key(&work->db, query, 1, device->key);
    db_bind_id(&work->db, query, 2, requester);
    db_bind_uint(&work->db, query, 3, now_ms);
    (void)db_run(&work->db, query);
}

static void take_one_time(struct store_work *work, const struct store_device *device,
    struct store_op *op, uint64_t now_ms)
{
    struct batch batch;

    if (!read_batch(work, device, &batch) || batch.next >= batch.count)
        return;
    if (now_ms > batch.expires_ms && now_ms - batch.expires_ms > SIGNET_CLOCK_TOLERANCE_MS)
        return; /* nobody starts a session with it any more */
    refill(&work->limits, &batch, now_ms);
    if (batch.taken >= work->limits.take_burst || took_lately(work, device, &op->address, now_ms))
        return;
    /* Without one, where it cannot be proved, there is still a bundle. */
    if (!prove(work, device, batch.next, &op->one_time))
        return;
    batch.next++;
    batch.taken++;
    count_take(work, device, &op->address, &batch, now_ms);
    op->has_one_time = true;
}

void work_bundle_take(struct store_work *work, struct store_op *op, uint64_t now_ms)
{
    const struct store_device *device = work_device(work, &op->device);
    uint64_t left;

    op->answer = STORE_GONE;
    if (device == NULL || !work_bundle(work, device, &op->bundle, &left))
        return;
    op->answer = STORE_OK;
    if (left > 0)
        take_one_time(work, device, op, now_ms);
}
