/* Envelopes leave for each device in the order in which they were written. docs/protocol.md, section 9. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/history/history.h"
#include "engine/outbox/device_queues.h"

/* Envelope `token` for a device, of an entry of that name, in the conversation with Bob. */
static struct sealed *add(struct txn_rig *rig, unsigned device, unsigned token)
{
    struct sealed sealed = {
        .token = token, .device = id_of(device), .conversation = id_of(7), .entry = id_of(token)};
    struct message line = {.is_outgoing = true,
        .id = sealed.entry,
        .conversation = sealed.conversation,
        .peer = *signet_account_address(rig->bob.account),
        .kind = SIGNET_KIND_TEXT,
        .suite = 1};
    uint8_t envelope = (uint8_t)token;

    CHECK_OK(history_add(&rig->t, &line, false));
    sealed.message = line.number;
    CHECK_OK(stored_add(&rig->t, &sealed, signet_span_of(&envelope, 1)));
    return stored_find(&rig->outbox, sealed.number);
}

/* Which envelopes are handed over now, in order: "1 2 ". */
static void check_flush(struct txn_rig *rig, const char *wanted)
{
    struct relay_message message;
    char sent[64] = "";

    CHECK_OK(lanes_flush(&rig->t));
    for (size_t i = 0; (message = txn_rig_message(rig, i)).type != 0; i++) {
        size_t len = strlen(sent);

        CHECK(message.type == RELAY_PUT && message.envelope.len == 1);
        sent[len] = (char)('0' + message.envelope.ptr[0]);
        sent[len + 1] = ' ';
    }
    assert_string_equal(sent, wanted);
}

/* The question about that envelope, off the list; the caller frees it. */
static struct request *take(struct txn_rig *rig, const struct sealed *sealed)
{
    struct request *request = rig->requests.first;

    while (request != NULL && request->number != sealed->number)
        request = request->next;
    CHECK(request != NULL && request->type == REQUEST_PUT);
    return requests_take(&rig->requests, request->req);
}

static void accept(struct txn_rig *rig, const struct sealed *sealed)
{
    struct request *request = take(rig, sealed);

    txn_rig_commit(rig);
    CHECK_OK(outbox_accepted(&rig->t, request));
    free(request);
}

static void refuse(struct txn_rig *rig, const struct sealed *sealed, uint64_t code, uint64_t after)
{
    struct relay_message refusal = {.type = RELAY_REFUSED, .code = code, .retry_after_ms = after};
    struct request *request = take(rig, sealed);

    txn_rig_commit(rig);
    CHECK_OK(outbox_put_refused(&rig->t, request, &refusal));
    free(request);
}

static void one_goes_ahead_to_each_device_and_the_others_follow(void **state)
{
    struct sealed *first;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 740);
    first = add(&rig, 1, 1);
    (void)add(&rig, 1, 2);
    (void)add(&rig, 2, 3);
    (void)add(&rig, 1, 4);
    check_flush(&rig, "1 3 ");
    CHECK(rig.outbox.in_flight.count == 2 && rig.outbox.in_flight.bytes == 2);
    txn_rig_commit(&rig);
    check_flush(&rig, "");
    accept(&rig, first);
    CHECK(txn_rig_event(&rig, EVENT_ACCEPTED)->token == 1);
    CHECK(!txn_rig_has(&rig, RECORD_OUTBOX, signet_span_of(NULL, 0), 1));
    check_flush(&rig, "2 4 ");
    txn_rig_close(&rig);
}

static void nothing_leaves_before_the_connection_is_ready(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 741);
    (void)add(&rig, 1, 1);
    rig.requests.phase = PHASE_UPKEEP;
    check_flush(&rig, "");
    rig.requests.phase = PHASE_READY;
    check_flush(&rig, "1 ");
    txn_rig_close(&rig);
}

/* What has not left yet does not overtake what was refused, and everybody is told once. */
static void a_refusal_keeps_the_order(void **state)
{
    struct sealed *first;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 742);
    first = add(&rig, 1, 1);
    (void)add(&rig, 1, 2);
    check_flush(&rig, "1 ");
    refuse(&rig, first, RELAY_CODE_FULL, 0);
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->problem == PROBLEM_FULL);
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->token == 1);
    check_flush(&rig, "");
    CHECK(txn_rig_count(&rig, EVENT_QUEUED) == 1);
    CHECK(txn_rig_event(&rig, EVENT_QUEUED)->token == 2);
    CHECK(lanes_deadline(&rig.outbox) == UINT64_MAX);
    txn_rig_commit(&rig);
    check_flush(&rig, "");
    CHECK(rig.output.first_event == NULL);
    lanes_reopen(&rig.outbox, &first->device);
    check_flush(&rig, "1 ");
    txn_rig_commit(&rig);
    accept(&rig, first);
    check_flush(&rig, "2 ");
    txn_rig_close(&rig);
}

static void the_relays_time_is_waited_for(void **state)
{
    struct sealed *first;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 743);
    first = add(&rig, 1, 1);
    check_flush(&rig, "1 ");
    refuse(&rig, first, RELAY_CODE_OFTEN, 7000);
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->problem == PROBLEM_OFTEN);
    CHECK(lanes_deadline(&rig.outbox) == PARTY_NOW + 7000);
    rig.t.now_ms = PARTY_NOW + 6999;
    check_flush(&rig, "");
    rig.t.now_ms = PARTY_NOW + 7000;
    check_flush(&rig, "1 ");
    CHECK(lanes_deadline(&rig.outbox) == UINT64_MAX);
    txn_rig_close(&rig);
}

