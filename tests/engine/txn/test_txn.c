/* What a call reads and brings about: records, frames, events and outcomes. engine/txn/txn.h. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "tests/support/record_checks.h"

static void check_sees(struct txn_rig *rig, const struct record_key *key, const char *wanted)
{
    struct signet_buf value = {0};

    CHECK_OK(txn_get(&rig->t, key, &value));
    CHECK_SPAN(signet_buf_span(&value), wanted);
    signet_buf_free(&value);
}

static void check_fails(struct txn_rig *rig, const struct record_key *key, enum signet_err wanted)
{
    struct signet_buf value = {0};

    CHECK_ERR(txn_get(&rig->t, key, &value), wanted);
    CHECK(value.len == 0);
    signet_buf_free(&value);
}

static void a_change_is_seen_before_it_is_committed(void **state)
{
    struct record_key key = key_of(RECORD_NAME, "bob", 0);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 600);
    CHECK_OK(txn_put(&rig.t, &key, signet_span_str("old")));
    txn_rig_commit(&rig);
    check_sees(&rig, &key, "old");
    CHECK_OK(txn_put(&rig.t, &key, signet_span_str("new")));
    check_sees(&rig, &key, "new");
    check_value(rig.t.records, &key, "old");
    CHECK_OK(txn_delete(&rig.t, &key));
    check_fails(&rig, &key, SIGNET_ERR_UNKNOWN);
    check_value(rig.t.records, &key, "old");
    CHECK_OK(txn_put(&rig.t, &key, signet_span_str("again")));
    check_sees(&rig, &key, "again");
    txn_rig_close(&rig);
}

static void a_scan_visits_what_is_committed_only(void **state)
{
    struct record_key all = key_of(RECORD_UNSHOWN, "", 0), one = key_of(RECORD_UNSHOWN, "", 1);
    struct record_key two = key_of(RECORD_UNSHOWN, "", 2);
    struct signet_buf list = {0};
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 601);
    CHECK_OK(txn_put(&rig.t, &one, signet_span_str("a")));
    txn_rig_commit(&rig);
    CHECK_OK(txn_delete(&rig.t, &one));
    CHECK_OK(txn_put(&rig.t, &two, signet_span_str("b")));
    CHECK_OK(txn_scan(&rig.t, &all, visit_list, &list));
    CHECK_SPAN(signet_buf_span(&list), "1=a ");
    signet_buf_free(&list);
    txn_rig_close(&rig);
}

static enum signet_err encode_word(const void *object, struct signet_buf *out)
{
    const char *word = object;

    CHECK_OK(signet_buf_append(out, signet_span_str(word)));
    return strcmp(word, "refused") == 0 ? SIGNET_ERR_LIMIT : SIGNET_OK;
}

static enum signet_err decode_word(struct txn *t, signet_span value, void *object)
{
    (void)t;
    if (!signet_span_equal(value, signet_span_str("word")))
        return SIGNET_ERR_FORMAT;
    *(bool *)object = true;
    return SIGNET_OK;
}

static void an_object_is_read_as_it_was_written_or_not_at_all(void **state)
{
    struct record_key key = key_of(RECORD_NAME, "bob", 0);
    bool is_read = false;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 602);
    CHECK_ERR(txn_read(&rig.t, &key, decode_word, &is_read), SIGNET_ERR_UNKNOWN);
    CHECK_ERR(txn_write(&rig.t, &key, encode_word, "refused"), SIGNET_ERR_LIMIT);
    check_fails(&rig, &key, SIGNET_ERR_UNKNOWN);
    CHECK_OK(txn_write(&rig.t, &key, encode_word, "another"));
    CHECK_ERR(txn_read(&rig.t, &key, decode_word, &is_read), SIGNET_ERR_FORMAT);
    CHECK(!is_read);
    CHECK_OK(txn_write(&rig.t, &key, encode_word, "word"));
    txn_rig_commit(&rig);
    CHECK_OK(txn_read(&rig.t, &key, decode_word, &is_read));
    CHECK(is_read);
    CHECK(memory_records_damage(rig.records, RECORD_NAME) == 1);
    CHECK_ERR(txn_read(&rig.t, &key, decode_word, &is_read), SIGNET_ERR_AUTH);
    memory_records_break(rig.records, RECORD_NAME, SIGNET_ERR_IO);
    CHECK_ERR(txn_read(&rig.t, &key, decode_word, &is_read), SIGNET_ERR_IO);
    txn_rig_close(&rig);
}

static void outcomes_come_in_their_order_with_all_they_tell(void **state)
{
    struct signet_id bob = id_of(2), device = id_of(3);
    struct outcome outcome;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 603);
    CHECK_OK(outcome_failed(&rig.t, NULL, "carol", PROBLEM_UNKNOWN_NAME));
    CHECK_OK(outcome_failed(&rig.t, &bob, NULL, PROBLEM_CARD));
    CHECK_OK(outcome_held(&rig.t, &bob, PROBLEM_OFTEN, 77));
    CHECK_OK(outcome_known(&rig.t, &bob, true));
    CHECK_OK(outcome_device_removed(&rig.t, &bob, &device));
    CHECK_OK(outcome_session_lost(&rig.t, &bob));
    outcome = txn_rig_outcome(&rig, OUTCOME_FAILED);
    CHECK(outcome.is_by_name && outcome.problem == PROBLEM_UNKNOWN_NAME);
    assert_string_equal(outcome.name, "carol");
    outcome = txn_rig_outcome(&rig, OUTCOME_FAILED);
    CHECK(!outcome.is_by_name && signet_id_equal(&outcome.address, &bob));
    CHECK(outcome.problem == PROBLEM_CARD && outcome.name[0] == '\0');
    outcome = txn_rig_outcome(&rig, OUTCOME_HELD);
    CHECK(outcome.problem == PROBLEM_OFTEN && outcome.not_before == 77);
    outcome = txn_rig_outcome(&rig, OUTCOME_KNOWN);
    CHECK(outcome.is_new && signet_id_equal(&outcome.address, &bob));
    outcome = txn_rig_outcome(&rig, OUTCOME_DEVICE_REMOVED);
    CHECK(signet_id_equal(&outcome.device, &device));
    /* One that comes while others are taken is the last. */
    CHECK_OK(outcome_known(&rig.t, &device, false));
    outcome = txn_rig_outcome(&rig, OUTCOME_SESSION_LOST);
    CHECK(signet_id_equal(&outcome.address, &bob));
    CHECK(!txn_rig_outcome(&rig, OUTCOME_KNOWN).is_new);
    CHECK(outcome_next(&rig.t) == NULL && rig.t.last_outcome == NULL);
    txn_rig_close(&rig);
}

