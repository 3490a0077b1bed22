/* Cryptanalysis from the command line. */
#include "lab/crack.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "ciphers/letters.h"
#include "lab/measure.h"
#include "lab/text.h"
#include "term/json.h"
#include "term/text.h"

enum {
    SAMPLE_BYTES = 40,     /* of a plaintext, beside others */
    PROGRESS_MAX = 100000, /* bytes of a text that is deciphered to show the progress */
    JSON_TOP = 5,
};
static const double LIKELY = 0.5;
static const double TELL_SECONDS = 0.1;

struct job {
    const struct report *report;
    enum cipher_kind kind;
    signet_span text;
    bool is_watched; /* standard error is a terminal, and progress is wanted */
    double start, told;
    double seconds;
    size_t top;
    struct crack_result result;
};

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* ---- progress ---- */

/* Append the beginning of the plaintext under a key, safe for a terminal and on one line. */
static enum signet_err append_sample(
    const struct cipher_key *key, signet_span text, struct signet_buf *out)
{
    struct signet_buf plain = {0};
    enum signet_err err;

    if (!cipher_is_transposition(key->kind) && text.len > SAMPLE_BYTES)
        text.len = SAMPLE_BYTES;
    err = cipher_apply(key, CIPHER_DECRYPT, text, &plain);
    for (size_t i = 0; i < plain.len; i++) {
        if (plain.ptr[i] < 32 || plain.ptr[i] > 126)
            plain.ptr[i] = ' ';
    }
    signet_buf_truncate(&plain, SAMPLE_BYTES);
    if (err == SIGNET_OK)
        err = signet_buf_append(out, signet_buf_span(&plain));
    signet_buf_free(&plain);
    return err;
}

static bool on_progress(void *ctx, enum cipher_kind kind, const struct crack_result *so_far)
{
    struct job *job = ctx;
    FILE *err = job->report->err;
    struct signet_buf sample = {0};
    double now = lab_seconds();

    if (job->is_watched && now - job->told > TELL_SECONDS) {
        job->told = now;
        if (so_far->count > 0 && job->text.len < PROGRESS_MAX &&
            append_sample(&so_far->candidates[0].key, job->text, &sample) == SIGNET_OK)
            (void)fprintf(err, "\r\x1b[K%s %" PRIu64 " keys  %.*s", cipher_name(kind),
                so_far->tries, (int)sample.len, (const char *)sample.ptr);
        else
            (void)fprintf(err, "\r\x1b[K%s %" PRIu64 " keys", cipher_name(kind), so_far->tries);
        (void)fflush(err);
    }
    signet_buf_free(&sample);
    return !is_interrupted;
}

/* ---- the answer ---- */

static enum signet_err json_candidate(
    struct json *json, const struct job *job, const struct crack_candidate *candidate)
{
    char key[CIPHER_KEY_TEXT_SIZE];
    struct signet_buf plain = {0};
    enum signet_err err = cipher_apply(&candidate->key, CIPHER_DECRYPT, job->text, &plain);

    if (err == SIGNET_OK) {
        cipher_key_text(&candidate->key, key);
        json_text(json, "cipher", cipher_name(candidate->key.kind));
        json_text(json, "key", key);
        json_string(json, "plaintext", signet_buf_span(&plain));
        json_double(json, "score", candidate->score, 3);
        json_double(json, "confidence", candidate->confidence, 3);
    }
    signet_buf_free(&plain);
    return err;
}

static enum signet_err as_json(const struct job *job, struct signet_buf *out)
{
    const struct crack_result *result = &job->result;
    enum signet_err err;
    struct json json;

    json_begin(&json, out);
    json_object(&json, NULL);
    err = json_candidate(&json, job, &result->candidates[0]);
    json_u64(&json, "tries", result->tries);
    json_double(&json, "seconds", job->seconds, 3);
    json_u64(&json, "letters", result->letters);
    json_double(&json, "letters_needed", ceil(result->needed), 0);
    json_bool(&json, "interrupted", result->was_stopped);
    json_array(&json, "candidates");
    for (size_t i = 0; err == SIGNET_OK && i < job->top && i < result->count; i++) {
        json_object(&json, NULL);
        err = json_candidate(&json, job, &result->candidates[i]);
        json_end(&json);
    }
    json_end(&json);
    json_end(&json);
    return err == SIGNET_OK ? json_finish(&json) : err;
}

