/*
 * Prepares the relay of the benchmark, while it is stopped.
 *
 *   bench_fill DATA accounts N       register N accounts in DATA/relay.db; DATA/accounts holds
 *                                    their secret forms, each behind its length in four bytes
 *   bench_fill DATA hot|cold N       N messages of 256 bytes wait for DEVICES of them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "bench/common.h"
#include "bench/keys.h"
#include "io/clock.h"
#include "server/admin/data.h"
#include "server/core/message_id.h"
#include "server/store/sqlite/store_sqlite.h"
#include "tests/support/forge_account.h"

enum { GROUP = 500, DEVICES = 1000, FIRST_DEVICE = 4000 };

/* ---- accounts ---- */

static struct signet_account *make_account(struct signet_library *library,
    const struct bench_primes *primes, unsigned index, uint64_t now_ms)
{
    struct forged_account keys = {
        .identity = bench_key(library, primes, 2 * index),
        .device = bench_key(library, primes, 2 * index + 1),
    };

    memcpy(keys.next_identity.b, &index, sizeof(index));
    return forge_account(library, &keys, now_ms);
}

static struct store_op *registration(const struct signet_account *account, unsigned index)
{
    const struct signet_card *card = signet_account_card(account);
    struct store_op *op = bench_alloc(sizeof(*op));

    op->type = STORE_REGISTER;
    (void)snprintf(op->name, sizeof(op->name), "b%u", index);
    op->address = *signet_card_address(card);
    op->list = *signet_card_list(card);
    op->card_version = signet_card_version(card);
    op->device_count = 1;
    op->devices[0] = *signet_card_device(card, 0);
    bench_must(signet_buf_append(&op->card, signet_card_bytes(card)), "copy a card");
    return op;
}

static void keep(const struct signet_account *account, FILE *file)
{
    struct signet_buf encoded = {0};
    uint32_t len;

    bench_must(signet_account_encode(account, &encoded), "encode an account");
    len = (uint32_t)encoded.len;
    bench_check(fwrite(&len, sizeof(len), 1, file) == 1 &&
                    fwrite(encoded.ptr, 1, encoded.len, file) == encoded.len,
        "write the accounts");
    signet_buf_free(&encoded);
}

static void on_answered(void *ctx, struct store_group *group)
{
    (void)ctx;
    bench_check(group->result == STORE_DONE, "store the accounts");
    for (const struct store_op *op = group->first; op != NULL; op = op->next)
        bench_check(op->answer == STORE_OK, "register an account");
    store_group_free(group);
}

static void make_accounts(
    struct signet_library *library, struct store *store, FILE *file, unsigned n)
{
    struct bench_primes *primes = bench_primes_new(library, 2 * n);
    uint64_t now_ms = clock_wall_ms();

    for (unsigned i = 0; i < n;) {
        struct store_group *group = bench_alloc(sizeof(*group));

        group->now_ms = now_ms;
        for (; i < n && group->count < GROUP; i++) {
            struct signet_account *account = make_account(library, primes, i, now_ms);

            store_group_add(group, registration(account, i));
            keep(account, file);
            signet_account_free(account);
        }
        store->ops->submit(store, group);
        (void)store_sqlite_step(store);
    }
    bench_primes_free(primes);
}

static void accounts(const char *data, const char *db, unsigned n)
{
    const struct store_limits limits = {.open_registration = true};
    const struct store_sink sink = {NULL, on_answered, NULL, NULL};
    struct signet_library *library = NULL;
    struct store *store = NULL;
    char path[DATA_PATH_SIZE];
    FILE *file;

    bench_must(data_path(data, "accounts", path), "name a file");
    bench_must(signet_library_new(NULL, &library), "start");
    bench_must(store_sqlite_open(db, library, &limits, STORE_STEPPED, &store), "open the store");
    store->ops->attach(store, 0, &sink);
    file = fopen(path, "wbe");
    bench_check(file != NULL, path);
    make_accounts(library, store, file, n);
    bench_check(fclose(file) == 0, path);
    store->ops->close(store);
    signet_library_free(library);
}

/* ---- messages ---- */

/* The n messages, in the order of the table they go to; ids rise by one from ?1. */
static const char rows[] =
    "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < ?2)";
static const char hot[] = " INSERT INTO hot(id, device, stored, expires, envelope)"
                          " SELECT ?1 + i, ?3 + i % ?4, ?5, ?5 + 2592000000, zeroblob(256) FROM c";
static const char cold[] =
    " INSERT INTO cold(device, id, expires, envelope)"
    " SELECT ?3 + i / (?2 / ?4), ?1 + i, ?5 + 2592000000, zeroblob(256) FROM c";
static const char counts[] =
    "UPDATE device SET cold_count = ?2 / ?4, cold_bytes = ?2 / ?4 * 256, cold_last = ?1 + ?2"
    " WHERE key >= ?3 AND key < ?3 + ?4 AND ?5 > 0";

static void run(sqlite3 *db, const char *text, uint64_t first_id, uint64_t n)
{
    sqlite3_stmt *query = NULL;

    bench_check(sqlite3_prepare_v2(db, text, -1, &query, NULL) == SQLITE_OK &&
                    sqlite3_bind_int64(query, 1, (int64_t)first_id) == SQLITE_OK &&
                    sqlite3_bind_int64(query, 2, (int64_t)n) == SQLITE_OK &&
                    sqlite3_bind_int64(query, 3, FIRST_DEVICE) == SQLITE_OK &&
                    sqlite3_bind_int64(query, 4, DEVICES) == SQLITE_OK &&
                    sqlite3_bind_int64(query, 5, (int64_t)clock_wall_ms()) == SQLITE_OK &&
                    sqlite3_step(query) == SQLITE_DONE,
        sqlite3_errmsg(db));
    (void)sqlite3_finalize(query);
}

static void messages(const char *path, bool is_cold, uint64_t n)
{
    struct message_ids ids;
    char text[1024];
    sqlite3 *db = NULL;

    message_ids_init(&ids, 0, 0);
    (void)snprintf(text, sizeof(text), "%s%s", rows, is_cold ? cold : hot);
    bench_check(
        sqlite3_open(path, &db) == SQLITE_OK &&
            sqlite3_exec(db, "PRAGMA cache_size = -262144; BEGIN", NULL, NULL, NULL) == SQLITE_OK,
        path);
    /* An hour old, so that ids of now are above them. */
    run(db, text, message_id_next(&ids, clock_wall_ms() - 3600000), n);
    if (is_cold)
        run(db, counts, message_id_next(&ids, clock_wall_ms() - 3600000), n);
    bench_check(
        sqlite3_exec(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK,
        sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

int main(int argc, char **argv)
{
    char db[DATA_PATH_SIZE];
    uint64_t n;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench_fill DATA accounts|hot|cold N\n");
        return 2;
    }
    n = bench_number(argv[3], 100000000);
    bench_must(data_path(argv[1], DATA_STORE, db), "name the store");
    if (strcmp(argv[2], "accounts") == 0)
        accounts(argv[1], db, (unsigned)n);
    else
        messages(db, strcmp(argv[2], "cold") == 0, n);
    return EXIT_SUCCESS;
}
