/* term/text.h: text from others, made safe for a terminal. */
#include "tests/support/unit.h"

#include "base/utf8.h"
#include "term/text.h"

static void check_shown(signet_span text, enum text_kind kind, const char *wanted)
{
    struct signet_buf out = {0};

    CHECK_OK(signet_buf_append(&out, signet_span_str("> ")));
    CHECK_OK(text_show(text, kind, &out));
    signet_buf_consume(&out, 2);
    CHECK_SPAN(signet_buf_span(&out), wanted);
    signet_buf_free(&out);
}

#define CHECK_LINE(text, wanted)                                                                   \
    check_shown(signet_span_of(text, sizeof(text) - 1), TEXT_LINE, wanted)
#define CHECK_BODY(text, wanted)                                                                   \
    check_shown(signet_span_of(text, sizeof(text) - 1), TEXT_BODY, wanted)

static void ordinary_text_of_any_script_stays_as_it_is(void **state)
{
    (void)state;
    CHECK_LINE("", "");
    CHECK_LINE("plain ~!\\\"", "plain ~!\\\"");
    CHECK_LINE("Gr\u00fc\u00dfe \u05e9\u05dc\u05d5\u05dd \u4f60\u597d \U0001f600\ufe0f",
        "Gr\u00fc\u00dfe \u05e9\u05dc\u05d5\u05dd \u4f60\u597d \U0001f600\ufe0f");
}

/* Control characters, C1 and OSC never reach the terminal. */
static void control_characters_are_shown_as_escapes(void **state)
{
    (void)state;
    CHECK_LINE("\x1b]8;;x\x07y", "\\x1b]8;;x\\x07y");
    CHECK_LINE("a\0b\x7f", "a\\x00b\\x7f");
    CHECK_LINE("\xc2\x9b"
               "31m",
        "\\u009b31m");
    CHECK_BODY("over\rwritten", "over\\x0dwritten");
}

static void line_feed_and_tab_stay_in_a_body_only(void **state)
{
    (void)state;
    CHECK_BODY("one\n\ttwo", "one\n\ttwo");
    CHECK_LINE("one\n\ttwo", "one\\x0a\\x09two");
}

/* Trojan Source (2021): bidi controls and invisible characters. */
static void bidi_and_invisible_characters_are_shown_as_escapes(void **state)
{
    (void)state;
    CHECK_LINE("a\u202eb\u2066\u200f\u061c", "a\\u202eb\\u2066\\u200f\\u061c");
    CHECK_LINE("\u200b\u200d\u2060\ufeff", "\\u200b\\u200d\\u2060\\ufeff");
    CHECK_BODY("\u2028\u2029", "\\u2028\\u2029");
    CHECK_LINE("\U000e0041", "\\U000e0041");
    CHECK_LINE("\ue000\uffff\U0010ffff", "\\ue000\\uffff\\U0010ffff");
}

/* Persian, Hindi and emoji need joiners; elsewhere, and in names, they only hide. */
static void joiners_stay_in_a_body_where_they_join(void **state)
{
    (void)state;
    CHECK_BODY("\u0645\u06cc\u200c\u0631\u0648\u0645", "\u0645\u06cc\u200c\u0631\u0648\u0645");
    CHECK_BODY("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937");
    CHECK_BODY("\U0001f468\u200d\U0001f469\u200d\U0001f467", /* a family */
        "\U0001f468\u200d\U0001f469\u200d\U0001f467");
    CHECK_BODY(
        "\u2764\ufe0f\u200d\U0001f525", "\u2764\ufe0f\u200d\U0001f525"); /* a heart on fire */
    CHECK_LINE("\u06cc\u200c\u0631", "\u06cc\\u200c\u0631");
    CHECK_BODY("pay\u200cpal 1\u200d2", "pay\\u200cpal 1\\u200d2");
    CHECK_BODY("\u200c\u0631 \u0631\u200c", "\\u200c\u0631 \u0631\\u200c");
    CHECK_BODY("\u0631\u200c\u200c\u0631", "\u0631\\u200c\\u200c\u0631");
    CHECK_BODY("\u0631\u200d\U0001f468", "\u0631\\u200d\U0001f468");
    CHECK_BODY("\u0631\u200b\u0631\u200e\u0631", "\u0631\\u200b\u0631\\u200e\u0631");
    CHECK_BODY("\u0631\u200c\xff", "\u0631\\u200c\\xff");
}

