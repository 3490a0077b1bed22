/* A text becomes a signed entry and sealed envelopes. docs/protocol.md, sections 6 and 7. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/conversations.h"
#include "engine/history/history.h"
#include "engine/outbox/seal.h"
#include "engine/outbox/stored.h"
#include "engine/sessions/loss.h"

/* Alice knows Bob, and has begun a session with him. */
struct scene {
    struct txn_rig rig;
    struct contact_slot *bob;
    struct routes routes;
    struct outgoing text;
    struct signing *signing;
};

static void add_route(struct scene *s)
{
    struct route *route = &s->routes.all[s->routes.count++];
    struct conversation conversation;

    CHECK_OK(conversation_with(&s->rig.t, &s->bob->contact, &conversation));
    s->routes.conversation = conversation.id;
    route->to = conversation.recipients[0];
    route->transcript = txn_rig_session(&s->rig, &s->rig.bob);
}

static void scene_open(struct scene *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    txn_rig_open(&s->rig, seed);
    party_publish(&s->rig.bob, 1);
    s->bob = txn_rig_contact(&s->rig, &s->rig.bob, "bob");
    add_route(s);
    s->text = (struct outgoing){.token = 5,
        .has_address = true,
        .address = s->bob->contact.address,
        .sent_at = PARTY_NOW - 9};
    CHECK_OK(signet_buf_append(&s->text.text, signet_span_str("hello bob")));
}

static void scene_close(struct scene *s)
{
    signing_free(s->signing);
    signet_buf_free(&s->text.text);
    txn_rig_close(&s->rig);
}

static void prepare(struct scene *s)
{
    signing_free(s->signing);
    CHECK_OK(seal_prepare(&s->rig.t, &s->bob->contact, &s->text, &s->routes, &s->signing));
    CHECK(s->signing != NULL);
}

static void seal(struct scene *s)
{
    prepare(s);
    CHECK_OK(signing_run(s->signing));
    CHECK_OK(seal_signed(&s->rig.t, s->signing));
}

/* What was signed. */
static bool has_card(const struct scene *s)
{
    struct signet_content content;

    CHECK_OK(signet_content_read(signet_buf_span(&s->signing->content), &content));
    return content.card.len > 0;
}

/* Bob opens the envelope, and what is in it is Alice's. */
static void check_opens(struct scene *s, const struct sealed *sealed, const char *text)
{
    struct signet_channel channel = party_channel(&s->rig.bob, &s->rig.alice);
    struct signet_buf value = {0}, content = {0};
    struct signet_session *session = NULL;
    struct signet_entry entry;
    signet_span envelope;

    CHECK_OK(stored_read(&s->rig.t, sealed->number, &value, &envelope));
    CHECK_OK(party_accept(&s->rig.bob, envelope, &session));
    CHECK_OK(signet_session_open(session, envelope, PARTY_NOW, &content));
    channel.peer_lists = signet_card_list(party_card(&s->rig.alice));
    channel.peer_list_count = 1;
    CHECK_OK(signet_entry_open(s->rig.library, signet_buf_span(&content), &channel, &entry));
    CHECK_SPAN(entry.body, text);
    CHECK(signet_id_equal(&entry.id, &sealed->entry) && entry.sent_at == PARTY_NOW - 9);
    CHECK(signet_id_equal(&entry.conversation, &sealed->conversation));
    signet_session_free(session);
    signet_buf_free(&content);
    signet_buf_free(&value);
}

static void a_text_arrives_as_it_was_signed_and_is_in_the_history(void **state)
{
    struct message line = {0};
    struct sealed *sealed;
    struct scene s;

    (void)state;
    scene_open(&s, 750);
    seal(&s);
    sealed = s.rig.outbox.sealed;
    CHECK(sealed != NULL && sealed->next == NULL && sealed->token == 5);
    CHECK(signet_id_equal(&sealed->device, signet_account_device(s.rig.bob.account)));
    check_opens(&s, sealed, "hello bob");
    CHECK_OK(stored_load_line(&s.rig.t, sealed, &line));
    CHECK_SPAN(signet_buf_span(&line.text), "hello bob");
    CHECK(line.is_outgoing && line.sequence == 1 && line.sent_at == PARTY_NOW - 9);
    CHECK(line.received_at == PARTY_NOW && line.accepted_at == 0 && line.signed_bytes.len > 0);
    CHECK(signet_id_equal(&line.peer, &s.bob->contact.address));
    message_clear(&line);
    scene_close(&s);
}

/* No byte may leave whose key the store would give again. */
static void the_session_moves_on_in_the_same_call(void **state)
{
    struct session_slot *slot;
    struct signet_buf before = {0}, after = {0};
    struct signet_id transcript;
    struct scene s;

    (void)state;
    scene_open(&s, 751);
    transcript = s.routes.all[0].transcript;
    CHECK_OK(sessions_load(&s.rig.t, &transcript, &slot));
    CHECK_OK(signet_session_encode(slot->session, &before));
    seal(&s);
    txn_rig_commit(&s.rig);
    sessions_free(&s.rig.sessions);
    CHECK_OK(sessions_load(&s.rig.t, &transcript, &slot));
    CHECK_OK(signet_session_encode(slot->session, &after));
    CHECK(!signet_span_equal(signet_buf_span(&before), signet_buf_span(&after)));
    signet_buf_free(&before);
    signet_buf_free(&after);
    scene_close(&s);
}

