/* What becomes of an envelope that arrives. docs/protocol.md, section 8. */
#include "tests/support/txn_rig.h"

#include "engine/history/history.h"
#include "tests/support/flip.h"
#include "tests/support/forge_session.h"

/* Bob writes to Alice, who has published a bundle, and does not know him. */
struct scene {
    struct txn_rig rig;
    struct signet_session *theirs; /* Bob's session */
    uint64_t sequence;
    struct signet_id previous; /* entry of Bob's */
    uint64_t id;               /* of the last delivery */
};

static void scene_open(struct scene *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    txn_rig_open(&s->rig, seed);
    txn_rig_publish(&s->rig);
    s->theirs = party_initiate(&s->rig.bob, &s->rig.alice, NULL);
}

static void scene_close(struct scene *s)
{
    signet_session_free(s->theirs);
    txn_rig_close(&s->rig);
}

/* Bob's next entry. The caller frees what is returned here. */
static struct signet_buf sign(struct scene *s, const char *text)
{
    struct signet_entry_draft draft = {
        .to = *own_address(&s->rig.t),
        .to_list = *signet_card_list(own_card(&s->rig.t)),
        .sequence = ++s->sequence,
        .previous = s->previous,
        .sent_at = PARTY_NOW - 5,
        .kind = SIGNET_KIND_TEXT,
        .body = signet_span_str(text),
    };
    struct signet_buf content = {0};

    CHECK_OK(signet_entry_sign(s->rig.library, s->rig.bob.account, &draft, &content, &s->previous));
    return content;
}

static struct signet_buf seal(struct scene *s, const struct signet_buf *content)
{
    struct signet_buf envelope = {0};

    CHECK_OK(signet_session_seal(s->theirs, signet_buf_span(content), &envelope));
    return envelope;
}

static struct signet_buf write_envelope(struct scene *s, const char *text)
{
    struct signet_buf content = sign(s, text);
    struct signet_buf envelope = seal(s, &content);

    signet_buf_free(&content);
    return envelope;
}

static enum signet_err deliver(struct scene *s, const struct signet_buf *envelope)
{
    struct relay_message message = {
        .type = RELAY_DELIVER, .message = ++s->id, .envelope = signet_buf_span(envelope)};

    return inbox_delivered(&s->rig.t, &message);
}

/* Bob writes, and it comes. */
static void receive(struct scene *s, const char *text)
{
    struct signet_buf envelope = write_envelope(s, text);

    CHECK_OK(deliver(s, &envelope));
    signet_buf_free(&envelope);
}

/* The newest line, which the event is about. */
static void check_line(struct scene *s, enum verdict verdict, const char *text)
{
    const struct engine_event *event = txn_rig_event(&s->rig, EVENT_MESSAGE);
    struct message line = {0};

    for (const struct engine_event *e = event; e != NULL; e = e->next)
        event = e->type == EVENT_MESSAGE ? e : event;
    CHECK_OK(history_load_line(&s->rig.t, &event->conversation, event->number, &line));
    assert_string_equal(verdict_word(line.verdict), verdict_word(verdict));
    CHECK_SPAN(signet_buf_span(&line.text), text);
    CHECK(line.received_at == s->rig.t.now_ms && !line.is_outgoing);
    CHECK(signet_id_equal(&line.address, &event->address));
    CHECK(txn_rig_has(&s->rig, RECORD_UNSHOWN, signet_span_of(NULL, 0), line.number));
    message_clear(&line);
}

/* The ids that are acknowledged are 1 to `last`. */
static void check_acknowledged(struct scene *s, uint64_t last)
{
    struct relay_message message;
    uint64_t id;

    txn_rig_commit(&s->rig);
    CHECK_OK(inbox_flush_acks(&s->rig.t));
    message = txn_rig_message(&s->rig, 0);
    CHECK(message.type == RELAY_ACK && message.ack_count == last);
    for (uint64_t i = 1; i <= last; i++)
        CHECK(relay_ack_next(&message, &id) && id == i);
    txn_rig_forget(&s->rig);
    CHECK_OK(inbox_flush_acks(&s->rig.t)); /* once */
    CHECK(s->rig.output.first_frame == NULL);
}

static void what_holds_is_kept_and_its_author_asked_after(void **state)
{
    const struct signet_id *address;
    struct contact_slot *slot;
    struct scene s;

    (void)state;
    scene_open(&s, 780);
    address = signet_account_address(s.rig.bob.account);
    receive(&s, "hello alice");
    check_line(&s, VERDICT_VERIFIED, "hello alice");
    CHECK_OK(contacts_load(&s.rig.t, address, &slot));
    CHECK(slot->contact.state == CONTACT_NEW);
    CHECK(requests_is_asking(&s.rig.requests, REQUEST_FIND_ADDRESS, address));
    CHECK(txn_rig_has(
        &s.rig, RECORD_SESSION, signet_id_span(signet_session_transcript(s.theirs)), 0));
    check_acknowledged(&s, 1);
    receive(&s, "again");
    check_line(&s, VERDICT_VERIFIED, "again");
    CHECK(s.rig.requests.first->next == NULL); /* he is asked after once */
    scene_close(&s);
}