static void outcomes_that_nobody_took_are_forgotten(void **state)
{
    struct signet_id bob = id_of(2);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 604);
    CHECK_OK(outcome_session_lost(&rig.t, &bob));
    CHECK_OK(outcome_session_lost(&rig.t, &bob));
    outcomes_clear(&rig.t);
    CHECK(outcome_next(&rig.t) == NULL);
    CHECK_OK(outcome_known(&rig.t, &bob, false));
    (void)txn_rig_outcome(&rig, OUTCOME_KNOWN);
    txn_rig_close(&rig);
}

/* A PUT of that many bytes. */
static void send_bytes(struct txn_rig *rig, uint64_t req, size_t len)
{
    static const uint8_t bytes[RELAY_ENVELOPE_MAX];
    struct relay_message message = {
        .type = RELAY_PUT, .req = req, .envelope = signet_span_of(bytes, len)};

    CHECK_OK(txn_send(&rig->t, &message));
}

static void messages_share_a_frame_as_long_as_they_fit(void **state)
{
    const size_t lens[] = {30000, 30000, 30000, 100, RELAY_ENVELOPE_MAX, RELAY_ENVELOPE_MAX, 100};
    const size_t in_frame[] = {2, 2, 1, 1, 1};
    const struct engine_frame *frame;
    struct txn_rig rig;
    size_t seen = 0;

    (void)state;
    txn_rig_open(&rig, 605);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
        send_bytes(&rig, i + 1, lens[i]);
    frame = rig.output.first_frame;
    for (size_t i = 0; i < sizeof(in_frame) / sizeof(in_frame[0]); i++, frame = frame->next) {
        signet_span rest;

        CHECK(frame != NULL && frame->bytes.len <= RELAY_MESSAGE_MAX);
        rest = signet_buf_span(&frame->bytes);
        for (size_t k = 0; k < in_frame[i]; k++, seen++) {
            struct relay_message message;

            CHECK_OK(relay_message_read(rest, &message, &rest));
            CHECK(message.req == seen + 1 && message.envelope.len == lens[seen]);
        }
        CHECK(rest.len == 0);
    }
    CHECK(frame == NULL && seen == sizeof(lens) / sizeof(lens[0]));
    txn_rig_close(&rig);
}