static void each_entry_names_the_one_before_it(void **state)
{
    struct signet_id first;
    struct chain chain;
    struct scene s;

    (void)state;
    scene_open(&s, 752);
    prepare(&s);
    CHECK(s.signing->draft.sequence == 1 && s.signing->draft.parent_count == 0);
    CHECK(signet_id_equal(&s.signing->draft.to_list, signet_card_list(party_card(&s.rig.bob))));
    CHECK(s.rig.outbox.sealed == NULL && s.rig.output.changes.count == 0); /* nothing yet */
    seal(&s);
    first = s.signing->entry;
    seal(&s);
    CHECK(s.signing->draft.sequence == 2);
    CHECK(signet_id_equal(&s.signing->draft.previous, &first));
    CHECK_OK(history_load_chain(&s.rig.t, &s.routes.conversation, own_device(&s.rig.t), &chain));
    CHECK(chain.sequence == 2 && signet_id_equal(&chain.id, &s.signing->entry));
    scene_close(&s);
}

static void what_came_of_the_other_side_is_named(void **state)
{
    struct chain chain = {.sequence = 4, .id = id_of(9)};
    struct scene s;

    (void)state;
    scene_open(&s, 753);
    CHECK_OK(
        history_save_chain(&s.rig.t, &s.routes.conversation, &s.routes.all[0].to.device, &chain));
    prepare(&s);
    CHECK(s.signing->draft.parent_count == 1 && s.signing->draft.parents == s.signing->parents);
    CHECK(signet_id_equal(&s.signing->parents[0], &chain.id));
    scene_close(&s);
}

/* Until the other side has named our present list, or where the session shows it. */
static void the_card_goes_along_as_long_as_it_is_needed(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 754);
    seal(&s);
    CHECK(!has_card(&s)); /* the init block has it */
    s.routes.all[0].wants_card = true;
    seal(&s);
    CHECK(has_card(&s));
    s.bob->contact.named_list = *signet_card_list(own_card(&s.rig.t));
    seal(&s);
    CHECK(!has_card(&s));
    s.bob->contact.named_list = id_of(3); /* an older one */
    seal(&s);
    CHECK(has_card(&s));
    scene_close(&s);
}

static void every_recipient_gets_the_same_entry(void **state)
{
    struct sealed *first, *second;
    struct scene s;

    (void)state;
    scene_open(&s, 755);
    add_route(&s);
    seal(&s);
    first = s.rig.outbox.sealed;
    second = first->next;
    CHECK(second != NULL && second->next == NULL);
    CHECK(signet_id_equal(&first->entry, &second->entry) && first->message == second->message);
    check_opens(&s, first, "hello bob");
    check_opens(&s, second, "hello bob");
    CHECK(s.rig.own.counters.next_message == 1); /* one line */
    scene_close(&s);
}

static void a_draft_is_there_until_it_is_sealed(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 756);
    CHECK_OK(stored_save_draft(&s.rig.t, &s.text));
    txn_rig_commit(&s.rig);
    prepare(&s);
    CHECK_SPAN(signet_buf_span(&s.text.text), "hello bob");
    CHECK(txn_rig_has(&s.rig, RECORD_OUTBOX, signet_span_of(NULL, 0), 1));
    CHECK_OK(signing_run(s.signing));
    CHECK_OK(seal_signed(&s.rig.t, s.signing));
    CHECK(!txn_rig_has(&s.rig, RECORD_OUTBOX, signet_span_of(NULL, 0), 1));
    check_opens(&s, s.rig.outbox.sealed, "hello bob");
    scene_close(&s);
}

static void a_damaged_draft_is_told_and_passed_over(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 757);
    CHECK_OK(stored_save_draft(&s.rig.t, &s.text));
    txn_rig_commit(&s.rig);
    CHECK(memory_records_damage(s.rig.records, RECORD_OUTBOX) == 1);
    CHECK_OK(seal_prepare(&s.rig.t, &s.bob->contact, &s.text, &s.routes, &s.signing));
    CHECK(s.signing == NULL && txn_rig_count(&s.rig, EVENT_NOTE) == 1);
    CHECK(txn_rig_event(&s.rig, EVENT_QUEUED)->token == 5);
    scene_close(&s);
}

static void heads_say_to_whom_a_session_was_lost_what_we_have(void **state)
{
    struct signet_id device;
    struct chain chain = {.sequence = 4, .id = id_of(9)};
    struct message line = {0};
    struct loss loss;
    struct scene s;

    (void)state;
    scene_open(&s, 758);
    device = s.routes.all[0].to.device;
    CHECK_OK(history_save_chain(&s.rig.t, &s.routes.conversation, &device, &chain));
    CHECK_OK(loss_note(&s.rig.t, &device));
    s.text.is_heads = true;
    signet_buf_free(&s.text.text);
    seal(&s);
    CHECK(s.signing->draft.kind == SIGNET_KIND_HEADS && s.signing->draft.parent_count == 1);
    CHECK_OK(loss_load(&s.rig.t, &device, &loss));
    CHECK(!loss.is_due && loss.tried_at == PARTY_NOW);
    CHECK_OK(stored_load_line(&s.rig.t, s.rig.outbox.sealed, &line));
    CHECK(line.kind == SIGNET_KIND_HEADS && line.text.len == 0);
    message_clear(&line);
    check_opens(&s, s.rig.outbox.sealed, "");
    scene_close(&s);
}

TEST_FILE(seal)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_arrives_as_it_was_signed_and_is_in_the_history),
        cmocka_unit_test(the_session_moves_on_in_the_same_call),
        cmocka_unit_test(each_entry_names_the_one_before_it),
        cmocka_unit_test(what_came_of_the_other_side_is_named),
        cmocka_unit_test(the_card_goes_along_as_long_as_it_is_needed),
        cmocka_unit_test(every_recipient_gets_the_same_entry),
        cmocka_unit_test(a_draft_is_there_until_it_is_sealed),
        cmocka_unit_test(a_damaged_draft_is_told_and_passed_over),
        cmocka_unit_test(heads_say_to_whom_a_session_was_lost_what_we_have),
    };

    return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
