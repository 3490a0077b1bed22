/* The patience of waiting times: longer where a test asks for it, and never shorter. */
#include "tests/support/unit.h"

#include <stdlib.h>

#include "io/clock.h"

static uint64_t patience_of(const char *text)
{
    CHECK(setenv("SIGNET_TEST_PATIENCE", text, 1) == 0);
    return clock_patience();
}

static void a_whole_number_stretches_waiting_times(void **state)
{
    (void)state;
    assert_int_equal(patience_of("1"), 1);
    assert_int_equal(patience_of("3"), 3);
    assert_int_equal(patience_of("100"), 100);
}

static void anything_else_changes_nothing(void **state)
{
    static const char *const texts[] = {"", "0", "00", "-3", "+3", " 3", "3 ", "0.5", "3s", "1e9",
        "101", "1000", "18446744073709551619", "many"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(patience_of(texts[i]), 1);
    CHECK(unsetenv("SIGNET_TEST_PATIENCE") == 0);
    assert_int_equal(clock_patience(), 1);
}

TEST_FILE(clock)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_number_stretches_waiting_times),
        cmocka_unit_test(anything_else_changes_nothing),
    };

    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
