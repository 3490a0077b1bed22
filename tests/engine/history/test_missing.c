/* What the other side says that it has got of us. docs/protocol.md, section 8, step 9. */
#include "tests/support/txn_rig.h"

#include "engine/history/history.h"
#include "engine/history/missing.h"

enum { LINES = 5 };

/* Five lines, of which the third is not ours; the own ones have the sequences 1, 2, 3, 4. */
static void write_lines(struct txn_rig *rig)
{
    uint64_t sequence = 0;

    for (unsigned i = 1; i <= LINES; i++) {
        struct message message = {
            .is_outgoing = i != 3,
            .id = id_of(i),
            .conversation = id_of(7),
            .sequence = i != 3 ? ++sequence : 1,
            .kind = SIGNET_KIND_TEXT,
            .suite = 1,
        };

        CHECK_OK(history_add(&rig->t, &message, false));
    }
    txn_rig_commit(rig);
}

static struct signet_entry heads_of(unsigned first, unsigned second)
{
    struct signet_entry heads = {.conversation = id_of(7), .kind = SIGNET_KIND_HEADS};

    if (first != 0)
        heads.parents[heads.parent_count++] = id_of(first);
    if (second != 0)
        heads.parents[heads.parent_count++] = id_of(second);
    return heads;
}

/* Those lines, and no others, are marked: "1 2 ". */
static void check_missing(struct txn_rig *rig, const char *wanted)
{
    struct signet_id conversation = id_of(7);
    char text[64] = "";

    for (unsigned i = 1; i <= LINES; i++) {
        struct message message = {0};

        CHECK_OK(history_load_line(&rig->t, &conversation, i, &message));
        if (message.verdict == VERDICT_MISSING)
            text[strlen(text)] = (char)('0' + i);
        message_clear(&message);
    }
    assert_string_equal(text, wanted);
}

static uint64_t mark(struct txn_rig *rig, const struct signet_entry *heads)
{
    uint64_t missing = 4711;

    CHECK_OK(missing_mark(&rig->t, heads, &missing));
    return missing;
}

static void what_follows_the_newest_named_entry_is_missing(void **state)
{
    struct signet_entry heads = heads_of(4, 1);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 690);
    write_lines(&rig);
    CHECK(mark(&rig, &heads) == 1);
    check_missing(&rig, "5");
    txn_rig_commit(&rig);
    CHECK(mark(&rig, &heads) == 0); /* once */
    txn_rig_close(&rig);
}

static void who_names_nothing_has_got_nothing(void **state)
{
    struct signet_entry heads = heads_of(0, 0);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 691);
    write_lines(&rig);
    CHECK(mark(&rig, &heads) == 4);
    check_missing(&rig, "1245");
    txn_rig_close(&rig);
}

/* Entries that are not in our history, or not ours, say nothing of what is. */
static void who_names_what_we_have_not_written_says_nothing(void **state)
{
    struct signet_entry heads = heads_of(99, 3);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 692);
    write_lines(&rig);
    CHECK(mark(&rig, &heads) == 0);
    check_missing(&rig, "");
    txn_rig_close(&rig);
}

static void only_texts_can_be_missing(void **state)
{
    struct signet_id conversation = id_of(7);
    struct signet_entry heads = heads_of(2, 0);
    struct message message = {0};
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 693);
    write_lines(&rig);
    CHECK_OK(history_load_line(&rig.t, &conversation, 4, &message));
    message.kind = SIGNET_KIND_HEADS;
    CHECK_OK(history_change(&rig.t, &message)); /* in this very call */
    message_clear(&message);
    CHECK(mark(&rig, &heads) == 1);
    check_missing(&rig, "5");
    txn_rig_close(&rig);
}

static void a_damaged_line_stops_nothing(void **state)
{
    struct signet_id conversation = id_of(7);
    struct record_key key = {RECORD_MESSAGE, signet_id_span(&conversation), 9};
    struct signet_entry heads = heads_of(4, 0);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 694);
    write_lines(&rig);
    CHECK_OK(txn_put(&rig.t, &key, signet_span_str("nonsense")));
    txn_rig_commit(&rig);
    CHECK(mark(&rig, &heads) == 1);
    check_missing(&rig, "5");
    txn_rig_close(&rig);
}

TEST_FILE(missing)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_the_newest_named_entry_is_missing),
        cmocka_unit_test(who_names_nothing_has_got_nothing),
        cmocka_unit_test(who_names_what_we_have_not_written_says_nothing),
        cmocka_unit_test(only_texts_can_be_missing),
        cmocka_unit_test(a_damaged_line_stops_nothing),
    };

    return cmocka_run_group_tests_name("missing", tests, NULL, NULL);
}
