/* How messages and steps are shown. */
#include "tests/support/unit.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain.h"
#include "cli/show.h"

static const struct signet_id bob = {{0xb0, 0xb0}};
static const struct signet_id stranger = {{0xee}};

/* Known without an engine: bob, a contact, and somebody who is none. */
static struct person known[2];

static struct show a_show(bool json)
{
    known[0] = (struct person){.name = "bob", .state = CONTACT_CONFIRMED, .is_contact = true};
    known[0].address = bob;
    known[1] = (struct person){.address = stranger};
    signet_id_text(&stranger, known[1].name);
    return (struct show){
        .people = {.all = known, .count = 2, .capacity = 2}, .json = json, .columns = SIZE_MAX};
}

static struct message a_message(const char *text, enum verdict verdict)
{
    struct message message = {
        .verdict = verdict,
        .address = bob,
        .sequence = 7,
        .sent_at = 1000,
        .received_at = 43380000, /* 12:03 UTC */
        .kind = SIGNET_KIND_TEXT,
        .suite = 1,
    };

    CHECK_OK(signet_buf_append(&message.text, signet_span_str(text)));
    return message;
}

static void check_shown(struct message *message, bool json, const char *wanted)
{
    struct show show = a_show(json);
    struct signet_buf out = {0};

    CHECK_OK(show_message(&show, message, 43380000, &out));
    CHECK_SPAN(signet_buf_span(&out), wanted);
    signet_buf_free(&out);
    message_clear(message);
}

/* A line says when, who, how sure it is that it is them, what, and the verdict. */
static void a_message_is_one_line(void **state)
{
    struct message message = a_message("hello", VERDICT_VERIFIED);

    (void)state;
    check_shown(&message, false, "12:03 bob (confirmed): hello   [verified]");
}

/* Text from others never drives the terminal, nor looks like another message. */
static void further_lines_are_indented_and_controls_escaped(void **state)
{
    struct message message = a_message("a\n12:03 bob: b\x1b[m", VERDICT_LATE);

    (void)state;
    check_shown(&message, false, "12:03 bob (confirmed): a\n    12:03 bob: b\\x1b[m   [late]");
}

/* Show a message of bob on a terminal of a width. */
static void check_rows(const char *text, size_t columns, const char *wanted)
{
    struct message message = a_message(text, VERDICT_VERIFIED);
    struct show show = a_show(false);
    struct signet_buf out = {0};

    show.columns = columns;
    CHECK_OK(show_message(&show, &message, 43380000, &out));
    CHECK_SPAN(signet_buf_span(&out), wanted);
    signet_buf_free(&out);
    message_clear(&message);
}

/* The terminal goes on at the left edge where a row is full: a contact that fills one with blanks
 * would have a row of somebody else's. */
static void rows_of_a_body_begin_indented_on_a_terminal(void **state)
{
    (void)state;
    check_rows("                 12:03 carol (confirmed): pay", 40,
        "12:03 bob (confirmed):                  \n"
        "    12:03 carol (confirmed): pay\n"
        "    [verified]");
    check_rows("0123456789abcdef0", 40, "12:03 bob (confirmed): 0123456789abcdef0\n    [verified]");
    check_rows(
        "0123456789abcdef01", 40, "12:03 bob (confirmed): 0123456789abcdef0\n    1   [verified]");
    check_rows("0123", 40, "12:03 bob (confirmed): 0123   [verified]");
    check_rows("a\n\tb", 40, "12:03 bob (confirmed): a\n        b   [verified]");
    check_rows(
        "0123456789abcdef\tb", 40, "12:03 bob (confirmed): 0123456789abcdef \n    b   [verified]");
}

