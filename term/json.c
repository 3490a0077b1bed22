/* Writes one JSON document (RFC 8259). */
#include "term/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "term/text.h"

enum { NUMBER_SIZE = 352 }; /* the longest double has 309 digits before its point */
enum { DECIMALS_MAX = 17 };

static void fail(struct json *json, enum signet_err err)
{
    if (json->err == SIGNET_OK)
        json->err = err;
}

static void put(struct json *json, signet_span bytes)
{
    if (json->err == SIGNET_OK)
        json->err = signet_buf_append(json->out, bytes);
}

static void put_text(struct json *json, const char *text)
{
    put(json, signet_span_str(text));
}

void json_begin(struct json *json, struct signet_buf *out)
{
    *json = (struct json){.out = out, .start = out->len};
}

static void put_u16(struct json *json, unsigned unit)
{
    char escape[sizeof("\\uffff")];

    (void)snprintf(escape, sizeof(escape), "\\u%04x", unit & 0xffff);
    put_text(json, escape);
}

static void put_character(struct json *json, uint32_t c, signet_span bytes)
{
    static const char named[][3] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};

    if (c == '"' || c == '\\') {
        put_text(json, "\\");
        put(json, bytes);
    } else if (!text_is_unsafe(c)) {
        put(json, bytes);
    } else if (c < sizeof(named) / sizeof(named[0]) && named[c][0] != '\0') {
        put_text(json, named[c]);
    } else if (c <= 0xffff) {
        put_u16(json, c);
    } else {
        put_u16(json, 0xd800 + ((c - 0x10000) >> 10));
        put_u16(json, 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
}

static void put_string(struct json *json, signet_span text)
{
    put_text(json, "\"");
    while (text.len > 0 && json->err == SIGNET_OK) {
        uint32_t code_point = 0;
        size_t len = utf8_decode(text, &code_point);

        if (len == 0) {
            put_text(json, "\xef\xbf\xbd"); /* U+FFFD */
            len = 1;
        } else {
            put_character(json, code_point, signet_span_of(text.ptr, len));
        }
        text = signet_span_from(text, len);
    }
    put_text(json, "\"");
}

/* What stands before a value: a comma, and its key. */
static void lead(struct json *json, const char *key)
{
    bool in_object = json->depth > 0 && json->closing[json->depth - 1] == '}';

    if (in_object != (key != NULL))
        fail(json, SIGNET_ERR_STATE);
    if (json->has_items[json->depth]) {
        if (json->depth == 0)
            fail(json, SIGNET_ERR_STATE);
        put_text(json, ",");
    }
    json->has_items[json->depth] = true;
    if (key != NULL) {
        put_string(json, signet_span_str(key));
        put_text(json, ":");
    }
}

static void open_with(struct json *json, const char *key, const char *opening, char closing)
{
    lead(json, key);
    if (json->depth == JSON_DEPTH_MAX) {
        fail(json, SIGNET_ERR_ARGUMENT);
        return;
    }
    put_text(json, opening);
    json->closing[json->depth++] = closing;
    json->has_items[json->depth] = false;
}

void json_object(struct json *json, const char *key)
{
    open_with(json, key, "{", '}');
}

void json_array(struct json *json, const char *key)
{
    open_with(json, key, "[", ']');
}

void json_end(struct json *json)
{
    if (json->depth == 0) {
        fail(json, SIGNET_ERR_STATE);
        return;
    }
    json->depth--;
    put(json, signet_span_of(&json->closing[json->depth], 1));
}

void json_string(struct json *json, const char *key, signet_span text)
{
    lead(json, key);
    put_string(json, text);
}

static void put_word(struct json *json, const char *key, const char *word)
{
    lead(json, key);
    put_text(json, word);
}

void json_text(struct json *json, const char *key, const char *text)
{
    if (text == NULL)
        json_null(json, key);
    else
        json_string(json, key, signet_span_str(text));
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
    char number[NUMBER_SIZE];

    (void)snprintf(number, sizeof(number), "%" PRIu64, value);
    put_word(json, key, number);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
    char number[NUMBER_SIZE];

    (void)snprintf(number, sizeof(number), "%" PRId64, value);
    put_word(json, key, number);
}

void json_bool(struct json *json, const char *key, bool value)
{
    put_word(json, key, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    put_word(json, key, "null");
}

void json_double(struct json *json, const char *key, double value, unsigned decimals)
{
    char number[NUMBER_SIZE];

    if (!isfinite(value)) {
        json_null(json, key);
        return;
    }
    if (decimals > DECIMALS_MAX)
        decimals = DECIMALS_MAX;
    (void)snprintf(number, sizeof(number), "%.*f", (int)decimals, value);
    put_word(json, key, number);
}

enum signet_err json_finish(struct json *json)
{
    if (json->depth > 0 || !json->has_items[0])
        fail(json, SIGNET_ERR_STATE);
    if (json->err != SIGNET_OK)
        signet_buf_truncate(json->out, json->start);
    return json->err;
}
