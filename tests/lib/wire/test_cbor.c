/* wire: the calls of the CBOR reader and writer; protocol.md section 1. */
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

/* A structure with every kind in it, as a codec would write it. */
static void put_sample(struct wire_writer *w)
{
    struct signet_id id;

    memset(&id, 0xa5, sizeof(id));
    wire_put_tag(w, 18);
    wire_put_array(w, 6);
    wire_put_uint(w, 65536);
    wire_put_negative(w, -37);
    wire_put_id(w, &id);
    wire_put_text(w, signet_span_str("caf\xc3\xa9"));
    wire_put_null(w);
    wire_put_map(w, 2);
    wire_put_uint(w, 1);
    wire_put_bytes(w, signet_span_str("abc"));
    wire_put_uint(w, 395);
    wire_put_array(w, 0);
}

static enum signet_err read_sample(signet_span in)
{
    struct wire_reader r = wire_reader(in);
    struct signet_id id;
    bool is_null;

    wire_expect_tag(&r, 18);
    wire_expect_array(&r, 6);
    wire_expect_uint(&r, 65536);
    wire_expect_negative(&r, -37);
    wire_get_id(&r, &id);
    wire_expect_text(&r, "caf\xc3\xa9");
    is_null = wire_get_null(&r);
    wire_expect_map(&r, 2);
    wire_expect_uint(&r, 1);
    wire_get_bytes(&r, 3, 3);
    wire_expect_uint(&r, 395);
    wire_get_array(&r, 0, 0);
    if (!is_null)
        wire_reader_fail(&r, SIGNET_ERR_FORMAT);
    if (wire_reader_finish(&r) == SIGNET_OK)
        CHECK(id.b[0] == 0xa5 && id.b[31] == 0xa5);
    return wire_reader_finish(&r);
}

static void what_is_written_is_read_and_no_truncation_of_it_is(void **state)
{
    struct signet_buf buf = {0};
    struct wire_writer w = wire_writer(&buf);

    (void)state;
    put_sample(&w);
    CHECK_OK(wire_writer_finish(&w));
    CHECK_OK(read_sample(signet_buf_span(&buf)));
    CHECK_OK(read_whole(signet_buf_span(&buf)));
    for (size_t len = 0; len < buf.len; len++) {
        CHECK_ERR(read_sample(signet_span_of(buf.ptr, len)), SIGNET_ERR_FORMAT);
        CHECK_ERR(read_whole(signet_span_of(buf.ptr, len)), SIGNET_ERR_FORMAT);
    }
    CHECK_OK(signet_buf_fill(&buf, 0, 1));
    CHECK_ERR(read_sample(signet_buf_span(&buf)), SIGNET_ERR_FORMAT);
    CHECK_ERR(read_whole(signet_buf_span(&buf)), SIGNET_ERR_FORMAT);
    signet_buf_free(&buf);
}

/* Only the bytes of the id and of the byte string, which are free, may change unnoticed. */
static void any_flipped_byte_outside_free_bytes_is_noticed(void **state)
{
    struct signet_buf buf = {0};
    struct wire_writer w = wire_writer(&buf);
    size_t accepted = 0;

    (void)state;
    put_sample(&w);
    CHECK_OK(wire_writer_finish(&w));
    CHECK_OK(read_sample(signet_buf_span(&buf)));
    for (size_t i = 0; i < buf.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct wire_reader r = wire_reader(signet_buf_span(&buf));
            uint8_t before = buf.ptr[i];
            bool is_free = before == 0xa5 || (before >= 'a' && before <= 'c' && i > buf.len - 8);

            buf.ptr[i] = (uint8_t)(before ^ 1u << bit);
            (void)wire_get_item(&r, buf.len);
            if (!is_free && read_sample(signet_buf_span(&buf)) == SIGNET_OK)
                fail_msg("byte %zu, bit %u", i, bit);
            accepted += is_free;
            buf.ptr[i] = before;
        }
    }
    CHECK(accepted == 8 * (32 + 3));
    signet_buf_free(&buf);
}

