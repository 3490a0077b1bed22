/*
 * client: what was overwritten in the store is soon in no file of the home, so that keys that were
 * used open nothing any more (docs/threat-model.md).
 */
#include "tests/support/record_checks.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "agent/store/store.h"
#include "tests/support/crypto_unit.h"

enum { STATE_LEN = 1200, PIECE_LEN = 100, STATES = 200, FILE_MAX = 1 << 20 };

static const struct store_key the_key = {{4, 5, 6}};
static const struct record_key session = {RECORD_SESSION, {(const uint8_t *)"t1", 2}, 0};

/* A store in a folder of its own, and what was seen in it. */
struct place {
    char folder[64], store[80], log[96], copy[80], copy_log[96];
    struct signet_library *library;
    struct store *open;
};

static struct place place_new(void **state)
{
    struct place p = {.folder = "/tmp/signet-forget-XXXXXX", .library = *state};

    CHECK(mkdtemp(p.folder) != NULL);
    (void)snprintf(p.store, sizeof(p.store), "%s/store.db", p.folder);
    (void)snprintf(p.log, sizeof(p.log), "%s-wal", p.store);
    (void)snprintf(p.copy, sizeof(p.copy), "%s/copy.db", p.folder);
    (void)snprintf(p.copy_log, sizeof(p.copy_log), "%s-wal", p.copy);
    CHECK_OK(store_create(p.store, p.library, &the_key, &p.open));
    return p;
}

static void place_remove(const struct place *p)
{
    (void)unlink(p->copy);
    (void)unlink(p->copy_log);
    CHECK(unlink(p->store) == 0);
    CHECK(rmdir(p->folder) == 0); /* no log is left */
}

/* All of a file; empty where there is none. */
static struct signet_buf contents(const char *path)
{
    struct signet_buf bytes = {0};
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return bytes;
    CHECK_OK(signet_buf_reserve(&bytes, FILE_MAX));
    bytes.len = fread(bytes.ptr, 1, FILE_MAX, file);
    CHECK(bytes.len < FILE_MAX);
    CHECK(fclose(file) == 0);
    return bytes;
}

static void copy_file(const char *from, const char *to)
{
    struct signet_buf bytes = contents(from);
    FILE *file = fopen(to, "wb");

    CHECK(file != NULL && fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len);
    CHECK(fclose(file) == 0);
    signet_buf_free(&bytes);
}

/* The session's present value as it is on disk. */
static struct signet_buf sealed_state(const struct place *p)
{
    struct signet_buf value = {0};
    sqlite3_stmt *select = NULL;
    sqlite3 *db = NULL;

    copy_file(p->store, p->copy);
    copy_file(p->log, p->copy_log);
    CHECK(sqlite3_open(p->copy, &db) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(db, "SELECT value FROM record WHERE kind = 7", -1, &select, NULL) ==
          SQLITE_OK);
    CHECK(sqlite3_step(select) == SQLITE_ROW);
    CHECK_OK(signet_buf_append(&value,
        signet_span_of(sqlite3_column_blob(select, 0), (size_t)sqlite3_column_bytes(select, 0))));
    CHECK(sqlite3_finalize(select) == SQLITE_OK);
    CHECK(sqlite3_close(db) == SQLITE_OK);
    return value;
}

/* Whether a file has the beginning or end of it: what lies between may be on another page. */
static bool is_in(const char *path, const struct signet_buf *value)
{
    const uint8_t *end = value->ptr + value->len - PIECE_LEN;
    struct signet_buf bytes = contents(path);
    bool is_there = bytes.len > 0 && (memmem(bytes.ptr, bytes.len, value->ptr, PIECE_LEN) != NULL ||
                                         memmem(bytes.ptr, bytes.len, end, PIECE_LEN) != NULL);

    signet_buf_free(&bytes);
    return is_there;
}

static bool is_anywhere(const struct place *p, const struct signet_buf *value)
{
    return is_in(p->store, value) || is_in(p->log, value);
}

/* The session's next state, and something that stays, as with each message. */
static void commit_state(struct place *p, unsigned number)
{
    struct record_key seen = {RECORD_SEEN, signet_span_of(&number, sizeof(number)), 0};
    struct record_batch batch = {0};
    uint8_t state[STATE_LEN];

    memset(state, (int)number, sizeof(state));
    CHECK_OK(record_batch_put(&batch, &session, signet_span_of(state, sizeof(state))));
    CHECK_OK(record_batch_put(&batch, &seen, signet_span_of(state, 8)));
    CHECK_OK(store_commit(p->open, &batch));
    record_batch_clear(&batch);
}

/* While the store is open. */
static void an_overwritten_state_is_gone_after_few_commits(void **state)
{
    struct place p = place_new(state);
    struct signet_buf states[STATES];
    bool was_there = false;

    for (unsigned i = 0; i < STATES; i++) {
        commit_state(&p, i);
        states[i] = sealed_state(&p);
        if (i > 0)
            was_there = was_there || is_anywhere(&p, &states[i - 1]);
        if (i > STORE_FORGET_COMMITS)
            CHECK(!is_anywhere(&p, &states[i - STORE_FORGET_COMMITS - 1]));
    }
    CHECK(was_there); /* so that the search is known to find */
    store_close(p.open);
    for (unsigned i = 0; i < STATES; i++) {
        CHECK(is_in(p.store, &states[i]) == (i + 1 == STATES));
        signet_buf_free(&states[i]);
    }
    place_remove(&p);
}

/* Two states one after the other, the first of them as it is on disk in the file `copy`. */
static void commit_and_be_killed(struct place *p)
{
    struct signet_buf old;
    FILE *file;

    CHECK_OK(store_open(p->store, &p->open));
    CHECK_OK(store_unlock(p->open, p->library, &the_key));
    commit_state(p, 1);
    old = sealed_state(p);
    commit_state(p, 2);
    file = fopen(p->copy, "wb");
    CHECK(file != NULL && fwrite(old.ptr, 1, old.len, file) == old.len && fclose(file) == 0);
    (void)kill(getpid(), SIGKILL);
}

/* A process that is killed closes nothing: the next one forgets for it. */
static void what_a_killed_process_left_is_forgotten_at_opening(void **state)
{
    struct place p = place_new(state);
    struct signet_buf old;
    int status;
    pid_t child;

    store_close(p.open);
    child = fork();
    CHECK(child >= 0);
    if (child == 0)
        commit_and_be_killed(&p);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    old = contents(p.copy);
    CHECK(old.len > STATE_LEN && is_anywhere(&p, &old));
    CHECK_OK(store_open(p.store, &p.open));
    CHECK_OK(store_unlock(p.open, p.library, &the_key));
    CHECK(!is_anywhere(&p, &old));
    store_close(p.open);
    signet_buf_free(&old);
    place_remove(&p);
}

TEST_FILE(store_forget)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overwritten_state_is_gone_after_few_commits),
        cmocka_unit_test(what_a_killed_process_left_is_forgotten_at_opening),
    };

    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
