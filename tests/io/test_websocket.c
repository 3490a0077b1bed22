/* io/websocket: RFC 6455, section 5. */
#include "tests/support/unit.h"

#include "io/websocket.h"

enum { MAX = 1 << 20 };

static const uint8_t zero_mask[WS_MASK_LEN];

/* A codec with its input. */
struct reader {
    struct ws_codec codec;
    struct signet_buf in;
    size_t position;
    signet_span payload;
};

static void start(struct reader *r, enum ws_role role, size_t message_max)
{
    memset(r, 0, sizeof(*r));
    ws_init(&r->codec, role, message_max);
}

static void feed(struct reader *r, const void *bytes, size_t len)
{
    CHECK_OK(signet_buf_append(&r->in, signet_span_of(bytes, len)));
}

static enum ws_event next(struct reader *r)
{
    return ws_next(&r->codec, &r->in, &r->position, &r->payload);
}

static void stop(struct reader *r)
{
    ws_free(&r->codec);
    signet_buf_free(&r->in);
}

/* The first event of these bytes, read as `role`. */
static enum ws_event first_event(
    enum ws_role role, const void *bytes, size_t len, uint16_t *code_out)
{
    struct reader r;
    enum ws_event event;

    start(&r, role, MAX);
    feed(&r, bytes, len);
    event = next(&r);
    *code_out = r.codec.code;
    stop(&r);
    return event;
}

#define CHECK_REFUSED(role, text, wanted)                                                          \
    do {                                                                                           \
        uint16_t code_seen = 0;                                                                    \
        CHECK(first_event((role), (text), sizeof(text) - 1, &code_seen) == WS_ERROR);              \
        CHECK(code_seen == (wanted));                                                              \
    } while (0)

/* RFC 6455, section 5.7, with the binary opcode where it has text: we speak no text. */
static void the_examples_of_the_rfc_are_read(void **state)
{
    struct reader r;

    (void)state;
    start(&r, WS_CLIENT, MAX);
    feed(&r, "\x82\x05Hello", 7);               /* single-frame unmasked */
    feed(&r, "\x02\x03Hel\x80\x02lo", 9);       /* fragmented unmasked */
    feed(&r, "\x89\x05Hello\x8a\x05Hello", 14); /* ping and pong */
    CHECK(next(&r) == WS_MESSAGE);
    CHECK_SPAN(r.payload, "Hello");
    CHECK(next(&r) == WS_MESSAGE);
    CHECK_SPAN(r.payload, "Hello");
    CHECK(next(&r) == WS_PING);
    CHECK_SPAN(r.payload, "Hello");
    CHECK(next(&r) == WS_PONG);
    CHECK_SPAN(r.payload, "Hello");
    CHECK(next(&r) == WS_NEED_MORE && r.position == r.in.len);
    stop(&r);
    start(&r, WS_SERVER, MAX);
    feed(&r, "\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11); /* single-frame masked */
    CHECK(next(&r) == WS_MESSAGE);
    CHECK_SPAN(r.payload, "Hello");
    stop(&r);
}

/* The last two examples of section 5.7: 256 bytes and 64 KiB. */
static void long_lengths_are_read_and_written_alike(void **state)
{
    static const size_t lens[] = {0, 1, 125, 126, 256, 65535, 65536, 65537};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        static const uint8_t mask[WS_MASK_LEN] = {0x37, 0xfa, 0x21, 0x3d};
        struct signet_buf payload = {0};
        struct reader r;

        CHECK_OK(signet_buf_fill(&payload, 0x5a, lens[i]));
        start(&r, WS_SERVER, MAX);
        CHECK_OK(ws_write(&r.in, WS_OP_BINARY, signet_buf_span(&payload), mask));
        CHECK(r.in.len == lens[i] + WS_MASK_LEN + (lens[i] < 126 ? 2 : lens[i] < 65536 ? 4 : 10));
        CHECK(next(&r) == WS_MESSAGE);
        CHECK(signet_span_equal(r.payload, signet_buf_span(&payload)));
        CHECK(next(&r) == WS_NEED_MORE);
        stop(&r);
        signet_buf_free(&payload);
    }
}

