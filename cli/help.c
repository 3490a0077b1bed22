/* The help, printed from the tables. */
#include "cli/options.h"

const struct command_option global_options[] = {
    [GLOBAL_HOME] = {"home", "DIR", "use the account in DIR (also: SIGNET_HOME)"},
    [GLOBAL_JSON] = {"json", NULL, "results and errors as JSON, one document a line"},
    [GLOBAL_EXPLAIN] = {"explain", NULL, "tell each cryptographic step as it happens"},
    [GLOBAL_QUIET] = {"quiet", NULL, "no notes on standard error"},
    [GLOBAL_HELP] = {"help", NULL, "show this help (also: -h, signet help COMMAND)"},
    [GLOBAL_VERSION] = {"version", NULL, "show the version"},
    {NULL, NULL, NULL},
};

enum { COLUMN = 24 };

static void print_options(FILE *out, const struct command_option *options)
{
    for (; options->name != NULL; options++) {
        char left[64];

        (void)snprintf(left, sizeof(left), "--%s %s", options->name,
            options->value == NULL ? "" : options->value);
        (void)fprintf(out, "  %-*s %s\n", COLUMN, left, options->help);
    }
}

static void print_program(FILE *out, const struct command *const *commands)
{
    (void)fputs("signet - signed, sealed messages\n\n"
                "usage: signet COMMAND [ARGUMENTS] [OPTIONS]\n\n"
                "commands:\n",
        out);
    for (; *commands != NULL; commands++)
        (void)fprintf(out, "  %-*s %s\n", COLUMN, (*commands)->name, (*commands)->summary);
    (void)fputs("\noptions, before or after the command:\n", out);
    print_options(out, global_options);
    (void)fputs("\nsignet COMMAND --help tells more about a command.\n"
                "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 verification failed.\n",
        out);
}

void command_help(FILE *out, const struct command *const *commands, const struct command *command)
{
    if (command == NULL) {
        print_program(out, commands);
        return;
    }
    (void)fprintf(out, "signet %s - %s\n\nusage: signet %s\n", command->name, command->summary,
        command->usage);
    if (command->help != NULL)
        (void)fprintf(out, "\n%s\n", command->help);
    if (command->options[0].name != NULL) {
        (void)fputs("\noptions:\n", out);
        print_options(out, command->options);
    }
    (void)fputs("\noptions of every command:\n", out);
    print_options(out, global_options);
}
