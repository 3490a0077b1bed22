/* How a command speaks: results on standard output, all else on standard error. */
#include "term/report.h"

#include <stdarg.h>
#include <stdlib.h>

#include "term/json.h"
#include "term/text.h"

/* A failing standard error leaves nobody to tell. */
static void say(const struct report *report, const struct signet_buf *line)
{
    (void)fwrite(line->ptr, 1, line->len, report->err);
    (void)fputc('\n', report->err);
    (void)fflush(report->err);
}

static enum signet_err error_as_json(
    const char *code, const char *hint, const char *message, struct signet_buf *line)
{
    struct json json;

    json_begin(&json, line);
    json_object(&json, NULL);
    json_object(&json, "error");
    json_text(&json, "code", code);
    json_text(&json, "message", message);
    json_text(&json, "hint", hint);
    json_end(&json);
    json_end(&json);
    return json_finish(&json);
}

/* "signet: FIRST; SECOND" */
static enum signet_err as_text(const char *first, const char *second, struct signet_buf *line)
{
    enum signet_err err;

    if ((err = signet_buf_append(line, signet_span_str("signet: "))) != SIGNET_OK)
        return err;
    if ((err = text_show(signet_span_str(first), TEXT_LINE, line)) != SIGNET_OK)
        return err;
    if (second == NULL)
        return SIGNET_OK;
    if ((err = signet_buf_append(line, signet_span_str("; "))) != SIGNET_OK)
        return err;
    return text_show(signet_span_str(second), TEXT_LINE, line);
}

void report_error(
    const struct report *report, const char *code, const char *hint, const char *format, ...)
{
    struct signet_buf line = {0};
    char *message = NULL;
    enum signet_err err;
    va_list args;

    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    va_end(args);
    if (message == NULL)
        err = SIGNET_ERR_NOMEM;
    else if (report->json)
        err = error_as_json(code, hint, message, &line);
    else
        err = as_text(message, hint, &line);
    if (err == SIGNET_OK)
        say(report, &line);
    else
        (void)fputs("signet: out of memory\n", report->err);
    signet_buf_free(&line);
    free(message);
}

void report_note(const struct report *report, const char *format, ...)
{
    struct signet_buf line = {0};
    char *message = NULL;
    va_list args;

    if (report->quiet)
        return;
    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    va_end(args);
    if (message != NULL && as_text(message, NULL, &line) == SIGNET_OK)
        say(report, &line);
    signet_buf_free(&line);
    free(message);
}

enum signet_err report_result(const struct report *report, signet_span text)
{
    if (text.len > 0 && fwrite(text.ptr, 1, text.len, report->out) != text.len)
        return SIGNET_ERR_IO;
    if (fputc('\n', report->out) == EOF || fflush(report->out) != 0)
        return SIGNET_ERR_IO;
    return SIGNET_OK;
}
