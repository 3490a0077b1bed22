/* A session is begun with the prekeys that the relay hands out, or it is told why not.
 * docs/protocol.md, sections 4 and 5. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/directory/prekeys.h"
#include "tests/support/flip.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct scene {
    struct txn_rig rig;
    struct contact_slot *bob;
    struct signet_id device; /* Bob's */
};

static void scene_open(struct scene *s, uint64_t seed)
{
    txn_rig_open(&s->rig, seed);
    party_publish(&s->rig.bob, 3);
    s->bob = txn_rig_contact(&s->rig, &s->rig.bob, "bob");
    s->device = *signet_account_device(s->rig.bob.account);
}

/* Ask; the relay answers that. */
static void answer(struct scene *s, const struct relay_message *message)
{
    struct request *request;

    CHECK_OK(prekeys_claim(&s->rig.t, s->bob, &s->device));
    CHECK(s->bob->is_asking);
    request = requests_take(&s->rig.requests, s->rig.requests.first->req);
    CHECK(request->type == REQUEST_TAKE && signet_id_equal(&request->device, &s->device));
    if (message->type == RELAY_REFUSED)
        CHECK_OK(prekeys_not_claimed(&s->rig.t, request, message));
    else
        CHECK_OK(prekeys_claimed(&s->rig.t, request, message));
    CHECK(!s->bob->is_asking);
    free(request);
}

static void hand_out(struct scene *s, signet_span bundle)
{
    struct relay_message message = {.type = RELAY_PREKEYS, .bundle = bundle};

    answer(s, &message);
}

static bool has_session(struct scene *s)
{
    struct session_slot *slot;
    enum signet_err err = sessions_pick(&s->rig.t, &s->bob->contact.address, &s->device, &slot);

    CHECK(err == SIGNET_OK || err == SIGNET_ERR_UNKNOWN);
    return err == SIGNET_OK;
}

static void check_refused(struct scene *s, enum engine_problem problem)
{
    struct outcome outcome = txn_rig_outcome(&s->rig, OUTCOME_FAILED);

    CHECK(outcome.problem == problem && !outcome.is_by_name);
    CHECK(signet_id_equal(&outcome.address, &s->bob->contact.address));
    CHECK(s->rig.t.first_outcome == NULL && !has_session(s));
}

static void a_bundle_begins_a_session_and_is_remembered(void **state)
{
    const struct contact_device *seen;
    struct scene s;

    (void)state;
    scene_open(&s, 770);
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    CHECK(txn_rig_message(&s.rig, 0).type == RELAY_TAKE);
    CHECK(has_session(&s) && s.rig.t.first_outcome == NULL);
    seen = contact_find_device(&s.bob->contact, &s.device);
    CHECK(seen->bundle_version == 3 && !seen->is_expired);
    CHECK(signet_id_equal(&seen->bundle, signet_bundle_id(s.rig.bob.bundle)));
    txn_rig_commit(&s.rig);
    txn_rig_restart(&s.rig);
    CHECK_OK(contacts_load(&s.rig.t, signet_account_address(s.rig.bob.account), &s.bob));
    CHECK(contact_find_device(&s.bob->contact, &s.device)->bundle_version == 3);
    CHECK(has_session(&s));
    txn_rig_close(&s.rig);
}

/* With a one-time prekey Bob can accept, and one that is not the bundle's is refused. */
static void a_one_time_prekey_must_be_the_bundles(void **state)
{
    struct signet_one_time one_time;
    struct relay_message message = {.type = RELAY_PREKEYS, .has_prekey = true}, read;
    struct signet_buf bytes = {0};
    signet_span rest;
    struct scene s;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        scene_open(&s, 771);
        one_time = party_one_time(&s.rig.bob, 5);
        one_time.key[0] ^= (uint8_t)i;
        message.bundle = signet_buf_span(&s.rig.bob.bundle_bytes);
        message.prekey = (struct relay_prekey){.index = one_time.index,
            .key = signet_span_of(one_time.key, sizeof(one_time.key)),
            .path = signet_span_of(one_time.path, one_time.path_len * sizeof(one_time.path[0]))};
        CHECK_OK(relay_message_write(&message, &bytes));
        CHECK_OK(relay_message_read(signet_buf_span(&bytes), &read, &rest));
        answer(&s, &read);
        if (i == 0)
            CHECK(has_session(&s));
        else
            check_refused(&s, PROBLEM_CARD);
        signet_buf_free(&bytes);
        txn_rig_close(&s.rig);
    }
}