static enum signet_err append_others(const struct job *job, struct signet_buf *out)
{
    enum signet_err err = SIGNET_OK;

    for (size_t i = 1; err == SIGNET_OK && i < job->top && i < job->result.count; i++) {
        const struct crack_candidate *candidate = &job->result.candidates[i];
        char key[CIPHER_KEY_TEXT_SIZE];

        cipher_key_text(&candidate->key, key);
        err = text_format(out, "%s%2zu  %s %s, %.1f %% sure, %.2f bits a letter\n    ",
            i == 1 ? "\n\n" : "\n", i + 1, cipher_name(candidate->key.kind), key,
            100 * candidate->confidence, candidate->score);
        if (err == SIGNET_OK)
            err = append_sample(&candidate->key, job->text, out);
    }
    return err;
}

/* The plaintext as it is, or, for a terminal, made safe. */
static enum signet_err append_plaintext(const struct job *job, struct signet_buf *out)
{
    const struct cipher_key *key = &job->result.candidates[0].key;
    struct signet_buf plain = {0};
    enum signet_err err;

    if (isatty(fileno(job->report->out)) == 0)
        return cipher_apply(key, CIPHER_DECRYPT, job->text, out);
    err = cipher_apply(key, CIPHER_DECRYPT, job->text, &plain);
    if (err == SIGNET_OK)
        err = text_show(signet_buf_span(&plain), TEXT_BODY, out);
    signet_buf_free(&plain);
    return err;
}

static enum signet_err as_text(const struct job *job, struct signet_buf *out)
{
    const struct crack_result *result = &job->result;
    const struct crack_candidate *best = &result->candidates[0];
    char key[CIPHER_KEY_TEXT_SIZE];
    enum signet_err err = SIGNET_OK;

    cipher_key_text(&best->key, key);
    if (!job->report->quiet)
        err = text_format(out,
            "cipher      %s\nkey         %s\nconfidence  %.1f %%\n"
            "score       %.2f bits a letter (English about %.0f, chance about %.0f)\n"
            "tries       %" PRIu64 " in %.3f s\n\n",
            cipher_name(best->key.kind), key, 100 * best->confidence, best->score,
            CRACK_SCORE_ENGLISH, CRACK_SCORE_CHANCE, result->tries, job->seconds);
    if (err == SIGNET_OK)
        err = append_plaintext(job, out);
    return err == SIGNET_OK ? append_others(job, out) : err;
}

/* Keys that no search looks for. */
static const char *not_tried(enum cipher_kind kind)
{
    switch (kind) {
    case CIPHER_VIGENERE: return ", or a key of over 20 letters, which is not tried";
    case CIPHER_COLUMNAR:
        return ", or a double transposition or over 30 columns, which are not tried";
    case CIPHER_COUNT:
        return ", or a key that is not tried (double transposition, over 30 columns, Vigenere with "
               "over 20 letters)";
    default: return "";
    }
}

/* Why the answer may be wrong. */
static void doubt(const struct job *job)
{
    const struct report *report = job->report;
    const struct crack_result *result = &job->result;
    double sure = 100 * result->candidates[0].confidence;

    if ((double)result->letters < result->needed)
        report_error(report, "too-short", NULL,
            "this answer is doubtful (%.0f %% sure): the text has %zu letters, and with this "
            "cipher "
            "about %.0f are needed before only one reading makes sense (the unicity distance)",
            sure, result->letters, ceil(result->needed));
    else if (result->was_stopped)
        report_error(report, "interrupted", NULL,
            "this answer is doubtful (%.0f %% sure): the search was interrupted", sure);
    else
        report_error(report, "doubtful", NULL,
            "this answer is doubtful (%.0f %% sure): it may be another cipher%s, or no English",
            sure, not_tried(job->kind));
}

