/* The cryptographic steps, as they happen. */
#include "cli/explain.h"

#include "cli/show.h"
#include "term/json.h"
#include "term/text.h"

static enum signet_err as_json(
    const struct engine_step *step, unsigned number, struct signet_buf *out)
{
    struct json json;

    json_begin(&json, out);
    json_object(&json, NULL);
    json_object(&json, "step");
    json_u64(&json, "number", number);
    json_text(&json, "serves", step->serves);
    json_text(&json, "what", step->what);
    json_text(&json, "algorithm", step->algorithm);
    json_text(&json, "detail", step->detail);
    json_end(&json);
    json_end(&json);
    return json_finish(&json);
}

static enum signet_err as_text(
    const struct engine_step *step, unsigned number, struct signet_buf *out)
{
    bool has_purpose = step->serves != NULL && step->serves[0] != '\0';
    bool has_algorithm = step->algorithm != NULL && step->algorithm[0] != '\0';
    enum signet_err err;

    err = text_format(out, "%3u. %s%s%s%s%s%s%s", number, has_purpose ? "[" : "",
        has_purpose ? step->serves : "", has_purpose ? "] " : "", step->what,
        has_algorithm ? ": " : "", has_algorithm ? step->algorithm : "",
        step->detail[0] == '\0' ? "" : "; ");
    if (err != SIGNET_OK)
        return err;
    return text_show(signet_span_str(step->detail), TEXT_LINE, out);
}

enum signet_err explain_write(
    const struct engine_step *step, unsigned number, bool json, struct signet_buf *out)
{
    return json ? as_json(step, number, out) : as_text(step, number, out);
}

void explain_step(const struct report *report, const struct engine_step *step, unsigned number)
{
    struct signet_buf line = {0};

    if (explain_write(step, number, report->json, &line) == SIGNET_OK) {
        (void)fwrite(line.ptr, 1, line.len, report->err);
        (void)fputc('\n', report->err);
        (void)fflush(report->err);
    }
    signet_buf_free(&line);
}