/* The writer chooses the same heads as RFC 8949, appendix A. */
static void integers_are_written_shortest_and_read_back(void **state)
{
    static const struct {
        uint64_t value;
        const char *hex;
    } numbers[] = {{0, "00"}, {23, "17"}, {24, "1818"}, {255, "18ff"}, {256, "190100"},
        {65535, "19ffff"}, {65536, "1a00010000"}, {UINT32_MAX, "1affffffff"},
        {(uint64_t)UINT32_MAX + 1, "1b0000000100000000"}, {UINT64_MAX, "1bffffffffffffffff"}};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct signet_buf expected = from_hex(numbers[i].hex), got = {0};
        struct wire_writer w = wire_writer(&got);
        struct wire_reader r;

        wire_put_uint(&w, numbers[i].value);
        CHECK_OK(wire_writer_finish(&w));
        CHECK(signet_span_equal(signet_buf_span(&expected), signet_buf_span(&got)));
        r = wire_reader(signet_buf_span(&got));
        CHECK(wire_get_uint(&r, numbers[i].value) == numbers[i].value);
        CHECK_OK(wire_reader_finish(&r));
        if (numbers[i].value <= INT64_MAX) {
            int64_t negative = -1 - (int64_t)numbers[i].value;

            signet_buf_truncate(&got, 0);
            w = wire_writer(&got);
            wire_put_negative(&w, negative);
            CHECK_OK(wire_writer_finish(&w));
            CHECK(got.ptr[0] == (expected.ptr[0] | 0x20) && got.len == expected.len);
            r = wire_reader(signet_buf_span(&got));
            CHECK(wire_get_negative(&r) == negative);
            CHECK_OK(wire_reader_finish(&r));
        }
        signet_buf_free(&expected);
        signet_buf_free(&got);
    }
}

#define CHECK_CALL(hex, call, wanted)                                                              \
    do {                                                                                           \
        struct signet_buf buf_ = from_hex(hex);                                                    \
        struct wire_reader r = wire_reader(signet_buf_span(&buf_));                                \
        (void)(call);                                                                              \
        CHECK_ERR(wire_reader_finish(&r), (wanted));                                               \
        signet_buf_free(&buf_);                                                                    \
    } while (0)

static void every_ceiling_and_floor_is_kept(void **state)
{
    (void)state;
    CHECK_CALL("1864", wire_get_uint(&r, 100), SIGNET_OK);
    CHECK_CALL("1865", wire_get_uint(&r, 100), SIGNET_ERR_LIMIT);
    CHECK_CALL("43616263", wire_get_bytes(&r, 3, 3), SIGNET_OK);
    CHECK_CALL("43616263", wire_get_bytes(&r, 0, 2), SIGNET_ERR_LIMIT);
    CHECK_CALL("43616263", wire_get_bytes(&r, 4, 9), SIGNET_ERR_FORMAT);
    CHECK_CALL("63616263", wire_get_text(&r, 3, 3), SIGNET_OK);
    CHECK_CALL("63616263", wire_get_text(&r, 0, 2), SIGNET_ERR_LIMIT);
    CHECK_CALL("63616263", wire_get_text(&r, 4, 9), SIGNET_ERR_FORMAT);
    CHECK_CALL("80", wire_get_array(&r, 0, 0), SIGNET_OK);
    CHECK_CALL("80", wire_get_array(&r, 1, 2), SIGNET_ERR_FORMAT);
    CHECK_CALL("83000000", wire_get_array(&r, 0, 2), SIGNET_ERR_LIMIT);
    CHECK_CALL("83000000", wire_get_item(&r, 4), SIGNET_OK);
    CHECK_CALL("83000000", wire_get_item(&r, 3), SIGNET_ERR_LIMIT);
    CHECK_CALL("3b8000000000000000", wire_get_negative(&r), SIGNET_ERR_LIMIT);
}

static void one_kind_is_never_taken_for_another(void **state)
{
    static const char *const kinds[] = {"00", "20", "40", "60", "80", "a0", "c100", "f6", "f5"};
    struct signet_id id;

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (i != 0)
            CHECK_CALL(kinds[i], wire_get_uint(&r, 9), SIGNET_ERR_FORMAT);
        if (i != 1)
            CHECK_CALL(kinds[i], wire_get_negative(&r), SIGNET_ERR_FORMAT);
        if (i != 2)
            CHECK_CALL(kinds[i], wire_get_bytes(&r, 0, 9), SIGNET_ERR_FORMAT);
        if (i != 3)
            CHECK_CALL(kinds[i], wire_get_text(&r, 0, 9), SIGNET_ERR_FORMAT);
        if (i != 4)
            CHECK_CALL(kinds[i], wire_get_array(&r, 0, 9), SIGNET_ERR_FORMAT);
        if (i != 5)
            CHECK_CALL(kinds[i], (wire_expect_map(&r, 0), 0), SIGNET_ERR_FORMAT);
        if (i != 7)
            CHECK_CALL(kinds[i], (CHECK(!wire_get_null(&r)), 0), SIGNET_ERR_FORMAT);
        CHECK_CALL(kinds[i], (wire_get_id(&r, &id), 0), SIGNET_ERR_FORMAT);
        CHECK_CALL(kinds[i], (wire_expect_tag(&r, 18), 0), SIGNET_ERR_FORMAT);
        CHECK_CALL(kinds[i], (wire_expect_text(&r, "a"), 0), SIGNET_ERR_FORMAT);
        CHECK_CALL(kinds[i], (wire_expect_negative(&r, -2), 0), SIGNET_ERR_FORMAT);
    }
}

