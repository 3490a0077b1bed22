/* The client's records on disk: making, opening and checking the file. */
#include "agent/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/store/store_internal.h"
#include "crypto/secret.h"

enum { APPLICATION_ID = 0x7369676e, SCHEMA_VERSION = 1 }; /* "sign" */

/* In the meta table, by id. */
enum meta { META_DATABASE = 1, META_CHECK = 2 };

static const struct store_place check_place = {.kind = 0};
static const char check_value[] = "signet store";

static enum signet_err meta_get(struct store *store, enum meta id, struct signet_buf *out)
{
    sqlite3_stmt *statement = NULL;
    enum signet_err err;
    int answer;

    err = store_sql_prepare(&store->sql, "SELECT value FROM meta WHERE id = ?1", &statement);
    if (err != SIGNET_OK)
        return err;
    answer = sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    if (answer == SQLITE_OK)
        answer = sqlite3_step(statement);
    if (answer == SQLITE_ROW)
        err = signet_buf_append(out, store_sql_column(statement, 0));
    else if (answer == SQLITE_DONE)
        err = store_sql_say_damaged(&store->sql, SIGNET_ERR_FORMAT, "the store is damaged");
    else
        err = store_sql_failed(&store->sql, answer);
    (void)sqlite3_finalize(statement);
    return err;
}

static enum signet_err meta_put(struct store *store, enum meta id, signet_span value)
{
    sqlite3_stmt *statement = NULL;
    enum signet_err err;
    int answer;

    err =
        store_sql_prepare(&store->sql, "INSERT INTO meta (id, value) VALUES (?1, ?2)", &statement);
    if (err != SIGNET_OK)
        return err;
    answer = sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    if (answer == SQLITE_OK)
        answer = sqlite3_bind_blob(statement, 2, value.ptr, (int)value.len, SQLITE_TRANSIENT);
    if (answer == SQLITE_OK)
        answer = sqlite3_step(statement);
    err = store_sql_failed(&store->sql, answer);
    (void)sqlite3_finalize(statement);
    return err;
}

static enum signet_err use_wal(struct store *store)
{
    sqlite3_stmt *statement = NULL;
    enum signet_err err;
    int answer;

    err = store_sql_prepare(&store->sql, "PRAGMA journal_mode = WAL", &statement);
    if (err != SIGNET_OK)
        return err;
    answer = sqlite3_step(statement);
    if (answer != SQLITE_ROW)
        err = store_sql_failed(&store->sql, answer);
    else if (!signet_span_equal(store_sql_column(statement, 0), signet_span_str("wal")))
        err = store_sql_say(&store->sql, SIGNET_ERR_IO, "the file system cannot hold the store");
    (void)sqlite3_finalize(statement);
    return err;
}

/* Tables, a fresh id, and what tells at opening whether the key is the right one. */
static enum signet_err fill(
    struct store *store, struct signet_library *library, const struct store_key *key)
{
    uint8_t id[STORE_DATABASE_ID_LEN];
    signet_span database = signet_span_of(id, sizeof(id));
    struct signet_buf check = {0};
    char versions[80];
    enum signet_err err;

    (void)snprintf(versions, sizeof(versions),
        "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, SCHEMA_VERSION);
    if ((err = crypto_random_public(library, id, sizeof(id))) != SIGNET_OK)
        return err;
    if ((err = store_seal_init(&store->seal, library, key, database)) != SIGNET_OK)
        return err;
    err = store_seal_value(&store->seal, &check_place, signet_span_str(check_value), &check);
    if (err != SIGNET_OK)
        goto out;
    err = store_sql_run(&store->sql,
        "CREATE TABLE meta (id INTEGER PRIMARY KEY, value BLOB NOT NULL);"
        "CREATE TABLE record (kind INTEGER NOT NULL, name BLOB NOT NULL, number INTEGER NOT NULL,"
        " value BLOB NOT NULL, PRIMARY KEY (kind, name, number)) WITHOUT ROWID");
    if (err != SIGNET_OK)
        goto out;
    if ((err = meta_put(store, META_DATABASE, database)) != SIGNET_OK)
        goto out;
    if ((err = meta_put(store, META_CHECK, signet_buf_span(&check))) != SIGNET_OK)
        goto out;
    err = store_sql_run(&store->sql, versions);
out:
    signet_buf_free(&check);
    return err;
}

/* Run the steps of `fill` as one transaction: a crash leaves no half-made store. */
static enum signet_err fill_at_once(
    struct store *store, struct signet_library *library, const struct store_key *key)
{
    enum signet_err err;

    if ((err = use_wal(store)) != SIGNET_OK)
        return err;
    if ((err = store_sql_run(&store->sql, "BEGIN IMMEDIATE")) != SIGNET_OK)
        return err;
    if ((err = fill(store, library, key)) != SIGNET_OK)
        return err;
    return store_sql_run(&store->sql, "COMMIT");
}

static enum signet_err check_format(struct store_sql *sql)
{
    int64_t id = 0, version = 0, tables = 0;
    enum signet_err err;