/* The relay's word that a device is gone deletes nothing: the contact's own list is asked for. */
static void a_device_that_the_relay_does_not_know_is_looked_up(void **state)
{
    struct sealed *first;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 744);
    (void)txn_rig_contact(&rig, &rig.bob, "bob");
    first = add(&rig, 1, 1);
    check_flush(&rig, "1 ");
    refuse(&rig, first, RELAY_CODE_UNKNOWN, 0);
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->problem == PROBLEM_DEVICE);
    assert_string_equal(txn_rig_event(&rig, EVENT_FAILED)->text, "bob");
    CHECK(txn_rig_message(&rig, 0).type == RELAY_FIND);
    CHECK(txn_rig_has(&rig, RECORD_OUTBOX, signet_span_of(NULL, 0), 1));
    txn_rig_close(&rig);
}

static void an_entry_is_accepted_when_its_last_device_has_it(void **state)
{
    struct sealed *first, *second;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 745);
    first = add(&rig, 1, 1);
    second = add(&rig, 2, 2);
    second->entry = first->entry;
    check_flush(&rig, "1 2 ");
    accept(&rig, second);
    CHECK(txn_rig_count(&rig, EVENT_ACCEPTED) == 0 && first->has_arrived);
    accept(&rig, first);
    CHECK(txn_rig_event(&rig, EVENT_ACCEPTED)->token == 1);
    txn_rig_close(&rig);
}

static void a_large_outbox_does_not_fill_the_connection(void **state)
{
    enum { IN_FLIGHT = 256, ALL = 300 };
    struct sealed *first;
    size_t sent = 0;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 746);
    first = add(&rig, 1, 1);
    for (unsigned i = 1; i < ALL; i++)
        (void)add(&rig, 1, 2);
    check_flush(&rig, "1 ");
    accept(&rig, first);
    txn_rig_commit(&rig);
    CHECK_OK(lanes_flush(&rig.t));
    while (txn_rig_message(&rig, sent).type == RELAY_PUT)
        sent++;
    CHECK(sent == IN_FLIGHT && rig.outbox.in_flight.count == IN_FLIGHT);
    CHECK(!lanes_have_room(&rig.outbox));
    txn_rig_close(&rig);
}

static void a_damaged_envelope_stops_no_other(void **state)
{
    struct sealed *second;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 747);
    (void)add(&rig, 1, 1);
    txn_rig_commit(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_OUTBOX) == 1);
    second = add(&rig, 1, 2);
    check_flush(&rig, "2 ");
    CHECK(txn_rig_count(&rig, EVENT_NOTE) == 1);
    accept(&rig, second);
    check_flush(&rig, "");
    CHECK(txn_rig_count(&rig, EVENT_NOTE) == 0); /* once on a connection */
    txn_rig_close(&rig);
}

static void another_connection_begins_with_everything(void **state)
{
    struct sealed *first;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 748);
    first = add(&rig, 1, 1);
    (void)add(&rig, 1, 2);
    check_flush(&rig, "1 ");
    refuse(&rig, first, RELAY_CODE_OFTEN, 7000);
    txn_rig_commit(&rig);
    CHECK_OK(lanes_disconnected(&rig.t));
    CHECK(txn_rig_count(&rig, EVENT_QUEUED) == 2);
    CHECK(rig.outbox.in_flight.count == 0 && rig.outbox.lanes == NULL);
    check_flush(&rig, "1 ");
    txn_rig_close(&rig);
}

/* As long as one is answered now and then, those behind it only wait for their turn. */
static void an_answer_lets_those_behind_it_wait_anew(void **state)
{
    struct request before = {.type = REQUEST_PUT, .req = 1, .asked_at = PARTY_NOW};
    struct request landed = {.type = REQUEST_PUT, .req = 2, .asked_at = PARTY_NOW};
    struct request behind = {.type = REQUEST_PUT, .req = 3, .asked_at = PARTY_NOW};
    struct request find = {.type = REQUEST_FIND_NAME, .req = 4, .asked_at = PARTY_NOW};
    struct outbox outbox = {0};

    (void)state;
    CHECK(outbox_asked_at(&outbox, &behind) == PARTY_NOW);
    outbox_landed(&outbox, &landed, PARTY_NOW + 10);
    CHECK(outbox_asked_at(&outbox, &behind) == PARTY_NOW + 10);
    CHECK(outbox_asked_at(&outbox, &before) == PARTY_NOW);
    CHECK(outbox_asked_at(&outbox, &find) == PARTY_NOW);
}

TEST_FILE(device_queues)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_goes_ahead_to_each_device_and_the_others_follow),
        cmocka_unit_test(nothing_leaves_before_the_connection_is_ready),
        cmocka_unit_test(a_refusal_keeps_the_order),
        cmocka_unit_test(the_relays_time_is_waited_for),
        cmocka_unit_test(a_device_that_the_relay_does_not_know_is_looked_up),
        cmocka_unit_test(an_entry_is_accepted_when_its_last_device_has_it),
        cmocka_unit_test(a_large_outbox_does_not_fill_the_connection),
        cmocka_unit_test(a_damaged_envelope_stops_no_other),
        cmocka_unit_test(another_connection_begins_with_everything),
        cmocka_unit_test(an_answer_lets_those_behind_it_wait_anew),
    };

    return cmocka_run_group_tests_name("device_queues", tests, NULL, NULL);
}