static void peek_names_the_next_item(void **state)
{
    static const struct {
        uint8_t first;
        enum wire_kind kind;
    } heads[] = {{0x00, WIRE_UINT}, {0x1b, WIRE_UINT}, {0x20, WIRE_NEGATIVE}, {0x40, WIRE_BYTES},
        {0x60, WIRE_TEXT}, {0x80, WIRE_ARRAY}, {0xa0, WIRE_MAP}, {0xdb, WIRE_TAG},
        {0xf6, WIRE_NULL}, {0xf5, WIRE_OTHER}, {0xf9, WIRE_OTHER}, {0xff, WIRE_OTHER},
        {0x5f, WIRE_OTHER}, {0x1c, WIRE_OTHER}};
    struct wire_reader r = wire_reader(signet_span_of(NULL, 0));

    (void)state;
    CHECK(wire_peek(&r) == WIRE_END);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        r = wire_reader(signet_span_of(&heads[i].first, 1));
        CHECK(wire_peek(&r) == heads[i].kind);
    }
    wire_reader_fail(&r, SIGNET_ERR_LIMIT);
    CHECK(wire_peek(&r) == WIRE_END);
}

static void the_reader_keeps_its_first_error_and_yields_nothing_after(void **state)
{
    static const uint8_t bytes[] = {0x18, 0x65, 0x41, 0x61, 0x81, 0x00, 0x20};
    struct wire_reader r = wire_reader(signet_span_of(bytes, sizeof(bytes)));
    struct signet_id id;

    (void)state;
    memset(&id, 0xff, sizeof(id));
    CHECK(wire_get_uint(&r, 100) == 0);
    CHECK(wire_get_bytes(&r, 0, 9).len == 0);
    CHECK(wire_get_array(&r, 0, 9) == 0);
    CHECK(wire_get_negative(&r) == 0);
    CHECK(wire_get_text(&r, 0, 9).ptr == NULL);
    CHECK(wire_get_item(&r, 9).len == 0);
    CHECK(!wire_get_null(&r));
    wire_get_id(&r, &id);
    CHECK(signet_id_is_zero(&id));
    wire_expect_map(&r, 3);
    wire_reader_fail(&r, SIGNET_ERR_PROFILE);
    CHECK_ERR(wire_reader_finish(&r), SIGNET_ERR_LIMIT);
}

static void a_failed_writer_restores_the_buffer(void **state)
{
    struct signet_buf buf = {0};
    struct wire_writer w;

    (void)state;
    CHECK_OK(signet_buf_append(&buf, signet_span_str("kept")));
    w = wire_writer(&buf);
    wire_put_array(&w, 3);
    wire_put_text(&w, signet_span_str("\xff"));
    wire_put_negative(&w, 0);
    wire_put_uint(&w, 1);
    CHECK_ERR(wire_writer_finish(&w), SIGNET_ERR_FORMAT);
    CHECK_SPAN(signet_buf_span(&buf), "kept");
    w = wire_writer(&buf);
    wire_put_uint(&w, 1);
    wire_put_negative(&w, 1);
    wire_put_text(&w, signet_span_str("\xff"));
    CHECK_ERR(wire_writer_finish(&w), SIGNET_ERR_ARGUMENT);
    CHECK_SPAN(signet_buf_span(&buf), "kept");
    w = wire_writer(&buf);
    wire_put_encoded(&w, signet_span_of("x", SIZE_MAX - 64));
    wire_put_bytes_head(&w, 3);
    CHECK_ERR(wire_writer_finish(&w), SIGNET_ERR_NOMEM);
    CHECK_SPAN(signet_buf_span(&buf), "kept");
    signet_buf_free(&buf);
}

TEST_FILE(cbor)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_and_no_truncation_of_it_is),
        cmocka_unit_test(any_flipped_byte_outside_free_bytes_is_noticed),
        cmocka_unit_test(integers_are_written_shortest_and_read_back),
        cmocka_unit_test(every_ceiling_and_floor_is_kept),
        cmocka_unit_test(one_kind_is_never_taken_for_another),
        cmocka_unit_test(peek_names_the_next_item),
        cmocka_unit_test(the_reader_keeps_its_first_error_and_yields_nothing_after),
        cmocka_unit_test(a_failed_writer_restores_the_buffer),
    };

    return cmocka_run_group_tests_name("cbor", tests, NULL, NULL);
}
