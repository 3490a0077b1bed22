/* Messages on their way: cli/pending.h. */
#include "tests/support/unit.h"

#include "cli/pending.h"

/* engine.h: QUEUED may be told of a token more than once, and ACCEPTED after it. */
static void a_message_is_counted_once(void **state)
{
    struct pending pending = {0};

    (void)state;
    for (uint64_t token = 1; token <= 100; token++)
        CHECK_OK(pending_add(&pending, token));
    assert_true(pending_keep(&pending, 7));
    assert_false(pending_keep(&pending, 7));
    assert_false(pending_keep(&pending, 101));
    assert_int_equal(pending_in_flight(&pending), 99);
    assert_true(pending_take(&pending, 7));
    assert_false(pending_take(&pending, 7));
    assert_false(pending_take(&pending, 0));
    assert_int_equal(pending_in_flight(&pending), 99);
    assert_int_equal(pending.kept, 0);
    pending_free(&pending);
}

TEST_FILE(pending)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_message_is_counted_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
