/* "Clock far wrong or jumping": when the relay believes its wall clock. */
#include "tests/support/unit.h"

#include "server/core/wall_trust.h"

#define HOUR UINT64_C(3600000)
#define DAY  (24 * HOUR)
#define NOW  UINT64_C(1800000000000)

static enum wall_change read_at(struct wall_trust *trust, uint64_t wall_ms, uint64_t monotonic_ms)
{
    return wall_trust_read(trust, wall_ms, monotonic_ms, NOW);
}

static void a_clock_that_goes_with_the_other_is_believed(void **state)
{
    struct wall_trust trust = {0};

    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        CHECK(read_at(&trust, NOW + i * DAY, 5 + i * DAY) == WALL_AS_BEFORE);
        CHECK(trust.is_trusted);
    }
    CHECK(read_at(&trust, NOW + 100 * DAY - 23 * HOUR, 5 + 100 * DAY) == WALL_AS_BEFORE);
    CHECK(read_at(&trust, NOW + 100 * DAY + 23 * HOUR, 5 + 100 * DAY) == WALL_AS_BEFORE);
    CHECK(trust.is_trusted);
}

static void a_jump_is_believed_once_it_has_held_for_a_day(void **state)
{
    struct wall_trust trust = {0};

    (void)state;
    CHECK(read_at(&trust, NOW, 5) == WALL_AS_BEFORE);
    CHECK(read_at(&trust, NOW + 40 * DAY, 6) == WALL_JUMPED && !trust.is_trusted);
    CHECK(read_at(&trust, NOW + 40 * DAY + 1, 7) == WALL_AS_BEFORE); /* told once */
    CHECK(read_at(&trust, NOW + 41 * DAY - 1, 5 + DAY) == WALL_AS_BEFORE && !trust.is_trusted);
    CHECK(read_at(&trust, NOW + 41 * DAY, 6 + DAY) == WALL_BELIEVED && trust.is_trusted);
    CHECK(read_at(&trust, NOW + 42 * DAY, 6 + 2 * DAY) == WALL_AS_BEFORE && trust.is_trusted);
}

static void a_clock_set_right_again_has_to_hold_as_well(void **state)
{
    struct wall_trust trust = {0};

    (void)state;
    CHECK(read_at(&trust, NOW, 5) == WALL_AS_BEFORE);
    CHECK(read_at(&trust, NOW - 40 * DAY, 6) == WALL_JUMPED);
    CHECK(read_at(&trust, NOW - 39 * DAY, 6 + DAY - 1) == WALL_AS_BEFORE);
    CHECK(read_at(&trust, NOW + DAY, 6 + DAY - 1) == WALL_JUMPED);
    CHECK(read_at(&trust, NOW + 2 * DAY - 1, 6 + 2 * DAY - 2) == WALL_AS_BEFORE);
    CHECK(!trust.is_trusted);
    CHECK(read_at(&trust, NOW + 2 * DAY, 6 + 2 * DAY - 1) == WALL_BELIEVED);
}

/* Small steps that add up to a jump are one. */
static void steps_add_up(void **state)
{
    struct wall_trust trust = {0};

    (void)state;
    CHECK(read_at(&trust, NOW, 0) == WALL_AS_BEFORE);
    CHECK(read_at(&trust, NOW + 20 * HOUR, 1) == WALL_AS_BEFORE);
    CHECK(read_at(&trust, NOW + 40 * HOUR, 2) == WALL_JUMPED);
}

static void the_first_reading_is_held_against_the_newest_message(void **state)
{
    static const uint64_t far[] = {0, 1, NOW - 2 * DAY, NOW + 2 * DAY, NOW + 365 * DAY};
    struct wall_trust trust;

    (void)state;
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        trust = (struct wall_trust){0};
        CHECK(read_at(&trust, far[i], 0) == WALL_JUMPED && !trust.is_trusted);
        CHECK(read_at(&trust, far[i] + DAY, DAY) == WALL_BELIEVED);
    }
    trust = (struct wall_trust){0};
    CHECK(read_at(&trust, NOW + 23 * HOUR, 0) == WALL_AS_BEFORE && trust.is_trusted);
    trust = (struct wall_trust){0};
    CHECK(wall_trust_read(&trust, NOW, 0, 0) == WALL_AS_BEFORE && trust.is_trusted);
}

TEST_FILE(wall_trust)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_goes_with_the_other_is_believed),
        cmocka_unit_test(a_jump_is_believed_once_it_has_held_for_a_day),
        cmocka_unit_test(a_clock_set_right_again_has_to_hold_as_well),
        cmocka_unit_test(steps_add_up),
        cmocka_unit_test(the_first_reading_is_held_against_the_newest_message),
    };

    return cmocka_run_group_tests_name("wall_trust", tests, NULL, NULL);
}
