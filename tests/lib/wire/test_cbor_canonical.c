/* wire: which bytes are canonical CBOR; protocol.md section 1, RFC 8949 section 4.2.1. */
#include "tests/support/unit.h"

#include "base/hex.h"
#include "wire/cbor.h"

static struct signet_buf from_hex(const char *text)
{
    struct signet_buf buf = {0};

    CHECK_OK(hex_decode(text, &buf));
    return buf;
}

static enum signet_err read_whole(signet_span in)
{
    struct wire_reader r = wire_reader(in);
    signet_span item = wire_get_item(&r, in.len);

    if (r.err == SIGNET_OK)
        CHECK(item.ptr == in.ptr && item.len == in.len - r.in.len);
    else
        CHECK(item.len == 0);
    return wire_reader_finish(&r);
}

static enum signet_err read_hex(const char *text)
{
    struct signet_buf buf = from_hex(text);
    enum signet_err err = read_whole(signet_buf_span(&buf));

    signet_buf_free(&buf);
    return err;
}

static void check_refused(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (read_hex(texts[i]) == SIGNET_ERR_FORMAT)
            continue;
        print_message("not refused as malformed: %s\n", texts[i]);
        fail();
    }
}

#define CHECK_REFUSED(texts) check_refused((texts), sizeof(texts) / sizeof((texts)[0]))

/* RFC 8949, appendix A: every example of the kinds that are spoken here. */
static void examples_of_rfc_8949_are_accepted(void **state)
{
    static const char *const accepted[] = {"00", "01", "0a", "17", "1818", "1819", "1864", "1903e8",
        "1a000f4240", "1b000000e8d4a51000", "1bffffffffffffffff", "20", "29", "3863", "3903e7",
        "f6", "c074323031332d30332d32315432303a30343a30305a", "c11a514b67b0", "d74401020304",
        "d818456449455446", "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
        "c249010000000000000000", "40", "4401020304", "60", "6161", "6449455446", "62225c",
        "62c3bc", "63e6b0b4", "64f0908591", "80", "83010203", "8301820203820405",
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819", "a0", "a201020304",
        "a26161016162820203", "826161a161626163", "a56161614161626142616361436164614461656145"};

    (void)state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        if (read_hex(accepted[i]) == SIGNET_OK)
            continue;
        print_message("refused: %s\n", accepted[i]);
        fail();
    }
    /* -2^64 is well formed, but beyond what a value here can be. */
    CHECK_ERR(read_hex("3bffffffffffffffff"), SIGNET_ERR_LIMIT);
    CHECK_ERR(read_hex("3b8000000000000000"), SIGNET_ERR_LIMIT);
    CHECK_OK(read_hex("3b7fffffffffffffff"));
}

/* RFC 8949, section 3.4: any number is a tag, assigned or not. */
static void every_tag_number_is_read(void **state)
{
    (void)state;
    for (uint64_t tag = 0; tag <= 300; tag++) {
        struct signet_buf buf = {0};
        struct wire_writer w = wire_writer(&buf);
        struct wire_reader r;

        wire_put_tag(&w, tag);
        wire_put_null(&w);
        CHECK_OK(wire_writer_finish(&w));
        CHECK_OK(read_whole(signet_buf_span(&buf)));
        r = wire_reader(signet_buf_span(&buf));
        wire_expect_tag(&r, tag);
        CHECK(wire_get_null(&r));
        CHECK_OK(wire_reader_finish(&r));
        signet_buf_free(&buf);
    }
}

/* RFC 8949, appendix A: the kinds that are not spoken here. */
static void floats_simple_values_and_indefinite_lengths_are_refused(void **state)
{
    static const char *const refused[] = {"f90000", "f97c00", "fa47c35000", "fb3ff199999999999a",
        "fb7ff0000000000000", "f4", "f5", "f7", "f0", "e0", "f800", "f816", "f818", "f8ff", "fc",
        "5f42010243030405ff", "7f657374726561646d696e67ff", "9fff", "9f018202039f0405ffff",
        "83018202039f0405ff", "bf61610161629f0203ffff", "ff", "80ff", "81f4", "a1f500", "c1f97c00"};

    (void)state;
    CHECK_REFUSED(refused);
}

