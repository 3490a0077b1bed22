/* base: spans, buffers, hexadecimal, ids, UTF-8, the version. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include <signet/id.h>
#include <signet/version.h>

#include "base/hex.h"
#include "base/utf8.h"

static void buffer_appends_consumes_and_truncates(void **state)
{
    struct signet_buf buf = {0};

    (void)state;
    CHECK_OK(signet_buf_append(&buf, signet_span_str("hello ")));
    CHECK_OK(signet_buf_append(&buf, signet_span_str("world")));
    CHECK_SPAN(signet_buf_span(&buf), "hello world");
    signet_buf_consume(&buf, 6);
    CHECK_SPAN(signet_buf_span(&buf), "world");
    signet_buf_truncate(&buf, 1);
    CHECK_SPAN(signet_buf_span(&buf), "w");
    CHECK_OK(signet_buf_fill(&buf, 'x', 3));
    CHECK_SPAN(signet_buf_span(&buf), "wxxx");
    signet_buf_consume(&buf, 100);
    CHECK(buf.len == 0);
    signet_buf_free(&buf);
    CHECK(buf.ptr == NULL && buf.capacity == 0);
    signet_buf_consume(&buf, 100); /* nothing to move: UndefinedBehaviorSanitizer watches */
    CHECK(buf.ptr == NULL && buf.len == 0);
    signet_buf_free(NULL);
}

static void buffer_refuses_an_impossible_length_unchanged(void **state)
{
    struct signet_buf buf = {0};

    (void)state;
    CHECK_OK(signet_buf_append(&buf, signet_span_str("kept")));
    CHECK_ERR(signet_buf_reserve(&buf, SIZE_MAX - 2), SIGNET_ERR_NOMEM);
    CHECK_SPAN(signet_buf_span(&buf), "kept");
    signet_buf_free(&buf);
}

static void span_from_never_reaches_beyond_the_end(void **state)
{
    (void)state;
    CHECK_SPAN(signet_span_from(signet_span_str("abc"), 1), "bc");
    CHECK(signet_span_from(signet_span_str("abc"), 3).len == 0);
    CHECK(signet_span_from(signet_span_str("abc"), 4).len == 0);
    CHECK(signet_span_str(NULL).len == 0);
}

static void hex_round_trips_and_refuses_other_text(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0xff};
    struct signet_buf buf = {0};
    char text[9];

    (void)state;
    hex_encode(signet_span_of(bytes, sizeof(bytes)), text);
    assert_string_equal(text, "007f80ff");
    CHECK_OK(hex_decode("007F80ff", &buf));
    CHECK(signet_span_equal(signet_buf_span(&buf), signet_span_of(bytes, sizeof(bytes))));
    CHECK_ERR(hex_decode("0", &buf), SIGNET_ERR_FORMAT);
    CHECK_ERR(hex_decode("00zz", &buf), SIGNET_ERR_FORMAT);
    CHECK(buf.len == sizeof(bytes));
    signet_buf_free(&buf);
}

static void id_parses_every_form_it_prints(void **state)
{
    struct signet_id id, back;
    char text[SIGNET_ID_TEXT_SIZE], groups[SIGNET_ID_GROUPS_SIZE], brief[SIGNET_ID_SHORT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(id.b); i++)
        id.b[i] = (uint8_t)(i * 37 + 1);
    signet_id_text(&id, text);
    signet_id_groups(&id, groups);
    signet_id_short(&id, brief);
    CHECK(strlen(text) == SIGNET_ID_TEXT_SIZE - 1);
    CHECK(strlen(groups) == SIGNET_ID_GROUPS_SIZE - 1);
    CHECK(strlen(brief) == SIGNET_ID_SHORT_SIZE - 1);
    CHECK(strncmp(groups, brief, strlen(brief)) == 0);
    CHECK_OK(signet_id_parse(text, &back));
    CHECK(signet_id_equal(&id, &back));
    memset(&back, 0, sizeof(back));
    CHECK(signet_id_is_zero(&back));
    CHECK_OK(signet_id_parse(groups, &back));
    CHECK(signet_id_equal(&id, &back));
    CHECK_ERR(signet_id_parse(brief, &back), SIGNET_ERR_FORMAT);
    text[5] = 'g';
    CHECK_ERR(signet_id_parse(text, &back), SIGNET_ERR_FORMAT);
    CHECK(signet_id_equal(&id, &back));
}

static bool valid(const char *text)
{
    return utf8_is_valid(signet_span_str(text));
}

/* RFC 3629, section 3: no surrogates, no overlong forms, nothing beyond U+10FFFF. */
static void utf8_accepts_exactly_rfc_3629(void **state)
{
    (void)state;
    CHECK(valid("plain") && valid("") && valid("\xc3\xa9") && valid("\xe2\x82\xac"));
    CHECK(valid("\xf0\x9f\x94\x91") && valid("\xf4\x8f\xbf\xbf") && valid("\xed\x9f\xbf"));
    CHECK(!valid("\xc0\x80") && !valid("\xe0\x80\x80") && !valid("\xf0\x80\x80\x80"));
    CHECK(!valid("\xed\xa0\x80") && !valid("\xf4\x90\x80\x80") && !valid("\xf5\x80\x80\x80"));
    CHECK(!valid("\x80") && !valid("\xc3") && !valid("\xe2\x82") && !valid("\xff"));
}

/* version.h: what was built, and nothing but three numbers. */
static void the_version_is_that_of_the_build(void **state)
{
    const char *version = signet_version();
    unsigned part[3];
    char text[40];

    (void)state;
    assert_string_equal(version, SIGNET_VERSION);
    CHECK(sscanf(version, "%u.%u.%u", &part[0], &part[1], &part[2]) == 3);
    (void)snprintf(text, sizeof(text), "%u.%u.%u", part[0], part[1], part[2]);
    assert_string_equal(version, text);
}

TEST_FILE(base)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_appends_consumes_and_truncates),
        cmocka_unit_test(buffer_refuses_an_impossible_length_unchanged),
        cmocka_unit_test(span_from_never_reaches_beyond_the_end),
        cmocka_unit_test(hex_round_trips_and_refuses_other_text),
        cmocka_unit_test(id_parses_every_form_it_prints),
        cmocka_unit_test(utf8_accepts_exactly_rfc_3629),
        cmocka_unit_test(the_version_is_that_of_the_build),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
