/* signet cipher: classical ciphers and how they are broken. */
#include <string.h>

#include "cli/commands/commands.h"
#include "lab/crack.h"
#include "lab/text.h"

enum { KEY_SHOWN = 60 /* bytes of a key that is refused */ };

/* The names of all ciphers, as a hint. */
static const char names[] =
    "the ciphers are caesar, affine, monoalphabetic, vigenere, columnar, railfence";

static enum exit_code pass_with_key(const struct context *context, enum cipher_kind kind,
    enum cipher_direction direction, const char *given)
{
    const char *text = command_value(context->line, "key");
    char problem[CIPHER_PROBLEM_SIZE];
    struct cipher_key key;

    if (text == NULL)
        return command_misused(
            context, "give --key KEY: for %s it is %s", cipher_name(kind), cipher_key_form(kind));
    if (cipher_key_parse(kind, text, &key, problem) != SIGNET_OK)
        return command_misused(context, "the key %.*s%s cannot be used: %s; for %s it is %s",
            KEY_SHOWN, text, strlen(text) > KEY_SHOWN ? "..." : "", problem, cipher_name(kind),
            cipher_key_form(kind));
    return lab_pass(context->report, &key, direction, given);
}

static enum exit_code crack_text(
    const struct context *context, enum cipher_kind kind, const char *given)
{
    struct lab_crack_request request = {
        .kind = kind, .given = given, .seed = 1, .explain = context->line->explain};

    if (command_number(context, "seed", 0, UINT64_MAX, &request.seed) != SIGNET_OK ||
        command_number(context, "top", 1, CRACK_TOP_MAX, &request.top) != SIGNET_OK)
        return EXIT_USAGE;
    return lab_crack(context->report, &request);
}

static enum exit_code cipher_run(struct context *context)
{
    const struct command_line *line = context->line;
    bool is_guess = strcmp(line->args[0], "crack") == 0;
    size_t words = is_guess ? 1 : 2; /* before the text */
    enum cipher_kind kind = CIPHER_COUNT;
    const char *action, *text;

    if (!is_guess && !cipher_find(line->args[0], &kind))
        return command_misused(context, "there is no cipher %s; %s", line->args[0], names);
    if (line->arg_count < words)
        return command_misused(context, "say encrypt, decrypt or crack after %s", line->args[0]);
    if (line->arg_count > words + 1)
        return command_misused(context,
            "unexpected argument %s; a text with spaces needs quotation marks",
            line->args[words + 1]);
    action = line->args[words - 1];
    text = line->arg_count > words ? line->args[words] : NULL;
    if (strcmp(action, "crack") == 0) {
        if (command_value(line, "key") != NULL)
            return command_misused(context, "crack finds the key: --key is for the others");
        return crack_text(context, kind, text);
    }
    if (command_value(line, "top") != NULL || command_value(line, "seed") != NULL)
        return command_misused(context, "--top and --seed are for crack");
    if (strcmp(action, "encrypt") == 0)
        return pass_with_key(context, kind, CIPHER_ENCRYPT, text);
    if (strcmp(action, "decrypt") == 0)
        return pass_with_key(context, kind, CIPHER_DECRYPT, text);
    return command_misused(context, "say encrypt, decrypt or crack, not %s", action);
}

const struct command cmd_cipher = {
    .name = "cipher",
    .usage = "cipher NAME encrypt|decrypt|crack [--key KEY] [TEXT | -]\n"
             "       signet cipher [NAME] crack [--top N] [--seed N] [TEXT | -]",
    .summary = "encrypt with a classical cipher, or break one",
    .help =
        "For learning: none of these ciphers protects anything.\n\n"
        "  NAME            KEY\n"
        "  caesar          a number from 0 to 25\n"
        "  affine          A,B: a letter x becomes A * x + B; A is odd and not 13\n"
        "  monoalphabetic  a keyword, or 26 letters: what A, B, C... become\n"
        "  vigenere        letters, used in turn\n"
        "  columnar        a keyword, or numbers (6,3,2,4,1,5); two with / between: double\n"
        "  railfence       the number of rails\n\n"
        "Without TEXT, or with -, standard input is read. Only letters A-Z are encrypted; case\n"
        "and everything else stays where it is, with transpositions, too.\n\n"
        "crack finds the key of an English text; without NAME it guesses the cipher first. With\n"
        "--quiet it prints the plaintext alone. Ctrl-C ends it with the best so far. It exits\n"
        "with 0 if its answer is more likely right than not, else with 1.",
    .options =
        {
            {"key", "KEY", "what to encrypt or decrypt with"},
            {"top", "N", "crack: show the best N answers (1 to 20)"},
            {"seed", "N", "crack: where chance starts; the same seed, the same answer"},
            {NULL, NULL, NULL},
        },
    .min_args = 1,
    .max_args = 1000, /* too many get a better word about it */
    .needs = NEEDS_NOTHING,
    .run = cipher_run,
};
