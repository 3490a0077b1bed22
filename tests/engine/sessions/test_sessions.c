/* Which session is used, how many live, and what a damaged one leaves. docs/protocol.md, section 5. */
#include "tests/support/txn_rig.h"

#include "engine/sessions/loss.h"
#include "tests/support/forge.h"
#include "tests/support/forge_session.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static void open_rig(struct txn_rig *rig, uint64_t seed)
{
    txn_rig_open(rig, seed);
    party_publish(&rig->bob, 1);
}

/* A session with Bob, stored and committed; its transcript. */
static struct signet_id store(struct txn_rig *rig, uint64_t received_at)
{
    struct signet_session *session = txn_rig_answered(rig, &rig->bob, received_at, 0);
    struct signet_id transcript = *signet_session_transcript(session);

    CHECK_OK(sessions_save(&rig->t, session));
    txn_rig_commit(rig);
    return transcript;
}

static const struct signet_id *bob_device(const struct txn_rig *rig)
{
    return signet_account_device(rig->bob.account);
}

static enum signet_err pick(
    struct txn_rig *rig, const struct party *party, struct signet_id *picked)
{
    struct session_slot *slot;
    enum signet_err err = sessions_pick(&rig->t, signet_account_address(party->account),
        signet_account_device(party->account), &slot);

    if (err == SIGNET_OK)
        *picked = *signet_session_transcript(slot->session);
    return err;
}

static void check_picks(struct txn_rig *rig, const struct signet_id *wanted)
{
    struct signet_id picked;

    CHECK_OK(pick(rig, &rig->bob, &picked));
    CHECK(signet_id_equal(&picked, wanted));
}

static bool is_stored(struct txn_rig *rig, const struct signet_id *transcript)
{
    return txn_rig_has(rig, RECORD_SESSION, signet_id_span(transcript), 0);
}

/* Whether the tags by which messages of a session are found are all stored. */
static bool has_tags(struct txn_rig *rig, const struct signet_tag *tags, size_t count)
{
    size_t stored = 0;

    for (size_t i = 0; i < count; i++)
        stored += txn_rig_has(rig, RECORD_TAG, signet_span_of(tags[i].b, sizeof(tags[i].b)), 0);
    CHECK(stored == 0 || stored == count);
    return stored > 0;
}

static void the_session_received_on_last_is_answered_on(void **state)
{
    struct signet_id second;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 700);
    (void)store(&rig, PARTY_NOW + 1);
    second = store(&rig, PARTY_NOW + 3);
    (void)store(&rig, PARTY_NOW + 2);
    (void)store(&rig, 0);
    check_picks(&rig, &second);
    txn_rig_restart(&rig);
    check_picks(&rig, &second);
    txn_rig_close(&rig);
}

/* So that both sides settle on the same. */
static void before_anything_came_it_is_the_lowest(void **state)
{
    struct signet_id ids[3], lowest;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 701);
    for (size_t i = 0; i < 3; i++) {
        ids[i] = store(&rig, 0);
        if (i == 0 || signet_id_compare(&ids[i], &lowest) < 0)
            lowest = ids[i];
        check_picks(&rig, &lowest);
    }
    txn_rig_close(&rig);
}

static void a_new_one_is_due_where_none_is_left_or_all_are_worn(void **state)
{
    struct signet_id picked;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 702);
    CHECK_ERR(pick(&rig, &rig.bob, &picked), SIGNET_ERR_UNKNOWN);
    (void)store(&rig, 0);
    rig.t.now_ms = PARTY_NOW + 2 * DAY_MS; /* nobody has answered */
    CHECK_ERR(pick(&rig, &rig.bob, &picked), SIGNET_ERR_UNKNOWN);
    txn_rig_close(&rig);
}

static void the_one_used_longest_ago_goes_where_there_is_no_room(void **state)
{
    struct signet_id ids[SIGNET_SESSIONS_MAX + 1];
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX];
    struct session_slot *slot;
    size_t count;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 703);
    for (unsigned i = 0; i < SIGNET_SESSIONS_MAX; i++)
        ids[i] = store(&rig, PARTY_NOW + (i == 2 ? 1 : 100 + i));
    CHECK_OK(sessions_load(&rig.t, &ids[2], &slot));
    CHECK_OK(signet_session_tags(slot->session, tags, &count));
    CHECK(count > 0 && has_tags(&rig, tags, count));
    ids[SIGNET_SESSIONS_MAX] = store(&rig, PARTY_NOW + 50);
    for (unsigned i = 0; i <= SIGNET_SESSIONS_MAX; i++)
        CHECK(is_stored(&rig, &ids[i]) == (i != 2));
    CHECK(!has_tags(&rig, tags, count));
    check_picks(&rig, &ids[SIGNET_SESSIONS_MAX - 1]);
    txn_rig_close(&rig);
}

