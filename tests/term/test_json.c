/* term/json.h: the JSON writer. */
#include "tests/support/unit.h"

#include <math.h>

#include "term/json.h"

/* RFC 8259: objects, arrays and every kind of value. */
static void a_document_holds_what_was_written(void **state)
{
    struct signet_buf out = {0};
    struct json json;

    (void)state;
    CHECK_OK(signet_buf_append(&out, signet_span_str("before ")));
    json_begin(&json, &out);
    json_object(&json, NULL);
    json_text(&json, "text", "hello");
    json_text(&json, "none", NULL);
    json_u64(&json, "big", UINT64_MAX);
    json_i64(&json, "small", INT64_MIN);
    json_bool(&json, "yes", true);
    json_null(&json, "null");
    json_double(&json, "half", 0.5, 3);
    json_double(&json, "nan", NAN, 3);
    json_array(&json, "list");
    json_u64(&json, NULL, 1);
    json_object(&json, NULL);
    json_end(&json);
    json_array(&json, NULL);
    json_end(&json);
    json_end(&json);
    json_end(&json);
    CHECK_OK(json_finish(&json));
    CHECK_SPAN(signet_buf_span(&out),
        "before {\"text\":\"hello\",\"none\":null,\"big\":18446744073709551615,"
        "\"small\":-9223372036854775808,\"yes\":true,\"null\":null,\"half\":0.500,\"nan\":null,"
        "\"list\":[1,{},[]]}");
    signet_buf_free(&out);
}

static void check_string(signet_span text, const char *wanted)
{
    struct signet_buf out = {0};
    struct json json;

    json_begin(&json, &out);
    json_string(&json, NULL, text);
    CHECK_OK(json_finish(&json));
    CHECK_SPAN(signet_buf_span(&out), wanted);
    signet_buf_free(&out);
}

/* Text from others never drives the terminal, in JSON neither. */
static void strings_are_escaped(void **state)
{
    (void)state;
    check_string(signet_span_str("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
    check_string(signet_span_str("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\"");
    check_string(signet_span_of("\0\x1b\x7f", 3), "\"\\u0000\\u001b\\u007f\"");
    check_string(signet_span_str("\xc2\x9b\u2028\u202e"), "\"\\u009b\\u2028\\u202e\"");
    check_string(signet_span_str("\U000e0041"), "\"\\udb40\\udc41\"");
    check_string(signet_span_str("\u00fc\U0001f600"), "\"\u00fc\U0001f600\"");
    check_string(signet_span_str("a\xff\xc3z"), "\"a\ufffd\ufffdz\"");
}

static void check_state(struct json *json, struct signet_buf *out)
{
    CHECK_ERR(json_finish(json), SIGNET_ERR_STATE);
    CHECK_SPAN(signet_buf_span(out), "kept");
    json_begin(json, out);
}

static void misuse_is_told_and_leaves_no_output(void **state)
{
    struct signet_buf out = {0};
    struct json json;

    (void)state;
    CHECK_OK(signet_buf_append(&out, signet_span_str("kept")));
    json_begin(&json, &out);
    check_state(&json, &out); /* nothing written */
    json_object(&json, NULL);
    check_state(&json, &out); /* still open */
    json_end(&json);
    check_state(&json, &out); /* nothing to end */
    json_null(&json, NULL);
    json_null(&json, NULL);
    check_state(&json, &out); /* two documents */
    json_object(&json, NULL);
    json_null(&json, NULL);
    json_end(&json);
    check_state(&json, &out); /* no key */
    json_array(&json, NULL);
    json_null(&json, "key");
    json_end(&json);
    check_state(&json, &out); /* a key in an array */
    signet_buf_free(&out);
}

static void nesting_has_a_ceiling(void **state)
{
    struct signet_buf out = {0};
    struct json json;

    (void)state;
    json_begin(&json, &out);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_array(&json, NULL);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_end(&json);
    CHECK_OK(json_finish(&json));
    json_begin(&json, &out);
    for (int i = 0; i < JSON_DEPTH_MAX + 1; i++)
        json_array(&json, NULL);
    for (int i = 0; i < JSON_DEPTH_MAX + 1; i++)
        json_end(&json);
    CHECK_ERR(json_finish(&json), SIGNET_ERR_ARGUMENT);
    signet_buf_free(&out);
}

TEST_FILE(json)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_holds_what_was_written),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(misuse_is_told_and_leaves_no_output),
        cmocka_unit_test(nesting_has_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
