/* The own account's records: read as they were written, and counted again where they are damaged. */
#include "tests/support/txn_rig.h"

static void account_relay_and_counters_survive_a_restart(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 630);
    rig.own.counters = (struct counters){.next_message = 5,
        .next_outbox = 6,
        .bundle_version = 7,
        .cleaned_at = 8,
        .bundle_count = 1,
        .bundles = {{id_of(1), 7, 9, 10}}};
    rig.own.relay.invitation.port = 4711;
    CHECK_OK(own_save_counters(&rig.t));
    CHECK_OK(own_save_relay(&rig.t));
    txn_rig_commit(&rig);
    txn_rig_restart(&rig);
    CHECK(rig.own.counters.next_message == 5 && rig.own.counters.next_outbox == 6);
    CHECK(rig.own.counters.bundle_version == 7 && rig.own.counters.cleaned_at == 8);
    CHECK(rig.own.counters.bundle_count == 1 && rig.own.counters.bundles[0].version == 7);
    CHECK(rig.own.counters.bundles[0].made_at == 9 && rig.own.counters.bundles[0].not_after == 10);
    CHECK(rig.own.relay.is_registered && rig.own.relay.invitation.port == 4711);
    assert_string_equal(rig.own.relay.name, "alice");
    assert_string_equal(rig.own.relay.invitation.host, "relay.example");
    CHECK(rig.own.account != rig.alice.account);
    CHECK(signet_id_equal(own_address(&rig.t), signet_account_address(rig.alice.account)));
    CHECK(signet_id_equal(own_device(&rig.t), signet_account_device(rig.alice.account)));
    CHECK(signet_id_equal(signet_card_list(own_card(&rig.t)),
        signet_card_list(signet_account_card(rig.alice.account))));
    txn_rig_close(&rig);
}

static void a_home_without_an_account_says_so(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 631);
    CHECK(memory_records_remove(rig.records, RECORD_ACCOUNT) == 1);
    CHECK(memory_records_remove(rig.records, RECORD_RELAY) == 1);
    CHECK(memory_records_remove(rig.records, RECORD_COUNTERS) == 1);
    CHECK_ERR(own_load_account(&rig.t), SIGNET_ERR_UNKNOWN);
    CHECK_ERR(own_load_relay(&rig.t), SIGNET_ERR_UNKNOWN);
    CHECK_ERR(own_load_counters(&rig.t), SIGNET_ERR_UNKNOWN);
    txn_rig_close(&rig);
}

/* Who we are is not to be guessed; how far we had counted is. */
static void a_damaged_account_is_an_error(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 632);
    CHECK(memory_records_damage(rig.records, RECORD_ACCOUNT) == 1);
    CHECK(memory_records_damage(rig.records, RECORD_RELAY) == 1);
    CHECK_ERR(own_load_account(&rig.t), SIGNET_ERR_AUTH);
    CHECK_ERR(own_load_relay(&rig.t), SIGNET_ERR_AUTH);
    txn_rig_close(&rig);
}

static void put(struct txn_rig *rig, enum record_kind kind, const char *name, uint64_t number)
{
    struct record_key key = {kind, signet_span_str(name), number};

    CHECK_OK(txn_put(&rig->t, &key, signet_span_str("value")));
}

static void damaged_counters_are_counted_again_from_every_record(void **state)
{
    const enum record_kind placed[] = {
        RECORD_MESSAGE, RECORD_UNSHOWN, RECORD_ARRIVAL, RECORD_BEGUN, RECORD_PENDING};
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 633);
    put(&rig, RECORD_OUTBOX, "", 3);
    put(&rig, RECORD_OUTBOX, "", 12);
    for (uint64_t i = 0; i < sizeof(placed) / sizeof(placed[0]); i++) {
        /* The highest number is each time in another kind: none of them may come twice. */
        put(&rig, placed[i], placed[i] == RECORD_MESSAGE ? "conversation" : "", 20 + i);
        txn_rig_commit(&rig);
        CHECK(memory_records_damage(rig.records, RECORD_COUNTERS) == 1);
        rig.own.counters.next_message = 4711;
        CHECK_OK(own_load_counters(&rig.t));
        CHECK(rig.own.counters.next_message == 20 + i);
        CHECK(rig.own.counters.next_outbox == 12);
    }
    txn_rig_close(&rig);
}

static void damaged_counters_find_the_own_bundles_again(void **state)
{
    struct own_bundle first;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 634);
    txn_rig_publish(&rig);
    first = rig.own.counters.bundles[0];
    put(&rig, RECORD_BUNDLE, "", 2); /* one that cannot be read: its number is taken all the same */
    txn_rig_commit(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_COUNTERS) == 1);
    txn_rig_restart(&rig);
    CHECK(rig.own.counters.bundle_version == 2 && rig.own.counters.bundle_count == 1);
    CHECK(signet_id_equal(&rig.own.counters.bundles[0].id, &first.id));
    CHECK(rig.own.counters.bundles[0].version == 1);
    CHECK(rig.own.counters.bundles[0].not_after == first.not_after);
    txn_rig_close(&rig);
}

static void a_bundles_secrets_are_there_until_they_are_deleted(void **state)
{
    struct signet_bundle_secrets *secrets = NULL;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 635);
    txn_rig_publish(&rig);
    CHECK_ERR(own_load_bundle(&rig.t, 2, &secrets), SIGNET_ERR_UNKNOWN);
    CHECK_OK(own_load_bundle(&rig.t, 1, &secrets));
    CHECK(signet_bundle_secrets_version(secrets) == 1);
    CHECK(signet_id_equal(
        signet_bundle_secrets_id(secrets), signet_bundle_secrets_id(rig.alice.secrets)));
    signet_bundle_secrets_free(secrets);
    secrets = NULL;
    CHECK_OK(own_delete_bundle(&rig.t, 1));
    CHECK_ERR(own_load_bundle(&rig.t, 1, &secrets), SIGNET_ERR_UNKNOWN);
    txn_rig_commit(&rig);
    CHECK_ERR(own_load_bundle(&rig.t, 1, &secrets), SIGNET_ERR_UNKNOWN);
    txn_rig_close(&rig);
}

TEST_FILE(account)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(account_relay_and_counters_survive_a_restart),
        cmocka_unit_test(a_home_without_an_account_says_so),
        cmocka_unit_test(a_damaged_account_is_an_error),
        cmocka_unit_test(damaged_counters_are_counted_again_from_every_record),
        cmocka_unit_test(damaged_counters_find_the_own_bundles_again),
        cmocka_unit_test(a_bundles_secrets_are_there_until_they_are_deleted),
    };

    return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