static enum exit_code answer(const struct job *job)
{
    const struct report *report = job->report;
    struct signet_buf out = {0};
    enum signet_err err = report->json ? as_json(job, &out) : as_text(job, &out);
    enum exit_code code = EXIT_DONE;

    if (err != SIGNET_OK)
        code = lab_failed(report, err);
    else if (report_result(report, signet_buf_span(&out)) != SIGNET_OK)
        code = EXIT_FAILED; /* told when the program ends */
    else if (job->result.candidates[0].confidence < LIKELY) {
        doubt(job);
        code = EXIT_FAILED;
    } else if ((double)job->result.letters < job->result.needed) {
        report_note(report,
            "the text has %zu letters: below about %.0f, the unicity distance, another reading may "
            "make sense as well",
            job->result.letters, ceil(job->result.needed));
    }
    signet_buf_free(&out);
    return code;
}

/* ---- the search ---- */

/* What the statistics say, before anything is tried. */
static void explain(const struct job *job, const struct cipher_model *model)
{
    const struct report *report = job->report;
    struct crack_statistics found;

    if (crack_measure(model, job->text, &found) != SIGNET_OK)
        return;
    report_note(report,
        "%zu letters; two of them are equal in %.1f %% of cases (English 6.6, "
        "even letters 3.8)",
        found.letters, 100 * found.coincidence);
    if (found.likely == CIPHER_VIGENERE)
        report_note(report, "every %zu letters apart it is %.1f %%: that speaks for vigenere",
            found.period, 100 * found.period_coincidence);
    else if (found.likely == CIPHER_COLUMNAR)
        report_note(report, "the letters are as frequent as in English: that speaks for a "
                            "transposition, columnar or railfence");
    else
        report_note(report, "the letters are as uneven as in English, but others are frequent: "
                            "that speaks for caesar, affine or monoalphabetic");
}

static enum signet_err search(struct job *job, const struct lab_crack_request *request)
{
    struct crack_options options = {.seed = request->seed, .on_progress = on_progress, .ctx = job};
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND}, before;
    struct cipher_model *model = NULL;
    enum signet_err err = cipher_model_new(&model);

    if (err != SIGNET_OK)
        return err;
    if (job->kind == CIPHER_COUNT || request->explain)
        explain(job, model);
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, &before);
    job->start = job->told = lab_seconds();
    err = job->kind == CIPHER_COUNT ? crack_unknown(model, job->text, &options, &job->result)
                                    : crack(model, job->kind, job->text, &options, &job->result);
    job->seconds = lab_seconds() - job->start;
    (void)sigaction(SIGINT, &before, NULL);
    if (job->is_watched) {
        (void)fputs("\r\x1b[K", job->report->err);
        (void)fflush(job->report->err);
    }
    cipher_model_free(model);
    return err;
}

enum exit_code lab_crack(const struct report *report, const struct lab_crack_request *request)
{
    struct job job = {.report = report, .kind = request->kind};
    uint64_t top = report->json ? JSON_TOP : 1;
    struct signet_buf text = {0};
    enum exit_code code = EXIT_FAILED;
    enum signet_err err;

    if (lab_take(report, request->given, LAB_CRACK_MAX, NULL, &text) != SIGNET_OK)
        goto out;
    job.text = signet_buf_span(&text);
    job.top = (size_t)(request->top == 0 ? top : request->top);
    job.is_watched = !report->quiet && !report->json && isatty(fileno(report->err)) != 0;
    err = search(&job, request);
    if (err == SIGNET_OK)
        code = answer(&job);
    else if (err == SIGNET_ERR_ARGUMENT)
        report_error(report, "too-short", NULL,
            "the text has %zu letters: too few to break any cipher, at least %d are needed",
            letters_count(job.text), CRACK_LETTERS_MIN);
    else
        code = lab_failed(report, err);
out:
    signet_buf_free(&text);
    return code;
}
