/* Questions to the relay, and what a refusal means. docs/protocol.md, section 9. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/txn/refusal.h"

static struct request *ask(struct txn_rig *rig, enum request_type type, enum relay_type wire)
{
    struct relay_message message = {.type = wire, .id = id_of(9)};
    struct request *request;

    CHECK_OK(requests_ask(&rig->t, type, &message, &request));
    return request;
}

static void a_question_is_sent_under_a_number_of_its_own(void **state)
{
    struct request *find, *take;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 610);
    find = ask(&rig, REQUEST_FIND_ADDRESS, RELAY_FIND);
    take = ask(&rig, REQUEST_TAKE, RELAY_TAKE);
    CHECK(find->req != 0 && find->req != take->req);
    CHECK(find->asked_at == PARTY_NOW && find->type == REQUEST_FIND_ADDRESS);
    CHECK(txn_rig_message(&rig, 0).type == RELAY_FIND);
    CHECK(txn_rig_message(&rig, 0).req == find->req);
    CHECK(txn_rig_message(&rig, 1).type == RELAY_TAKE);
    CHECK(txn_rig_message(&rig, 1).req == take->req);
    txn_rig_close(&rig);
}

static void what_cannot_be_sent_is_not_asked(void **state)
{
    static const uint8_t bytes[RELAY_CARD_MAX + 1];
    struct relay_message message = {
        .type = RELAY_PUT_CARD, .card = signet_span_of(bytes, sizeof(bytes))};
    struct request *request = NULL;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 611);
    CHECK_ERR(requests_ask(&rig.t, REQUEST_CARD, &message, &request), SIGNET_ERR_ARGUMENT);
    CHECK(request == NULL && requests_is_settled(&rig.requests));
    txn_rig_close(&rig);
}

static void an_answer_takes_its_own_question_once(void **state)
{
    struct request *requests[3], *taken;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 612);
    for (size_t i = 0; i < 3; i++)
        requests[i] = ask(&rig, REQUEST_TAKE, RELAY_TAKE);
    CHECK(requests_take(&rig.requests, requests[2]->req + 1) == NULL);
    for (size_t i = 0; i < 3; i++) {
        size_t at = (i + 1) % 3; /* from the middle, from the end, the only one */
        uint64_t req = requests[at]->req;

        CHECK(!requests_is_settled(&rig.requests));
        taken = requests_take(&rig.requests, req);
        CHECK(taken == requests[at]);
        free(taken);
        CHECK(requests_take(&rig.requests, req) == NULL);
    }
    CHECK(requests_is_settled(&rig.requests));
    txn_rig_close(&rig);
}

static void what_was_given_up_is_not_waited_for(void **state)
{
    struct request *request;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 613);
    request = ask(&rig, REQUEST_TAKE, RELAY_TAKE);
    request->is_given_up = true;
    CHECK(requests_is_settled(&rig.requests));
    (void)ask(&rig, REQUEST_TAKE, RELAY_TAKE);
    CHECK(!requests_is_settled(&rig.requests));
    txn_rig_close(&rig);
}

static void asking_is_by_type_and_address(void **state)
{
    struct signet_id bob = id_of(2), carol = id_of(3);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 614);
    ask(&rig, REQUEST_FIND_ADDRESS, RELAY_FIND)->address = bob;
    CHECK(requests_is_asking(&rig.requests, REQUEST_FIND_ADDRESS, &bob));
    CHECK(!requests_is_asking(&rig.requests, REQUEST_FIND_ADDRESS, &carol));
    CHECK(!requests_is_asking(&rig.requests, REQUEST_FIND_CONTACT, &bob));
    txn_rig_close(&rig);
}

static void a_connection_that_stops_says_why(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 615);
    CHECK_OK(requests_stop(&rig.t, PROBLEM_CLOCK, "alice"));
    CHECK(rig.requests.phase == PHASE_STOPPED);
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->problem == PROBLEM_CLOCK);
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->token == 0);
    assert_string_equal(txn_rig_event(&rig, EVENT_FAILED)->text, "alice");
    txn_rig_close(&rig);
}

/* What the relay says is bounded: neither a busy loop nor a message that never goes. */
static void the_time_of_another_try_is_bounded(void **state)
{
    const struct {
        uint64_t said, waits;
    } cases[] = {
        {0, RETRY_MS},
        {1, 1000},
        {999, 1000},
        {1000, 1000},
        {61000, 61000},
        {3600000, 3600000},
        {3600001, 3600000},
        {UINT64_MAX, 3600000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct relay_message refusal = {.type = RELAY_REFUSED, .retry_after_ms = cases[i].said};

        CHECK(refusal_retry_at(&refusal, PARTY_NOW) == PARTY_NOW + cases[i].waits);
    }
}

static void a_refusal_that_passes_has_its_problem(void **state)
{
    struct relay_message refusal = {.type = RELAY_REFUSED, .code = RELAY_CODE_OFTEN};

    (void)state;
    CHECK(refusal_problem(&refusal) == PROBLEM_OFTEN);
    refusal.code = CODE_SILENT;
    CHECK(refusal_problem(&refusal) == PROBLEM_SILENT);
    refusal.code = RELAY_CODE_STORE;
    CHECK(refusal_problem(&refusal) == PROBLEM_RELAY);
    refusal.code = 4711; /* of a relay that is newer */
    CHECK(refusal_problem(&refusal) == PROBLEM_RELAY);
}

TEST_FILE(requests)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_sent_under_a_number_of_its_own),
        cmocka_unit_test(what_cannot_be_sent_is_not_asked),
        cmocka_unit_test(an_answer_takes_its_own_question_once),
        cmocka_unit_test(what_was_given_up_is_not_waited_for),
        cmocka_unit_test(asking_is_by_type_and_address),
        cmocka_unit_test(a_connection_that_stops_says_why),
        cmocka_unit_test(the_time_of_another_try_is_bounded),
        cmocka_unit_test(a_refusal_that_passes_has_its_problem),
    };

    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
