/*
 * The machine's limits, for comparison with what the relay does on it.
 *
 *   bench_machine echo CONNECTIONS WINDOW SECONDS
 *   bench_machine append FOLDER GROUP SECONDS
 *   bench_machine sqlite FOLDER GROUP SECONDS
 */
#include "bench/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "bench/common.h"

enum { RECORD_LEN = 300, ENVELOPE_LEN = 256, GROUP_MAX = 4096 };

void machine_append(const char *folder, size_t group, double seconds)
{
    static uint8_t records[GROUP_MAX * RECORD_LEN];
    char path[1024];
    double began_at;
    size_t done = 0;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/append", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bench_check(fd >= 0 && group <= GROUP_MAX, path);
    for (began_at = bench_seconds(); bench_seconds() < began_at + seconds; done += group)
        bench_check(write(fd, records, group * RECORD_LEN) == (ssize_t)(group * RECORD_LEN) &&
                        fdatasync(fd) == 0,
            "append");
    (void)printf("{\"group\": %zu, \"appended_per_second\": %.0f}\n", group,
        (double)done / (bench_seconds() - began_at));
    (void)close(fd);
    (void)unlink(path);
}

static void transaction(
    sqlite3 *db, sqlite3_stmt *put, sqlite3_stmt *drop, uint64_t first, size_t n)
{
    static uint8_t envelope[ENVELOPE_LEN];

    bench_check(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK, "begin");
    for (size_t i = 0; i < n; i++) {
        (void)sqlite3_bind_int64(put, 1, (int64_t)(first + i));
        (void)sqlite3_bind_blob(put, 2, envelope, sizeof(envelope), SQLITE_STATIC);
        bench_check(sqlite3_step(put) == SQLITE_DONE && sqlite3_reset(put) == SQLITE_OK, "insert");
        (void)sqlite3_bind_int64(drop, 1, (int64_t)(first + i - n));
        bench_check(
            sqlite3_step(drop) == SQLITE_DONE && sqlite3_reset(drop) == SQLITE_OK, "delete");
    }
    bench_check(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, "commit");
}

/* As the relay's hot table and its settings (server/store/sqlite/schema.c). */
static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000;"
    "PRAGMA cache_size = -65536;"
    "CREATE TABLE hot(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, stored INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT;";

void machine_sqlite(const char *folder, size_t group, double seconds)
{
    sqlite3_stmt *put = NULL, *drop = NULL;
    char path[1024];
    double began_at;
    size_t done = 0;
    sqlite3 *db = NULL;

    (void)snprintf(path, sizeof(path), "%s/alone.db", folder);
    (void)unlink(path);
    bench_check(
        sqlite3_open(path, &db) == SQLITE_OK &&
            sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK &&
            sqlite3_prepare_v2(db, "INSERT INTO hot VALUES(?1, 1, 2, 3, ?2)", -1, &put, NULL) ==
                SQLITE_OK &&
            sqlite3_prepare_v2(db, "DELETE FROM hot WHERE id = ?1", -1, &drop, NULL) == SQLITE_OK,
        path);
    for (began_at = bench_seconds(); bench_seconds() < began_at + seconds; done += group)
        transaction(db, put, drop, GROUP_MAX + done, group);
    (void)printf("{\"group\": %zu, \"stored_per_second\": %.0f}\n", group,
        (double)done / (bench_seconds() - began_at));
    (void)sqlite3_finalize(put);
    (void)sqlite3_finalize(drop);
    (void)sqlite3_close(db);
    (void)unlink(path);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fprintf(stderr, "usage: bench_machine echo CONNECTIONS WINDOW SECONDS\n"
                              "       bench_machine append|sqlite FOLDER GROUP SECONDS\n");
        return 2;
    }
    if (strcmp(argv[1], "echo") == 0) {
        machine_echo(bench_number(argv[2], 9000), bench_number(argv[3], 4096),
            (double)bench_number(argv[4], 3600));
        return EXIT_SUCCESS;
    }
    bench_pin(0);
    if (strcmp(argv[1], "append") == 0)
        machine_append(
            argv[2], bench_number(argv[3], GROUP_MAX), (double)bench_number(argv[4], 3600));
    else
        machine_sqlite(
            argv[2], bench_number(argv[3], GROUP_MAX), (double)bench_number(argv[4], 3600));
    return EXIT_SUCCESS;
}
