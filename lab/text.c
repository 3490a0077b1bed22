/* Texts of the cipher lab. */
#include "lab/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "ciphers/letters.h"
#include "term/input.h"
#include "term/json.h"
#include "term/text.h"

enum {
    PIECE = 65536,
    CONTROLS_MOST = 10, /* of a hundred bytes; text has line feeds and tabs, which do not count */
    JUDGED = 1024,      /* bytes of a stream after which it is judged, and so on */
    JSON_TEXT_MAX = 16 << 20,
};

static enum exit_code no_letters(const struct report *report, size_t len)
{
    if (len == 0)
        report_error(report, "no-text", NULL, "the text is empty");
    else
        report_error(
            report, "no-letters", "all else stays as it is", "there is no letter A-Z in the text");
    return EXIT_FAILED;
}

enum exit_code lab_failed(const struct report *report, enum signet_err err)
{
    report_error(report, "machine", NULL, "%s", signet_err_text(err));
    return EXIT_FAILED;
}

/* What has been seen of a text, in whatever pieces it came. */
struct seen {
    size_t bytes, controls;
    bool is_binary; /* beyond doubt */
};

static bool is_doubtful(const struct seen *seen)
{
    return seen->controls * 100 > seen->bytes * CONTROLS_MOST;
}

/* Judged at fixed places of the stream, so that it does not matter how a pipe cuts it. */
static void look(struct seen *seen, signet_span piece)
{
    for (size_t i = 0; i < piece.len; i++) {
        uint8_t byte = piece.ptr[i];

        seen->bytes++;
        seen->controls += (byte < 32 && !(byte >= '\t' && byte <= '\r')) || byte == 127;
        seen->is_binary |= byte == 0 || (seen->bytes % JUDGED == 0 && is_doubtful(seen));
    }
}

static enum signet_err refuse_binary(const struct report *report)
{
    report_error(report, "binary", "classical ciphers know letters only",
        "the input is binary data, not text");
    return SIGNET_ERR_FORMAT;
}

static bool is_standard_input(const char *given)
{
    return given == NULL || strcmp(given, "-") == 0;
}

static enum signet_err input_failed(const struct report *report, enum signet_err err, size_t max)
{
    if (err == SIGNET_ERR_LIMIT)
        report_error(report, "too-long", NULL, "the text is over %zu bytes", max);
    else
        report_error(report, "input", NULL, "cannot read standard input: %s",
            err == SIGNET_ERR_IO ? strerror(errno) : signet_err_text(err));
    return err;
}

static void invite(const struct report *report)
{
    if (isatty(STDIN_FILENO))
        report_note(report, "type the text, then Ctrl-D on a line of its own");
}

/* How many bytes at the end are the beginning of a character. */
static size_t unfinished(signet_span text)
{
    for (size_t back = 1; back <= 3 && back <= text.len; back++) {
        uint8_t byte = text.ptr[text.len - back];

        if (byte >= 0xc0)
            return back < (byte >= 0xf0 ? 4u : byte >= 0xe0 ? 3u : 2u) ? back : 0;
        if (byte < 0x80)
            return 0;
    }
    return 0;
}

/* Refuse what is no text, or has no letter, or cannot be written as JSON and read back. */
static enum signet_err check_text(const struct report *report, signet_span text)
{
    struct seen seen = {0};

    look(&seen, text);
    if (seen.is_binary || is_doubtful(&seen))
        return refuse_binary(report);
    if (letters_count(text) == 0) {
        (void)no_letters(report, text.len);
        return SIGNET_ERR_FORMAT;
    }
    if (!report->json || utf8_is_valid(text))
        return SIGNET_OK;
    report_error(report, "not-utf8", "without --json they pass unchanged",
        "the text has bytes that are not UTF-8, which JSON cannot hold");
    return SIGNET_ERR_FORMAT;
}

enum signet_err lab_take(const struct report *report, const char *given, size_t max,
    bool *was_cut_out, struct signet_buf *out)
{
    bool is_input = is_standard_input(given);
    size_t start = out->len;
    enum signet_err err;

    if (is_input)
        invite(report);
    err = is_input ? input_read_all(STDIN_FILENO, max, out)
                   : signet_buf_append(out, signet_span_str(given));
    if (err == SIGNET_OK && out->len - start > max)
        err = SIGNET_ERR_LIMIT;
    if (err == SIGNET_ERR_LIMIT && was_cut_out != NULL) {
        err = SIGNET_OK;
        *was_cut_out = true;
        signet_buf_truncate(out, start + max);
        signet_buf_truncate(out, out->len - unfinished(signet_buf_span(out)));
    }
    if (err != SIGNET_OK)
        return input_failed(report, err, max);
    if (is_input && out->len > start && out->ptr[out->len - 1] == '\n')
        signet_buf_truncate(out, out->len - 1);
    return check_text(report, signet_span_from(signet_buf_span(out), start));
}

/* ---- a stream ---- */

struct pass {
    const struct report *report;
    struct cipher_stream stream;
    struct signet_buf out; /* enciphered, not written yet */
    bool is_for_terminal;
    struct seen seen;
    size_t letters;
};

