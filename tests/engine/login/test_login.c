/* Registering, logging in, and what is due then. docs/protocol.md, sections 3, 4 and 9. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/engine.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static const uint8_t server_nonce[RELAY_NONCE_LEN] = {4, 7, 1, 1};

/* Connected, and the relay has said its nonce. */
static void challenge(struct txn_rig *rig)
{
    struct engine_hop hop = {.pin = id_of(8), .exporter = {9}};
    struct relay_message message = {
        .type = RELAY_CHALLENGE, .nonce = signet_span_of(server_nonce, sizeof(server_nonce))};

    CHECK_OK(login_connected(&rig->t, &hop));
    CHECK(rig->requests.phase == PHASE_CHALLENGE);
    CHECK_OK(login_challenged(&rig->t, &message));
    CHECK_ERR(login_challenged(&rig->t, &message), SIGNET_ERR_FORMAT); /* twice */
}

/* What the relay knows of this connection. */
static struct signet_hop hop_of(const struct txn_rig *rig)
{
    struct signet_hop hop = {
        .pin = id_of(8), .origin = signet_span_str("relay.example"), .exporter = {9}};

    memcpy(hop.server_nonce, server_nonce, sizeof(hop.server_nonce));
    memcpy(hop.client_nonce, rig->login.hop.client_nonce, sizeof(hop.client_nonce));
    return hop;
}

static void check_login(struct txn_rig *rig, size_t index)
{
    struct relay_message message = txn_rig_message(rig, index);
    struct signet_hop hop = hop_of(rig);

    CHECK(message.type == RELAY_LOGIN && rig->requests.phase == PHASE_LOGIN);
    CHECK_OK(signet_login_verify(message.proof, own_card(&rig->t), &hop));
    hop.exporter[0] ^= 1; /* of another connection */
    CHECK_ERR(signet_login_verify(message.proof, own_card(&rig->t), &hop), SIGNET_ERR_CHANNEL);
}

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

static void check_stopped(struct txn_rig *rig, enum engine_problem problem)
{
    CHECK(rig->requests.phase == PHASE_STOPPED);
    CHECK(txn_rig_event(rig, EVENT_FAILED)->problem == problem);
    txn_rig_forget(rig);
    rig->requests.phase = PHASE_LOGIN;
}

static void a_login_is_signed_for_this_connection(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 790);
    challenge(&rig);
    check_login(&rig, 0);
    txn_rig_close(&rig);
}

static void a_name_is_registered_once_and_then_logged_in(void **state)
{
    struct relay_message message;
    struct signet_hop hop;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 791);
    rig.own.relay.is_registered = false;
    rig.own.relay.invitation.token[0] = 5;
    CHECK_OK(own_save_relay(&rig.t));
    txn_rig_commit(&rig);
    challenge(&rig);
    message = txn_rig_message(&rig, 0);
    CHECK(message.type == RELAY_REGISTER && rig.requests.phase == PHASE_REGISTER);
    CHECK_SPAN(message.name, "alice");
    CHECK(message.token.len == INVITATION_TOKEN_LEN && message.token.ptr[0] == 5);
    CHECK(signet_span_equal(message.card, signet_card_bytes(own_card(&rig.t))));
    hop = hop_of(&rig);
    CHECK_OK(signet_registration_verify(message.proof, own_card(&rig.t), message.name, &hop));
    CHECK_OK(login_registered(&rig.t));
    CHECK(txn_rig_count(&rig, EVENT_REGISTERED) == 1);
    check_login(&rig, 1);
    txn_rig_commit(&rig);
    txn_rig_restart(&rig);
    CHECK(rig.own.relay.is_registered);
    txn_rig_close(&rig);
}

