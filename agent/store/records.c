/* The client's records on disk: reading and committing them. */
#include "agent/store/store_internal.h"

#include <string.h>

/* ---- statements ---- */

/* Bind kind, name and number as parameters 1 to 3. */
static enum signet_err bind_place(
    struct store *store, sqlite3_stmt *statement, const struct store_place *place)
{
    int answer = sqlite3_bind_int64(statement, 1, (sqlite3_int64)place->kind);

    if (answer == SQLITE_OK)
        answer = sqlite3_bind_blob(
            statement, 2, place->name, (int)sizeof(place->name), SQLITE_TRANSIENT);
    if (answer == SQLITE_OK)
        answer = sqlite3_bind_int64(statement, 3, (sqlite3_int64)place->number);
    return store_sql_failed(&store->sql, answer);
}

/* Run a statement that gives no row. */
static enum signet_err run_once(struct store *store, sqlite3_stmt *statement)
{
    enum signet_err err = store_sql_failed(&store->sql, sqlite3_step(statement));

    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return err;
}

enum signet_err store_prepare(struct store *store)
{
    enum signet_err err;

    err = store_sql_prepare(&store->sql,
        "SELECT value FROM record WHERE kind = ?1 AND name = ?2 AND number = ?3", &store->get);
    if (err != SIGNET_OK)
        return err;
    err = store_sql_prepare(&store->sql,
        "INSERT OR REPLACE INTO record (kind, name, number, value) VALUES (?1, ?2, ?3, ?4)",
        &store->put);
    if (err != SIGNET_OK)
        return err;
    return store_sql_prepare(&store->sql,
        "DELETE FROM record WHERE kind = ?1 AND name = ?2 AND number = ?3", &store->delete);
}

/* ---- reading ---- */

static enum signet_err get(void *ctx, const struct record_key *key, struct signet_buf *out)
{
    struct store *store = ctx;
    struct store_place place;
    enum signet_err err;
    int answer;

    if (key->number > INT64_MAX)
        return SIGNET_ERR_UNKNOWN;
    if ((err = store_seal_place(&store->seal, key, &place)) != SIGNET_OK)
        return store_sql_say(&store->sql, err, signet_err_text(err));
    if ((err = bind_place(store, store->get, &place)) != SIGNET_OK)
        return err;
    answer = sqlite3_step(store->get);
    if (answer == SQLITE_ROW)
        err = store_open_value(&store->seal, &place, store_sql_column(store->get, 0), out);
    else if (answer == SQLITE_DONE)
        err = SIGNET_ERR_UNKNOWN;
    else
        err = store_sql_failed(&store->sql, answer);
    if (err == SIGNET_ERR_AUTH)
        (void)store_sql_say(&store->sql, err, "a record of the store is damaged");
    (void)sqlite3_reset(store->get);
    return err;
}

/* Open the statement's row and show it to the visitor. */
static enum signet_err visit_row(struct store *store, sqlite3_stmt *row, enum record_kind kind,
    record_visitor visit, void *visit_ctx)
{
    struct store_place place = {
        .kind = (uint64_t)kind, .number = (uint64_t)sqlite3_column_int64(row, 0)};
    signet_span name = store_sql_column(row, 1);
    struct signet_buf value = {0};
    enum signet_err err = SIGNET_ERR_AUTH;

    if (name.len == sizeof(place.name)) {
        memcpy(place.name, name.ptr, sizeof(place.name));
        err = store_open_value(&store->seal, &place, store_sql_column(row, 2), &value);
    }
    if (err == SIGNET_OK || err == SIGNET_ERR_AUTH)
        err = visit(visit_ctx, place.number, signet_buf_span(&value));
    else
        (void)store_sql_say(&store->sql, err, signet_err_text(err));
    signet_buf_free(&value);
    return err;
}