static void a_frame_written_piece_by_piece_is_the_same(void **state)
{
    static const size_t lens[] = {1, 125, 126, 300, 65535, 65536, 70000};
    static const uint8_t mask[WS_MASK_LEN] = {1, 2, 3, 4};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(lens) / sizeof(lens[0]); i++) {
        const uint8_t *used = i % 2 == 0 ? mask : NULL;
        struct signet_buf payload = {0}, whole = {0}, pieces = {0};
        struct ws_frame frame;

        CHECK_OK(signet_buf_append(&whole, signet_span_str("before")));
        CHECK_OK(signet_buf_append(&pieces, signet_span_str("before")));
        CHECK_OK(signet_buf_fill(&payload, 'x', lens[i / 2]));
        CHECK_OK(ws_write(&whole, WS_OP_BINARY, signet_buf_span(&payload), used));
        CHECK_OK(ws_frame_begin(&frame, &pieces, used));
        for (size_t at = 0; at < payload.len; at += 100)
            CHECK_OK(
                signet_buf_fill(&pieces, 'x', payload.len - at < 100 ? payload.len - at : 100));
        CHECK_OK(ws_frame_end(&frame, &pieces));
        CHECK(signet_span_equal(signet_buf_span(&whole), signet_buf_span(&pieces)));
        signet_buf_free(&payload);
        signet_buf_free(&whole);
        signet_buf_free(&pieces);
    }
}

static void an_empty_frame_is_taken_back(void **state)
{
    struct signet_buf out = {0};
    struct ws_frame frame;

    (void)state;
    CHECK_OK(signet_buf_append(&out, signet_span_str("before")));
    CHECK_OK(ws_frame_begin(&frame, &out, zero_mask));
    CHECK_OK(ws_frame_end(&frame, &out));
    CHECK_SPAN(signet_buf_span(&out), "before");
    signet_buf_free(&out);
}