static void each_refusal_has_its_problem(void **state)
{
    const struct {
        uint64_t code;
        enum engine_problem registering, logging_in, publishing;
    } cases[] = {
        {RELAY_CODE_NAME_TAKEN, PROBLEM_NAME_TAKEN, PROBLEM_LOGIN, PROBLEM_RELAY},
        {RELAY_CODE_NAME, PROBLEM_NAME_NOT_ALLOWED, PROBLEM_LOGIN, PROBLEM_RELAY},
        {RELAY_CODE_INVITATION, PROBLEM_INVITATION, PROBLEM_LOGIN, PROBLEM_RELAY},
        {RELAY_CODE_CLOSED, PROBLEM_CLOSED, PROBLEM_LOGIN, PROBLEM_RELAY},
        {RELAY_CODE_CLOCK, PROBLEM_CLOCK, PROBLEM_LOGIN, PROBLEM_CLOCK},
        {RELAY_CODE_STORE, PROBLEM_NOT_NOW, PROBLEM_RELAY, PROBLEM_RELAY},
        {RELAY_CODE_OFTEN, PROBLEM_OFTEN, PROBLEM_OFTEN, PROBLEM_OFTEN},
        {RELAY_CODE_VERSION, PROBLEM_LOGIN, PROBLEM_LOGIN, PROBLEM_OLD_STORE},
        {4711, PROBLEM_LOGIN, PROBLEM_LOGIN, PROBLEM_RELAY}, /* of a newer relay */
    };
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 792);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_OK(login_not_registered(&rig.t, cases[i].code));
        check_stopped(&rig, cases[i].registering);
        CHECK_OK(login_refused(&rig.t, cases[i].code));
        check_stopped(&rig, cases[i].logging_in);
        CHECK_OK(login_not_published(&rig.t, cases[i].code));
        check_stopped(&rig, cases[i].publishing);
    }
    txn_rig_close(&rig);
}

/* An earlier attempt's card: tried first, because the relay might have known it. */
static void a_card_that_has_grown_old_is_renewed_to_register(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 793);
    rig.own.relay.is_registered = false;
    rig.t.now_ms = PARTY_NOW + 2 * DAY_MS;
    challenge(&rig);
    txn_rig_commit(&rig);
    CHECK_OK(login_not_registered(&rig.t, RELAY_CODE_CLOCK));
    CHECK(txn_rig_message(&rig, 0).type == RELAY_REGISTER);
    CHECK(signet_card_version(own_card(&rig.t)) == 2);
    txn_rig_commit(&rig);
    CHECK_OK(login_not_registered(&rig.t, RELAY_CODE_CLOCK)); /* once */
    check_stopped(&rig, PROBLEM_CLOCK);
    txn_rig_restart(&rig);
    CHECK(signet_card_version(own_card(&rig.t)) == 2);
    txn_rig_close(&rig);
}

static void a_home_in_order_is_ready_at_once(void **state)
{
    struct relay_message message;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 794);
    message = welcome(&rig);
    CHECK_OK(login_welcomed(&rig.t, &message));
    CHECK(rig.requests.phase == PHASE_READY && txn_rig_count(&rig, EVENT_READY) == 1);
    CHECK(rig.output.first_frame == NULL && rig.output.changes.count == 0);
    CHECK_ERR(login_drained(&rig.t), SIGNET_ERR_FORMAT); /* it was not asked for anything */
    rig.login.wants_delivery = true;
    CHECK_OK(login_welcomed(&rig.t, &message));
    CHECK(txn_rig_message(&rig, 0).type == RELAY_SUBSCRIBE && rig.login.is_subscribed);
    CHECK_OK(login_drained(&rig.t));
    CHECK_OK(login_drained(&rig.t));
    CHECK(txn_rig_count(&rig, EVENT_DRAINED) == 1);
    CHECK(!login_is_old(&rig.login, PARTY_NOW + DAY_MS - 1));
    CHECK(login_is_old(&rig.login, PARTY_NOW + DAY_MS));
    txn_rig_close(&rig);
}