/* What is wide, or may be, never makes a row longer than the terminal's. */
static void wide_characters_take_their_columns(void **state)
{
    (void)state;
    check_rows("\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e", 40,
        "12:03 bob (confirmed): \u65e5\u672c\u8a9e\u65e5\u672c\u8a9e\u65e5\u672c\n"
        "    \u8a9e   [verified]");
    check_rows("0123456789abcde\u0301\u0301f\u0301", 40,
        "12:03 bob (confirmed): 0123456789abcde\u0301\u0301f\u0301\n    [verified]");
    check_rows("0123456789abcd\u2764\ufe0fx", 40,
        "12:03 bob (confirmed): 0123456789abcd\u2764\ufe0f\n    x   [verified]");
    check_rows("0123456789abcdef\U0001f6dc", 40, /* newer than some C libraries */
        "12:03 bob (confirmed): 0123456789abcdef\n    \U0001f6dc   [verified]");
}

/* Narrow terminals have no room for four blanks; the head may fill rows by itself. */
static void no_terminal_is_too_narrow(void **state)
{
    struct message message;
    struct show show = a_show(false);
    struct signet_buf out = {0};

    (void)state;
    check_rows("0123456789", 14,
        "12:03 bob (confirmed): 01234\n"
        " 56789\n"
        " [verified]");
    for (size_t columns = 1; columns < 24; columns++) {
        const uint8_t *at;

        show.columns = columns;
        message = a_message("\u65e5\n\tx 12:03 carol (confirmed): pay", VERDICT_VERIFIED);
        signet_buf_truncate(&out, 0);
        CHECK_OK(show_message(&show, &message, 43380000, &out));
        CHECK_OK(signet_buf_append(&out, signet_span_of("", 1)));
        at = out.ptr;
        while ((at = (const uint8_t *)strchr((const char *)at, '\n')) != NULL)
            CHECK(*++at == ' ');
        message_clear(&message);
    }
    signet_buf_free(&out);
}

/* Gaps and forks are shown, never hidden. */
static void gaps_and_forks_have_lines_of_their_own(void **state)
{
    struct message message = a_message("x", VERDICT_GAP);

    (void)state;
    message.missing = 2;
    check_shown(&message, false,
        "!! 2 messages from bob are missing before this one [gap]\n"
        "12:03 bob (confirmed): x   [gap]");
    message = a_message("x", VERDICT_GAP);
    message.missing = 1;
    check_shown(&message, false,
        "!! 1 message from bob is missing before this one [gap]\n"
        "12:03 bob (confirmed): x   [gap]");
    message = a_message("x", VERDICT_FORK);
    check_shown(&message, false,
        "!! of the next message from bob: authentic, but its author signed another message for the "
        "same place [fork]\n12:03 bob (confirmed): x   [fork]");
}

/* What the other side lacks is said, and how many. */
static void what_the_other_side_lacks_is_said(void **state)
{
    struct message message = a_message("", VERDICT_MISSING);

    (void)state;
    message.kind = SIGNET_KIND_HEADS;
    message.missing = 2;
    check_shown(&message, false,
        "!! bob has lost keys, and says that 2 of your messages are not there: send them again "
        "[missing]");
    message = a_message("", VERDICT_MISSING);
    message.kind = SIGNET_KIND_HEADS;
    message.missing = 1;
    check_shown(&message, false,
        "!! bob has lost keys, and says that 1 of your messages is not there: send it again "
        "[missing]");
}

/* It has no text: a gap before it is one line, and no empty line of its author's follows. */
static void the_naming_of_entries_is_no_text(void **state)
{
    struct message message = a_message("", VERDICT_GAP);

    (void)state;
    message.kind = SIGNET_KIND_HEADS;
    message.missing = 2;
    check_shown(&message, false, "!! 2 messages from bob are missing [gap]");
    message = a_message("", VERDICT_LATE);
    message.kind = SIGNET_KIND_HEADS;
    check_shown(&message, false,
        "!! bob has named what it has got of yours: authentic; it was missing and arrives after "
        "later ones [late]");
}