static void an_envelope_that_comes_again_is_acknowledged_and_no_more(void **state)
{
    struct signet_buf envelope;
    struct scene s;

    (void)state;
    scene_open(&s, 781);
    envelope = write_envelope(&s, "hello alice");
    CHECK_OK(deliver(&s, &envelope));
    CHECK_OK(deliver(&s, &envelope));
    CHECK(txn_rig_count(&s.rig, EVENT_MESSAGE) == 1);
    check_acknowledged(&s, 2);
    txn_rig_commit(&s.rig);
    txn_rig_restart(&s.rig);
    CHECK_OK(deliver(&s, &envelope));
    CHECK(txn_rig_count(&s.rig, EVENT_MESSAGE) == 0 && s.rig.output.changes.count == 0);
    signet_buf_free(&envelope);
    scene_close(&s);
}

/* The relay seals nothing, but may have a copy of what began a session. */
static void a_session_that_is_gone_does_not_begin_again(void **state)
{
    struct signet_buf envelope;
    struct scene s;

    (void)state;
    scene_open(&s, 782);
    envelope = write_envelope(&s, "hello alice");
    CHECK_OK(deliver(&s, &envelope));
    txn_rig_commit(&s.rig);
    CHECK(memory_records_remove(s.rig.records, RECORD_SESSION) == 1);
    CHECK(memory_records_remove(s.rig.records, RECORD_SESSIONS) == 1);
    CHECK(memory_records_remove(s.rig.records, RECORD_SEEN) == 1);
    txn_rig_restart(&s.rig);
    CHECK_OK(deliver(&s, &envelope));
    check_line(&s, VERDICT_UNKNOWN, "");
    signet_buf_free(&envelope);
    scene_close(&s);
}

static void a_forged_envelope_is_refused_and_stalls_nothing(void **state)
{
    struct signet_buf envelope, forged;
    struct scene s;

    (void)state;
    scene_open(&s, 783);
    receive(&s, "hello alice");
    envelope = write_envelope(&s, "second");
    forged = flipped(signet_buf_span(&envelope), envelope.len - 1);
    CHECK_OK(deliver(&s, &forged));
    check_line(&s, VERDICT_AUTHENTICATION, "");
    txn_rig_forget(&s.rig);
    CHECK_OK(deliver(&s, &envelope));
    check_line(&s, VERDICT_VERIFIED, "second");
    check_acknowledged(&s, 3);
    signet_buf_free(&envelope);
    signet_buf_free(&forged);
    scene_close(&s);
}

static void an_entry_counts_once_however_often_it_is_sealed(void **state)
{
    struct signet_buf content, envelope;
    struct scene s;

    (void)state;
    scene_open(&s, 784);
    content = sign(&s, "hello alice");
    for (unsigned i = 0; i < 2; i++) {
        envelope = seal(&s, &content);
        CHECK_OK(deliver(&s, &envelope));
        check_line(&s, i == 0 ? VERDICT_VERIFIED : VERDICT_REPLAYED, i == 0 ? "hello alice" : "");
        signet_buf_free(&envelope);
    }
    signet_buf_free(&content);
    scene_close(&s);
}

static void a_gap_is_told_and_what_fills_it_is_late(void **state)
{
    struct signet_buf second;
    struct scene s;

    (void)state;
    scene_open(&s, 785);
    receive(&s, "one");
    second = write_envelope(&s, "two");
    receive(&s, "three");
    check_line(&s, VERDICT_GAP, "three");
    CHECK_OK(deliver(&s, &second));
    check_line(&s, VERDICT_LATE, "two");
    signet_buf_free(&second);
    scene_close(&s);
}

/* A chain remembers its last entries only. */
static void an_old_entry_is_no_fork_but_another_in_its_place_is(void **state)
{
    struct signet_buf first, envelope;
    struct scene s;

    (void)state;
    scene_open(&s, 789);
    first = sign(&s, "one");
    envelope = seal(&s, &first);
    CHECK_OK(deliver(&s, &envelope));
    signet_buf_free(&envelope);
    for (size_t i = 0; i <= CHAIN_RECENT_MAX; i++)
        receive(&s, "more");
    txn_rig_commit(&s.rig);
    envelope = seal(&s, &first);
    CHECK_OK(deliver(&s, &envelope));
    check_line(&s, VERDICT_REPLAYED, "");
    s.sequence = 0;
    receive(&s, "another one");
    check_line(&s, VERDICT_FORK, "another one");
    signet_buf_free(&first);
    signet_buf_free(&envelope);
    scene_close(&s);
}

