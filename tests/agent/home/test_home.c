/* client: homes and their lock. */
#include "tests/support/home_rig.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/home/private_file.h"
#include "tests/support/crypto_unit.h"

static void check_folder(const char *option, const char *wanted)
{
    char *folder = NULL;

    CHECK_OK(home_folder(option, &folder));
    assert_string_equal(folder, wanted);
    free(folder);
}

/* --home goes before SIGNET_HOME, and that before the folder of the XDG specification. */
static void the_folder_is_found_in_a_fixed_order(void **state)
{
    char *folder = NULL;

    (void)state;
    CHECK(setenv("SIGNET_HOME", "from/env", 1) == 0);
    CHECK(setenv("XDG_DATA_HOME", "/xdg", 1) == 0);
    CHECK(setenv("HOME", "/home/alice", 1) == 0);
    check_folder("given", "given");
    check_folder(NULL, "from/env");
    CHECK(setenv("SIGNET_HOME", "", 1) == 0);
    check_folder(NULL, "/xdg/signet");
    CHECK(setenv("XDG_DATA_HOME", "not/absolute", 1) == 0);
    check_folder(NULL, "/home/alice/.local/share/signet");
    CHECK(unsetenv("HOME") == 0);
    CHECK_ERR(home_folder(NULL, &folder), SIGNET_ERR_UNKNOWN);
    CHECK(folder == NULL);
}

static void missing_folders_above_are_made(void **state)
{
    struct home_rig *rig = home_rig_new(state);
    char deep[96], path[HOME_RIG_PATH_SIZE];

    (void)snprintf(deep, sizeof(deep), "%s/a/b/", rig->folder);
    rig->place.folder = deep;
    CHECK_OK(home_create(&rig->place, &rig->home));
    home_rig_close(rig);
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"lock", "key", "store.db"};

        (void)snprintf(path, sizeof(path), "%s%s", deep, names[i]);
        CHECK(unlink(path) == 0);
    }
    home_rig_path(rig, "a/b", path);
    CHECK(rmdir(path) == 0);
    home_rig_path(rig, "a", path);
    CHECK(rmdir(path) == 0);
    home_rig_free(rig);
}

static void where_nothing_is_nothing_is_left(void **state)
{
    struct home_rig *rig = home_rig_new(state);

    home_rig_check_refused(rig, SIGNET_ERR_UNKNOWN, "");
    CHECK(!home_rig_has(rig, "lock"));
    CHECK(rmdir(rig->folder) == 0);
    home_rig_check_refused(rig, SIGNET_ERR_UNKNOWN, "");
    CHECK(mkdir(rig->folder, 0700) == 0);
    home_rig_free(rig);
}

/* Two processes with one home would use a session's keys twice. */
static void a_second_process_is_told_which_one_has_the_home(void **state)
{
    struct home_rig *rig = home_rig_new(state);
    struct home *second = NULL;
    char wanted[160];

    CHECK_OK(home_create(&rig->place, &rig->home));
    home_rig_put_account(rig);
    (void)snprintf(wanted, sizeof(wanted),
        "signet: another signet (process %ld) is using %s; wait for it or end it\n", (long)getpid(),
        rig->folder);
    home_rig_check_said(rig, "no passphrase");
    CHECK_ERR(home_open(&rig->place, &second), SIGNET_ERR_STATE);
    home_rig_check_said(rig, wanted);
    CHECK_ERR(home_create(&rig->place, &second), SIGNET_ERR_STATE);
    home_rig_check_said(rig, wanted);
    home_rig_close(rig);
    home_rig_check_opens(rig);
    home_rig_free(rig);
}

static void an_account_is_never_replaced(void **state)
{
    struct home_rig *rig = home_rig_new(state);

    home_rig_make(rig);
    CHECK_ERR(home_create(&rig->place, &rig->home), SIGNET_ERR_STATE);
    home_rig_check_said(rig, "there is an account in");
    home_rig_check_opens(rig);
    home_rig_free(rig);
}

/* However far a join came before it crashed, the next one begins afresh. */
static void an_incomplete_home_is_taken_over(void **state)
{
    struct home_rig *rig = home_rig_new(state);
    char path[HOME_RIG_PATH_SIZE];
    int fd;

    home_rig_path(rig, "key", path);
    CHECK_OK(private_file_create(path, signet_span_str("01ab"))); /* half a key, no store */
    home_rig_make(rig);
    home_rig_path(rig, "store.db" STORE_NEW, path);
    CHECK_OK(private_file_create(path, signet_span_str(""))); /* a store not yet filled */
    home_rig_path(rig, "store.db", path);
    CHECK(unlink(path) == 0);
    home_rig_check_refused(rig, SIGNET_ERR_UNKNOWN, "");
    home_rig_make(rig);
    CHECK(unlink(path) == 0);
    CHECK_OK(home_create(&rig->place, &rig->home)); /* a store without account */
    home_rig_close(rig);
    rewind(rig->report.err);
    home_rig_check_refused(rig, SIGNET_ERR_UNKNOWN, "");
    home_rig_make(rig);
    home_rig_check_opens(rig);
    /* What is no store is not taken over. */
    fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && write(fd, "something else", 14) == 14 && close(fd) == 0);
    CHECK_ERR(home_create(&rig->place, &rig->home), SIGNET_ERR_FORMAT);
    home_rig_check_said(rig, "not a signet store; join again as a new account");
    CHECK(truncate(path, 0) == 0); /* an emptied one held an account */
    home_rig_check_refused(rig, SIGNET_ERR_FORMAT, "it is empty; join again as a new account");
    CHECK_ERR(home_create(&rig->place, &rig->home), SIGNET_ERR_FORMAT);
    CHECK(home_rig_has(rig, "store.db") && home_rig_has(rig, "key"));
    rewind(rig->report.err);
    home_rig_free(rig);
}

static void a_folder_that_others_can_write_to_is_refused(void **state)
{
    struct home_rig *rig = home_rig_new(state);

    CHECK(chmod(rig->folder, 0755) == 0);
    CHECK_OK(home_create(&rig->place, &rig->home)); /* empty: made private */
    home_rig_check_mode(rig, "", 0700);
    home_rig_put_account(rig);
    home_rig_close(rig);
    rewind(rig->report.err);
    CHECK(chmod(rig->folder, 0770) == 0);
    home_rig_check_refused(rig, SIGNET_ERR_STATE, "others can write to the folder");
    CHECK_ERR(home_create(&rig->place, &rig->home), SIGNET_ERR_STATE);
    home_rig_check_said(rig, "others can write to the folder");
    CHECK(chmod(rig->folder, 0750) == 0);
    home_rig_check_opens(rig);
    home_rig_check_said(rig, "others can look into");
    home_rig_free(rig);
}

TEST_FILE(home)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_is_found_in_a_fixed_order),
        cmocka_unit_test(missing_folders_above_are_made),
        cmocka_unit_test(where_nothing_is_nothing_is_left),
        cmocka_unit_test(a_second_process_is_told_which_one_has_the_home),
        cmocka_unit_test(an_account_is_never_replaced),
        cmocka_unit_test(an_incomplete_home_is_taken_over),
        cmocka_unit_test(a_folder_that_others_can_write_to_is_refused),
    };

    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
