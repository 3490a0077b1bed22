/* One transaction of the SQLite store: many groups, one flush (in the order of store_sqlite.h). */
#include "server/store/sqlite/batch.h"

#include <stdlib.h>
#include <string.h>

/* Drop what an earlier try has answered; what was asked stays. */
static void forget_answer(struct store_op *op)
{
    op->answer = STORE_PENDING;
    op->retry_after_ms = 0;
    for (size_t i = 0; i < op->message_count; i++)
        signet_buf_free(&op->messages[i].envelope);
    free(op->messages);
    op->messages = NULL;
    op->message_count = 0;
    free(op->removed);
    op->removed = NULL;
    op->removed_count = 0;
    op->more = op->has_one_time = op->replaced = op->is_damaged = false;
    op->damaged_from = op->damaged_to = 0;
    op->one_time_left = 0;
    if (op->type == STORE_FIND)
        signet_buf_free(&op->card);
    if (op->type == STORE_CLAIM || op->type == STORE_BUNDLE_TAKE)
        signet_buf_free(&op->bundle);
}

static void carry_out(struct store_work *work, struct store_op *op, const struct store_group *group)
{
    uint64_t now_ms = group->now_ms;

    switch (op->type) {
    case STORE_PUT: work_put(work, op, now_ms); break;
    case STORE_ACK: work_ack(work, op); break;
    case STORE_FETCH: work_fetch(work, op, group->expired_ms); break;
    case STORE_CLAIM: work_claim(work, op); break;
    case STORE_RELEASE: op->answer = STORE_OK; break;
    case STORE_INVITE_CHECK: op->answer = work_invite_check(work, op, now_ms); break;
    case STORE_INVITE_ADD: work_invite_add(work, op); break;
    case STORE_REGISTER: work_register(work, op, now_ms); break;
    case STORE_FIND: work_find(work, op); break;
    case STORE_CARD_PUT: work_card_put(work, op); break;
    case STORE_BUNDLE_PUT: work_bundle_put(work, op); break;
    case STORE_BUNDLE_TAKE: work_bundle_take(work, op, now_ms); break;
    case STORE_EXPIRE: work_expire(work, op, group); break;
    }
}

/* What an operation needs of the disk. Rising: where one more is asked for, less works. */
enum need { NEED_NOTHING, NEED_REMOVE, NEED_MOVE, NEED_ROOM };

static enum need need_of(const struct store_op *op)
{
    switch (op->type) {
    case STORE_FETCH:
    case STORE_CLAIM:
    case STORE_RELEASE:
    case STORE_INVITE_CHECK:
    case STORE_FIND: return NEED_NOTHING;
    case STORE_ACK: return NEED_REMOVE;
    case STORE_EXPIRE: return NEED_MOVE;
    default: return NEED_ROOM;
    }
}

/* What is fetched is read last: the group's messages are delivered before it is answered, and
 * whoever is fetching ignores deliveries until then. */
static void carry_out_group(struct store_work *work, struct store_group *group, enum need most)
{
    for (int fetching = 0; fetching < 2; fetching++) {
        for (struct store_op *op = group->first; op != NULL; op = op->next) {
            if ((op->type == STORE_FETCH) != (fetching == 1) || op->is_apart || need_of(op) > most)
                continue;
            if (work->db.failed != SQLITE_OK)
                return;
            carry_out(work, op, group);
            op->is_apart = db_is_damaged(&work->db);
        }
    }
}

static void forget_answers(struct store_group *groups)
{
    for (struct store_group *group = groups; group != NULL; group = group->next)
        for (struct store_op *op = group->first; op != NULL; op = op->next)
            forget_answer(op);
}

/* All that is not apart, and needs no more than that. */
static enum store_result run_together(
    struct store_work *work, struct store_group *groups, enum need most)
{
    enum db_end end;

    forget_answers(groups);
    db_begin(&work->db);
    for (struct store_group *group = groups; group != NULL; group = group->next)
        carry_out_group(work, group, most);
    end = db_commit(&work->db);
    if (end == DB_COMMITTED) {
        devices_commit(&work->devices);
        return STORE_DONE;
    }
    devices_rollback(&work->devices);
    forget_answers(groups);
    return end == DB_IN_DOUBT ? STORE_UNKNOWN : STORE_DOWN;
}

