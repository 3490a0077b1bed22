/*
 * The relay's core over a disk that fails ("full disk, read-only disk, failing fsync: clear error,
 * nothing acknowledged, nothing lost that was"), from the clients' side and the operator's.
 */
#include "tests/support/core_pair.h"
#include "tests/support/store_folder.h"

#include <sqlite3.h>
#include <stdio.h>

enum { TRIES = 4, TEXT_MAX = 32 };

/* Alice and bob at two workers, bob listening; what was accepted so far, and the log. */
struct scene {
    struct core_pair pair;
    char accepted[2 * TRIES][TEXT_MAX];
    size_t accepted_count;
    FILE *told;
    struct log log;
};

static void scene_open(struct scene *scene, const char *path)
{
    memset(scene, 0, sizeof(*scene));
    scene->told = tmpfile();
    assert_non_null(scene->told);
    scene->log = (struct log){.fd = fileno(scene->told)};
    core_rig_open_at(&scene->pair.rig, library, path);
    scene->pair.rig.config.log = &scene->log;
    core_rig_configure(&scene->pair.rig);
    core_pair_join(&scene->pair, 1);
    core_client_subscribe(&scene->pair.bob);
    CHECK(core_client_next(&scene->pair.bob).type == RELAY_DRAINED);
}

static void scene_close(struct scene *scene)
{
    core_pair_close(&scene->pair);
    CHECK(fclose(scene->told) == 0);
}

/* How often the log has told of an event. */
static size_t count_told(const struct scene *scene, const char *event)
{
    char line[LOG_LINE_MAX];
    size_t count = 0;

    rewind(scene->told);
    while (fgets(line, sizeof(line), scene->told) != NULL)
        count += strstr(line, event) != NULL;
    return count;
}

/* Alice writes, and waits for the answer as long as it takes. */
static void put(struct scene *scene, const char *text)
{
    struct relay_message answer;

    core_client_send(&scene->pair.alice, &(struct relay_message){.type = RELAY_PUT,
                                             .req = 5,
                                             .id = *signet_account_device(bob),
                                             .envelope = signet_span_str(text)});
    answer = core_client_next(&scene->pair.alice);
    for (int i = 0; answer.type == 0; i++) {
        CHECK(i < 10);
        core_rig_wait(&scene->pair.rig, 1000);
        answer = core_client_next(&scene->pair.alice);
    }
    if (answer.type == RELAY_ACCEPTED) {
        (void)snprintf(scene->accepted[scene->accepted_count++], TEXT_MAX, "%s", text);
        return;
    }
    CHECK(answer.type == RELAY_REFUSED && answer.code == RELAY_CODE_STORE);
    CHECK(answer.retry_after_ms > 0);
}

/* Bob is delivered what was accepted from `from` on, and nothing else. */
static void check_delivered(const struct scene *scene, struct core_client *client, size_t from)
{
    for (size_t i = from; i < scene->accepted_count; i++) {
        struct relay_message message = core_client_next(client);

        CHECK(message.type == RELAY_DELIVER);
        CHECK_SPAN(message.envelope, scene->accepted[i]);
    }
    CHECK(core_client_next(client).type != RELAY_DELIVER);
}

/* What is on the disk is what was accepted; nothing of it was acknowledged. */
static void check_after_restart(const struct scene *before, const char *path)
{
    struct core_client client;
    struct core_rig rig;

    core_rig_open_at(&rig, library, path);
    core_client_open(&client, &rig, 0);
    CHECK(core_client_login(&client, bob) == 0);
    core_client_subscribe(&client);
    check_delivered(before, &client, 0);
    core_client_close(&client);
    core_rig_close(&rig);
}

static void fail_and_recover(const char *path, int write_code, int sync_code)
{
    struct scene scene;
    char text[TEXT_MAX];

    scene_open(&scene, path);
    put(&scene, "before");
    CHECK(scene.accepted_count == 1);
    check_delivered(&scene, &scene.pair.bob, 0);
    failing_disk_write(write_code);
    failing_disk_sync(sync_code);
    for (int i = 0; i < TRIES; i++) {
        (void)snprintf(text, sizeof(text), "lost %d", i);
        put(&scene, text);
    }
    CHECK(scene.accepted_count == 1); /* each refused */
    check_delivered(&scene, &scene.pair.bob, 1);
    CHECK(count_told(&scene, "store.down why=\"") == 1 && count_told(&scene, "store.up") == 0);
    failing_disk_write(SQLITE_OK);
    failing_disk_sync(SQLITE_OK);
    put(&scene, "after");
    CHECK(scene.accepted_count == 2);
    check_delivered(&scene, &scene.pair.bob, 1);
    CHECK(count_told(&scene, "store.down") == 1 && count_told(&scene, "store.up") == 1);
    scene_close(&scene);
    check_after_restart(&scene, path);
}

static void a_full_disk_refuses_and_recovers(void **state)
{
    fail_and_recover(((struct store_folder *)*state)->path, SQLITE_FULL, SQLITE_OK);
}

static void a_disk_that_became_read_only_refuses_and_recovers(void **state)
{
    fail_and_recover(((struct store_folder *)*state)->path, SQLITE_READONLY, SQLITE_OK);
}

static void a_disk_that_fails_to_write_refuses_and_recovers(void **state)
{
    fail_and_recover(((struct store_folder *)*state)->path, SQLITE_IOERR_WRITE, SQLITE_OK);
}

static void a_disk_that_fails_to_flush_refuses_and_recovers(void **state)
{
    fail_and_recover(((struct store_folder *)*state)->path, SQLITE_OK, SQLITE_IOERR_FSYNC);
}

TEST_FILE(core_disk)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_full_disk_refuses_and_recovers),
        IN_FOLDER(a_disk_that_became_read_only_refuses_and_recovers),
        IN_FOLDER(a_disk_that_fails_to_write_refuses_and_recovers),
        IN_FOLDER(a_disk_that_fails_to_flush_refuses_and_recovers),
    };

    return cmocka_run_group_tests_name("core_disk", tests, core_accounts_make, core_accounts_free);
}