/* A relay that delivers on without end must not keep us in one call. */
static void a_flood_ends_the_connection(void **state)
{
    enum { ACKS = 512 };
    struct signet_buf envelope;
    struct scene s;

    (void)state;
    scene_open(&s, 786);
    envelope = write_envelope(&s, "hello alice");
    for (unsigned i = 0; i < ACKS; i++)
        CHECK_OK(deliver(&s, &envelope));
    CHECK_ERR(deliver(&s, &envelope), SIGNET_ERR_FORMAT);
    check_acknowledged(&s, ACKS);
    CHECK_OK(deliver(&s, &envelope)); /* in another call */
    inbox_disconnected(&s.rig.inbox);
    CHECK_OK(inbox_flush_acks(&s.rig.t));
    CHECK(s.rig.output.first_frame == NULL); /* it comes again on the next connection */
    signet_buf_free(&envelope);
    scene_close(&s);
}

/* Alice's record of Bob is lost, and his next envelope does not hold his card. */
static struct signet_buf lose_bob(struct scene *s, uint64_t seed)
{
    scene_open(s, seed);
    receive(s, "one");
    txn_rig_commit(&s->rig);
    CHECK(memory_records_damage(s->rig.records, RECORD_CONTACT) == 1);
    txn_rig_restart(&s->rig);
    forge_answered(s->theirs);
    s->id = 0;
    return write_envelope(s, "two");
}

static void what_cannot_be_weighed_waits_for_its_senders_card(void **state)
{
    struct signet_card *card = NULL;
    struct contact_slot *slot;
    struct signet_buf envelope;
    const struct signet_id *address;
    struct scene s;

    (void)state;
    envelope = lose_bob(&s, 787);
    address = signet_account_address(s.rig.bob.account);
    CHECK_OK(deliver(&s, &envelope));
    CHECK(txn_rig_count(&s.rig, EVENT_MESSAGE) == 0 && s.rig.inbox.undecided.count == 1);
    CHECK(requests_is_asking(&s.rig.requests, REQUEST_FIND_ADDRESS, address));
    check_acknowledged(&s, 1);
    txn_rig_commit(&s.rig);
    txn_rig_restart(&s.rig);
    CHECK(s.rig.inbox.undecided.count == 1 && s.rig.inbox.undecided.bytes > envelope.len);
    CHECK_OK(inbox_try_undecided(&s.rig.t)); /* he is not known yet: he is asked after again */
    CHECK(requests_is_asking(&s.rig.requests, REQUEST_FIND_ADDRESS, address));
    CHECK(txn_rig_count(&s.rig, EVENT_MESSAGE) == 0);
    CHECK_OK(signet_card_read(s.rig.library, signet_card_bytes(party_card(&s.rig.bob)), &card));
    CHECK_OK(contacts_add(&s.rig.t, card, CONTACT_NEW, &slot));
    signet_card_free(card);
    CHECK_OK(inbox_try_undecided(&s.rig.t));
    CHECK(txn_rig_count(&s.rig, EVENT_MESSAGE) == 0); /* nobody has said that he is known */
    inbox_known(&s.rig.inbox);
    CHECK_OK(inbox_try_undecided(&s.rig.t));
    check_line(&s, VERDICT_VERIFIED, "two");
    CHECK(s.rig.inbox.undecided.count == 0 && s.rig.inbox.undecided.bytes == 0);
    txn_rig_commit(&s.rig);
    CHECK(memory_records_remove(s.rig.records, RECORD_PENDING) == 0);
    signet_buf_free(&envelope);
    scene_close(&s);
}

static void what_waits_has_a_bound(void **state)
{
    struct signet_buf envelope;
    struct scene s;

    (void)state;
    envelope = lose_bob(&s, 788);
    s.rig.inbox.undecided.count = 256;
    CHECK_OK(deliver(&s, &envelope));
    check_line(&s, VERDICT_UNKNOWN, "");
    CHECK(s.rig.inbox.undecided.count == 256);
    signet_buf_free(&envelope);
    scene_close(&s);
}

TEST_FILE(inbox)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_is_kept_and_its_author_asked_after),
        cmocka_unit_test(an_envelope_that_comes_again_is_acknowledged_and_no_more),
        cmocka_unit_test(a_session_that_is_gone_does_not_begin_again),
        cmocka_unit_test(a_forged_envelope_is_refused_and_stalls_nothing),
        cmocka_unit_test(an_entry_counts_once_however_often_it_is_sealed),
        cmocka_unit_test(a_gap_is_told_and_what_fills_it_is_late),
        cmocka_unit_test(an_old_entry_is_no_fork_but_another_in_its_place_is),
        cmocka_unit_test(a_flood_ends_the_connection),
        cmocka_unit_test(what_cannot_be_weighed_waits_for_its_senders_card),
        cmocka_unit_test(what_waits_has_a_bound),
    };

    return cmocka_run_group_tests_name("inbox", tests, NULL, NULL);
}