/* It needs a page that is damaged. After the others, so that a fetch still is what comes last. */
static void run_apart(struct store_work *work, struct store_op *op, const struct store_group *group)
{
    work->is_careful = true;
    db_begin(&work->db);
    carry_out(work, op, group);
    work->is_careful = false;
    if (op->is_damaged && work->db.failed == SQLITE_OK && op->type != STORE_EXPIRE) {
        db_rollback(&work->db);
        devices_commit(&work->devices); /* it has only read: what is in memory now is true */
    } else if (op->is_damaged && work->db.failed == SQLITE_OK) {
        db_rollback(&work->db);
        devices_rollback(&work->devices);
    } else if (db_commit(&work->db) == DB_COMMITTED) {
        devices_commit(&work->devices);
    } else {
        devices_rollback(&work->devices);
        forget_answer(op);
        op->is_damaged = db_is_damaged(&work->db);
    }
}

static size_t count_apart(const struct store_group *groups)
{
    size_t count = 0;

    for (const struct store_group *group = groups; group != NULL; group = group->next)
        for (const struct store_op *op = group->first; op != NULL; op = op->next)
            count += op->is_apart;
    return count;
}

static bool has_need(const struct store_group *groups, enum need need)
{
    for (const struct store_group *group = groups; group != NULL; group = group->next)
        for (const struct store_op *op = group->first; op != NULL; op = op->next)
            if (need_of(op) == need)
                return true;
    return false;
}

/* The disk does not take all of it: without what it may not take. A full disk must not keep anybody
 * from logging in and reading, nor keep what is read from making room. */
static enum store_result run_less(struct store_work *work, struct store_group *groups)
{
    enum store_result result = STORE_DOWN;
    char why[DB_ERROR_SIZE];

    memcpy(why, work->db.error, sizeof(why)); /* is told, whatever works without it */
    for (enum need need = NEED_ROOM; need > NEED_NOTHING && result == STORE_DOWN; need--)
        if (has_need(groups, need))
            result = run_together(work, groups, need - 1);
    if (result == STORE_UNKNOWN)
        return STORE_UNKNOWN;
    memcpy(work->db.error, why, sizeof(why));
    return STORE_DOWN;
}

enum store_result batch_run(struct store_work *work, struct store_group *groups)
{
    enum store_result result = run_together(work, groups, NEED_ROOM);
    size_t apart = 0;
    bool is_less = false;

    /* Each time one more operation has met damage, and is left out of the next try. */
    while (result == STORE_DOWN && db_is_damaged(&work->db) && count_apart(groups) > apart) {
        apart = count_apart(groups);
        result = run_together(work, groups, NEED_ROOM);
    }
    if (result == STORE_DOWN && !db_is_damaged(&work->db)) {
        is_less = true; /* which may meet damage, too */
        result = run_less(work, groups);
    }
    for (struct store_group *group = groups; (apart > 0 || is_less) && group != NULL;
         group = group->next) {
        for (struct store_op *op = group->first; op != NULL; op = op->next) {
            if (op->is_apart && result == STORE_DONE)
                run_apart(work, op, group);
            op->is_apart = false; /* the group may be submitted again */
        }
    }
    return result;
}

static void deliver(
    struct store_work *work, struct store_op *op, const struct store_sink sinks[STORE_WORKERS_MAX])
{
    struct store_message message = {.id = op->message_id, .envelope = op->envelope};
    struct store_route route;
    const struct store_sink *sink;

    if (!work_route(work, &op->device, &route))
        return;
    op->envelope = (struct signet_buf){0};
    sink = &sinks[route.worker];
    sink->deliver(sink->ctx, route.connection, message);
}

/* What an operation does once the transaction has ended. */
static void finish(struct store_work *work, struct store_op *op, enum store_result result,
    const struct store_sink sinks[STORE_WORKERS_MAX])
{
    /* A connection that has ended has ended, whatever the disk does. */
    if (op->type == STORE_RELEASE)
        work_route_clear(work, op);
    if (result == STORE_UNKNOWN || op->answer != STORE_OK)
        return;
    if (op->type == STORE_CLAIM)
        work_route_set(work, op);
    else if (op->type == STORE_PUT)
        deliver(work, op, sinks);
}

void batch_answer(struct store_work *work, struct store_group *groups, enum store_result result,
    const struct store_sink sinks[STORE_WORKERS_MAX])
{
    while (groups != NULL) {
        struct store_group *group = groups;
        const struct store_sink *sink = &sinks[group->worker];

        groups = group->next;
        group->next = NULL;
        group->result = result;
        for (struct store_op *op = group->first; op != NULL; op = op->next)
            finish(work, op, result, sinks);
        sink->answered(sink->ctx, group);
    }
    for (size_t i = 0; i < STORE_WORKERS_MAX; i++)
        if (sinks[i].hand_over != NULL)
            sinks[i].hand_over(sinks[i].ctx);
}