static void a_bundle_that_does_not_verify_is_refused(void **state)
{
    struct signet_buf bytes;
    struct scene s;

    (void)state;
    scene_open(&s, 772);
    bytes = copy_of(signet_buf_span(&s.rig.bob.bundle_bytes));
    bytes.ptr[bytes.len - 1] ^= 1;
    hand_out(&s, signet_buf_span(&bytes));
    check_refused(&s, PROBLEM_CARD);
    signet_buf_free(&bytes);
    party_publish(&s.rig.alice, 1); /* of another account */
    hand_out(&s, signet_buf_span(&s.rig.alice.bundle_bytes));
    check_refused(&s, PROBLEM_CARD);
    s.device = id_of(9); /* of another device than was asked for */
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    check_refused(&s, PROBLEM_CARD);
    txn_rig_close(&s.rig);
}

static void an_older_bundle_or_another_of_that_version_is_refused(void **state)
{
    struct contact_device *seen;
    struct scene s;

    (void)state;
    scene_open(&s, 773);
    seen = contact_find_device(&s.bob->contact, &s.device);
    seen->bundle = *signet_bundle_id(s.rig.bob.bundle);
    seen->bundle_version = 4;
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    check_refused(&s, PROBLEM_CARD);
    seen->bundle_version = 3;
    seen->bundle = id_of(9);
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    check_refused(&s, PROBLEM_CARD);
    seen->bundle = *signet_bundle_id(s.rig.bob.bundle);
    seen->suite = signet_bundle_suite_max(s.rig.bob.bundle) + 1; /* a downgrade */
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    check_refused(&s, PROBLEM_CARD);
    seen->suite--;
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    CHECK(has_session(&s));
    txn_rig_close(&s.rig);
}

/* A clock set back opens no old door. */
static void a_bundle_seen_expired_stays_so(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 774);
    s.rig.t.now_ms = PARTY_NOW + 100 * DAY_MS;
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    check_refused(&s, PROBLEM_EXPIRED);
    txn_rig_commit(&s.rig);
    s.rig.t.now_ms = PARTY_NOW;
    txn_rig_restart(&s.rig);
    CHECK_OK(contacts_load(&s.rig.t, signet_account_address(s.rig.bob.account), &s.bob));
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    check_refused(&s, PROBLEM_EXPIRED);
    party_publish(&s.rig.bob, 4);
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    CHECK(has_session(&s));
    txn_rig_close(&s.rig);
}

static void a_bundle_of_tomorrow_is_not_good_yet_but_will_be(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 775);
    s.rig.t.now_ms = PARTY_NOW - 100 * DAY_MS;
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    check_refused(&s, PROBLEM_EXPIRED);
    s.rig.t.now_ms = PARTY_NOW;
    hand_out(&s, signet_buf_span(&s.rig.bob.bundle_bytes));
    CHECK(has_session(&s));
    txn_rig_close(&s.rig);
}

static void without_prekeys_texts_fail_and_without_an_answer_they_wait(void **state)
{
    struct relay_message refusal = {.type = RELAY_REFUSED, .code = RELAY_CODE_UNKNOWN};
    struct outcome outcome;
    struct scene s;

    (void)state;
    scene_open(&s, 776);
    answer(&s, &refusal);
    check_refused(&s, PROBLEM_NO_BUNDLE);
    refusal.code = RELAY_CODE_OFTEN;
    refusal.retry_after_ms = 7000;
    answer(&s, &refusal);
    outcome = txn_rig_outcome(&s.rig, OUTCOME_HELD);
    CHECK(outcome.problem == PROBLEM_OFTEN && outcome.not_before == PARTY_NOW + 7000);
    CHECK(signet_id_equal(&outcome.address, &s.bob->contact.address));
    txn_rig_close(&s.rig);
}

TEST_FILE(prekeys)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_begins_a_session_and_is_remembered),
        cmocka_unit_test(a_one_time_prekey_must_be_the_bundles),
        cmocka_unit_test(a_bundle_that_does_not_verify_is_refused),
        cmocka_unit_test(an_older_bundle_or_another_of_that_version_is_refused),
        cmocka_unit_test(a_bundle_seen_expired_stays_so),
        cmocka_unit_test(a_bundle_of_tomorrow_is_not_good_yet_but_will_be),
        cmocka_unit_test(without_prekeys_texts_fail_and_without_an_answer_they_wait),
    };

    return cmocka_run_group_tests_name("prekeys", tests, NULL, NULL);
}
