/* The event log. A line is made on the stack and written at once. */
#include "io/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <unistd.h>

#include "io/clock.h"

enum { TAIL_LEN = 32 }; /* room for the end of a truncated line */

struct line {
    enum log_format format;
    bool is_full; /* something did not fit */
    size_t len;
    char text[LOG_LINE_MAX + TAIL_LEN];
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static __attribute__((format(printf, 2, 3))) void put(struct line *line, const char *format, ...)
{
    size_t room = LOG_LINE_MAX - line->len;
    va_list args;
    int len;

    if (line->is_full)
        return;
    va_start(args, format);
    len = vsnprintf(line->text + line->len, room, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= room)
        line->is_full = true;
    else
        line->len += (size_t)len;
}

/* Quoted; everything but printable ASCII is spelled out, and so are quote and backslash. */
static void put_string(struct line *line, signet_span text)
{
    size_t len = text.len < LOG_STRING_MAX ? text.len : LOG_STRING_MAX;

    put(line, "\"");
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text.ptr[i];

        if (c == '"' || c == '\\')
            put(line, "\\%c", c);
        else if (c >= 0x20 && c < 0x7f)
            put(line, "%c", c);
        else
            put(line, line->format == LOG_JSON ? "\\u00%02x" : "\\x%02x", c);
    }
    put(line, "%s\"", text.len > len ? "..." : "");
}

static void put_value(struct line *line, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_KIND_STRING: put_string(line, field->value.string); break;
    case LOG_KIND_U64: put(line, "%" PRIu64, field->value.u64); break;
    case LOG_KIND_I64: put(line, "%" PRId64, field->value.i64); break;
    case LOG_KIND_BOOL: put(line, "%s", field->value.flag ? "true" : "false"); break;
    case LOG_KIND_END: break;
    }
}

/* The whole field or nothing of it. */
static void put_field(struct line *line, const struct log_field *field)
{
    size_t start = line->len;

    put(line, line->format == LOG_JSON ? ",\"%s\":" : " %s=", field->key);
    put_value(line, field);
    if (line->is_full)
        line->len = start;
}

static void put_start(struct line *line, enum log_level level, const char *event)
{
    uint64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    char stamp[32];
    struct tm utc;

    if (gmtime_r(&seconds, &utc) == NULL || strftime(stamp, sizeof(stamp), "%FT%T", &utc) == 0)
        stamp[0] = '\0';
    put(line,
        line->format == LOG_JSON ? "{\"time\":\"%s.%03uZ\",\"level\":\"%s\",\"event\":\"%s\""
                                 : "%s.%03uZ %s %s",
        stamp, (unsigned)(now_ms % 1000), level_names[level], event);
}

/* The end always fits: TAIL_LEN is beyond what put() fills. */
static void put_end(struct line *line)
{
    bool is_json = line->format == LOG_JSON;
    const char *note = !line->is_full ? "" : is_json ? ",\"truncated\":true" : " truncated=true";

    line->len +=
        (size_t)snprintf(line->text + line->len, TAIL_LEN, "%s%s\n", note, is_json ? "}" : "");
}

void log_write_fields(
    const struct log *log, enum log_level level, const char *event, const struct log_field *fields)
{
    struct line line;
    int kept = errno; /* a caller may still want to look at it */

    if (log == NULL || level < log->threshold)
        return;
    line.format = log->format;
    line.is_full = false;
    line.len = 0;
    put_start(&line, level, event);
    for (; fields->kind != LOG_KIND_END && !line.is_full; fields++)
        put_field(&line, fields);
    put_end(&line);
    while (write(log->fd, line.text, line.len) < 0 && errno == EINTR)
        continue;
    errno = kept;
}
