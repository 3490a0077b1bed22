/* What the rooms below tell the outbox: docs/protocol.md, sections 3 and 9. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/conversations.h"
#include "engine/history/history.h"
#include "engine/outbox/stored.h"

enum { DEVICE = 1, OTHER_DEVICE = 2 };

/* An envelope of a text to Bob, with that name of its entry. */
static struct sealed *add(struct txn_rig *rig, unsigned device, unsigned entry, uint64_t kind)
{
    const struct signet_id *bob = signet_account_address(rig->bob.account);
    struct sealed sealed = {.token = entry, .device = id_of(device), .entry = id_of(entry)};
    struct message line = {.is_outgoing = true,
        .id = sealed.entry,
        .peer = *bob,
        .sent_at = PARTY_NOW + entry,
        .kind = kind,
        .suite = 1};

    CHECK_OK(conversation_id(&rig->t, bob, &sealed.conversation));
    line.conversation = sealed.conversation;
    CHECK_OK(signet_buf_append(&line.text, signet_span_str("text")));
    CHECK_OK(history_add(&rig->t, &line, false));
    message_clear(&line);
    sealed.message = rig->own.counters.next_message;
    CHECK_OK(stored_add(&rig->t, &sealed, signet_span_str("envelope")));
    return stored_find(&rig->outbox, sealed.number);
}

static struct outcome about_bob(const struct txn_rig *rig, enum outcome_type type)
{
    return (struct outcome){.type = type, .address = *signet_account_address(rig->bob.account)};
}

static void remove_device(struct txn_rig *rig)
{
    struct outcome outcome = about_bob(rig, OUTCOME_DEVICE_REMOVED);

    outcome.device = id_of(DEVICE);
    CHECK_OK(outbox_apply(&rig->t, &outcome));
}

static void write_text(struct txn_rig *rig, uint64_t token)
{
    struct outgoing *text = calloc(1, sizeof(*text));

    CHECK(text != NULL);
    text->token = token;
    text->has_address = true;
    text->address = *signet_account_address(rig->bob.account);
    text->sent_at = PARTY_NOW + token;
    queue_add(&rig->outbox, text);
}

/* The tokens of the texts that are not sealed, in order; heads as 'H'. */
static void check_queue(const struct txn_rig *rig, const char *wanted)
{
    char tokens[64] = "";

    for (const struct outgoing *text = rig->outbox.texts; text != NULL; text = text->next)
        tokens[strlen(tokens)] = text->is_heads ? 'H' : (char)('0' + text->token);
    assert_string_equal(tokens, wanted);
}

static void a_text_that_went_to_no_other_device_is_written_again(void **state)
{
    struct outgoing *text;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 810);
    (void)add(&rig, DEVICE, 3, SIGNET_KIND_TEXT);
    (void)add(&rig, OTHER_DEVICE, 4, SIGNET_KIND_TEXT);
    write_text(&rig, 5);
    remove_device(&rig);
    check_queue(&rig, "35"); /* before what was written after it */
    text = rig.outbox.texts;
    CHECK(text->draft != 0 && text->sent_at == PARTY_NOW + 3 && text->is_automatic);
    CHECK_OK(stored_load_draft(&rig.t, text));
    CHECK_SPAN(signet_buf_span(&text->text), "text");
    CHECK(rig.outbox.sealed->token == 4 && rig.outbox.sealed->next == NULL);
    CHECK(!txn_rig_has(&rig, RECORD_OUTBOX, signet_span_of(NULL, 0), 1));
    txn_rig_close(&rig);
}

static void what_another_device_has_or_gets_is_not_written_again(void **state)
{
    struct sealed *sibling;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 811);
    add(&rig, DEVICE, 3, SIGNET_KIND_TEXT)->has_arrived = true;
    (void)add(&rig, DEVICE, 4, SIGNET_KIND_TEXT);
    sibling = add(&rig, OTHER_DEVICE, 5, SIGNET_KIND_TEXT);
    sibling->entry = id_of(4);
    remove_device(&rig);
    check_queue(&rig, "");
    CHECK(txn_rig_count(&rig, EVENT_ACCEPTED) == 1);
    CHECK(txn_rig_event(&rig, EVENT_ACCEPTED)->token == 3);
    CHECK(rig.outbox.sealed == sibling && sibling->next == NULL);
    txn_rig_close(&rig);
}