/* Any account may list any device: what is between others and the device goes on. */
static void only_the_accounts_own_sessions_end_with_a_device(void **state)
{
    struct forged_account keys = {.next_identity = id_of(1)};
    struct party other = {.name = CAROL};
    struct signet_session *session;
    struct signet_id bobs, others, picked;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 704);
    keys.identity = party_key(rig.library, CAROL, PARTY_IDENTITY);
    keys.device = party_key(rig.library, BOB, PARTY_DEVICE);
    other.library = rig.library;
    other.account = forge_account(rig.library, &keys, PARTY_NOW);
    party_publish(&other, 1);
    bobs = store(&rig, PARTY_NOW + 9);
    session = txn_rig_answered(&rig, &other, PARTY_NOW + 1, 0);
    others = *signet_session_transcript(session);
    CHECK_OK(sessions_save(&rig.t, session));
    txn_rig_commit(&rig);
    check_picks(&rig, &bobs);
    CHECK_OK(sessions_drop(&rig.t, signet_account_address(rig.bob.account), bob_device(&rig)));
    CHECK_ERR(pick(&rig, &rig.bob, &picked), SIGNET_ERR_UNKNOWN);
    CHECK_OK(pick(&rig, &other, &picked));
    CHECK(signet_id_equal(&picked, &others));
    CHECK(!is_stored(&rig, &bobs) && is_stored(&rig, &others));
    party_free(&other);
    txn_rig_close(&rig);
}

static void a_damaged_session_is_a_loss_that_is_told_once(void **state)
{
    struct signet_id transcript, picked;
    struct loss loss;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 705);
    transcript = store(&rig, PARTY_NOW + 1);
    txn_rig_restart(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_SESSION) == 1);
    CHECK_ERR(loss_load(&rig.t, bob_device(&rig), &loss), SIGNET_ERR_UNKNOWN);
    CHECK_ERR(pick(&rig, &rig.bob, &picked), SIGNET_ERR_UNKNOWN);
    CHECK(txn_rig_count(&rig, EVENT_NOTE) == 1);
    CHECK_OK(loss_load(&rig.t, bob_device(&rig), &loss));
    CHECK(loss.is_due && loss.tried_at == 0 && rig.sessions.has_losses);
    CHECK(!is_stored(&rig, &transcript));
    CHECK_ERR(pick(&rig, &rig.bob, &picked), SIGNET_ERR_UNKNOWN);
    txn_rig_commit(&rig);
    txn_rig_restart(&rig);
    CHECK_ERR(pick(&rig, &rig.bob, &picked), SIGNET_ERR_UNKNOWN);
    CHECK(txn_rig_count(&rig, EVENT_NOTE) == 0);
    txn_rig_close(&rig);
}

static void keys_of_messages_that_never_came_go_after_30_days(void **state)
{
    struct signet_session *session;
    struct signet_id transcript;
    struct session_slot *slot;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 708);
    session = txn_rig_answered(&rig, &rig.bob, PARTY_NOW + 1, 3);
    CHECK(forge_skipped_count(session) == 3);
    transcript = *signet_session_transcript(session);
    CHECK_OK(sessions_save(&rig.t, session));
    txn_rig_commit(&rig);
    rig.t.now_ms = PARTY_NOW + 29 * DAY_MS;
    CHECK_OK(sessions_expire(&rig.t));
    CHECK(rig.output.changes.count == 0);
    rig.t.now_ms = PARTY_NOW + 31 * DAY_MS;
    CHECK_OK(sessions_expire(&rig.t));
    txn_rig_commit(&rig);
    txn_rig_restart(&rig);
    CHECK_OK(sessions_load(&rig.t, &transcript, &slot));
    CHECK(forge_skipped_count(slot->session) == 0);
    txn_rig_close(&rig);
}

static void what_a_device_sends_is_later_than_all_before_it(void **state)
{
    uint64_t at = PARTY_NOW - DAY_MS;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 709);
    (void)store(&rig, PARTY_NOW + 7);
    (void)store(&rig, PARTY_NOW + 2);
    CHECK_OK(sessions_next_time(&rig.t, bob_device(&rig), &at));
    CHECK(at == PARTY_NOW + 8);
    at = PARTY_NOW + 7;
    CHECK_OK(sessions_next_time(&rig.t, bob_device(&rig), &at));
    CHECK(at == PARTY_NOW + 8);
    at = PARTY_NOW + DAY_MS;
    CHECK_OK(sessions_next_time(&rig.t, bob_device(&rig), &at));
    CHECK(at == PARTY_NOW + DAY_MS);
    txn_rig_close(&rig);
}

TEST_FILE(sessions)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_session_received_on_last_is_answered_on),
        cmocka_unit_test(before_anything_came_it_is_the_lowest),
        cmocka_unit_test(a_new_one_is_due_where_none_is_left_or_all_are_worn),
        cmocka_unit_test(the_one_used_longest_ago_goes_where_there_is_no_room),
        cmocka_unit_test(only_the_accounts_own_sessions_end_with_a_device),
        cmocka_unit_test(a_damaged_session_is_a_loss_that_is_told_once),
        cmocka_unit_test(keys_of_messages_that_never_came_go_after_30_days),
        cmocka_unit_test(what_a_device_sends_is_later_than_all_before_it),
    };

    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
