/* engine/records.h: batches of changes, and records in memory. */
#include "tests/support/record_checks.h"

#include "tests/support/memory_records.h"

static void a_batch_keeps_the_order_and_finds_the_last_change(void **state)
{
    struct record_batch batch = {0};
    struct record_key key = key_of(RECORD_CONTACT, "bob", 0);
    struct record_key other = key_of(RECORD_CONTACT, "bob", 1);

    (void)state;
    batch_put(&batch, &key, "one");
    batch_put(&batch, &other, "other");
    batch_put(&batch, &key, "two");
    CHECK(batch.count == 3);
    CHECK_SPAN(signet_buf_span(&batch.first->value), "one");
    CHECK_SPAN(signet_buf_span(&record_batch_find(&batch, &key)->value), "two");
    CHECK_OK(record_batch_delete(&batch, &key));
    CHECK(record_batch_find(&batch, &key)->is_delete);
    key.kind = RECORD_NAME;
    CHECK(record_batch_find(&batch, &key) == NULL);
    record_batch_clear(&batch);
    CHECK(batch.first == NULL && batch.last == NULL && batch.count == 0);
}

static void a_name_or_value_too_long_leaves_the_batch_unchanged(void **state)
{
    static const uint8_t bytes[RECORD_MAX + 1];
    struct record_batch batch = {0};
    struct record_key key = {RECORD_CONTACT, signet_span_of(bytes, RECORD_NAME_MAX + 1), 0};

    (void)state;
    CHECK_ERR(record_batch_put(&batch, &key, signet_span_str("")), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(record_batch_delete(&batch, &key), SIGNET_ERR_ARGUMENT);
    key.name.len = RECORD_NAME_MAX;
    CHECK_ERR(
        record_batch_put(&batch, &key, signet_span_of(bytes, RECORD_MAX + 1)), SIGNET_ERR_ARGUMENT);
    CHECK(batch.first == NULL && batch.count == 0);
    CHECK_OK(record_batch_put(&batch, &key, signet_span_of(bytes, RECORD_MAX)));
    record_batch_clear(&batch);
}

static void appending_moves_all_changes(void **state)
{
    struct record_batch one = {0}, two = {0}, empty = {0};
    struct record_key key = key_of(RECORD_CONTACT, "bob", 0);

    (void)state;
    batch_put(&two, &key, "second");
    record_batch_append(&one, &two);
    CHECK(two.first == NULL && two.last == NULL && two.count == 0);
    batch_put(&two, &key, "third");
    record_batch_append(&one, &empty);
    record_batch_append(&one, &two);
    CHECK(one.count == 2);
    CHECK_SPAN(signet_buf_span(&one.last->value), "third");
    CHECK_SPAN(signet_buf_span(&record_batch_find(&one, &key)->value), "third");
    record_batch_clear(&one);
}

static void memory_records_are_a_record_source(void **state)
{
    struct memory_records *records = memory_records_new();
    struct memory_records *copy;
    struct record_batch batch = {0};

    (void)state;
    source_fill(&batch);
    CHECK_OK(memory_records_commit(records, &batch));
    record_batch_clear(&batch);
    source_check(memory_records_source(records));
    copy = memory_records_copy(records);
    memory_records_free(records);
    CHECK(memory_records_count(copy) == 8);
    source_check(memory_records_source(copy));
    memory_records_free(copy);
}

static void a_commit_that_fails_changes_nothing(void **state)
{
    struct memory_records *records = memory_records_new();
    struct record_batch batch = {0};

    (void)state;
    source_fill(&batch);
    memory_records_fail_after(records, 0);
    CHECK_ERR(memory_records_commit(records, &batch), SIGNET_ERR_IO);
    CHECK(memory_records_count(records) == 0);
    CHECK_OK(memory_records_commit(records, &batch));
    CHECK(memory_records_count(records) == 8);
    record_batch_clear(&batch);
    memory_records_free(records);
}

TEST_FILE(records)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_keeps_the_order_and_finds_the_last_change),
        cmocka_unit_test(a_name_or_value_too_long_leaves_the_batch_unchanged),
        cmocka_unit_test(appending_moves_all_changes),
        cmocka_unit_test(memory_records_are_a_record_source),
        cmocka_unit_test(a_commit_that_fails_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
