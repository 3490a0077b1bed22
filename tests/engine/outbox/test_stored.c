/* The outbox on disk: drafts and sealed envelopes are read back as they were, in their order. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/history/history.h"
#include "engine/outbox/stored.h"

static void write_draft(struct txn_rig *rig, unsigned to, const char *body)
{
    struct outgoing *text = calloc(1, sizeof(*text));

    CHECK(text != NULL);
    text->has_address = true;
    text->address = id_of(to);
    text->sent_at = PARTY_NOW + to;
    CHECK_OK(signet_buf_append(&text->text, signet_span_str(body)));
    CHECK_OK(stored_save_draft(&rig->t, text));
    CHECK(text->draft != 0 && text->text.len == 0);
    queue_add(&rig->outbox, text);
}

/* An envelope for a device, with the entry of that name. */
static struct sealed *add_sealed(struct txn_rig *rig, unsigned device, unsigned entry)
{
    struct sealed sealed = {.token = entry,
        .device = id_of(device),
        .conversation = id_of(7),
        .entry = id_of(entry),
        .message = 40 + entry};

    CHECK_OK(stored_add(&rig->t, &sealed, signet_span_str("envelope")));
    return stored_find(&rig->outbox, sealed.number);
}

static void a_draft_is_read_back_as_it_was_written(void **state)
{
    struct signet_buf value = {0};
    struct record_key key = {.kind = RECORD_OUTBOX, .number = 1};
    struct message line = {0};
    struct outgoing *text;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 730);
    write_draft(&rig, 2, "hello bob");
    CHECK(outbox_waiting(&rig.outbox) == 1);
    txn_rig_commit(&rig);
    txn_rig_restart(&rig);
    text = rig.outbox.texts;
    CHECK(text != NULL && text->next == NULL && text->text.len == 0);
    CHECK(text->has_address && text->address.b[0] == 2 && text->sent_at == PARTY_NOW + 2);
    CHECK(text->token == 0 && text->draft == 1);
    CHECK_OK(stored_load_draft(&rig.t, text));
    CHECK_SPAN(signet_buf_span(&text->text), "hello bob");
    CHECK_OK(txn_get(&rig.t, &key, &value));
    CHECK_OK(stored_read_draft(signet_buf_span(&value), own_address(&rig.t), &line));
    CHECK(line.is_outgoing && line.sent_at == PARTY_NOW + 2 && line.peer.b[0] == 2);
    CHECK(signet_id_equal(&line.address, own_address(&rig.t)));
    CHECK_SPAN(signet_buf_span(&line.text), "hello bob");
    CHECK_OK(stored_delete_draft(&rig.t, text));
    CHECK_ERR(stored_load_draft(&rig.t, text), SIGNET_ERR_UNKNOWN);
    message_clear(&line);
    signet_buf_free(&value);
    txn_rig_close(&rig);
}

static void a_sealed_envelope_is_no_draft(void **state)
{
    struct signet_buf value = {0};
    struct record_key key = {.kind = RECORD_OUTBOX, .number = 1};
    struct message line = {0};
    struct outgoing text = {.draft = 1};
    signet_span envelope;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 731);
    (void)add_sealed(&rig, 1, 1);
    CHECK_OK(txn_get(&rig.t, &key, &value));
    CHECK_ERR(
        stored_read_draft(signet_buf_span(&value), own_address(&rig.t), &line), SIGNET_ERR_UNKNOWN);
    CHECK_ERR(stored_load_draft(&rig.t, &text), SIGNET_ERR_FORMAT);
    signet_buf_truncate(&value, 0);
    write_draft(&rig, 2, "draft");
    CHECK_ERR(stored_read(&rig.t, 2, &value, &envelope), SIGNET_ERR_FORMAT);
    signet_buf_free(&value);
    txn_rig_close(&rig);
}

static void an_envelope_is_sent_as_it_was_sealed(void **state)
{
    struct signet_buf value = {0};
    struct sealed *sealed;
    signet_span envelope;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 732);
    (void)add_sealed(&rig, 1, 5);
    txn_rig_commit(&rig);
    txn_rig_restart(&rig);
    sealed = stored_find(&rig.outbox, 1);
    CHECK(sealed != NULL && sealed->next == NULL && stored_find(&rig.outbox, 2) == NULL);
    CHECK(sealed->device.b[0] == 1 && sealed->conversation.b[0] == 7 && sealed->entry.b[0] == 5);
    CHECK(sealed->message == 45 && sealed->token == 0);
    CHECK(!sealed->has_arrived && !sealed->is_in_flight && !sealed->is_told);
    CHECK_OK(stored_read(&rig.t, 1, &value, &envelope));
    CHECK_SPAN(envelope, "envelope");
    signet_buf_truncate(&value, 0);
    CHECK(memory_records_damage(rig.records, RECORD_OUTBOX) == 1);
    CHECK_ERR(stored_read(&rig.t, 1, &value, &envelope), SIGNET_ERR_AUTH);
    signet_buf_free(&value);
    txn_rig_close(&rig);
}

