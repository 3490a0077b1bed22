/* signet compare: one text through every cipher, side by side. */
#include "cli/commands/commands.h"
#include "lab/compare.h"
#include "lab/text.h"

static enum exit_code compare_run(struct context *context)
{
    const struct report *report = context->report;
    const struct command_line *line = context->line;
    struct signet_buf text = {0}, out = {0};
    struct lab_comparison comparison = {0};
    enum exit_code code = EXIT_FAILED;
    bool was_cut = false;
    enum signet_err err;

    if (line->arg_count > 1)
        return command_misused(context,
            "unexpected argument %s; a text with spaces needs quotation marks", line->args[1]);
    if (lab_take(report, line->arg_count > 0 ? line->args[0] : NULL, LAB_TEXT_MAX, &was_cut,
            &text) != SIGNET_OK)
        goto out;
    if (was_cut)
        report_note(report, "the first %zu bytes are compared", text.len);
    err = lab_compare(context->library, signet_buf_span(&text), &comparison);
    if (err == SIGNET_OK)
        err = report->json ? lab_write_json(&comparison, &out)
                           : lab_show(&comparison, line->explain, &out);
    if (err != SIGNET_OK)
        code = lab_failed(report, err);
    else if (report_result(report, signet_buf_span(&out)) == SIGNET_OK)
        code = EXIT_DONE; /* else it is told when the program ends */
out:
    lab_comparison_free(&comparison);
    signet_buf_free(&text);
    signet_buf_free(&out);
    return code;
}

const struct command cmd_compare = {
    .name = "compare",
    .usage = "compare [TEXT | -]",
    .summary = "the same text through every cipher, side by side",
    .help =
        "Encrypts a text with six classical ciphers and with AES-256-GCM, and shows for each:\n"
        "the ciphertext and how frequent its letters or bytes are; how many keys there are,\n"
        "and how long it took to break it here and now (for AES-256-GCM: the arithmetic); what\n"
        "one changed letter changes, what known plaintext gives away, and whether anybody\n"
        "notices one flipped bit. --explain walks through each step.\n\n"
        "Without TEXT, or with -, standard input is read.",
    .options = {{NULL, NULL, NULL}},
    .max_args = 1000, /* too many get a better word about it */
    .needs = NEEDS_LIBRARY,
    .run = compare_run,
};