/* A byte of C1 that is not UTF-8 ends a control string in some terminals: 0x9C. */
static void bytes_that_are_not_utf8_are_shown_as_escapes(void **state)
{
    (void)state;
    CHECK_LINE("a\x9c", "a\\x9c");
    CHECK_LINE("\xc3", "\\xc3");
    CHECK_LINE("\xc0\xaf", "\\xc0\\xaf");
    CHECK_LINE("\xed\xa0\x80", "\\xed\\xa0\\x80");
    CHECK_LINE("\xe2\x80x", "\\xe2\\x80x");
}

static void check_flaw(signet_span text, bool is_whole, const char *what, const char *hint)
{
    struct text_flaw flaw;

    CHECK(text_has_flaw(text, is_whole, &flaw));
    assert_string_equal(flaw.what, what);
    if (hint == NULL)
        CHECK(flaw.hint == NULL);
    else
        assert_string_equal(flaw.hint, hint);
}

/* What is wrong is said, and nothing else. */
static void a_text_that_cannot_be_sent_is_told_why(void **state)
{
    static uint8_t bytes[65537];
    struct text_flaw flaw;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    CHECK(!text_has_flaw(signet_span_of(bytes, 65536), true, &flaw));
    CHECK(!text_has_flaw(signet_span_str("x"), false, &flaw));
    check_flaw(signet_span_str(""), true, "there is no text to send", NULL);
    check_flaw(signet_span_of(bytes, 65537), true, "the message is over 65536 bytes: it has 65537",
        "send it in parts");
    check_flaw(
        signet_span_of(bytes, 65537), false, "the message is over 65536 bytes", "send it in parts");
    check_flaw(signet_span_str("gr\u00fc\xc3x"), true, "the message is not valid UTF-8 at byte 5",
        "convert it to UTF-8");
}

static size_t encode(uint32_t c, uint8_t bytes[4])
{
    if (c < 0x80) {
        bytes[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        bytes[0] = (uint8_t)(0xc0 | c >> 6);
        bytes[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        bytes[0] = (uint8_t)(0xe0 | c >> 12);
        bytes[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        bytes[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    bytes[0] = (uint8_t)(0xf0 | c >> 18);
    bytes[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    bytes[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    bytes[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

static void no_unsafe_character_passes_whichever_it_is(void **state)
{
    struct signet_buf out = {0};

    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        uint8_t bytes[4];
        size_t len = encode(c, bytes);
        bool is_escaped;

        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        signet_buf_truncate(&out, 0);
        CHECK_OK(text_show(signet_span_of(bytes, len), TEXT_LINE, &out));
        is_escaped = out.len > 1 && out.ptr[0] == '\\';
        CHECK(is_escaped == text_is_unsafe(c));
        CHECK(is_escaped || signet_span_equal(signet_buf_span(&out), signet_span_of(bytes, len)));
    }
    signet_buf_free(&out);
}

TEST_FILE(text)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_text_of_any_script_stays_as_it_is),
        cmocka_unit_test(control_characters_are_shown_as_escapes),
        cmocka_unit_test(line_feed_and_tab_stay_in_a_body_only),
        cmocka_unit_test(bidi_and_invisible_characters_are_shown_as_escapes),
        cmocka_unit_test(joiners_stay_in_a_body_where_they_join),
        cmocka_unit_test(bytes_that_are_not_utf8_are_shown_as_escapes),
        cmocka_unit_test(a_text_that_cannot_be_sent_is_told_why),
        cmocka_unit_test(no_unsafe_character_passes_whichever_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