/* Section 5.1: a server closes on an unmasked frame, a client on a masked one. */
static void masking_is_the_clients_and_only_the_clients(void **state)
{
    (void)state;
    CHECK_REFUSED(WS_SERVER, "\x82\x05Hello", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_SERVER, "\x89\x00", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", WS_CODE_PROTOCOL);
}

/* Section 5.2: reserved bits and opcodes; section 5.5: control frames are short and whole. */
static void frames_that_no_one_may_send_are_refused(void **state)
{
    (void)state;
    CHECK_REFUSED(WS_CLIENT, "\xc2", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\xa2", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x92", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x83", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x87", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x8b", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x8f", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x80", WS_CODE_PROTOCOL); /* continues nothing */
    CHECK_REFUSED(WS_CLIENT, "\x09", WS_CODE_PROTOCOL); /* fragmented ping */
    CHECK_REFUSED(WS_CLIENT, "\x08", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x89\x7e\x00\x7e", WS_CODE_PROTOCOL); /* ping of 126 bytes */
    CHECK_REFUSED(WS_CLIENT, "\x81", WS_CODE_TYPE);
    CHECK_REFUSED(WS_CLIENT, "\x01", WS_CODE_TYPE);
    CHECK_REFUSED(WS_CLIENT, "\x02\x01x\x82", WS_CODE_PROTOCOL); /* begins inside another */
}

/* Section 5.2: "the minimal number of bytes MUST be used", and no length over 2^63. */
static void lengths_have_one_form(void **state)
{
    (void)state;
    CHECK_REFUSED(WS_CLIENT, "\x82\x7e\x00\x05Hello", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x82\x7e\x00\x7d", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", WS_CODE_PROTOCOL);
    CHECK_REFUSED(WS_CLIENT, "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", WS_CODE_PROTOCOL);
}

/* No allocation from a claimed length. */
static void a_claimed_length_over_the_ceiling_is_refused_at_once(void **state)
{
    struct reader r;

    (void)state;
    CHECK_REFUSED(WS_CLIENT, "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", WS_CODE_TOO_BIG);
    start(&r, WS_SERVER, 4096);
    feed(&r, "\x82\xfe\x10\x01", 4);
    CHECK(next(&r) == WS_ERROR && r.codec.code == WS_CODE_TOO_BIG);
    CHECK(r.codec.joined.capacity == 0 && r.in.len == 4);
    CHECK(next(&r) == WS_ERROR);
    stop(&r);
}

static void fragments_together_stay_under_the_ceiling(void **state)
{
    struct reader r;

    (void)state;
    start(&r, WS_CLIENT, 6);
    feed(&r,
        "\x02\x03"
        "abc"
        "\x00\x03"
        "def"
        "\x80\x00",
        12);
    CHECK(next(&r) == WS_MESSAGE);
    CHECK_SPAN(r.payload, "abcdef");
    feed(&r,
        "\x02\x03"
        "abc"
        "\x00\x04",
        7);
    CHECK(next(&r) == WS_ERROR && r.codec.code == WS_CODE_TOO_BIG);
    CHECK(r.codec.joined.capacity == 0);
    stop(&r);
}

static void fragments_are_counted(void **state)
{
    struct reader r;

    (void)state;
    start(&r, WS_CLIENT, MAX);
    feed(&r, "\x02\x00", 2);
    for (unsigned i = 1; i < WS_FRAGMENTS_MAX; i++)
        feed(&r, "\x00\x00", 2);
    CHECK(next(&r) == WS_NEED_MORE);
    feed(&r, "\x00\x00", 2);
    CHECK(next(&r) == WS_ERROR && r.codec.code == WS_CODE_TOO_BIG);
    stop(&r);
}

/* Section 5.4: control frames may come between fragments. */
static void a_ping_between_fragments_is_seen_at_once(void **state)
{
    struct reader r;

    (void)state;
    start(&r, WS_CLIENT, MAX);
    feed(&r,
        "\x02\x03"
        "abc"
        "\x89\x01"
        "p"
        "\x80\x01"
        "d",
        11);
    CHECK(next(&r) == WS_PING);
    CHECK_SPAN(r.payload, "p");
    CHECK(next(&r) == WS_MESSAGE);
    CHECK_SPAN(r.payload, "abcd");
    CHECK(next(&r) == WS_NEED_MORE && r.codec.joined.capacity == 0);
    stop(&r);
}

/* Section 5.5.1 and 7.4. */
static void close_frames_give_their_code(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum ws_event event;
        uint16_t code;
    } cases[] = {
        {"\x88\x00", 2, WS_CLOSE, WS_CODE_NONE},
        {"\x88\x02\x03\xe8", 4, WS_CLOSE, 1000},
        {"\x88\x04\x03\xe9\xc3\xa9", 6, WS_CLOSE, 1001},
        {"\x88\x02\x0f\xa0", 4, WS_CLOSE, 4000},
        {"\x88\x01\x03", 3, WS_ERROR, WS_CODE_PROTOCOL},
        {"\x88\x02\x00\x00", 4, WS_ERROR, WS_CODE_PROTOCOL},
        {"\x88\x02\x03\xed", 4, WS_ERROR, WS_CODE_PROTOCOL}, /* 1005 */
        {"\x88\x02\x03\xee", 4, WS_ERROR, WS_CODE_PROTOCOL}, /* 1006 */
        {"\x88\x02\x13\x88", 4, WS_ERROR, WS_CODE_PROTOCOL}, /* 5000 */
        {"\x88\x03\x03\xe8\xff", 5, WS_ERROR, 1007},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reader r;

        start(&r, WS_CLIENT, MAX);
        feed(&r, cases[i].bytes, cases[i].len);
        feed(&r, "\x82\x00", 2);
        CHECK(next(&r) == cases[i].event);
        CHECK(r.codec.code == cases[i].code);
        CHECK(next(&r) == WS_ERROR); /* nothing is read behind it */
        stop(&r);
    }
}

static void control_frames_are_written_within_their_limit(void **state)
{
    uint8_t payload[WS_CONTROL_MAX + 1] = {0};
    struct signet_buf out = {0};

    (void)state;
    CHECK_ERR(ws_write(&out, WS_OP_PING, signet_span_of(payload, sizeof(payload)), NULL),
        SIGNET_ERR_ARGUMENT);
    CHECK(out.len == 0);
    CHECK_OK(ws_write(&out, WS_OP_PONG, signet_span_of(payload, WS_CONTROL_MAX), NULL));
    CHECK(out.len == 2 + WS_CONTROL_MAX);
    signet_buf_truncate(&out, 0);
    CHECK_OK(ws_write_close(&out, WS_CODE_GOING_AWAY, NULL));
    CHECK_SPAN(signet_buf_span(&out), "\x88\x02\x03\xe9");
    signet_buf_free(&out);
}

/* Two messages, a ping and a fragmented message, as a client sends them. */
static void write_script(struct signet_buf *out)
{
    static const uint8_t mask[WS_MASK_LEN] = {0x11, 0x22, 0x33, 0x44};
    struct signet_buf payload = {0};

    CHECK_OK(signet_buf_fill(&payload, 'y', 200));
    CHECK_OK(ws_write(out, WS_OP_BINARY, signet_span_str("first"), mask));
    CHECK_OK(ws_write(out, WS_OP_BINARY, signet_buf_span(&payload), mask));
    CHECK_OK(ws_write(out, WS_OP_PING, signet_span_str("ping"), mask));
    CHECK_OK(signet_buf_append(out, signet_span_of("\x02\x83\0\0\0\0"
                                                   "abc",
                                        9)));
    CHECK_OK(signet_buf_append(out, signet_span_of("\x80\x83\0\0\0\0"
                                                   "def",
                                        9)));
    signet_buf_free(&payload);
}

/* Read all there is; what came is appended to `seen` as one letter and the payload's last byte. */
static enum ws_event drain(struct reader *r, struct signet_buf *seen)
{
    for (;;) {
        enum ws_event event = next(r);

        if (event != WS_MESSAGE && event != WS_PING)
            return event;
        CHECK_OK(signet_buf_fill(seen, event == WS_PING ? 'P' : 'M', 1));
        CHECK_OK(signet_buf_fill(seen, r->payload.ptr[r->payload.len - 1], 1));
    }
}

static void cut_at_any_byte_the_frames_are_the_same(void **state)
{
    struct signet_buf script = {0};

    (void)state;
    write_script(&script);
    for (size_t cut = 0; cut <= script.len; cut++) {
        struct signet_buf seen = {0};
        struct reader r;

        start(&r, WS_SERVER, 4096);
        feed(&r, script.ptr, cut);
        CHECK(drain(&r, &seen) == WS_NEED_MORE);
        CHECK(seen.len == 8 || cut < script.len);
        signet_buf_consume(&r.in, r.position);
        r.position = 0;
        feed(&r, script.ptr + cut, script.len - cut);
        CHECK(drain(&r, &seen) == WS_NEED_MORE);
        CHECK_SPAN(signet_buf_span(&seen), "MtMyPgMf");
        CHECK(r.position == r.in.len);
        signet_buf_free(&seen);
        stop(&r);
    }
    signet_buf_free(&script);
}

static void one_byte_at_a_time_the_frames_are_the_same(void **state)
{
    struct signet_buf script = {0}, seen = {0};
    struct reader r;

    (void)state;
    write_script(&script);
    start(&r, WS_SERVER, 4096);
    for (size_t i = 0; i < script.len; i++) {
        feed(&r, script.ptr + i, 1);
        CHECK(drain(&r, &seen) == WS_NEED_MORE);
    }
    CHECK_SPAN(signet_buf_span(&seen), "MtMyPgMf");
    stop(&r);
    signet_buf_free(&seen);
    signet_buf_free(&script);
}

/* Section 5.2: no bit of the first two bytes can flip without another meaning or a refusal. */
static void a_flipped_bit_of_the_head_never_passes_unnoticed(void **state)
{
    static const uint8_t mask[WS_MASK_LEN] = {0x11, 0x22, 0x33, 0x44};

    (void)state;
    for (unsigned bit = 0; bit < 16; bit++) {
        struct reader r;
        enum ws_event event;

        start(&r, WS_SERVER, 64);
        CHECK_OK(ws_write(&r.in, WS_OP_BINARY, signet_span_str("Hello"), mask));
        r.in.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        event = next(&r);
        CHECK(event != WS_MESSAGE || !signet_span_equal(r.payload, signet_span_str("Hello")));
        CHECK(r.position <= r.in.len);
        stop(&r);
    }
}

TEST_FILE(websocket)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_are_read),
        cmocka_unit_test(long_lengths_are_read_and_written_alike),
        cmocka_unit_test(a_frame_written_piece_by_piece_is_the_same),
        cmocka_unit_test(an_empty_frame_is_taken_back),
        cmocka_unit_test(masking_is_the_clients_and_only_the_clients),
        cmocka_unit_test(frames_that_no_one_may_send_are_refused),
        cmocka_unit_test(lengths_have_one_form),
        cmocka_unit_test(a_claimed_length_over_the_ceiling_is_refused_at_once),
        cmocka_unit_test(fragments_together_stay_under_the_ceiling),
        cmocka_unit_test(fragments_are_counted),
        cmocka_unit_test(a_ping_between_fragments_is_seen_at_once),
        cmocka_unit_test(close_frames_give_their_code),
        cmocka_unit_test(control_frames_are_written_within_their_limit),
        cmocka_unit_test(cut_at_any_byte_the_frames_are_the_same),
        cmocka_unit_test(one_byte_at_a_time_the_frames_are_the_same),
        cmocka_unit_test(a_flipped_bit_of_the_head_never_passes_unnoticed),
    };

    return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
