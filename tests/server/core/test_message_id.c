/* Message ids: server/core/message_id.h. */
#include "tests/support/unit.h"

#include "server/core/message_id.h"

/* docs/protocol.md, section 9: a message is named by a number; the oldest is the lowest. */
static void ids_rise_within_and_across_milliseconds(void **state)
{
    struct message_ids ids;
    uint64_t last = 0;

    (void)state;
    message_ids_init(&ids, 5, 0);
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t id = message_id_next(&ids, MESSAGE_ID_EPOCH_MS + 1000 + i / 7);

        CHECK(id > last);
        CHECK((id >> 12 & 1023) == 5);
        last = id;
    }
}

/* More than 4096 in one millisecond borrow from the next: the counter never meets the node. */
static void a_full_counter_does_not_repeat_ids(void **state)
{
    struct message_ids ids;
    uint64_t last = 0;

    (void)state;
    message_ids_init(&ids, 1023, 0);
    for (uint64_t i = 0; i < 10000; i++) {
        uint64_t id = message_id_next(&ids, MESSAGE_ID_EPOCH_MS + 1);

        CHECK(id > last);
        CHECK((id >> 12 & 1023) == 1023);
        last = id;
    }
    CHECK(last >> 22 == 1 + 10000 / 4096);
}

static void a_clock_set_back_does_not_repeat_ids(void **state)
{
    struct message_ids ids, next;
    uint64_t first, second;

    (void)state;
    message_ids_init(&ids, 3, 0);
    first = message_id_next(&ids, MESSAGE_ID_EPOCH_MS + 500000);
    second = message_id_next(&ids, MESSAGE_ID_EPOCH_MS + 100);
    CHECK(second > first);
    message_ids_init(&next, 3, second);
    CHECK(message_id_next(&next, 0) > second);
}

/* SQLite keeps 63 bits: 41 bits of milliseconds last until 2095. */
static void ids_fit_into_63_bits_until_2095(void **state)
{
    struct message_ids ids;

    (void)state;
    message_ids_init(&ids, 1023, 0);
    CHECK(message_id_next(&ids, UINT64_C(3944678400000)) >> 63 == 0);
}

/* A clock at 2106 (32 bits of seconds) or later must not use up the ids there are. */
static void a_clock_beyond_2095_takes_no_ids_from_the_right_one(void **state)
{
    static const uint64_t wrong_ms[] = {UINT64_C(4294967295000), UINT64_C(9223372036854775)};
    const uint64_t now_ms = MESSAGE_ID_EPOCH_MS + 1000000;
    struct message_ids ids;
    uint64_t last;

    (void)state;
    message_ids_init(&ids, 1023, 0);
    last = message_id_next(&ids, now_ms);
    for (size_t i = 0; i < 2; i++) {
        uint64_t id = message_id_next(&ids, wrong_ms[i]);

        CHECK(id > last && id >> 63 == 0);
        last = id;
    }
    last = message_id_next(&ids, now_ms + 1);
    CHECK(last >> 22 == now_ms + 1 - MESSAGE_ID_EPOCH_MS);
}

TEST_FILE(message_id)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_rise_within_and_across_milliseconds),
        cmocka_unit_test(a_full_counter_does_not_repeat_ids),
        cmocka_unit_test(a_clock_set_back_does_not_repeat_ids),
        cmocka_unit_test(ids_fit_into_63_bits_until_2095),
        cmocka_unit_test(a_clock_beyond_2095_takes_no_ids_from_the_right_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
