/* The relay's core and a store that fails: what is answered, and what is kept meanwhile. */
#include "tests/support/core_pair.h"

/* Both on worker 0. */
static void open_on_one_worker(struct core_pair *pair)
{
    core_rig_open(&pair->rig, library);
    core_pair_join(pair, 0);
}

static void fail_as(struct core_pair *pair, enum store_result failure)
{
    pair->rig.failure = failure;
    pair->rig.failures = SIZE_MAX;
}

static void put(struct core_client *client, uint64_t req, const char *text)
{
    core_client_send(client, &(struct relay_message){.type = RELAY_PUT,
                                 .req = req,
                                 .id = *signet_account_device(bob),
                                 .envelope = signet_span_str(text)});
}

/* PostgreSQL's fsync lesson, from the client's side: it is told, and tries again by itself. */
static void a_client_is_answered_while_flushes_fail(void **state)
{
    struct relay_message answer;
    struct core_pair pair;

    (void)state;
    open_on_one_worker(&pair);
    fail_as(&pair, STORE_UNKNOWN);
    put(&pair.alice, 5, "x");
    CHECK(core_client_next(&pair.alice).type == 0);
    core_rig_wait(&pair.rig, 1000);
    core_rig_wait(&pair.rig, 1000);
    answer = core_client_next(&pair.alice);
    CHECK(answer.type == RELAY_REFUSED && answer.req == 5);
    CHECK(answer.code == RELAY_CODE_STORE && answer.retry_after_ms > 0);
    pair.rig.failures = 0;
    put(&pair.alice, 6, "x");
    CHECK(core_client_next(&pair.alice).type == RELAY_ACCEPTED);
    core_pair_close(&pair);
}

/* Flushes that fail for hours must not fill the memory. */
static void what_waits_for_a_failing_store_is_bounded(void **state)
{
    enum { WAIT_S = 300 };
    struct core_pair pair;
    size_t submitted;

    (void)state;
    open_on_one_worker(&pair);
    core_rig_wait(&pair.rig, 1000);
    fail_as(&pair, STORE_UNKNOWN);
    put(&pair.alice, 5, "of one who leaves");
    put(&pair.bob, 5, "of one who stays");
    core_client_close(&pair.alice);
    core_rig_turn(&pair.rig);
    submitted = pair.rig.submitted;
    for (int i = 0; i < WAIT_S; i++)
        core_rig_wait(&pair.rig, 1000);
    CHECK(core_in_flight(pair.rig.cores[0]) == 0);
    /* Expiry alone, every ten seconds, and what was there. */
    CHECK(pair.rig.submitted - submitted <= WAIT_S / 10 + 4);
    pair.rig.failures = 0;
    put(&pair.bob, 6, "x");
    CHECK(core_client_next(&pair.bob).type == RELAY_REFUSED);
    CHECK(core_client_next(&pair.bob).type == RELAY_ACCEPTED);
    core_pair_close(&pair);
}

static void a_store_that_hangs_is_asked_to_expire_once(void **state)
{
    struct core_pair pair;
    struct relay_core *core;
    size_t submitted;

    (void)state;
    open_on_one_worker(&pair);
    core = pair.rig.cores[0];
    submitted = pair.rig.submitted;
    for (uint64_t i = 1; i <= 10; i++) {
        core_set_time(core, pair.rig.wall_ms, pair.rig.monotonic_ms + i * 60000);
        core_tick(core);
        core_flush(core);
    }
    CHECK(pair.rig.submitted == submitted + 1);
    core_pair_close(&pair);
}

TEST_FILE(core_store)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_answered_while_flushes_fail),
        cmocka_unit_test(what_waits_for_a_failing_store_is_bounded),
        cmocka_unit_test(a_store_that_hangs_is_asked_to_expire_once),
    };

    return cmocka_run_group_tests_name("core_store", tests, core_accounts_make, core_accounts_free);
}
