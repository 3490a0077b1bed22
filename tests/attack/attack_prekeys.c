/*
 * Clients who take somebody's one-time prekeys until there are none: docs/protocol.md, section 10.
 * "Prekey Pogo" (arXiv 2504.07323) drained the prekeys of a messenger's users this way.
 */
#include "tests/support/store_rig.h"

#include "server/admin/config.h"

enum {
    VICTIM = 10, /* the device; its account is 1 */
    FIRST_ATTACKER = 100,
    ATTACKERS = 100,
    TAKES = 100, /* of each of them, in an hour */
    HOUR_MS = 3600000,
    HONEST = 250,
};

/* A relay as it is configured where nobody changed anything, and the victim's fresh bundle. */
static void open_relay(struct rig *rig)
{
    struct config config;

    rig_open(rig, ":memory:");
    config_defaults(&config);
    config_store(&config, &rig->limits);
    rig->store->ops->set_limits(rig->store, &rig->limits);
    rig_register(rig, "victim", 1, VICTIM);
    CHECK(rig_bundle(rig, VICTIM, 1, "bundle", SIGNET_ONE_TIME_COUNT) == STORE_OK);
}

/* A peer who wants a session: whether there is a one-time prekey for it; there is always a bundle. */
static bool take(struct rig *rig, unsigned requester)
{
    struct store_op *op = rig_take(rig, VICTIM, requester);

    rig_forget_events(rig);
    CHECK(op->answer == STORE_OK);
    CHECK_SPAN(signet_buf_span(&op->bundle), "bundle");
    return op->has_one_time;
}

static uint64_t left(struct rig *rig)
{
    return rig_claim(rig, VICTIM, 1, (struct store_route){0, 1})->one_time_left;
}

/* 100 accounts with 100 takes each in an hour never empty the pool, and an honest peer
 * always gets a session; soon after it, with a one-time prekey again. */
static void one_time_prekeys_are_not_drained(void **state)
{
    const uint64_t most = 32 + HOUR_MS / 300000;
    uint64_t taken = 0;
    struct rig rig;

    (void)state;
    open_relay(&rig);
    for (unsigned round = 0; round < TAKES; round++) {
        for (unsigned i = 0; i < ATTACKERS; i++)
            taken += take(&rig, FIRST_ATTACKER + i);
        taken += take(&rig, HONEST);
        rig.now_ms += HOUR_MS / TAKES;
    }
    CHECK(taken <= most);
    CHECK(left(&rig) == SIGNET_ONE_TIME_COUNT - taken);
    rig.now_ms += HOUR_MS;
    CHECK(take(&rig, HONEST));
    rig_close(&rig);
}

TEST_FILE(attack_prekeys)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_time_prekeys_are_not_drained),
    };

    return cmocka_run_group_tests_name("attack_prekeys", tests, NULL, NULL);
}