static void events_come_in_their_order(void **state)
{
    struct signet_id bob = id_of(2);
    const enum engine_event_type wanted[] = {
        EVENT_NOTE, EVENT_QUEUED, EVENT_FAILED, EVENT_CONTACT, EVENT_READY};
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 606);
    CHECK_OK(txn_note(&rig.t, "%d of %s", 3, "bob"));
    CHECK_OK(txn_queued(&rig.t, 7, &bob));
    CHECK_OK(txn_fail(&rig.t, PROBLEM_FULL, 8, "bob"));
    CHECK_OK(txn_contact(&rig.t, &bob));
    CHECK(txn_event(&rig.t, EVENT_READY) != NULL);
    assert_string_equal(txn_rig_event(&rig, EVENT_NOTE)->text, "3 of bob");
    CHECK(txn_rig_event(&rig, EVENT_QUEUED)->token == 7);
    CHECK(signet_id_equal(&txn_rig_event(&rig, EVENT_QUEUED)->id, &bob));
    CHECK(txn_rig_event(&rig, EVENT_FAILED)->problem == PROBLEM_FULL);
    assert_string_equal(txn_rig_event(&rig, EVENT_FAILED)->text, "bob");
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        struct engine_event *event = engine_output_event(&rig.output);

        CHECK(event != NULL && event->type == wanted[i] && event->next == NULL);
        free(event);
    }
    CHECK(engine_output_event(&rig.output) == NULL && rig.output.last_event == NULL);
    txn_rig_close(&rig);
}

static void nobody_is_told_what_nobody_asked_for(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 607);
    CHECK_OK(txn_queued(&rig.t, 0, NULL));
    rig.t.explain = false;
    CHECK_OK(txn_explain(&rig.t, "integrity", "what", "how", "%d", 1));
    CHECK(rig.output.first_event == NULL);
    rig.t.explain = true;
    CHECK_OK(txn_explain(&rig.t, "integrity", "what", "how", "%d bytes", 16));
    assert_string_equal(txn_rig_event(&rig, EVENT_STEP)->step.detail, "16 bytes");
    txn_rig_close(&rig);
}

TEST_FILE(txn)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_seen_before_it_is_committed),
        cmocka_unit_test(a_scan_visits_what_is_committed_only),
        cmocka_unit_test(an_object_is_read_as_it_was_written_or_not_at_all),
        cmocka_unit_test(outcomes_come_in_their_order_with_all_they_tell),
        cmocka_unit_test(outcomes_that_nobody_took_are_forgotten),
        cmocka_unit_test(messages_share_a_frame_as_long_as_they_fit),
        cmocka_unit_test(events_come_in_their_order),
        cmocka_unit_test(nobody_is_told_what_nobody_asked_for),
    };

    return cmocka_run_group_tests_name("txn", tests, NULL, NULL);
}
