/* io/tls_records: what a client's records may claim during the handshake. */
#include "tests/support/unit.h"

#include "io/tls_records.h"

/* Everything at once, and byte by byte. */
static bool takes(const uint8_t *bytes, size_t len)
{
    struct tls_records whole = {0}, cut = {0};
    bool is_taken = tls_records_take(&whole, bytes, len), is_cut_taken = true;

    for (size_t i = 0; i < len && is_cut_taken; i++)
        is_cut_taken = tls_records_take(&cut, bytes + i, 1);
    CHECK(is_taken == is_cut_taken);
    return is_taken;
}

#define TAKES(...) takes((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* No allocation from a claimed length. OpenSSL would make room for 131,396 bytes. */
static void a_message_longer_than_its_record_is_refused(void **state)
{
    (void)state;
    CHECK(TAKES(22, 3, 1, 0, 0x5f, 1, 0, 0, 0x5b));
    CHECK(TAKES(22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc));
    CHECK(!TAKES(22, 3, 1, 0, 0x5f, 1, 1, 0xff, 0xb8));
    CHECK(!TAKES(22, 3, 1, 0, 0x5f, 1, 0, 0, 0x5c));
    CHECK(!TAKES(22, 3, 1, 0, 0x5f, 1, 0, 0, 0x5a));
}

/* A head of a message that is cut by its record could claim anything in the next one. */
static void a_record_without_room_for_a_head_is_refused(void **state)
{
    (void)state;
    CHECK(TAKES(22, 3, 1, 0, 4, 1, 0, 0, 0));
    CHECK(!TAKES(22, 3, 1, 0, 3, 1, 0xff, 0xff, 0xff));
    CHECK(!TAKES(22, 3, 1, 0, 0, 22, 0xff, 0xff, 0xfc));
}

static void each_record_is_looked_at(void **state)
{
    (void)state;
    CHECK(TAKES(22, 3, 1, 0, 5, 1, 0, 0, 1, 9, 20, 3, 3, 0, 1, 1, 22, 3, 3, 0, 5, 1, 0, 0, 1, 9));
    CHECK(!TAKES(22, 3, 1, 0, 5, 1, 0, 0, 1, 9, 20, 3, 3, 0, 1, 1, 22, 3, 3, 0, 5, 1, 0, 1, 1));
    /* What is sealed, or an alert, is passed over, whatever it looks like. */
    CHECK(TAKES(23, 3, 3, 0, 9, 22, 3, 1, 0, 0x5f, 1, 1, 0xff, 0xb8, 21, 3, 3, 0, 2, 22, 22));
    CHECK(!TAKES(23, 3, 3, 0, 1, 22, 22, 3, 1, 0, 0x5f, 1, 1, 0xff, 0xb8));
}

static void what_is_no_record_is_refused(void **state)
{
    (void)state;
    CHECK(!TAKES('G'));
    CHECK(!TAKES(0x80)); /* a hello of SSL 2 */
    CHECK(!TAKES(19));
    CHECK(!TAKES(24));
    CHECK(!TAKES(21, 3, 3, 0, 0, 24));
}

TEST_FILE(tls_records)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_longer_than_its_record_is_refused),
        cmocka_unit_test(a_record_without_room_for_a_head_is_refused),
        cmocka_unit_test(each_record_is_looked_at),
        cmocka_unit_test(what_is_no_record_is_refused),
    };

    return cmocka_run_group_tests_name("tls_records", tests, NULL, NULL);
}
