/* A session is lost here: who is told what we have, and when. docs/protocol.md, sections 5 and 7. */
#include "tests/support/txn_rig.h"

#include "engine/sessions/loss.h"

#define HOUR_MS (UINT64_C(3600) * 1000)

static struct signet_id bob_device(const struct txn_rig *rig)
{
    return *signet_account_device(rig->bob.account);
}

/* Alice has written to Bob, and lost the session with him. */
static struct contact_slot *lose(struct txn_rig *rig, uint64_t seed)
{
    struct contact_slot *slot;
    struct signet_id device;

    txn_rig_open(rig, seed);
    slot = txn_rig_contact(rig, &rig->bob, "bob");
    device = bob_device(rig);
    CHECK_OK(loss_note(&rig->t, &device));
    return slot;
}

static void a_loss_is_due_until_it_was_told(void **state)
{
    struct signet_id device;
    struct loss loss;
    struct txn_rig rig;

    (void)state;
    (void)lose(&rig, 710);
    device = bob_device(&rig);
    CHECK_OK(loss_load(&rig.t, &device, &loss));
    CHECK(loss.is_due && loss.tried_at == 0 && signet_id_equal(&loss.device, &device));
    CHECK_OK(loss_told(&rig.t, &device));
    CHECK_OK(loss_load(&rig.t, &device, &loss));
    CHECK(!loss.is_due && loss.tried_at == PARTY_NOW);
    CHECK_OK(loss_note(&rig.t, &device)); /* once more */
    CHECK_OK(loss_load(&rig.t, &device, &loss));
    CHECK(loss.is_due && loss.tried_at == PARTY_NOW);
    txn_rig_commit(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_LOSS) == 1);
    CHECK_ERR(loss_load(&rig.t, &device, &loss), SIGNET_ERR_UNKNOWN);
    txn_rig_close(&rig);
}

/* In the very call that found it, and no more than once an hour. */
static void a_loss_is_told_at_most_once_an_hour(void **state)
{
    struct outcome outcome;
    struct txn_rig rig;

    (void)state;
    (void)lose(&rig, 711);
    CHECK_OK(recovery_tell(&rig.t));
    outcome = txn_rig_outcome(&rig, OUTCOME_SESSION_LOST);
    CHECK(signet_id_equal(&outcome.address, signet_account_address(rig.bob.account)));
    CHECK(rig.t.first_outcome == NULL);
    txn_rig_commit(&rig);
    rig.sessions.has_losses = true;
    rig.t.now_ms = PARTY_NOW + HOUR_MS - 1;
    CHECK_OK(recovery_tell(&rig.t));
    CHECK(rig.t.first_outcome == NULL && rig.recovery.due_at == PARTY_NOW + HOUR_MS);
    rig.t.now_ms = PARTY_NOW + HOUR_MS;
    CHECK_OK(recovery_tell(&rig.t));
    (void)txn_rig_outcome(&rig, OUTCOME_SESSION_LOST);
    txn_rig_close(&rig);
}

static void what_was_told_is_not_told_again(void **state)
{
    struct signet_id device;
    struct txn_rig rig;

    (void)state;
    (void)lose(&rig, 712);
    device = bob_device(&rig);
    CHECK_OK(loss_told(&rig.t, &device));
    txn_rig_commit(&rig);
    rig.sessions.has_losses = true;
    rig.t.now_ms = PARTY_NOW + 2 * HOUR_MS;
    CHECK_OK(recovery_tell(&rig.t));
    CHECK(rig.t.first_outcome == NULL);
    txn_rig_close(&rig);
}

/* A stranger learns nothing of us, and to whom is in doubt nothing is sent. */
static void strangers_and_whoever_is_in_doubt_are_not_told(void **state)
{
    struct contact_slot *slot;
    struct txn_rig rig;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        slot = lose(&rig, 713);
        slot->contact.state = i == 0 ? CONTACT_NEW : CONTACT_CONFIRMED;
        slot->contact.has_changed = i == 1;
        slot->contact.has_forked = i == 2;
        CHECK_OK(contacts_save(&rig.t, slot));
        CHECK_OK(recovery_tell(&rig.t));
        CHECK(rig.t.first_outcome == NULL);
        txn_rig_close(&rig);
    }
}

static void a_device_that_is_nobodys_is_not_told(void **state)
{
    struct signet_id device = id_of(5);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 714);
    CHECK_OK(loss_note(&rig.t, &device));
    CHECK_OK(recovery_tell(&rig.t));
    CHECK(rig.t.first_outcome == NULL);
    txn_rig_close(&rig);
}

/* Found by its tag, it is traced to whose it was; its record goes, so that none looks again. */
static void a_damaged_session_is_traced_to_its_device(void **state)
{
    struct signet_id transcript, device;
    struct loss loss;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 715);
    party_publish(&rig.bob, 1);
    (void)txn_rig_contact(&rig, &rig.bob, "bob");
    transcript = txn_rig_session(&rig, &rig.bob);
    device = bob_device(&rig);
    txn_rig_restart(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_SESSION) == 1);
    CHECK_OK(recovery_trace(&rig.t, &transcript));
    CHECK_OK(loss_load(&rig.t, &device, &loss));
    CHECK(loss.is_due);
    CHECK(!txn_rig_has(&rig, RECORD_SESSION, signet_id_span(&transcript), 0));
    CHECK_OK(recovery_tell(&rig.t));
    (void)txn_rig_outcome(&rig, OUTCOME_SESSION_LOST);
    txn_rig_close(&rig);
}

static void a_damaged_session_of_nobody_is_not_looked_for_again(void **state)
{
    struct signet_id transcript;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 716);
    party_publish(&rig.bob, 1);
    transcript = txn_rig_session(&rig, &rig.bob);
    txn_rig_restart(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_SESSION) == 1);
    CHECK_OK(recovery_trace(&rig.t, &transcript));
    CHECK(!txn_rig_has(&rig, RECORD_SESSION, signet_id_span(&transcript), 0));
    txn_rig_close(&rig);
}

TEST_FILE(loss)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_is_due_until_it_was_told),
        cmocka_unit_test(a_loss_is_told_at_most_once_an_hour),
        cmocka_unit_test(what_was_told_is_not_told_again),
        cmocka_unit_test(strangers_and_whoever_is_in_doubt_are_not_told),
        cmocka_unit_test(a_device_that_is_nobodys_is_not_told),
        cmocka_unit_test(a_damaged_session_is_traced_to_its_device),
        cmocka_unit_test(a_damaged_session_of_nobody_is_not_looked_for_again),
    };

    return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
