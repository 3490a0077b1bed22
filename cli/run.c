/* Reads a command line, provides what the command needs, and runs it. */
#include "cli/run.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Open the context's home. A missing one is told here, since some commands can do without. */
static enum signet_err open_home(struct context *context)
{
    struct home_place place = {
        .folder = context->home_folder,
        .library = context->library,
        .report = context->report,
        .asker = &ask_terminal,
    };
    enum signet_err err;

    if (context->home_folder == NULL) {
        report_error(context->report, "home", "give --home DIR or set HOME",
            "there is no folder for the account");
        return SIGNET_ERR_UNKNOWN;
    }
    err = home_open(&place, &context->home);
    if (err == SIGNET_ERR_UNKNOWN)
        report_error(context->report, "no-account", "make one with signet join LINK --name NAME",
            "there is no account in %s", context->home_folder);
    return err;
}

/* Run with the library, and with a home where it is needed. */
static enum exit_code run_with_library(struct context *context)
{
    const struct command *command = context->line->command;
    enum exit_code code = EXIT_FAILED;
    char *folder = NULL;
    enum signet_err err;

    if ((err = signet_library_new(NULL, &context->library)) != SIGNET_OK)
        goto failed;
    err = home_folder(context->line->home, &folder);
    if (err != SIGNET_OK && err != SIGNET_ERR_UNKNOWN)
        goto failed;
    context->home_folder = folder;
    if (command->needs < NEEDS_HOME || open_home(context) == SIGNET_OK)
        code = command->run(context);
    goto out;
failed:
    report_error(context->report, "machine", NULL, "cannot start: %s", signet_err_text(err));
out:
    home_close(context->home);
    signet_library_free(context->library);
    free(folder);
    return code;
}

static enum exit_code run(
    const struct command *const *commands, struct context *context, enum signet_err parsed)
{
    const struct command_line *line = context->line;
    enum exit_code code;

    if (parsed != SIGNET_OK)
        return command_misused(context, "%s", line->problem);
    if (line->help) {
        command_help(context->report->out, commands, line->command);
        return EXIT_DONE;
    }
    if (line->version) {
        (void)fputs("signet " SIGNET_VERSION "\n", context->report->out);
        return EXIT_DONE;
    }
    if (line->home != NULL && line->home[0] == '\0')
        return command_misused(context, "option --home takes a folder, not an empty text");
    /* Before a home is locked and a passphrase asked for in vain. */
    if (line->command->check != NULL && (code = line->command->check(context)) != EXIT_DONE)
        return code;
    if (line->command->needs == NEEDS_NOTHING)
        return line->command->run(context);
    return run_with_library(context);
}

static bool is_pipe_closed(FILE *file)
{
    struct pollfd pipe = {.fd = fileno(file), .events = POLLOUT};

    return poll(&pipe, 1, 0) == 1 && (pipe.revents & POLLERR) != 0;
}

/* Results that did not reach their place are a failure, whatever the command says. Who has closed
 * the pipe wanted no more of them, and no word about it. */
static enum exit_code finish_output(const struct report *report, enum exit_code code)
{
    errno = 0;
    if (fflush(report->out) == 0 && ferror(report->out) == 0)
        return code;
    if (is_pipe_closed(report->out))
        return code == EXIT_DONE ? EXIT_FAILED : code;
    report_error(report, "output", NULL, "cannot write to standard output: %s",
        errno == 0 ? "output was lost" : strerror(errno));
    return code == EXIT_DONE ? EXIT_FAILED : code;
}

enum exit_code command_main(const struct command *const *commands, int argc, char **argv)
{
    struct command_line line;
    enum signet_err parsed = command_parse(commands, argc, argv, &line);
    struct report report = {.out = stdout, .err = stderr, .json = line.json, .quiet = line.quiet};
    struct context context = {.line = &line, .report = &report};

    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* what texts are, whatever the locale says */
    return finish_output(&report, run(commands, &context, parsed));
}