/* Nothing of what a refused envelope said is shown as its sender's words. */
static void a_refused_message_says_why(void **state)
{
    struct message message = a_message("forged", VERDICT_REPLAYED);

    (void)state;
    check_shown(
        &message, false, "!! a message from bob was refused: it was received before [replayed]");
    message = a_message("forged", VERDICT_MALFORMED);
    message.address = (struct signet_id){{0}};
    check_shown(&message, false,
        "!! a message from an unknown sender was refused: not well formed [malformed]");
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000"

/* Programs read the fields of a message in this order; what is not known is null. */
static void json_has_the_promised_fields(void **state)
{
    struct message message = a_message("hi\x1b", VERDICT_VERIFIED);

    (void)state;
    message.address = stranger;
    check_shown(&message, true,
        "{\"id\":null,\"conversation\":null,\"from\":\"ee0000" ZEROS "\",\"address\":\"ee0000" ZEROS
        "\",\"contact\":\"new\",\"device\":null,\"sequence\":7,\"sent_at\":1000,"
        "\"received_at\":43380000,\"kind\":\"text\",\"text\":\"hi\\u001b\",\"verdict\":"
        "\"verified\","
        "\"suite\":1}");
    message = a_message("forged", VERDICT_AUTHENTICATION);
    message.address = (struct signet_id){{0}};
    message.kind = message.sequence = message.sent_at = 0;
    check_shown(&message, true,
        "{\"id\":null,\"conversation\":null,\"from\":null,\"address\":null,\"contact\":null,"
        "\"device\":null,\"sequence\":null,\"sent_at\":null,\"received_at\":43380000,\"kind\":null,"
        "\"text\":null,\"verdict\":\"authentication-failed\",\"suite\":1}");
}

/* A time of another day carries its date. */
static void times_of_other_days_have_a_date(void **state)
{
    char text[SHOW_TIME_SIZE];

    (void)state;
    show_time(43380000, 43380000 + 86400000, text);
    assert_string_equal(text, "1970-01-01 12:03");
    show_time(43380000, 43380001, text);
    assert_string_equal(text, "12:03");
    show_time(UINT64_MAX, 0, text); /* whatever a sender claims */
    assert_non_null(memchr(text, '\0', sizeof(text)));
}

/* --explain: number, what it serves, what, algorithm, detail; or the same as JSON. */
static void a_step_is_one_line(void **state)
{
    struct engine_step step = {
        .serves = "confidentiality",
        .what = "session key wrapped",
        .algorithm = "RSA-OAEP 3072, SHA-256",
        .detail = "32 bytes\x1b -> 384 bytes",
    };
    struct signet_buf out = {0};

    (void)state;
    CHECK_OK(explain_write(&step, 3, false, &out));
    CHECK_SPAN(signet_buf_span(&out),
        "  3. [confidentiality] session key wrapped: RSA-OAEP 3072, SHA-256; "
        "32 bytes\\x1b -> 384 bytes");
    signet_buf_free(&out);
    step = (struct engine_step){.serves = "", .what = "bare", .algorithm = ""};
    CHECK_OK(explain_write(&step, 10, false, &out));
    CHECK_SPAN(signet_buf_span(&out), " 10. bare");
    signet_buf_free(&out);
    CHECK_OK(explain_write(&step, 1, true, &out));
    CHECK_SPAN(signet_buf_span(&out),
        "{\"step\":{\"number\":1,\"serves\":\"\",\"what\":\"bare\",\"algorithm\":\"\","
        "\"detail\":\"\"}}");
    signet_buf_free(&out);
}

static int set_place(void **state)
{
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") == NULL ? -1 : setenv("TZ", "UTC", 1);
}

TEST_FILE(show)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_one_line),
        cmocka_unit_test(further_lines_are_indented_and_controls_escaped),
        cmocka_unit_test(rows_of_a_body_begin_indented_on_a_terminal),
        cmocka_unit_test(wide_characters_take_their_columns),
        cmocka_unit_test(no_terminal_is_too_narrow),
        cmocka_unit_test(gaps_and_forks_have_lines_of_their_own),
        cmocka_unit_test(what_the_other_side_lacks_is_said),
        cmocka_unit_test(the_naming_of_entries_is_no_text),
        cmocka_unit_test(a_refused_message_says_why),
        cmocka_unit_test(json_has_the_promised_fields),
        cmocka_unit_test(times_of_other_days_have_a_date),
        cmocka_unit_test(a_step_is_one_line),
    };

    return cmocka_run_group_tests(tests, set_place, NULL);
}