/* Write what can be written: bytes as they are, or made safe for a terminal. */
static enum signet_err write_out(struct pass *pass, bool is_end)
{
    signet_span ready = signet_buf_span(&pass->out);
    struct signet_buf shown = {0};
    enum signet_err err = SIGNET_OK;

    if (pass->is_for_terminal) {
        if (!is_end)
            ready.len -= unfinished(ready);
        err = text_show(ready, TEXT_BODY, &shown);
    }
    if (err == SIGNET_OK) {
        signet_span bytes = pass->is_for_terminal ? signet_buf_span(&shown) : ready;

        if (bytes.len > 0 && fwrite(bytes.ptr, 1, bytes.len, pass->report->out) != bytes.len)
            err = SIGNET_ERR_IO;
    }
    signet_buf_consume(&pass->out, ready.len);
    signet_buf_free(&shown);
    return err;
}

static enum exit_code take_piece(struct pass *pass, signet_span piece)
{
    enum signet_err err;

    look(&pass->seen, piece);
    if (pass->seen.is_binary) {
        (void)refuse_binary(pass->report);
        return EXIT_FAILED;
    }
    pass->letters += letters_count(piece);
    err = cipher_stream_update(&pass->stream, piece, &pass->out);
    if (err == SIGNET_OK && !is_doubtful(&pass->seen))
        err = write_out(pass, false);
    /* A failing output is told when the program ends. */
    return err == SIGNET_OK       ? EXIT_DONE
           : err == SIGNET_ERR_IO ? EXIT_FAILED
                                  : lab_failed(pass->report, err);
}

static enum exit_code take_input(struct pass *pass)
{
    static uint8_t block[PIECE];
    enum exit_code code = EXIT_DONE;
    ssize_t got = 1;

    invite(pass->report);
    while (code == EXIT_DONE && got > 0) {
        do
            got = read(STDIN_FILENO, block, sizeof(block));
        while (got < 0 && errno == EINTR);
        if (got > 0)
            code = take_piece(pass, signet_span_of(block, (size_t)got));
    }
    if (got < 0) {
        (void)input_failed(pass->report, SIGNET_ERR_IO, 0);
        code = EXIT_FAILED;
    }
    return code;
}

static enum exit_code finish(struct pass *pass, bool is_argument)
{
    enum signet_err err;

    if (is_doubtful(&pass->seen)) {
        (void)refuse_binary(pass->report);
        return EXIT_FAILED;
    }
    err = cipher_stream_finish(&pass->stream, &pass->out);
    if (err == SIGNET_OK && is_argument)
        err = signet_buf_fill(&pass->out, '\n', 1);
    if (err == SIGNET_OK)
        err = write_out(pass, true);
    if (err == SIGNET_ERR_IO)
        return EXIT_FAILED;
    if (err != SIGNET_OK)
        return lab_failed(pass->report, err);
    return pass->letters > 0 ? EXIT_DONE : no_letters(pass->report, pass->seen.bytes);
}

/* The result as one document: it needs all of it. */
static enum exit_code pass_as_json(const struct report *report, const struct cipher_key *key,
    enum cipher_direction direction, const char *given)
{
    struct signet_buf text = {0}, result = {0}, document = {0};
    char key_text[CIPHER_KEY_TEXT_SIZE];
    enum exit_code code = EXIT_FAILED;
    struct json json;

    if (lab_take(report, given, JSON_TEXT_MAX, NULL, &text) != SIGNET_OK)
        goto out;
    if (cipher_apply(key, direction, signet_buf_span(&text), &result) != SIGNET_OK) {
        code = lab_failed(report, SIGNET_ERR_NOMEM);
        goto out;
    }
    cipher_key_text(key, key_text);
    json_begin(&json, &document);
    json_object(&json, NULL);
    json_text(&json, "cipher", cipher_name(key->kind));
    json_text(&json, "key", key_text);
    json_string(
        &json, direction == CIPHER_ENCRYPT ? "ciphertext" : "plaintext", signet_buf_span(&result));
    json_end(&json);
    if (json_finish(&json) == SIGNET_OK &&
        report_result(report, signet_buf_span(&document)) == SIGNET_OK)
        code = EXIT_DONE;
out:
    signet_buf_free(&text);
    signet_buf_free(&result);
    signet_buf_free(&document);
    return code;
}

enum exit_code lab_pass(const struct report *report, const struct cipher_key *key,
    enum cipher_direction direction, const char *given)
{
    struct pass pass = {.report = report, .is_for_terminal = isatty(fileno(report->out)) != 0};
    bool is_argument = !is_standard_input(given);
    enum exit_code code;

    if (report->json)
        return pass_as_json(report, key, direction, given);
    if (is_argument && letters_count(signet_span_str(given)) == 0)
        return no_letters(report, strlen(given));
    cipher_stream_init(&pass.stream, key, direction);
    code = is_argument ? take_piece(&pass, signet_span_str(given)) : take_input(&pass);
    if (code == EXIT_DONE)
        code = finish(&pass, is_argument);
    cipher_stream_free(&pass.stream);
    signet_buf_free(&pass.out);
    return code;
}