    if ((err = store_sql_number(sql, "PRAGMA application_id", &id)) != SIGNET_OK)
        return err;
    if ((err = store_sql_number(sql, "PRAGMA user_version", &version)) != SIGNET_OK)
        return err;
    if ((err = store_sql_number(sql, "SELECT count(*) FROM sqlite_schema", &tables)) != SIGNET_OK)
        return err;
    if (id == 0 && version == 0 && tables == 0)
        return store_sql_say_damaged(sql, SIGNET_ERR_FORMAT, "the store is damaged: it is empty");
    if (id != APPLICATION_ID)
        return store_sql_say_damaged(sql, SIGNET_ERR_FORMAT, "not a signet store");
    if (version > SCHEMA_VERSION)
        return store_sql_say(
            sql, SIGNET_ERR_FORMAT, "the store was written by a newer version of signet");
    if (version != SCHEMA_VERSION)
        return store_sql_say_damaged(sql, SIGNET_ERR_FORMAT, "the store is damaged");
    return SIGNET_OK;
}

static enum signet_err check_key(
    struct store *store, struct signet_library *library, const struct store_key *key)
{
    struct signet_buf database = {0}, check = {0}, opened = {0};
    enum signet_err err;

    if ((err = meta_get(store, META_DATABASE, &database)) != SIGNET_OK)
        goto out;
    if ((err = meta_get(store, META_CHECK, &check)) != SIGNET_OK)
        goto out;
    err = store_seal_init(&store->seal, library, key, signet_buf_span(&database));
    if (err == SIGNET_OK)
        err = store_open_value(&store->seal, &check_place, signet_buf_span(&check), &opened);
    if (err == SIGNET_ERR_AUTH)
        (void)store_sql_say_damaged(
            &store->sql, err, "the key does not belong to the store, or the store is damaged");
    else if (err != SIGNET_OK)
        (void)store_sql_say(&store->sql, err, signet_err_text(err));
out:
    signet_buf_free(&database);
    signet_buf_free(&check);
    signet_buf_free(&opened);
    return err;
}

static struct store *store_new(void)
{
    return crypto_secret_alloc(sizeof(struct store));
}

/* An empty file for SQLite to fill, which nobody else may read; its log is made alike. */
static enum signet_err make_file(struct store *store, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return store_sql_say(&store->sql, SIGNET_ERR_IO, strerror(errno));
    (void)close(fd);
    return SIGNET_OK;
}

/* Make, fill and close the file under its temporary name, and give it its own. */
static enum signet_err make_store(struct store *store, const char *path,
    struct signet_library *library, const struct store_key *key)
{
    char *fresh = NULL;
    enum signet_err err;

    if (asprintf(&fresh, "%s" STORE_NEW, path) < 0)
        return store_sql_say(&store->sql, SIGNET_ERR_NOMEM, "out of memory");
    if ((err = make_file(store, fresh)) != SIGNET_OK)
        goto out;
    if ((err = store_sql_open(&store->sql, fresh)) == SIGNET_OK)
        err = fill_at_once(store, library, key);
    store_sql_close(&store->sql);
    if (err == SIGNET_OK && renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
        err = store_sql_say(&store->sql, SIGNET_ERR_IO, strerror(errno));
    if (err != SIGNET_OK)
        (void)unlink(fresh);
out:
    free(fresh);
    return err;
}

static enum signet_err open_file(struct store *store, const char *path)
{
    enum signet_err err = store_sql_open(&store->sql, path);

    return err == SIGNET_OK ? check_format(&store->sql) : err;
}

enum signet_err store_create(const char *path, struct signet_library *library,
    const struct store_key *key, struct store **store_out)
{
    struct store *store = store_new();
    enum signet_err err;

    *store_out = store;
    if (store == NULL)
        return SIGNET_ERR_NOMEM;
    if ((err = make_store(store, path, library, key)) != SIGNET_OK)
        return err;
    if ((err = open_file(store, path)) != SIGNET_OK)
        return err;
    return store_unlock(store, library, key);
}

enum signet_err store_open(const char *path, struct store **store_out)
{
    *store_out = store_new();
    return *store_out == NULL ? SIGNET_ERR_NOMEM : open_file(*store_out, path);
}

enum signet_err store_holds(struct store *store, enum record_kind kind, bool *holds_out)
{
    char statement[64];
    int64_t one = 0;
    enum signet_err err;

    (void)snprintf(
        statement, sizeof(statement), "SELECT 1 FROM record WHERE kind = %d LIMIT 1", (int)kind);
    err = store_sql_number(&store->sql, statement, &one);
    if (err != SIGNET_OK && err != SIGNET_ERR_UNKNOWN)
        return err;
    *holds_out = one == 1;
    return SIGNET_OK;
}

enum signet_err store_unlock(
    struct store *store, struct signet_library *library, const struct store_key *key)
{
    enum signet_err err;

    if ((err = use_wal(store)) != SIGNET_OK)
        return err;
    if ((err = check_key(store, library, key)) != SIGNET_OK)
        return err;
    store_forget(store); /* what a crash has left in the log */
    return store_prepare(store);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    (void)sqlite3_finalize(store->get);
    (void)sqlite3_finalize(store->put);
    (void)sqlite3_finalize(store->delete);
    store_sql_close(&store->sql);
    crypto_secret_free(store, sizeof(*store));
}

const char *store_error_text(const struct store *store)
{
    return store == NULL ? "out of memory" : store->sql.text;
}

const char *store_error_hint(const struct store *store)
{
    return store == NULL ? NULL : store->sql.hint;
}
