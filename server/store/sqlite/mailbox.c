/* Mailboxes of the SQLite store: messages come, are read, and go. */
#include "server/store/sqlite/sqlite_internal.h"

#include <stdlib.h>

/* A message id that two devices would share: the sender tries again and gets another one. */
enum { COLLISION_RETRY_MS = 1000 };

/* ---- put ---- */

static bool is_cold(struct store_work *work, const struct store_device *device, uint64_t message_id)
{
    sqlite3_stmt *query;
    bool found;

    if (device->cold.count == 0 || message_id > device->cold.last)
        return false;
    query = db_query(&work->db, DB_COLD_SIZE);
    db_bind_key(&work->db, query, 1, device->key);
    db_bind_uint(&work->db, query, 2, message_id);
    found = db_row(&work->db, query);
    db_done(query);
    return found;
}

static bool has_room(
    const struct store_work *work, const struct store_device *device, size_t envelope_len)
{
    return device->count + device->cold.count < work->limits.mailbox_messages &&
           device->bytes + device->cold.bytes + envelope_len <= work->limits.mailbox_bytes;
}

void work_put(struct store_work *work, struct store_op *op, uint64_t now_ms)
{
    struct store_device *device = work_device(work, &op->device);
    struct store_waiting message = {op->message_id, (uint32_t)op->envelope.len};
    sqlite3_stmt *query;
    size_t index;

    op->answer = STORE_OK;
    if (device == NULL) {
        op->answer = STORE_GONE;
        return;
    }
    if (device_has(device, op->message_id, &index) || is_cold(work, device, op->message_id))
        return; /* submitted again */
    if (!has_room(work, device, op->envelope.len)) {
        op->answer = STORE_FULL;
        return;
    }
    query = db_query(&work->db, DB_HOT_PUT);
    db_bind_uint(&work->db, query, 1, op->message_id);
    db_bind_key(&work->db, query, 2, device->key);
    db_bind_uint(&work->db, query, 3, now_ms);
    db_bind_uint(&work->db, query, 4, op->expires_ms);
    db_bind_bytes(&work->db, query, 5, signet_buf_span(&op->envelope));
    if (db_run(&work->db, query) == 0) {
        op->answer = STORE_OFTEN;
        op->retry_after_ms = COLLISION_RETRY_MS;
    } else if (!devices_put(&work->devices, device, &message)) {
        db_fail(&work->db, SQLITE_NOMEM);
    }
}

/* ---- removal ---- */

void work_hot_delete(struct store_work *work, struct store_device *device, size_t index)
{
    sqlite3_stmt *query = db_query(&work->db, DB_HOT_DELETE);

    db_bind_uint(&work->db, query, 1, device_at(device, index)->id);
    (void)db_run(&work->db, query);
    if (!devices_remove(&work->devices, device, index))
        db_fail(&work->db, SQLITE_NOMEM);
}

/* On the disk and in memory. */
static void set_cold(
    struct store_work *work, struct store_device *device, const struct store_cold *cold)
{
    sqlite3_stmt *query = db_query(&work->db, DB_DEVICE_COLD);

    db_bind_key(&work->db, query, 1, device->key);
    db_bind_uint(&work->db, query, 2, cold->count);
    db_bind_uint(&work->db, query, 3, cold->bytes);
    db_bind_uint(&work->db, query, 4, cold->last);
    (void)db_run(&work->db, query);
    if (!devices_set_cold(&work->devices, device, cold))
        db_fail(&work->db, SQLITE_NOMEM);
}

void work_cold_delete(struct store_work *work, struct store_device *device, uint64_t message_id)
{
    struct store_cold cold = device->cold;
    sqlite3_stmt *query = db_query(&work->db, DB_COLD_SIZE);
    uint64_t size;

    db_bind_key(&work->db, query, 1, device->key);
    db_bind_uint(&work->db, query, 2, message_id);
    if (!db_row(&work->db, query))
        return;
    size = db_uint(query, 0);
    db_done(query);
    query = db_query(&work->db, DB_COLD_DELETE);
    db_bind_key(&work->db, query, 1, device->key);
    db_bind_uint(&work->db, query, 2, message_id);
    (void)db_run(&work->db, query);
    cold.count -= cold.count > 0;
    cold.bytes -= cold.bytes < size ? cold.bytes : size;
    set_cold(work, device, &cold);
}

