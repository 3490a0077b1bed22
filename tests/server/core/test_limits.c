/* Rate limits: server/core/limits.h. */
#include "tests/support/unit.h"

#include "server/core/limits.h"

static const struct rate_limit ten = {.per_second = 10, .burst = 3};

static size_t count_allowed(struct rate *rate, uint64_t now_ms, size_t tries)
{
    uint64_t retry_after_ms;
    size_t allowed = 0;

    for (size_t i = 0; i < tries; i++)
        allowed += rate_allow(rate, &ten, now_ms, &retry_after_ms);
    return allowed;
}

/* docs/protocol.md, section 9, code 9: too often; see retry_after. */
static void a_burst_passes_then_one_per_step(void **state)
{
    struct rate rate = {0};

    (void)state;
    CHECK(count_allowed(&rate, 5000, 10) == 3);
    CHECK(count_allowed(&rate, 5099, 10) == 0);
    CHECK(count_allowed(&rate, 5100, 10) == 1);
    CHECK(count_allowed(&rate, 9000, 10) == 3);
}

static void waiting_as_told_is_enough_and_necessary(void **state)
{
    struct rate rate = {0};
    uint64_t retry_after_ms = 0;

    (void)state;
    CHECK(count_allowed(&rate, 0, 3) == 3);
    CHECK(!rate_allow(&rate, &ten, 40, &retry_after_ms));
    CHECK(retry_after_ms == 60);
    CHECK(!rate_allow(&rate, &ten, 40 + retry_after_ms - 1, &retry_after_ms));
    CHECK(retry_after_ms == 1);
    CHECK(rate_allow(&rate, &ten, 100, &retry_after_ms));
}

/* What cost more than was known before is made up for. */
static void what_is_charged_is_missing_later(void **state)
{
    struct rate rate = {0};

    (void)state;
    CHECK(count_allowed(&rate, 1000, 1) == 1);
    rate_charge(&rate, &ten, 7, 1000);
    CHECK(count_allowed(&rate, 1599, 9) == 0);
    CHECK(count_allowed(&rate, 1600, 9) == 1);
}

/* Nobody gets rid of what is owed but by others who owe more. */
static void accounts_that_owe_are_remembered(void **state)
{
    static struct account_rates rates;
    struct signet_id first = {{1, 1}}, account = {{2}};

    (void)state;
    rate_charge(account_rate(&rates, &first), &ten, 100, 1000);
    for (unsigned i = 0; i < 3 * ACCOUNT_RATES; i++) {
        memcpy(account.b + 1, &i, sizeof(i));
        CHECK(count_allowed(account_rate(&rates, &account), 1000, 9) == 3);
    }
    CHECK(count_allowed(account_rate(&rates, &first), 1000, 9) == 0);
    CHECK(count_allowed(account_rate(&rates, &account), 1000, 9) == 0);
}

static void zero_per_second_is_no_limit(void **state)
{
    const struct rate_limit none = {0};
    struct rate rate = {0};
    uint64_t retry_after_ms;

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        CHECK(rate_allow(&rate, &none, 1, &retry_after_ms));
    rate_charge(&rate, &none, 1000, 1);
    CHECK(rate_allow(&rate, &none, 1, &retry_after_ms));
}

TEST_FILE(limits)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_then_one_per_step),
        cmocka_unit_test(waiting_as_told_is_enough_and_necessary),
        cmocka_unit_test(what_is_charged_is_missing_later),
        cmocka_unit_test(accounts_that_owe_are_remembered),
        cmocka_unit_test(zero_per_second_is_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
