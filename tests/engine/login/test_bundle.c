/* The own prekey bundles are made in time, and kept as long as they are needed.
 * docs/protocol.md, section 4. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/history/seen.h"
#include "engine/login/bundle.h"
#include "tests/support/flip.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* Everything is in order at the relay; to be changed. */
static struct relay_message welcome(struct txn_rig *rig)
{
    return (struct relay_message){.type = RELAY_WELCOME,
        .id = *signet_card_list(own_card(&rig->t)),
        .bundle = signet_buf_span(&rig->alice.bundle_bytes),
        .time_ms = rig->t.now_ms,
        .one_time_left = 200};
}

/* Registered, with a bundle, at the login; nothing is old. */
static void open_rig(struct txn_rig *rig, uint64_t seed)
{
    txn_rig_open(rig, seed);
    txn_rig_publish(rig);
    rig->own.counters.cleaned_at = PARTY_NOW;
    rig->requests.phase = PHASE_LOGIN;
}

static void a_bundle_is_made_and_sent_until_the_relay_has_it(void **state)
{
    struct relay_message message, sent;
    struct signet_buf bundle;
    struct request *request;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 798);
    message = welcome(&rig);
    message.one_time_left = 127;
    CHECK_OK(login_welcomed(&rig.t, &message));
    sent = txn_rig_message(&rig, 0);
    CHECK(sent.type == RELAY_PUT_BUNDLE && rig.requests.phase == PHASE_UPKEEP);
    CHECK(rig.own.counters.bundle_version == 2 && rig.own.counters.bundle_count == 2);
    CHECK(txn_rig_has(&rig, RECORD_BUNDLE, signet_span_of(NULL, 0), 2)); /* before it leaves */
    bundle = copy_of(sent.bundle);
    txn_rig_commit(&rig);
    txn_rig_restart(&rig); /* no answer came: the same is sent again */
    rig.requests.phase = PHASE_LOGIN;
    CHECK_OK(login_welcomed(&rig.t, &message));
    CHECK(signet_span_equal(txn_rig_message(&rig, 0).bundle, signet_buf_span(&bundle)));
    CHECK(rig.own.counters.bundle_version == 2);
    request = requests_take(&rig.requests, rig.requests.first->req);
    CHECK(request->type == REQUEST_BUNDLE && request->number == 2);
    CHECK_OK(login_published(&rig.t, request));
    CHECK(rig.requests.phase == PHASE_READY);
    CHECK(!txn_rig_has(&rig, RECORD_UPLOAD, signet_span_of(NULL, 0), 2));
    free(request);
    signet_buf_free(&bundle);
    txn_rig_close(&rig);
}

static void a_bundle_is_due_where_it_is_old_or_used_up(void **state)
{
    struct own_bundle *newest;
    struct relay_message message;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 799);
    message = welcome(&rig);
    message.one_time_left = 128;
    newest = &rig.own.counters.bundles[0];
    CHECK(!own_bundle_is_due(&rig.t, &message, 1));
    CHECK(own_bundle_is_due(&rig.t, &message, 0)); /* the relay has none */
    message.one_time_left = 127;
    CHECK(own_bundle_is_due(&rig.t, &message, 1));
    message.one_time_left = 200;
    newest->made_at = PARTY_NOW - 7 * DAY_MS + 1;
    CHECK(!own_bundle_is_due(&rig.t, &message, 1));
    newest->made_at = PARTY_NOW - 7 * DAY_MS;
    CHECK(own_bundle_is_due(&rig.t, &message, 1));
    /* Who empties our prekeys again and again does not push out the bundles of before. */
    message.one_time_left = 0;
    rig.own.counters.bundle_count = OWN_BUNDLES_MAX / 2;
    newest = &rig.own.counters.bundles[OWN_BUNDLES_MAX / 2 - 1];
    newest->made_at = PARTY_NOW - 4 * DAY_MS + 1;
    CHECK(!own_bundle_is_due(&rig.t, &message, 1));
    newest->made_at = PARTY_NOW - 4 * DAY_MS;
    CHECK(own_bundle_is_due(&rig.t, &message, 1));
    txn_rig_close(&rig);
}

/* One that was never confirmed and is too old for the relay was never handed out: it goes. */
static void an_upload_that_has_grown_old_is_replaced(void **state)
{
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 801);
    CHECK_OK(own_bundle_publish(&rig.t));
    txn_rig_commit(&rig);
    rig.t.now_ms = PARTY_NOW + DAY_MS / 2;
    CHECK_OK(own_bundle_publish(&rig.t));
    CHECK(rig.own.counters.bundle_version == 3 && rig.own.counters.bundle_count == 2);
    CHECK(rig.own.counters.bundles[0].version == 1 && rig.own.counters.bundles[1].version == 3);
    CHECK(!txn_rig_has(&rig, RECORD_BUNDLE, signet_span_of(NULL, 0), 2));
    CHECK(!txn_rig_has(&rig, RECORD_UPLOAD, signet_span_of(NULL, 0), 2));
    CHECK(txn_rig_has(&rig, RECORD_UPLOAD, signet_span_of(NULL, 0), 3));
    txn_rig_close(&rig);
}

/* Until nobody can name them any more, first messages to them may be on their way. */
static void old_secrets_go_with_what_was_begun_by_them(void **state)
{
    struct signet_id transcript = id_of(5);
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 802);
    rig.own.counters.next_message = 1;
    CHECK_OK(seen_mark_begun(&rig.t, &rig.own.counters.bundles[0].id, &transcript));
    txn_rig_publish(&rig);
    rig.own.counters.bundles[0].not_after = PARTY_NOW - 31 * DAY_MS;
    CHECK_OK(own_bundle_publish(&rig.t));
    CHECK(txn_rig_has(&rig, RECORD_BUNDLE, signet_span_of(NULL, 0), 1));
    CHECK_OK(own_bundle_published(&rig.t, 3));
    txn_rig_commit(&rig);
    rig.t.now_ms++;
    CHECK_OK(own_bundle_publish(&rig.t));
    CHECK(!txn_rig_has(&rig, RECORD_BUNDLE, signet_span_of(NULL, 0), 1));
    CHECK_ERR(seen_has(&rig.t, RECORD_TRANSCRIPT, &transcript), SIGNET_ERR_UNKNOWN);
    CHECK(rig.own.counters.bundles[0].version == 2 && rig.own.counters.bundle_count == 3);
    txn_rig_close(&rig);
}

static void there_are_no_more_bundles_than_there_is_room_for(void **state)
{
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 803);
    for (uint64_t i = 1; i < OWN_BUNDLES_MAX; i++)
        rig.own.counters.bundles[i] = rig.own.counters.bundles[0];
    rig.own.counters.bundle_count = OWN_BUNDLES_MAX;
    CHECK_OK(own_bundle_publish(&rig.t));
    CHECK(rig.own.counters.bundle_count == OWN_BUNDLES_MAX && rig.output.first_frame == NULL);
    txn_rig_close(&rig);
}

TEST_FILE(bundle)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_is_made_and_sent_until_the_relay_has_it),
        cmocka_unit_test(a_bundle_is_due_where_it_is_old_or_used_up),
        cmocka_unit_test(an_upload_that_has_grown_old_is_replaced),
        cmocka_unit_test(old_secrets_go_with_what_was_begun_by_them),
        cmocka_unit_test(there_are_no_more_bundles_than_there_is_room_for),
    };

    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
