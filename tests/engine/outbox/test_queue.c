/* The list of texts that are not sealed yet: their order, and why one is given back. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/outbox/queue.h"

static struct outgoing *text_of(uint64_t token, uint64_t sent_at)
{
    struct outgoing *text = calloc(1, sizeof(*text));

    CHECK(text != NULL);
    text->token = token;
    text->sent_at = sent_at;
    text->is_asking = true;
    return text;
}

static struct outgoing *to_address(struct txn_rig *rig, unsigned byte, uint64_t token)
{
    struct outgoing *text = text_of(token, PARTY_NOW + token);

    text->has_address = true;
    text->address = id_of(byte);
    queue_add(&rig->outbox, text);
    return text;
}

static struct outgoing *to_name(struct txn_rig *rig, const char *name, uint64_t token)
{
    struct outgoing *text = text_of(token, PARTY_NOW + token);

    memcpy(text->peer, name, strlen(name));
    queue_add(&rig->outbox, text);
    return text;
}

/* The tokens in the list, in order: "1 2 ". */
static void check_queue(const struct txn_rig *rig, const char *wanted)
{
    char tokens[64] = "";

    for (const struct outgoing *text = rig->outbox.texts; text != NULL; text = text->next) {
        size_t len = strlen(tokens);

        tokens[len] = (char)('0' + text->token);
        tokens[len + 1] = ' ';
    }
    assert_string_equal(tokens, wanted);
}

/* What was told, in order: "F1 Q2 ". */
static void check_told(const struct txn_rig *rig, const char *wanted)
{
    char told[64] = "";

    for (const struct engine_event *e = rig->output.first_event; e != NULL; e = e->next) {
        size_t len = strlen(told);

        CHECK(e->type == EVENT_FAILED || e->type == EVENT_QUEUED);
        told[len] = e->type == EVENT_FAILED ? 'F' : 'Q';
        told[len + 1] = (char)('0' + e->token);
        told[len + 2] = ' ';
    }
    assert_string_equal(told, wanted);
}

static void a_text_comes_before_those_written_after_it(void **state)
{
    struct outgoing *text;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 720);
    (void)to_address(&rig, 3, 9); /* to somebody else: no order is owed */
    (void)to_address(&rig, 2, 1);
    (void)to_address(&rig, 2, 3);
    text = text_of(2, PARTY_NOW + 2);
    text->has_address = true;
    text->address = id_of(2);
    queue_insert(&rig.outbox, text);
    check_queue(&rig, "9 1 2 3 ");
    text = text_of(4, PARTY_NOW + 4);
    text->has_address = true;
    text->address = id_of(2);
    queue_insert(&rig.outbox, text);
    check_queue(&rig, "9 1 2 3 4 ");
    CHECK(queue_has(&rig.outbox, &text->address));
    txn_rig_close(&rig);
}

static void texts_are_given_up_by_address_or_by_name(void **state)
{
    struct signet_id bob = id_of(2);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 721);
    (void)to_address(&rig, 2, 1);
    (void)to_name(&rig, "bob", 2);
    /* Given as a name, which was found out: what is said of the name comes too late. */
    memcpy(to_address(&rig, 3, 3)->peer, "carol", sizeof("carol"));
    (void)to_name(&rig, "carol", 4);
    (void)to_address(&rig, 2, 5);
    CHECK_OK(queue_fail_all(&rig.t, &bob, NULL, PROBLEM_CARD));
    check_queue(&rig, "2 3 4 ");
    check_told(&rig, "F1 F5 ");
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->problem == PROBLEM_CARD);
    CHECK(!queue_has(&rig.outbox, &bob));
    txn_rig_forget(&rig);
    CHECK_OK(queue_fail_all(&rig.t, NULL, "carol", PROBLEM_UNKNOWN_NAME));
    check_queue(&rig, "2 3 ");
    check_told(&rig, "F4 ");
    assert_string_equal(txn_rig_event(&rig, EVENT_FAILED)->text, "carol");
    txn_rig_close(&rig);
}

