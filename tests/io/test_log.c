/* io/log: lines that nobody else's text can forge. */
#include "tests/support/unit.h"

#include <errno.h>

#include <unistd.h>

#include "io/log.h"

enum { STAMP_LEN = 24 }; /* "2026-11-22T20:00:00.123Z" */

static int ends[2];
static char line[LOG_LINE_MAX * 2];

/* What was written since the last call. */
static const char *written(void)
{
    ssize_t len = read(ends[0], line, sizeof(line) - 1);

    line[len < 0 ? 0 : len] = '\0';
    return line;
}

static struct log text_log(void)
{
    return (struct log){.fd = ends[1], .format = LOG_TEXT, .threshold = LOG_INFO};
}

static struct log json_log(void)
{
    return (struct log){.fd = ends[1], .format = LOG_JSON, .threshold = LOG_INFO};
}

static void an_event_is_one_line_of_fields(void **state)
{
    struct log log = text_log();
    const char *got;

    (void)state;
    log_write(&log, LOG_WARN, "mailbox.put", LOG_STR("peer", "3f9a-22c1"), LOG_U64("len", 512),
        LOG_I64("left", -7), LOG_BOOL("full", true), LOG_ERR(SIGNET_ERR_LIMIT), LOG_END);
    got = written();
    CHECK(got[4] == '-' && got[10] == 'T' && got[19] == '.' && got[23] == 'Z');
    assert_string_equal(got + STAMP_LEN,
        " warn mailbox.put peer=\"3f9a-22c1\" len=512 left=-7 full=true"
        " error=\"beyond what is accepted\"\n");
}

static void json_lines_say_the_same(void **state)
{
    static const char start[] = "{\"time\":\"";
    struct log log = json_log();
    const char *got;

    (void)state;
    log_write(&log, LOG_ERROR, "store.open", LOG_STR("path", "/a\"b\\c"),
        LOG_U64("max", UINT64_MAX), LOG_I64("min", INT64_MIN), LOG_BOOL("ok", false), LOG_END);
    got = written();
    CHECK(strncmp(got, start, strlen(start)) == 0);
    assert_string_equal(got + strlen(start) + STAMP_LEN,
        "\",\"level\":\"error\",\"event\":\"store.open\",\"path\":\"/a\\\"b\\\\c\","
        "\"max\":18446744073709551615,\"min\":-9223372036854775808,\"ok\":false}\n");
}

/* ESC, C1, bidi and line ends are shown, not obeyed. */
static void text_of_others_is_escaped(void **state)
{
    static const char evil[] = "a\n\x1b]8;;\x07\x9c\xe2\x80\xae\"\\\x7f";
    struct log text = text_log(), json = json_log();

    (void)state;
    log_write(&text, LOG_INFO, "e", LOG_STR("name", evil), LOG_END);
    assert_string_equal(written() + STAMP_LEN,
        " info e name=\"a\\x0a\\x1b]8;;\\x07\\x9c\\xe2\\x80\\xae\\\"\\\\\\x7f\"\n");
    log_write(&json, LOG_INFO, "e", LOG_SPAN("name", signet_span_of("\0\n\xff", 3)), LOG_END);
    CHECK(strstr(written(), "\"name\":\"\\u0000\\u000a\\u00ff\"}\n") != NULL);
}

static void long_text_is_cut_and_long_lines_say_so(void **state)
{
    struct log logs[2] = {text_log(), json_log()};
    char long_text[4 * LOG_STRING_MAX];

    (void)state;
    memset(long_text, '\n', sizeof(long_text)); /* four or six characters each */
    long_text[sizeof(long_text) - 1] = '\0';
    for (size_t i = 0; i < 2; i++) {
        const char *got;

        log_write(&logs[i], LOG_INFO, "e", LOG_STR("a", long_text), LOG_U64("b", 1), LOG_END);
        got = written();
        CHECK(strstr(got, "...\"") != NULL && strstr(got, "truncated") == NULL);
        log_write(&logs[i], LOG_INFO, "e", LOG_STR("a", long_text), LOG_STR("b", long_text),
            LOG_STR("c", long_text), LOG_END);
        got = written();
        CHECK(strchr(got, '\n') == got + strlen(got) - 1);
        CHECK(strstr(got, i == 0 ? " truncated=true\n" : ",\"truncated\":true}\n") != NULL);
    }
}

static void lower_levels_and_no_log_write_nothing(void **state)
{
    struct log log = text_log();

    (void)state;
    errno = ENOENT;
    log_write(&log, LOG_DEBUG, "quiet", LOG_END);
    log_write(NULL, LOG_ERROR, "quiet", LOG_END);
    log_write(&log, LOG_INFO, "loud", LOG_END);
    CHECK(errno == ENOENT);
    assert_string_equal(written() + STAMP_LEN, " info loud\n");
}

static int set_up(void **state)
{
    (void)state;
    return pipe(ends);
}

TEST_FILE(log)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_one_line_of_fields),
        cmocka_unit_test(json_lines_say_the_same),
        cmocka_unit_test(text_of_others_is_escaped),
        cmocka_unit_test(long_text_is_cut_and_long_lines_say_so),
        cmocka_unit_test(lower_levels_and_no_log_write_nothing),
    };

    return cmocka_run_group_tests_name("log", tests, set_up, NULL);
}
