/* Messages of strangers wait for their author's name, but neither long nor without end. */
#include "tests/support/txn_rig.h"

#include <stdio.h>
#include <stdlib.h>

enum { HOLD_MS = 5000, HOLD_MAX = 64 };

/* The relay is asked for the name of that address. */
static struct request *ask_name(struct txn_rig *rig, unsigned byte)
{
    struct relay_message message = {.type = RELAY_FIND, .id = id_of(byte)};
    struct request *request;

    CHECK_OK(requests_ask(&rig->t, REQUEST_FIND_ADDRESS, &message, &request));
    request->address = id_of(byte);
    return request;
}

static void come(struct txn_rig *rig, unsigned byte, uint64_t number)
{
    struct engine_event *event = txn_event(&rig->t, EVENT_MESSAGE);

    CHECK(event != NULL);
    event->address = id_of(byte);
    event->number = number;
}

/* The messages that are let go, as "1 2 3 ", and with 'C' and 'D' for contacts and the end. */
static void check_events(struct txn_rig *rig, const char *wanted)
{
    char text[512] = "";
    size_t len = 0;

    for (const struct engine_event *e = rig->output.first_event; e != NULL; e = e->next) {
        CHECK(len + 24 < sizeof(text));
        if (e->type == EVENT_CONTACT || e->type == EVENT_DRAINED)
            len += (size_t)snprintf(text + len, 24, e->type == EVENT_CONTACT ? "C " : "D ");
        else
            len += (size_t)snprintf(text + len, 24, "%u ", (unsigned)e->number);
    }
    assert_string_equal(text, wanted);
}

static void a_message_waits_until_its_author_has_a_name(void **state)
{
    struct txn_rig rig;
    struct request *request;
    struct signet_id bob = id_of(2);

    (void)state;
    txn_rig_open(&rig, 620);
    request = ask_name(&rig, 2);
    come(&rig, 2, 1);
    come(&rig, 3, 2); /* nobody is asked about this one */
    held_sort(&rig.t);
    check_events(&rig, "2 ");
    CHECK(rig.held.count == 1);
    CHECK(held_until(&rig.held, &rig.requests) == PARTY_NOW + HOLD_MS);
    txn_rig_forget(&rig);
    /* The answer: who it is comes before what was said, and what was held before what is new. */
    CHECK(requests_take(&rig.requests, request->req) == request);
    free(request);
    come(&rig, 2, 3);
    CHECK_OK(txn_contact(&rig.t, &bob));
    held_sort(&rig.t);
    check_events(&rig, "C 1 3 ");
    CHECK(rig.held.count == 0 && held_until(&rig.held, &rig.requests) == UINT64_MAX);
    txn_rig_close(&rig);
}

static void a_relay_that_does_not_answer_holds_nothing_for_long(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 621);
    (void)ask_name(&rig, 2);
    come(&rig, 2, 1);
    held_sort(&rig.t);
    rig.t.now_ms = PARTY_NOW + HOLD_MS - 1;
    held_sort(&rig.t);
    check_events(&rig, "");
    rig.t.now_ms = PARTY_NOW + HOLD_MS;
    held_sort(&rig.t);
    check_events(&rig, "1 ");
    txn_rig_close(&rig);
}

static void a_question_that_was_given_up_holds_nothing(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 622);
    ask_name(&rig, 2)->is_given_up = true;
    come(&rig, 2, 1);
    held_sort(&rig.t);
    check_events(&rig, "1 ");
    txn_rig_close(&rig);
}

static void no_more_than_so_many_are_held(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 623);
    (void)ask_name(&rig, 2);
    for (uint64_t i = 1; i < HOLD_MAX; i++)
        come(&rig, 2, i);
    held_sort(&rig.t);
    check_events(&rig, "");
    come(&rig, 2, HOLD_MAX);
    held_sort(&rig.t);
    check_events(&rig, "");
    CHECK(rig.held.count == HOLD_MAX);
    held_sort(&rig.t); /* there is no room for one more: all go */
    CHECK(rig.held.count == 0 && txn_rig_count(&rig, EVENT_MESSAGE) == HOLD_MAX);
    txn_rig_close(&rig);
}

static void the_end_of_what_waited_does_not_overtake(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 624);
    (void)ask_name(&rig, 2);
    come(&rig, 2, 1);
    CHECK(txn_event(&rig.t, EVENT_DRAINED) != NULL);
    held_sort(&rig.t);
    check_events(&rig, "");
    rig.t.now_ms += HOLD_MS;
    held_sort(&rig.t);
    check_events(&rig, "1 D ");
    txn_rig_forget(&rig);
    CHECK(txn_event(&rig.t, EVENT_DRAINED) != NULL);
    held_sort(&rig.t);
    check_events(&rig, "D ");
    txn_rig_close(&rig);
}

TEST_FILE(held)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_waits_until_its_author_has_a_name),
        cmocka_unit_test(a_relay_that_does_not_answer_holds_nothing_for_long),
        cmocka_unit_test(a_question_that_was_given_up_holds_nothing),
        cmocka_unit_test(no_more_than_so_many_are_held),
        cmocka_unit_test(the_end_of_what_waited_does_not_overtake),
    };

    return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
