/* What was seen is known long enough, and not for ever. docs/protocol.md, section 8. */
#include "tests/support/txn_rig.h"

#include "engine/history/seen.h"

#define DAY_MS  (UINT64_C(24) * 3600 * 1000)
#define KEEP_MS (31 * DAY_MS)

/* An envelope arrives, whose line has the next place. */
static void arrive(struct txn_rig *rig, unsigned byte, uint64_t now_ms)
{
    struct signet_id hash = id_of(byte);

    rig->t.now_ms = now_ms;
    rig->own.counters.next_message++;
    CHECK_OK(seen_mark(&rig->t, &hash));
    txn_rig_commit(rig);
}

static bool is_seen(struct txn_rig *rig, unsigned byte)
{
    struct signet_id hash = id_of(byte);
    enum signet_err err = seen_has(&rig->t, RECORD_SEEN, &hash);

    CHECK(err == SIGNET_OK || err == SIGNET_ERR_UNKNOWN);
    return err == SIGNET_OK;
}

static bool forget(struct txn_rig *rig, uint64_t now_ms)
{
    bool is_done;

    rig->t.now_ms = now_ms;
    CHECK_OK(seen_forget(&rig->t, &is_done));
    txn_rig_commit(rig);
    return is_done;
}

static void a_mark_is_seen_even_where_it_is_damaged(void **state)
{
    struct signet_id hash = id_of(1);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 680);
    CHECK(!is_seen(&rig, 1));
    arrive(&rig, 1, PARTY_NOW);
    CHECK(is_seen(&rig, 1) && !is_seen(&rig, 2));
    CHECK(memory_records_damage(rig.records, RECORD_SEEN) == 1);
    CHECK(is_seen(&rig, 1));
    memory_records_break(rig.records, RECORD_SEEN, SIGNET_ERR_IO);
    CHECK_ERR(seen_has(&rig.t, RECORD_SEEN, &hash), SIGNET_ERR_IO);
    txn_rig_close(&rig);
}

static void marks_go_after_31_days_and_not_before(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 681);
    arrive(&rig, 1, PARTY_NOW);
    arrive(&rig, 2, PARTY_NOW + DAY_MS);
    CHECK(forget(&rig, PARTY_NOW + KEEP_MS));
    CHECK(is_seen(&rig, 1) && is_seen(&rig, 2));
    CHECK(forget(&rig, PARTY_NOW + KEEP_MS + 1));
    CHECK(!is_seen(&rig, 1) && is_seen(&rig, 2));
    CHECK(!txn_rig_has(&rig, RECORD_ARRIVAL, signet_span_str(""), 1));
    CHECK(txn_rig_has(&rig, RECORD_ARRIVAL, signet_span_str(""), 2));
    txn_rig_close(&rig);
}

/* A clock that is set back makes no mark older than the last look at old ones. */
static void a_clock_set_back_ages_no_mark(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 682);
    rig.own.counters.cleaned_at = PARTY_NOW + 40 * DAY_MS;
    arrive(&rig, 1, PARTY_NOW);
    (void)forget(&rig, PARTY_NOW + 40 * DAY_MS);
    CHECK(is_seen(&rig, 1));
    (void)forget(&rig, PARTY_NOW + 40 * DAY_MS + KEEP_MS + 1);
    CHECK(!is_seen(&rig, 1));
    txn_rig_close(&rig);
}

/* What arrived while the clock was ahead waits, and keeps nothing behind it from going. */
static void a_mark_from_the_future_stops_nothing(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 683);
    arrive(&rig, 1, PARTY_NOW + 400 * DAY_MS);
    arrive(&rig, 2, PARTY_NOW);
    CHECK(forget(&rig, PARTY_NOW + KEEP_MS + 1));
    CHECK(is_seen(&rig, 1) && !is_seen(&rig, 2));
    txn_rig_close(&rig);
}

static void a_damaged_arrival_goes_and_its_mark_stays(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 684);
    arrive(&rig, 1, PARTY_NOW);
    CHECK(memory_records_damage(rig.records, RECORD_ARRIVAL) == 1);
    arrive(&rig, 2, PARTY_NOW);
    CHECK(forget(&rig, PARTY_NOW + KEEP_MS + 1));
    CHECK(is_seen(&rig, 1) && !is_seen(&rig, 2));
    CHECK(!txn_rig_has(&rig, RECORD_ARRIVAL, signet_span_str(""), 1));
    txn_rig_close(&rig);
}

static void a_login_forgets_no_more_than_so_many(void **state)
{
    enum { AT_ONCE = 4096 };
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 685);
    for (uint64_t i = 0; i <= AT_ONCE; i++) {
        struct signet_id hash = {{1}};

        memcpy(hash.b + 8, &i, sizeof(i));
        rig.own.counters.next_message++;
        CHECK_OK(seen_mark(&rig.t, &hash));
    }
    txn_rig_commit(&rig);
    CHECK(!forget(&rig, PARTY_NOW + KEEP_MS + 1));
    CHECK(!txn_rig_has(&rig, RECORD_ARRIVAL, signet_span_str(""), AT_ONCE));
    CHECK(txn_rig_has(&rig, RECORD_ARRIVAL, signet_span_str(""), AT_ONCE + 1));
    CHECK(forget(&rig, PARTY_NOW + KEEP_MS + 1));
    CHECK(!txn_rig_has(&rig, RECORD_ARRIVAL, signet_span_str(""), AT_ONCE + 1));
    txn_rig_close(&rig);
}

/* As long as its secrets could begin a session anew, what was begun with a bundle is known. */
static void a_transcript_is_known_as_long_as_its_bundle(void **state)
{
    struct signet_id bundle = id_of(1), other = id_of(2);
    struct signet_id first = id_of(11), second = id_of(12), third = id_of(13);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 686);
    rig.own.counters.next_message = 1;
    CHECK_OK(seen_mark_begun(&rig.t, &bundle, &first));
    rig.own.counters.next_message = 2;
    CHECK_OK(seen_mark_begun(&rig.t, &bundle, &second));
    CHECK_OK(seen_mark_begun(&rig.t, &other, &third));
    txn_rig_commit(&rig);
    CHECK_OK(seen_has(&rig.t, RECORD_TRANSCRIPT, &first));
    CHECK_OK(seen_forget_begun(&rig.t, &bundle));
    CHECK_ERR(seen_has(&rig.t, RECORD_TRANSCRIPT, &first), SIGNET_ERR_UNKNOWN);
    CHECK_ERR(seen_has(&rig.t, RECORD_TRANSCRIPT, &second), SIGNET_ERR_UNKNOWN);
    CHECK_OK(seen_has(&rig.t, RECORD_TRANSCRIPT, &third));
    CHECK(!txn_rig_has(&rig, RECORD_BEGUN, signet_id_span(&bundle), 1));
    CHECK(txn_rig_has(&rig, RECORD_BEGUN, signet_id_span(&other), 2));
    txn_rig_close(&rig);
}

TEST_FILE(seen)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_seen_even_where_it_is_damaged),
        cmocka_unit_test(marks_go_after_31_days_and_not_before),
        cmocka_unit_test(a_clock_set_back_ages_no_mark),
        cmocka_unit_test(a_mark_from_the_future_stops_nothing),
        cmocka_unit_test(a_damaged_arrival_goes_and_its_mark_stays),
        cmocka_unit_test(a_login_forgets_no_more_than_so_many),
        cmocka_unit_test(a_transcript_is_known_as_long_as_its_bundle),
    };

    return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}
