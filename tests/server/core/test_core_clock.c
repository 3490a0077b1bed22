/* "Clock far wrong or jumping": accepted mail outlasts a wrong clock, and expires in the end. */
#include "tests/support/core_pair.h"

#define HOUR UINT64_C(3600000)
#define DAY  (24 * HOUR)

/* Alice has written to herself, and gone. */
struct scene {
    struct core_rig rig;
    struct core_client alice;
    struct core_client later;
};

static void scene_open(struct scene *scene)
{
    core_rig_open(&scene->rig, library);
    core_client_open(&scene->alice, &scene->rig, 0);
    core_client_join(&scene->alice, alice, "alice");
    CHECK(
        core_client_put(&scene->alice, signet_account_device(alice), signet_span_str("kept")) == 0);
    core_client_open(&scene->later, &scene->rig, 1);
    CHECK(core_client_login(&scene->later, alice) == 0);
}

static void scene_close(struct scene *scene)
{
    core_client_close(&scene->alice);
    core_client_close(&scene->later);
    core_rig_close(&scene->rig);
}

/* Whether the message is delivered to who subscribes now. */
static bool is_there(struct scene *scene)
{
    core_client_subscribe(&scene->later);
    return core_client_next(&scene->later).type == RELAY_DELIVER;
}

static void wait_hours(struct scene *scene, unsigned hours)
{
    for (unsigned i = 0; i < hours; i++)
        core_rig_wait(&scene->rig, HOUR);
}

static void mail_expires_by_a_clock_that_goes_right(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    wait_hours(&scene, 29 * 24);
    wait_hours(&scene, 25);
    CHECK(!is_there(&scene));
    scene_close(&scene);
}

static void a_clock_that_is_wrong_for_a_moment_deletes_nothing(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene.rig.wall_ms += 40 * DAY;
    for (int i = 0; i < 60; i++)
        core_rig_wait(&scene.rig, 1000);
    scene.rig.wall_ms -= 40 * DAY;
    core_rig_wait(&scene.rig, 1000);
    CHECK(is_there(&scene));
    scene_close(&scene);
}

static void a_clock_that_is_wrong_hides_nothing(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene.rig.wall_ms += 400 * DAY;
    core_rig_wait(&scene.rig, 1000);
    CHECK(is_there(&scene));
    scene_close(&scene);
}

static void a_clock_that_was_corrected_is_believed_in_the_end(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene.rig.wall_ms += 40 * DAY;
    wait_hours(&scene, 26);
    CHECK(!is_there(&scene));
    scene_close(&scene);
}

/* What was accepted meanwhile waits for as long as what was accepted before. */
static void a_clock_that_was_behind_deletes_nothing_once_corrected(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene.rig.wall_ms -= 40 * DAY;
    core_rig_wait(&scene.rig, 1000);
    CHECK(
        core_client_put(&scene.later, signet_account_device(alice), signet_span_str("late")) == 0);
    scene.rig.wall_ms += 40 * DAY;
    wait_hours(&scene, 26);
    CHECK(is_there(&scene));
    CHECK(core_client_next(&scene.later).type == RELAY_DELIVER);
    scene_close(&scene);
}

/* What was submitted last, to a store that does nothing. */
static struct store_group *submitted;

static void submit(struct store *store, struct store_group *group)
{
    (void)store;
    submitted = group;
}

/* Workers begin one after the other: what one does by a wrong clock is no proof for the next. */
static void a_wrong_clock_at_the_start_is_seen_by_each_worker(void **state)
{
    static const struct store_ops ops = {.submit = submit};
    struct store store = {.ops = &ops};
    struct message_ids ids;
    struct core_config config = {.name = CORE_RIG_NAME, .ids = &ids};
    struct relay_core *cores[2];

    (void)state;
    message_ids_init(&ids, 0, 0);
    message_ids_init(&ids, 0, message_id_next(&ids, CORE_RIG_START_MS));
    for (uint32_t i = 0; i < 2; i++) {
        config.worker = i;
        CHECK_OK(core_new(&config, &store, library, &cores[i]));
    }
    core_set_time(cores[1], CORE_RIG_START_MS + 40 * DAY, 1000);
    (void)message_id_next(&ids, CORE_RIG_START_MS + 40 * DAY); /* a message is put there */
    core_set_time(cores[0], CORE_RIG_START_MS + 40 * DAY, 1000);
    core_tick(cores[0]);
    core_flush(cores[0]);
    assert_non_null(submitted);
    CHECK(submitted->first->type == STORE_EXPIRE && submitted->expired_ms == 0);
    core_discard(cores[0], submitted);
    for (size_t i = 0; i < 2; i++)
        core_free(cores[i]);
}

TEST_FILE(core_clock)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_expires_by_a_clock_that_goes_right),
        cmocka_unit_test(a_clock_that_is_wrong_for_a_moment_deletes_nothing),
        cmocka_unit_test(a_clock_that_is_wrong_hides_nothing),
        cmocka_unit_test(a_clock_that_was_corrected_is_believed_in_the_end),
        cmocka_unit_test(a_wrong_clock_at_the_start_is_seen_by_each_worker),
        cmocka_unit_test(a_clock_that_was_behind_deletes_nothing_once_corrected),
    };

    return cmocka_run_group_tests_name("core_clock", tests, core_accounts_make, core_accounts_free);
}
