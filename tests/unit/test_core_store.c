/* The relay's core and a store that fails: what is answered, and what is kept meanwhile. */
#include "tests/support/core_rig.h"

static struct signet_library *library;
static struct signet_account *alice, *bob;

static int make_accounts(void **state)
{
    (void)state;
    CHECK_OK(signet_library_new(NULL, &library));
    alice = core_rig_account(library, 0, CORE_RIG_START_MS);
    bob = core_rig_account(library, 1, CORE_RIG_START_MS);
    return 0;
}

static int free_accounts(void **state)
{
    (void)state;
    signet_account_free(alice);
    signet_account_free(bob);
    signet_library_free(library);
    return 0;
}

/* Alice and bob, both logged in at worker 0. */
struct pair {
    struct core_rig rig;
    struct core_client alice, bob;
};

static void pair_open(struct pair *pair)
{
    core_rig_open(&pair->rig, library);
    core_client_open(&pair->alice, &pair->rig, 0);
    core_client_join(&pair->alice, alice, "alice");
    core_client_open(&pair->bob, &pair->rig, 0);
    core_client_join(&pair->bob, bob, "bob");
}

static void pair_close(struct pair *pair)
{
    core_client_close(&pair->alice);
    core_client_close(&pair->bob);
    core_rig_close(&pair->rig);
}

static void fail_as(struct pair *pair, enum store_result failure)
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
    struct pair pair;

    (void)state;
    pair_open(&pair);
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
    pair_close(&pair);
}

/* Flushes that fail for hours must not fill the memory. */
static void what_waits_for_a_failing_store_is_bounded(void **state)
{
    enum { WAIT_S = 300 };
    struct pair pair;
    size_t submitted;

    (void)state;
    pair_open(&pair);
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
    pair_close(&pair);
}

static void a_store_that_hangs_is_asked_to_expire_once(void **state)
{
    struct pair pair;
    struct relay_core *core;
    size_t submitted;

    (void)state;
    pair_open(&pair);
    core = pair.rig.cores[0];
    submitted = pair.rig.submitted;
    for (uint64_t i = 1; i <= 10; i++) {
        core_set_time(core, pair.rig.wall_ms, pair.rig.monotonic_ms + i * 60000);
        core_tick(core);
        core_flush(core);
    }
    CHECK(pair.rig.submitted == submitted + 1);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_answered_while_flushes_fail),
        cmocka_unit_test(what_waits_for_a_failing_store_is_bounded),
        cmocka_unit_test(a_store_that_hangs_is_asked_to_expire_once),
    };

    return cmocka_run_group_tests_name("core_store", tests, make_accounts, free_accounts);
}