static void what_is_damaged_holds_up_no_other(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 733);
    write_draft(&rig, 2, "first");
    (void)add_sealed(&rig, 1, 1);
    txn_rig_commit(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_OUTBOX) == 2);
    (void)add_sealed(&rig, 1, 2);
    write_draft(&rig, 3, "second");
    (void)add_sealed(&rig, 1, 3);
    txn_rig_commit(&rig);
    txn_rig_restart(&rig);
    CHECK(rig.outbox.texts->draft == 4 && rig.outbox.texts->next == NULL);
    CHECK(rig.outbox.sealed->number == 3 && rig.outbox.sealed->next->number == 5);
    CHECK(rig.outbox.sealed->next->next == NULL);
    CHECK(outbox_waiting(&rig.outbox) == 3);
    txn_rig_close(&rig);
}

static void the_envelopes_of_one_entry_count_as_one(void **state)
{
    struct sealed *first, *second, *other;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 734);
    first = add_sealed(&rig, 1, 1);
    second = add_sealed(&rig, 2, 1);
    other = add_sealed(&rig, 1, 2);
    CHECK(outbox_waiting(&rig.outbox) == 2);
    CHECK_OK(stored_remove(&rig.t, first));
    CHECK(stored_has_siblings(&rig.outbox, first));
    CHECK_OK(stored_mark_arrived(&rig.t, second));
    CHECK(second->has_arrived && !other->has_arrived);
    txn_rig_commit(&rig);
    txn_rig_restart(&rig);
    CHECK(rig.outbox.sealed->number == 2 && rig.outbox.sealed->has_arrived);
    CHECK(rig.outbox.sealed->next->number == 3 && !rig.outbox.sealed->next->has_arrived);
    second = rig.outbox.sealed;
    CHECK_OK(stored_remove(&rig.t, second));
    CHECK(!stored_has_siblings(&rig.outbox, first));
    CHECK(!txn_rig_has(&rig, RECORD_OUTBOX, signet_span_of(NULL, 0), 2));
    free(first);
    free(second);
    txn_rig_close(&rig);
}

/* A line of the history that the envelope is of. */
static void write_line(struct txn_rig *rig, const struct sealed *sealed, uint64_t kind)
{
    struct message line = {.is_outgoing = true,
        .number = sealed->message,
        .conversation = sealed->conversation,
        .kind = kind,
        .suite = 1};

    CHECK_OK(history_change(&rig->t, &line));
}

static void acceptance_is_told_and_kept_in_the_history(void **state)
{
    struct message line = {0};
    const struct engine_event *event;
    struct sealed *sealed;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 735);
    sealed = add_sealed(&rig, 1, 5);
    write_line(&rig, sealed, SIGNET_KIND_TEXT);
    rig.t.now_ms = PARTY_NOW + 3;
    CHECK_OK(stored_tell_accepted(&rig.t, sealed));
    event = txn_rig_event(&rig, EVENT_ACCEPTED);
    CHECK(event->token == 5 && event->number == 45 && event->at == PARTY_NOW + 3);
    CHECK(signet_id_equal(&event->id, &sealed->entry));
    CHECK_OK(stored_load_line(&rig.t, sealed, &line));
    CHECK(line.accepted_at == PARTY_NOW + 3);
    message_clear(&line);
    /* Where the line is gone, it is told all the same; of what nobody has written, nothing is. */
    txn_rig_forget(&rig);
    sealed = add_sealed(&rig, 1, 6);
    CHECK_OK(stored_tell_accepted(&rig.t, sealed));
    CHECK(txn_rig_count(&rig, EVENT_ACCEPTED) == 1);
    txn_rig_forget(&rig);
    write_line(&rig, sealed, SIGNET_KIND_HEADS);
    CHECK_OK(stored_tell_accepted(&rig.t, sealed));
    CHECK(txn_rig_count(&rig, EVENT_ACCEPTED) == 0);
    txn_rig_close(&rig);
}

TEST_FILE(stored)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_is_read_back_as_it_was_written),
        cmocka_unit_test(a_sealed_envelope_is_no_draft),
        cmocka_unit_test(an_envelope_is_sent_as_it_was_sealed),
        cmocka_unit_test(what_is_damaged_holds_up_no_other),
        cmocka_unit_test(the_envelopes_of_one_entry_count_as_one),
        cmocka_unit_test(acceptance_is_told_and_kept_in_the_history),
    };

    return cmocka_run_group_tests_name("stored", tests, NULL, NULL);
}