static void a_list_that_the_relay_lacks_is_published_first(void **state)
{
    struct relay_message message;
    struct request *request;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 795);
    message = welcome(&rig);
    CHECK_OK(signet_account_renew(rig.own.account, PARTY_NOW + 1));
    CHECK_OK(login_welcomed(&rig.t, &message));
    CHECK(rig.requests.phase == PHASE_UPKEEP && txn_rig_count(&rig, EVENT_READY) == 0);
    CHECK(txn_rig_message(&rig, 0).type == RELAY_PUT_CARD);
    CHECK(signet_span_equal(txn_rig_message(&rig, 0).card, signet_card_bytes(own_card(&rig.t))));
    request = requests_take(&rig.requests, rig.requests.first->req);
    CHECK_OK(login_published(&rig.t, request));
    free(request);
    CHECK(rig.requests.phase == PHASE_READY && txn_rig_count(&rig, EVENT_READY) == 1);
    txn_rig_close(&rig);
}

static void a_list_of_a_month_ago_is_renewed(void **state)
{
    struct relay_message message;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 796);
    rig.t.now_ms = rig.own.counters.bundles[0].made_at = rig.own.counters.cleaned_at =
        PARTY_NOW + 30 * DAY_MS;
    message = welcome(&rig);
    CHECK_OK(login_welcomed(&rig.t, &message));
    CHECK(txn_rig_message(&rig, 0).type == RELAY_PUT_CARD);
    CHECK(signet_card_version(own_card(&rig.t)) == 2);
    CHECK(signet_card_issued_at(own_card(&rig.t)) == rig.t.now_ms);
    txn_rig_close(&rig);
}

/* Sending from an older copy would use keys again. */
static void an_older_copy_of_a_home_stops(void **state)
{
    struct relay_message message;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 797);
    message = welcome(&rig);
    message.id = id_of(3); /* a list that this home has never issued */
    CHECK_OK(login_welcomed(&rig.t, &message));
    check_stopped(&rig, PROBLEM_OLD_STORE);
    party_publish(&rig.alice, 2); /* a bundle that it has never made */
    message = welcome(&rig);
    CHECK_OK(login_welcomed(&rig.t, &message));
    check_stopped(&rig, PROBLEM_OLD_STORE);
    party_publish(&rig.alice, 1); /* another one of that version */
    message = welcome(&rig);
    CHECK_OK(login_welcomed(&rig.t, &message));
    check_stopped(&rig, PROBLEM_OLD_STORE);
    txn_rig_close(&rig);
}

/* A wrong clock is told; what it would date is not made. */
static void a_wrong_clock_stops_only_where_something_is_due(void **state)
{
    struct relay_message message;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 800);
    message = welcome(&rig);
    message.time_ms = PARTY_NOW + DAY_MS + 1;
    CHECK_OK(login_welcomed(&rig.t, &message));
    CHECK(rig.requests.phase == PHASE_READY && txn_rig_count(&rig, EVENT_NOTE) == 1);
    message.one_time_left = 0;
    CHECK_OK(login_welcomed(&rig.t, &message));
    check_stopped(&rig, PROBLEM_CLOCK);
    message.time_ms = PARTY_NOW - DAY_MS - 1;
    CHECK_OK(login_welcomed(&rig.t, &message));
    check_stopped(&rig, PROBLEM_CLOCK);
    CHECK(rig.own.counters.bundle_version == 1);
    txn_rig_close(&rig);
}

TEST_FILE(login)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_is_signed_for_this_connection),
        cmocka_unit_test(a_name_is_registered_once_and_then_logged_in),
        cmocka_unit_test(each_refusal_has_its_problem),
        cmocka_unit_test(a_card_that_has_grown_old_is_renewed_to_register),
        cmocka_unit_test(a_home_in_order_is_ready_at_once),
        cmocka_unit_test(a_list_that_the_relay_lacks_is_published_first),
        cmocka_unit_test(a_list_of_a_month_ago_is_renewed),
        cmocka_unit_test(an_older_copy_of_a_home_stops),
        cmocka_unit_test(a_wrong_clock_stops_only_where_something_is_due),
    };

    return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
