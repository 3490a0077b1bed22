/*
 * Commands: what each one takes, and how a command line is read.
 *
 *   signet [GLOBAL OPTIONS] COMMAND [ARGUMENTS AND OPTIONS, in any order]
 *   signet help [COMMAND]
 *
 * Options are long ones, but for -h: --name, --name VALUE, --name=VALUE. After `--` all is arguments; `-` alone
 * is an argument. One file of cli/commands/ defines one command.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <signet/library.h>

#include "agent/agent.h"
#include "term/report.h"

enum { COMMAND_OPTIONS_MAX = 8 };

struct command_option {
    const char *name;  /* without "--" */
    const char *value; /* what it takes, for the help ("SECONDS"); NULL: nothing */
    const char *help;
};

/* What must be there before a command runs; each includes those before it. */
enum command_needs {
    NEEDS_NOTHING,
    NEEDS_LIBRARY,
    NEEDS_HOME, /* open, with an account */
};

struct context;

struct command {
    const char *name;
    const char *usage;                                      /* after "signet " */
    const char *summary;                                    /* one clause */
    const char *help;                                       /* further lines; NULL: none */
    struct command_option options[COMMAND_OPTIONS_MAX + 1]; /* ends where the name is NULL */
    size_t min_args, max_args;
    enum command_needs needs;
    /* Whether the command line alone shows that it makes no sense; reports. NULL: it cannot. */
    enum exit_code (*check)(const struct context *context);
    enum exit_code (*run)(struct context *context);
};

/* A command line that has been read. */
struct command_line {
    const struct command *command; /* NULL: none, with --help or --version only */
    const char *home;              /* --home; NULL: not given */
    bool json, explain, quiet, help, version;
    /* By place in command->options: NULL where not given, "" for one that takes no value. */
    const char *values[COMMAND_OPTIONS_MAX];
    char **args;
    size_t arg_count;
    char problem[256]; /* why it could not be read: a clause */
};

/* What a command runs with. All of it is borrowed. */
struct context {
    const struct command_line *line;
    const struct report *report;
    struct signet_library *library; /* from NEEDS_LIBRARY on */
    const char *home_folder;        /* from NEEDS_LIBRARY on; NULL where none is known */
    struct home *home;              /* from NEEDS_HOME on */
};

/*
 * Read a command line; `commands` ends with NULL. The strings of argv are borrowed; their order
 * changes: the arguments gather in line->args. Flags are read to the end even after a mistake, so
 * that it can be told in the form that was asked for.
 * Errors: ARGUMENT (line->problem says why).
 */
SIGNET_MUST_USE enum signet_err command_parse(
    const struct command *const *commands, int argc, char **argv, struct command_line *line);

/* The value of an option of this line's command; NULL: not given. "" for a flag that is given. */
const char *command_value(const struct command_line *line, const char *name);

/*
 * Read an option's value as a decimal number in low..high; *number is unchanged where the option
 * is not given. Reports. Errors: ARGUMENT (to be answered with EXIT_USAGE).
 */
SIGNET_MUST_USE enum signet_err command_number(
    const struct context *context, const char *name, uint64_t low, uint64_t high, uint64_t *number);

/* Where an agent is to work: this home, with what the command runs with. */
struct agent_place command_place(const struct context *context, struct home *home);

/* Report wrong usage of the context's command, and return EXIT_USAGE. */
enum exit_code command_misused(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print the help of one command, or with NULL that of the program. */
void command_help(FILE *out, const struct command *const *commands, const struct command *command);

#endif