/* Another account may have the device, too. */
static void what_is_for_another_account_stays(void **state)
{
    struct sealed *other;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 812);
    other = add(&rig, DEVICE, 3, SIGNET_KIND_TEXT);
    other->conversation = id_of(7);
    remove_device(&rig);
    CHECK(rig.outbox.sealed == other && rig.outbox.texts == NULL);
    txn_rig_close(&rig);
}

static void heads_are_not_written_again_and_a_damaged_line_is_told(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 813);
    (void)add(&rig, DEVICE, 3, SIGNET_KIND_HEADS);
    remove_device(&rig);
    check_queue(&rig, "");
    CHECK(rig.outbox.sealed == NULL && rig.output.first_event == NULL);
    (void)add(&rig, DEVICE, 4, SIGNET_KIND_TEXT);
    txn_rig_commit(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_MESSAGE) == 2);
    remove_device(&rig);
    check_queue(&rig, "");
    CHECK(rig.outbox.sealed == NULL && txn_rig_count(&rig, EVENT_NOTE) == 1);
    txn_rig_close(&rig);
}

static void who_is_made_a_contact_while_a_text_waits_is_accepted(void **state)
{
    struct outcome known;
    struct contact_slot *slot;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 814);
    slot = txn_rig_contact(&rig, &rig.bob, "bob");
    slot->contact.state = CONTACT_NEW;
    known = about_bob(&rig, OUTCOME_KNOWN);
    known.is_new = true;
    CHECK_OK(outbox_apply(&rig.t, &known));
    CHECK(slot->contact.state == CONTACT_NEW); /* nobody writes to him */
    write_text(&rig, 1);
    known.is_new = false;
    CHECK_OK(outbox_apply(&rig.t, &known));
    CHECK(slot->contact.state == CONTACT_NEW); /* he was there before */
    known.is_new = true;
    CHECK_OK(outbox_apply(&rig.t, &known));
    CHECK(slot->contact.state == CONTACT_UNVERIFIED);
    txn_rig_close(&rig);
}

static void a_loss_is_told_once_and_before_what_is_being_written(void **state)
{
    struct outcome lost;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 815);
    write_text(&rig, 5);
    lost = about_bob(&rig, OUTCOME_SESSION_LOST);
    CHECK_OK(outbox_apply(&rig.t, &lost));
    CHECK_OK(outbox_apply(&rig.t, &lost));
    check_queue(&rig, "H5");
    CHECK(outbox_waiting(&rig.outbox) == 0); /* nobody has written them */
    txn_rig_close(&rig);
}

static void what_failed_or_is_held_reaches_the_texts(void **state)
{
    struct outcome outcome;
    struct outgoing *by_name;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 816);
    write_text(&rig, 5);
    write_text(&rig, 6);
    by_name = rig.outbox.texts->next;
    by_name->has_address = false;
    memcpy(by_name->peer, "bob", sizeof("bob"));
    outcome = about_bob(&rig, OUTCOME_HELD);
    outcome.problem = PROBLEM_OFTEN;
    outcome.not_before = PARTY_NOW + 9;
    CHECK_OK(outbox_apply(&rig.t, &outcome));
    CHECK(outbox_deadline(&rig.outbox) == PARTY_NOW + 9);
    outcome = (struct outcome){.type = OUTCOME_FAILED, .is_by_name = true, .name = "bob"};
    CHECK_OK(outbox_apply(&rig.t, &outcome));
    check_queue(&rig, "5"); /* that one has an address */
    outcome = about_bob(&rig, OUTCOME_FAILED);
    outcome.problem = PROBLEM_CARD;
    CHECK_OK(outbox_apply(&rig.t, &outcome));
    check_queue(&rig, "");
    txn_rig_close(&rig);
}

TEST_FILE(apply)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_that_went_to_no_other_device_is_written_again),
        cmocka_unit_test(what_another_device_has_or_gets_is_not_written_again),
        cmocka_unit_test(what_is_for_another_account_stays),
        cmocka_unit_test(heads_are_not_written_again_and_a_damaged_line_is_told),
        cmocka_unit_test(who_is_made_a_contact_while_a_text_waits_is_accepted),
        cmocka_unit_test(a_loss_is_told_once_and_before_what_is_being_written),
        cmocka_unit_test(what_failed_or_is_held_reaches_the_texts),
    };

    return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