static enum signet_err scan(
    void *ctx, const struct record_key *key, record_visitor visit, void *visit_ctx)
{
    static const char of_name[] = "SELECT number, name, value FROM record"
                                  " WHERE kind = ?1 AND name = ?2 AND number > ?3 ORDER BY number";
    static const char of_all[] = "SELECT number, name, value FROM record WHERE kind = ?1";
    struct store *store = ctx;
    sqlite3_stmt *row = NULL;
    struct store_place place;
    enum signet_err err;
    int answer;

    if (key->name.ptr != NULL && key->number > INT64_MAX)
        return SIGNET_OK;
    if ((err = store_seal_place(&store->seal, key, &place)) != SIGNET_OK)
        return store_sql_say(&store->sql, err, signet_err_text(err));
    err = store_sql_prepare(&store->sql, key->name.ptr == NULL ? of_all : of_name, &row);
    if (err != SIGNET_OK)
        return err;
    if (key->name.ptr != NULL)
        err = bind_place(store, row, &place);
    else
        err = store_sql_failed(&store->sql, sqlite3_bind_int64(row, 1, (sqlite3_int64)place.kind));
    while (err == SIGNET_OK && (answer = sqlite3_step(row)) != SQLITE_DONE) {
        if (answer == SQLITE_ROW)
            err = visit_row(store, row, key->kind, visit, visit_ctx);
        else
            err = store_sql_failed(&store->sql, answer);
    }
    (void)sqlite3_finalize(row);
    return err;
}

struct record_source store_source(struct store *store)
{
    return (struct record_source){.ctx = store, .get = get, .scan = scan};
}

/* ---- committing ---- */

static enum signet_err apply(struct store *store, const struct record_change *change)
{
    struct record_key key = {
        change->kind, signet_span_of(change->name, change->name_len), change->number};
    struct signet_buf sealed = {0};
    struct store_place place;
    enum signet_err err;

    if (change->number > INT64_MAX)
        return store_sql_say(&store->sql, SIGNET_ERR_ARGUMENT, "a record's number is too large");
    if ((err = store_seal_place(&store->seal, &key, &place)) != SIGNET_OK)
        return store_sql_say(&store->sql, err, signet_err_text(err));
    if (change->is_delete) {
        err = bind_place(store, store->delete, &place);
        return err == SIGNET_OK ? run_once(store, store->delete) : err;
    }
    err = store_seal_value(&store->seal, &place, signet_buf_span(&change->value), &sealed);
    if (err != SIGNET_OK) {
        (void)store_sql_say(&store->sql, err, signet_err_text(err));
        goto out;
    }
    if ((err = bind_place(store, store->put, &place)) != SIGNET_OK)
        goto out;
    err = store_sql_failed(
        &store->sql, sqlite3_bind_blob(store->put, 4, sealed.ptr, (int)sealed.len, SQLITE_STATIC));
    if (err == SIGNET_OK)
        err = run_once(store, store->put);
out:
    signet_buf_free(&sealed);
    return err;
}

void store_forget(struct store *store)
{
    sqlite3 *db = store->sql.db;

    if (sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK)
        store->commits = 0;
}

enum signet_err store_commit(struct store *store, const struct record_batch *batch)
{
    enum signet_err err;

    if (batch->first == NULL)
        return SIGNET_OK;
    if ((err = store_sql_run(&store->sql, "BEGIN IMMEDIATE")) != SIGNET_OK)
        return err;
    for (const struct record_change *c = batch->first; c != NULL && err == SIGNET_OK; c = c->next)
        err = apply(store, c);
    if (err == SIGNET_OK)
        err = store_sql_run(&store->sql, "COMMIT");
    /* Some failures have rolled back already. The first cause is the one to tell. */
    if (err != SIGNET_OK && sqlite3_get_autocommit(store->sql.db) == 0)
        (void)sqlite3_exec(store->sql.db, "ROLLBACK", NULL, NULL, NULL);
    if (err == SIGNET_OK && ++store->commits >= STORE_FORGET_COMMITS)
        store_forget(store); /* whether it can or not, the commit holds */
    return err;
}