void work_cold_move(struct store_work *work, struct store_device *device, size_t index)
{
    struct store_waiting message = *device_at(device, index);
    struct store_cold cold = device->cold;
    sqlite3_stmt *query = db_query(&work->db, DB_COLD_MOVE);

    db_bind_uint(&work->db, query, 1, message.id);
    if (db_run(&work->db, query) == 1) {
        cold.count++;
        cold.bytes += message.size;
        if (message.id > cold.last)
            cold.last = message.id;
        set_cold(work, device, &cold);
    }
    work_hot_delete(work, device, index);
}

void work_ack(struct store_work *work, struct store_op *op)
{
    struct store_device *device = work_device(work, &op->device);
    size_t index;

    op->answer = STORE_OK;
    for (size_t i = 0; i < op->ack_count && device != NULL; i++) {
        if (device_has(device, op->ack_ids[i], &index))
            work_hot_delete(work, device, index);
        else if (device->cold.count > 0 && op->ack_ids[i] <= device->cold.last)
            work_cold_delete(work, device, op->ack_ids[i]);
    }
}

/* ---- fetch ---- */

struct fetch {
    struct store_work *work;
    struct store_op *op;
    size_t bytes, capacity;
};

/* Whether another message may come along: at least one always does. */
static bool fetch_has_room(const struct fetch *fetch, size_t envelope_len)
{
    const struct store_op *op = fetch->op;

    return op->message_count < op->max_count &&
           (op->message_count == 0 || fetch->bytes + envelope_len <= op->max_bytes);
}

static bool fetch_add(struct fetch *fetch, uint64_t message_id, signet_span envelope)
{
    struct store_op *op = fetch->op;
    struct store_message message = {.id = message_id};

    if (op->message_count == fetch->capacity) {
        size_t capacity = fetch->capacity > 0 ? fetch->capacity * 2 : 16;
        struct store_message *larger = realloc(op->messages, capacity * sizeof(*larger));

        if (larger == NULL)
            return false;
        op->messages = larger;
        fetch->capacity = capacity;
    }
    if (signet_buf_append(&message.envelope, envelope) != SIGNET_OK)
        return false;
    op->messages[op->message_count++] = message;
    fetch->bytes += envelope.len;
    return true;
}

/* Add, or note that there is more. */
static void fetch_row(struct fetch *fetch, uint64_t message_id, signet_span envelope)
{
    if (!fetch_has_room(fetch, envelope.len))
        fetch->op->more = true;
    else if (!fetch_add(fetch, message_id, envelope))
        db_fail(&fetch->work->db, SQLITE_NOMEM);
}

static void fetch_cold(struct fetch *fetch, const struct store_device *device, uint64_t expired_ms)
{
    struct db *db = &fetch->work->db;
    sqlite3_stmt *query;
    uint64_t from = 0;

    if (device->cold.count == 0)
        return;
    do {
        query = db_query(db, DB_COLD_GET);
        db_bind_uint(db, query, 1, from);
        db_bind_key(db, query, 2, device->key);
        while (!fetch->op->more && db_row(db, query)) {
            from = db_uint(query, 0) + 1;
            if (db_uint(query, 1) > expired_ms)
                fetch_row(fetch, from - 1, db_bytes(query, 2));
        }
        db_done(query);
    } while (work_skip(fetch->work, fetch->op, DB_COLD_GET, device->key, &from));
}

static void fetch_hot(struct fetch *fetch, const struct store_device *device, uint64_t expired_ms)
{
    struct db *db = &fetch->work->db;

    for (size_t i = 0; i < device->count && !fetch->op->more; i++) {
        const struct store_waiting *message = device_at(device, i);
        sqlite3_stmt *query;

        if (!fetch_has_room(fetch, message->size)) {
            fetch->op->more = true;
            return;
        }
        query = db_query(db, DB_HOT_GET);
        db_bind_uint(db, query, 1, message->id);
        if (db_row(db, query) && db_uint(query, 0) > expired_ms)
            fetch_row(fetch, message->id, db_bytes(query, 1));
        db_done(query);
        /* What cannot be read must not hold up what is behind it. */
        if (work_forgive(fetch->work, fetch->op))
            work_note_damage(fetch->op, message->id, message->id);
    }
}

void work_fetch(struct store_work *work, struct store_op *op, uint64_t expired_ms)
{
    const struct store_device *device = work_device(work, &op->device);
    struct fetch fetch = {.work = work, .op = op};

    if (device == NULL) {
        op->answer = STORE_GONE;
        return;
    }
    op->answer = STORE_OK;
    fetch_cold(&fetch, device, expired_ms); /* what is cold is older */
    fetch_hot(&fetch, device, expired_ms);
}