/* What has waited in the outbox is not thrown away because a relay says so today. */
static void a_draft_of_before_outlives_a_problem_that_may_pass(void **state)
{
    const struct {
        uint64_t token;
        enum engine_problem problem;
        bool is_kept;
    } cases[] = {
        {0, PROBLEM_UNKNOWN_NAME, true},
        {0, PROBLEM_CARD, true},
        {0, PROBLEM_SELF, false},
        {0, PROBLEM_BAD_NAME, false},
        {0, PROBLEM_TEXT, false},
        {1, PROBLEM_UNKNOWN_NAME, false}, /* of this process: it is given back */
        {1, PROBLEM_CARD, false},
    };
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 722);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_key key = {.kind = RECORD_OUTBOX, .number = i + 1};
        struct signet_id bob = id_of(2);

        to_address(&rig, 2, cases[i].token)->draft = i + 1;
        CHECK_OK(txn_put(&rig.t, &key, signet_span_str("draft")));
        txn_rig_commit(&rig);
        CHECK_OK(queue_fail_all(&rig.t, &bob, NULL, cases[i].problem));
        CHECK(txn_rig_has(&rig, RECORD_OUTBOX, key.name, i + 1) == cases[i].is_kept);
        CHECK(txn_rig_count(&rig, EVENT_FAILED) == 1 && rig.outbox.texts == NULL);
    }
    txn_rig_close(&rig);
}

static void a_changed_identity_is_told_with_the_new_one(void **state)
{
    struct contact_slot *slot;
    struct outgoing *text;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 723);
    slot = txn_rig_contact(&rig, &rig.bob, "bob");
    slot->contact.changed_to = id_of(9);
    text = to_address(&rig, 2, 1);
    text->address = slot->contact.address;
    CHECK_OK(queue_fail_all(&rig.t, &slot->contact.address, NULL, PROBLEM_IDENTITY));
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->address.b[0] == 9);
    assert_string_equal(txn_rig_event(&rig, EVENT_FAILED)->text, "bob");
    txn_rig_close(&rig);
}

/* The cause is said once, of the first; the others wait behind it, which is said once too. */
static void texts_that_are_held_stay_in_their_order(void **state)
{
    struct outgoing *first, *second, *other;
    struct signet_id bob = id_of(2);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 724);
    other = to_address(&rig, 3, 1);
    first = to_address(&rig, 2, 2);
    second = to_address(&rig, 2, 3);
    CHECK_OK(queue_hold_all(&rig.t, &bob, PROBLEM_OFTEN, PARTY_NOW + 50));
    check_queue(&rig, "1 2 3 ");
    check_told(&rig, "F2 Q3 ");
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->problem == PROBLEM_OFTEN);
    CHECK(first->not_before == PARTY_NOW + 50 && second->not_before == 0);
    CHECK(other->not_before == 0 && other->is_asking);
    CHECK(!first->is_asking && !second->is_asking);
    CHECK(outbox_deadline(&rig.outbox) == PARTY_NOW + 50);
    txn_rig_forget(&rig);
    (void)to_address(&rig, 2, 4);
    CHECK_OK(queue_hold_all(&rig.t, &bob, PROBLEM_OFTEN, PARTY_NOW + 90));
    check_told(&rig, "Q4 ");
    CHECK(first->not_before == PARTY_NOW + 90);
    txn_rig_close(&rig);
}

static void without_a_connection_only_texts_with_an_address_wait(void **state)
{
    struct outgoing *text;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 725);
    text = to_address(&rig, 2, 1);
    text->not_before = PARTY_NOW + 50;
    (void)to_name(&rig, "carol", 2);
    (void)to_address(&rig, 3, 3);
    CHECK_OK(queue_disconnected(&rig.t));
    check_queue(&rig, "1 3 ");
    check_told(&rig, "Q1 F2 Q3 ");
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->problem == PROBLEM_OFFLINE);
    CHECK(text->not_before == 0 && !text->is_asking); /* another connection, another try */
    txn_rig_close(&rig);
}

TEST_FILE(queue)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_comes_before_those_written_after_it),
        cmocka_unit_test(texts_are_given_up_by_address_or_by_name),
        cmocka_unit_test(a_draft_of_before_outlives_a_problem_that_may_pass),
        cmocka_unit_test(a_changed_identity_is_told_with_the_new_one),
        cmocka_unit_test(texts_that_are_held_stay_in_their_order),
        cmocka_unit_test(without_a_connection_only_texts_with_an_address_wait),
    };

    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
