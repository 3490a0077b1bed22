/* The history's lines and chains in the records. docs/protocol.md, section 8. */
#include "tests/support/txn_rig.h"

#include "engine/history/history.h"

static struct message line_of(unsigned device, uint64_t sequence, const char *text)
{
    struct message message = {
        .id = id_of(100 + (unsigned)sequence),
        .conversation = id_of(7),
        .device = id_of(device),
        .sequence = sequence,
        .kind = SIGNET_KIND_TEXT,
        .suite = 1,
    };

    CHECK_OK(signet_buf_append(&message.text, signet_span_str(text)));
    return message;
}

static uint64_t add(struct txn_rig *rig, struct message message, bool is_unshown)
{
    CHECK_OK(history_add(&rig->t, &message, is_unshown));
    message_clear(&message);
    return rig->own.counters.next_message;
}

static void check_line(struct txn_rig *rig, uint64_t number, const char *text)
{
    struct signet_id conversation = id_of(7);
    struct message message = {0};

    CHECK_OK(history_load_line(&rig->t, &conversation, number, &message));
    CHECK(message.number == number);
    CHECK_SPAN(signet_buf_span(&message.text), text);
    message_clear(&message);
}

static void every_line_has_a_place_of_its_own(void **state)
{
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 670);
    CHECK(add(&rig, line_of(1, 1, "one"), false) == 1);
    check_line(&rig, 1, "one");
    txn_rig_commit(&rig);
    txn_rig_restart(&rig); /* the place is taken on the disk, too */
    CHECK(add(&rig, line_of(1, 2, "two"), false) == 2);
    check_line(&rig, 1, "one");
    check_line(&rig, 2, "two");
    txn_rig_close(&rig);
}

static void what_is_to_be_shown_stays_so_until_it_was(void **state)
{
    signet_span all = signet_span_of(NULL, 0);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 671);
    (void)add(&rig, line_of(1, 1, "own"), false);
    (void)add(&rig, line_of(1, 2, "other's"), true);
    txn_rig_commit(&rig);
    CHECK(!txn_rig_has(&rig, RECORD_UNSHOWN, all, 1));
    CHECK(txn_rig_has(&rig, RECORD_UNSHOWN, all, 2));
    CHECK_OK(history_shown(&rig.t, 2));
    CHECK(!txn_rig_has(&rig, RECORD_UNSHOWN, all, 2));
    check_line(&rig, 2, "other's");
    txn_rig_close(&rig);
}

static void a_line_changes_in_its_place(void **state)
{
    struct message message;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 672);
    (void)add(&rig, line_of(1, 1, "one"), false);
    (void)add(&rig, line_of(1, 2, "two"), false);
    message = line_of(1, 1, "changed");
    message.number = 1;
    CHECK_OK(history_change(&rig.t, &message));
    message_clear(&message);
    check_line(&rig, 1, "changed");
    check_line(&rig, 2, "two");
    CHECK(rig.own.counters.next_message == 2);
    txn_rig_close(&rig);
}

/* A damaged line is as good as none; a disk that fails is an error. */
static void a_damaged_line_is_not_known(void **state)
{
    struct signet_id conversation = id_of(7);
    struct record_key key = {RECORD_MESSAGE, signet_id_span(&conversation), 2};
    struct message message = {0};
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 673);
    (void)add(&rig, line_of(1, 1, "one"), false);
    CHECK_OK(txn_put(&rig.t, &key, signet_span_str("nonsense")));
    txn_rig_commit(&rig);
    CHECK_ERR(history_load_line(&rig.t, &conversation, 2, &message), SIGNET_ERR_UNKNOWN);
    CHECK_ERR(history_load_line(&rig.t, &conversation, 3, &message), SIGNET_ERR_UNKNOWN);
    CHECK(memory_records_damage(rig.records, RECORD_MESSAGE) == 2);
    CHECK_ERR(history_load_line(&rig.t, &conversation, 1, &message), SIGNET_ERR_UNKNOWN);
    memory_records_break(rig.records, RECORD_MESSAGE, SIGNET_ERR_IO);
    CHECK_ERR(history_load_line(&rig.t, &conversation, 1, &message), SIGNET_ERR_IO);
    txn_rig_close(&rig);
}

static void each_device_has_a_chain_in_each_conversation(void **state)
{
    struct signet_id here = id_of(7), there = id_of(8), device = id_of(1), other = id_of(2);
    struct chain chain = {.sequence = 9, .id = id_of(3)};
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 674);
    CHECK_OK(history_save_chain(&rig.t, &here, &device, &chain));
    txn_rig_commit(&rig);
    memset(&chain, 0xff, sizeof(chain));
    CHECK_OK(history_load_chain(&rig.t, &here, &device, &chain));
    CHECK(chain.sequence == 9 && chain.gap_count == 0 && chain.id.b[0] == 3);
    CHECK_OK(history_load_chain(&rig.t, &here, &other, &chain));
    CHECK(chain.sequence == 0 && signet_id_is_zero(&chain.id));
    memset(&chain, 0xff, sizeof(chain));
    CHECK_OK(history_recall_chain(&rig.t, &there, &device, &chain));
    CHECK(chain.sequence == 0 && chain.gap_count == 0 && chain.recent_count == 0);
    txn_rig_close(&rig);
}

/* To begin again would be a fork: the lines tell where a chain stands whose record is damaged. */
static void a_damaged_chain_is_recalled_from_the_lines(void **state)
{
    struct signet_id conversation = id_of(7), device = id_of(1);
    struct record_key nonsense = {RECORD_MESSAGE, signet_id_span(&conversation), 99};
    struct chain chain = {.sequence = 3, .id = id_of(103)};
    struct message refused = line_of(1, 8, "refused");
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 675);
    (void)add(&rig, line_of(1, 1, "one"), false);
    (void)add(&rig, line_of(1, 3, "three"), false);
    (void)add(&rig, line_of(1, 2, "late"), false);
    (void)add(&rig, line_of(2, 7, "of another device"), false);
    refused.verdict = VERDICT_AUTHENTICATION; /* it is not this device's word */
    (void)add(&rig, refused, false);
    CHECK_OK(txn_put(&rig.t, &nonsense, signet_span_str("nonsense")));
    CHECK_OK(history_save_chain(&rig.t, &conversation, &device, &chain));
    txn_rig_commit(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_HEAD) == 1);
    CHECK_ERR(history_load_chain(&rig.t, &conversation, &device, &chain), SIGNET_ERR_AUTH);
    memset(&chain, 0xff, sizeof(chain));
    CHECK_OK(history_recall_chain(&rig.t, &conversation, &device, &chain));
    CHECK(chain.sequence == 3 && chain.id.b[0] == 103 && chain.gap_count == 0);
    txn_rig_close(&rig);
}

TEST_FILE(history)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_has_a_place_of_its_own),
        cmocka_unit_test(what_is_to_be_shown_stays_so_until_it_was),
        cmocka_unit_test(a_line_changes_in_its_place),
        cmocka_unit_test(a_damaged_line_is_not_known),
        cmocka_unit_test(each_device_has_a_chain_in_each_conversation),
        cmocka_unit_test(a_damaged_chain_is_recalled_from_the_lines),
    };

    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
