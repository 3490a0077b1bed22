/* A copy of the store while it is in use: server/store/sqlite/backup.h. */
#include "tests/support/store_folder.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/sqlite/backup.h"

static const struct store_route here = {0, 100};

static void copy_path(const struct store_folder *file, char path[2 * STORE_PATH_SIZE])
{
    (void)snprintf(path, 2 * STORE_PATH_SIZE, "%s/copy", file->folder);
}

/* The store is open, and its last transaction is in the log only. */
static void a_copy_holds_all_that_was_committed_before_it(void **state)
{
    struct store_folder *file = *state;
    char problem[STORE_BACKUP_ERROR_SIZE], path[2 * STORE_PATH_SIZE];
    struct stat status;
    struct rig copy;

    copy_path(file, path);
    rig_open(&file->rig, file->path);
    store_fill(&file->rig);
    CHECK_OK(store_backup(file->path, path, problem));
    CHECK(rig_put(&file->rig, 20, 8, "after it") == STORE_OK);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    rig_open(&copy, path);
    assert_string_equal(rig_fetch(&copy, 10, 9, 999), "5:cold 6:hot");
    assert_string_equal(rig_fetch(&copy, 20, 9, 999), "7:bob's");
    rig_close(&copy);
    assert_string_equal(rig_fetch(&file->rig, 20, 9, 999), "7:bob's 8:after it");
    rig_close(&file->rig);
    CHECK(unlink(path) == 0);
}

/* docs/protocol.md, section 4: a one-time prekey is handed out at most once. */
static void a_copy_hands_out_no_one_time_prekey(void **state)
{
    struct store_folder *file = *state;
    char problem[STORE_BACKUP_ERROR_SIZE], path[2 * STORE_PATH_SIZE];
    struct store_op *op;
    struct rig copy;

    copy_path(file, path);
    rig_open(&file->rig, file->path);
    store_fill(&file->rig);
    CHECK_OK(store_backup(file->path, path, problem));
    CHECK(rig_take(&file->rig, 10, 3)->has_one_time);
    rig_close(&file->rig);
    rig_open(&copy, path);
    op = rig_take(&copy, 10, 3);
    CHECK(op->answer == STORE_OK && op->bundle.len > 0 && !op->has_one_time);
    CHECK(rig_claim(&copy, 10, 1, here)->one_time_left == 0);
    rig_close(&copy);
    CHECK(unlink(path) == 0);
}

static void a_file_that_is_there_is_left_alone(void **state)
{
    struct store_folder *file = *state;
    char problem[STORE_BACKUP_ERROR_SIZE], path[2 * STORE_PATH_SIZE];
    FILE *other;

    copy_path(file, path);
    rig_open(&file->rig, file->path);
    other = fopen(path, "w");
    assert_non_null(other);
    CHECK(fputs("mine", other) >= 0 && fclose(other) == 0);
    CHECK_ERR(store_backup(file->path, path, problem), SIGNET_ERR_STATE);
    assert_non_null(strstr(problem, "exists"));
    CHECK(unlink(path) == 0);
    rig_close(&file->rig);
}

static void a_copy_that_fails_leaves_no_file(void **state)
{
    struct store_folder *file = *state;
    char problem[STORE_BACKUP_ERROR_SIZE], path[2 * STORE_PATH_SIZE];

    copy_path(file, path);
    CHECK_ERR(store_backup(file->path, path, problem), SIGNET_ERR_IO); /* there is no store */
    CHECK(access(path, F_OK) != 0);
    CHECK_ERR(store_backup(file->path, "/nonexistent/copy", problem), SIGNET_ERR_IO);
    assert_non_null(strstr(problem, "No such file"));
}

TEST_FILE(store_backup)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_copy_holds_all_that_was_committed_before_it),
        IN_FOLDER(a_copy_hands_out_no_one_time_prekey),
        IN_FOLDER(a_file_that_is_there_is_left_alone),
        IN_FOLDER(a_copy_that_fails_leaves_no_file),
    };

    return cmocka_run_group_tests_name("store_backup", tests, NULL, NULL);
}