/* RFC 8949, section 4.2.1: the shortest head. */
static void longer_heads_than_needed_are_refused(void **state)
{
    static const char *const refused[] = {"1800", "1817", "821817", "190017", "1900ff",
        "1a0000ffff", "1b00000000ffffffff", "1b0000000000000000", "3800", "3817", "3900ff",
        "3a0000ffff", "3b00000000ffffffff", "5800", "580161", "59000161", "5a0000000161",
        "5b000000000000000161", "7800", "780161", "79000161", "7a0000000161",
        "7b000000000000000161", "9800", "980100", "99000100", "9a0000000100",
        "9b000000000000000100", "b800", "b8010000", "b900010000", "ba000000010000",
        "bb00000000000000010000", "d80100", "d8120000", "d9001200", "da0000001200",
        "db000000000000001200"};
    static const char *const reserved[] = {
        "1c", "1d", "1e", "1f", "3c", "3f", "5c", "5d", "5e", "7c", "9c", "bc", "dc", "df00"};

    (void)state;
    CHECK_REFUSED(refused);
    CHECK_REFUSED(reserved);
}

/* RFC 8949, section 4.2.1: bytewise order of the keys' encodings; section 5.6: no duplicates. */
static void map_keys_must_strictly_increase(void **state)
{
    static const char *const refused[] = {"a202000100", "a201000100", "a220000100",
        "a2616200616100", "a2616100616100", "a261610000ff", "a2626161006162ff", "a2f6000000",
        "a2810000800000", "a1a20200010000", "a100a202000100", "82a20200010000", "c1a202000100"};

    (void)state;
    CHECK_REFUSED(refused);
    CHECK_OK(read_hex("a40a00186400200041fff6"));
    /* The head is compared first, so a shorter string comes before a longer one. */
    CHECK_OK(read_hex("a2616200626161f6"));
    CHECK_OK(read_hex("a28000810000"));
}

/* RFC 8949, section 3.1: text is UTF-8. */
static void text_that_is_not_utf8_is_refused(void **state)
{
    static const char *const refused[] = {
        "61ff", "6180", "62c080", "61c3", "63eda080", "64f4908080", "8161ff", "a161ff00", "c061ff"};

    (void)state;
    CHECK_REFUSED(refused);
}

static enum signet_err read_nested(const char *opening, size_t count, const char *inner)
{
    struct signet_buf buf = {0};
    enum signet_err err;

    for (size_t i = 0; i < count; i++)
        CHECK_OK(hex_decode(opening, &buf));
    CHECK_OK(hex_decode(inner, &buf));
    err = read_whole(signet_buf_span(&buf));
    signet_buf_free(&buf);
    return err;
}

/* protocol.md, section 1: at most 16 levels deep, so that no input buys stack. */
static void deeper_nesting_than_sixteen_is_refused(void **state)
{
    static const char *const openings[] = {"81", "a100", "c1"};

    (void)state;
    for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
        CHECK_OK(read_nested(openings[i], WIRE_DEPTH_MAX, "00"));
        CHECK_ERR(read_nested(openings[i], WIRE_DEPTH_MAX + 1, "00"), SIGNET_ERR_LIMIT);
        CHECK_ERR(read_nested(openings[i], 100000, "00"), SIGNET_ERR_LIMIT);
    }
    CHECK_OK(read_nested("81", WIRE_DEPTH_MAX - 1, "a0"));
    CHECK_ERR(read_nested("81", WIRE_DEPTH_MAX, "a0"), SIGNET_ERR_LIMIT);
}

/* mosquitto CVE-2017-7651: a length that is claimed but not there buys nothing. */
static void claimed_lengths_beyond_the_input_are_refused(void **state)
{
    static const char *const refused[] = {"5bffffffffffffffff", "5b7fffffffffffffff00",
        "7bfffffffffffffff600", "5affffffff00", "9bffffffffffffffff", "9b7fffffffffffffff00",
        "bbffffffffffffffff", "bb80000000000000000000", "bb7fffffffffffffff0000", "4200", "6261"};
    struct signet_buf buf = from_hex("9a7fffffff000000");
    struct wire_reader r = wire_reader(signet_buf_span(&buf));

    (void)state;
    CHECK_REFUSED(refused);
    CHECK(wire_get_array(&r, 0, SIZE_MAX) == 0);
    CHECK_ERR(wire_reader_finish(&r), SIGNET_ERR_FORMAT);
    signet_buf_free(&buf);
}

TEST_FILE(cbor_canonical)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_rfc_8949_are_accepted),
        cmocka_unit_test(every_tag_number_is_read),
        cmocka_unit_test(floats_simple_values_and_indefinite_lengths_are_refused),
        cmocka_unit_test(longer_heads_than_needed_are_refused),
        cmocka_unit_test(map_keys_must_strictly_increase),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(deeper_nesting_than_sixteen_is_refused),
        cmocka_unit_test(claimed_lengths_beyond_the_input_are_refused),
    };

    return cmocka_run_group_tests_name("cbor_canonical", tests, NULL, NULL);
}
