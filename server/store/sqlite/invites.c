/* Invitations of the SQLite store; of a token only its SHA-256 is kept. */
#include "server/store/sqlite/sqlite_internal.h"

#include <string.h>

#include "crypto/hash.h"

/* Kept back for whoever runs the relay. */
static const char operator_name[] = "operator";

/* False after a failure. */
static bool hash_token(
    struct store_work *work, const struct store_op *op, struct signet_id *hash_out)
{
    signet_span token = signet_span_of(op->token, sizeof(op->token));

    if (crypto_sha256_one(work->library, token, hash_out) == SIGNET_OK)
        return true;
    db_fail(&work->db, SQLITE_NOMEM);
    return false;
}

static bool find(
    struct store_work *work, const struct store_op *op, uint64_t now_ms, bool *for_operator_out)
{
    sqlite3_stmt *query = db_query(&work->db, DB_INVITE_GET);
    struct signet_id hash;
    uint64_t expires_ms;
    bool is_good;

    if (!op->has_token || !hash_token(work, op, &hash))
        return false;
    db_bind_id(&work->db, query, 1, &hash);
    if (!db_row(&work->db, query))
        return false;
    expires_ms = db_uint(query, 1);
    is_good = db_key(query, 0) > 0 && (expires_ms == 0 || now_ms < expires_ms);
    *for_operator_out = db_uint(query, 2) != 0;
    db_done(query);
    return is_good;
}

enum store_answer work_invite_check(
    struct store_work *work, const struct store_op *op, uint64_t now_ms)
{
    bool is_operator = strcmp(op->name, operator_name) == 0;
    bool is_unnamed = op->name[0] == '\0';
    bool for_operator = false;
    bool is_good = find(work, op, now_ms, &for_operator);

    if (is_good && for_operator)
        return is_operator || is_unnamed ? STORE_OK : STORE_NAME;
    if (is_operator)
        return is_good ? STORE_NAME : STORE_INVITATION;
    if (work->limits.closed_registration)
        return STORE_CLOSED;
    return is_good || work->limits.open_registration ? STORE_OK : STORE_INVITATION;
}

void work_invite_use(struct store_work *work, const struct store_op *op)
{
    struct signet_id hash;
    sqlite3_stmt *query;

    if (!op->has_token || !hash_token(work, op, &hash))
        return;
    query = db_query(&work->db, DB_INVITE_USE);
    db_bind_id(&work->db, query, 1, &hash);
    (void)db_run(&work->db, query);
    query = db_query(&work->db, DB_INVITE_DELETE);
    db_bind_id(&work->db, query, 1, &hash);
    (void)db_run(&work->db, query);
}

void work_invite_add(struct store_work *work, struct store_op *op)
{
    sqlite3_stmt *query = db_query(&work->db, DB_INVITE_ADD);
    struct signet_id hash;

    if (!hash_token(work, op, &hash))
        return;
    db_bind_id(&work->db, query, 1, &hash);
    db_bind_uint(&work->db, query, 2, op->uses);
    db_bind_uint(&work->db, query, 3, op->expires_ms);
    db_bind_uint(&work->db, query, 4, op->for_operator ? 1 : 0);
    (void)db_run(&work->db, query);
    op->answer = STORE_OK;
}
