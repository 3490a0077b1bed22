/* How a command line is read. */
#include "cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

/* Keep the first problem: what follows may be its consequence. */
static void problem(struct command_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void problem(struct command_line *line, const char *format, ...)
{
    va_list args;

    if (line->problem[0] != '\0')
        return;
    va_start(args, format);
    (void)vsnprintf(line->problem, sizeof(line->problem), format, args);
    va_end(args);
}

static const struct command *find_command(const struct command *const *commands, const char *name)
{
    for (; *commands != NULL; commands++) {
        if (strcmp((*commands)->name, name) == 0)
            return *commands;
    }
    return NULL;
}

/* The place of `name` (name_len characters) among options that end with NULL, or -1. */
static int find_option(const struct command_option *options, const char *name, size_t name_len)
{
    for (int i = 0; options[i].name != NULL; i++) {
        if (strlen(options[i].name) == name_len && memcmp(options[i].name, name, name_len) == 0)
            return i;
    }
    return -1;
}

static void set_global(struct command_line *line, enum global_option option, const char *value)
{
    switch (option) {
    case GLOBAL_HOME:
        if (line->home != NULL && value != NULL && strcmp(line->home, value) != 0)
            problem(line, "option --home is given twice: %s and %s", line->home, value);
        line->home = value;
        break;
    case GLOBAL_JSON: line->json = true; break;
    case GLOBAL_EXPLAIN: line->explain = true; break;
    case GLOBAL_QUIET: line->quiet = true; break;
    case GLOBAL_HELP: line->help = true; break;
    case GLOBAL_VERSION: line->version = true; break;
    }
}

/*
 * Read one option. `next` is the argument behind it, or NULL. Returns how many arguments it took.
 */
static int read_option(struct command_line *line, const char *argument, const char *next)
{
    const char *name = argument + 2;
    size_t name_len = strcspn(name, "=");
    const char *value = name[name_len] == '=' ? name + name_len + 1 : NULL;
    int global = find_option(global_options, name, name_len);
    int own = line->command == NULL ? -1 : find_option(line->command->options, name, name_len);
    const struct command_option *option;
    int taken = 1;

    if (strncmp(argument, "--", 2) != 0 || (global < 0 && own < 0)) {
        problem(line, "unknown option %s", argument);
        return taken;
    }
    option = global >= 0 ? &global_options[global] : &line->command->options[own];
    if (option->value == NULL && value != NULL) {
        problem(line, "option --%s takes no value", option->name);
    } else if (option->value != NULL && value == NULL) {
        value = next;
        taken = 2;
        if (next == NULL)
            problem(line, "option --%s needs a value (%s)", option->name, option->value);
    }
    if (global >= 0)
        set_global(line, (enum global_option)global, value);
    else
        line->values[own] = value == NULL ? "" : value;
    return taken;
}

/* Whether there are as many arguments as the command takes. */
static void check_count(struct command_line *line)
{
    const struct command *command = line->command;

    if (line->help || line->version)
        return;
    if (command == NULL) /* of a usage its first line: a message is one line */
        problem(line, "no command given");
    else if (line->arg_count < command->min_args)
        problem(
            line, "too few arguments: %.*s", (int)strcspn(command->usage, "\n"), command->usage);
    else if (line->arg_count > command->max_args)
        problem(line, "unexpected argument %s", line->args[command->max_args]);
}

enum signet_err command_parse(
    const struct command *const *commands, int argc, char **argv, struct command_line *line)
{
    bool options_ended = false, wants_help = false;

    /* Arguments move to the front of argv: never past where we read. */
    *line = (struct command_line){.args = argv};
    for (int i = 1; i < argc;) {
        char *argument = argv[i];
        bool is_option = argument[0] == '-' && argument[1] != '\0' && !options_ended;

        if (is_option && strcmp(argument, "--") == 0) {
            options_ended = true;
            i++;
        } else if (is_option && strcmp(argument, "-h") == 0) {
            line->help = true;
            i++;
        } else if (is_option) {
            i += read_option(line, argument, i + 1 < argc ? argv[i + 1] : NULL);
        } else if (line->command == NULL && !wants_help && strcmp(argument, "help") == 0) {
            wants_help = line->help = true;
            i++;
        } else if (line->command == NULL && line->arg_count == 0) {
            line->command = find_command(commands, argument);
            if (line->command == NULL) {
                problem(line, "unknown command %s", argument);
                line->args[line->arg_count++] = argument; /* what follows is no command */
            }
            i++;
        } else {
            line->args[line->arg_count++] = argument;
            i++;
        }
    }
    check_count(line);
    return line->problem[0] == '\0' ? SIGNET_OK : SIGNET_ERR_ARGUMENT;
}

const char *command_value(const struct command_line *line, const char *name)
{
    int at = find_option(line->command->options, name, strlen(name));

    return at < 0 ? NULL : line->values[at];
}

enum signet_err command_number(
    const struct context *context, const char *name, uint64_t low, uint64_t high, uint64_t *number)
{
    const char *value = command_value(context->line, name);
    unsigned long long read = 0;
    char *end = NULL;
    bool is_number;

    if (value == NULL)
        return SIGNET_OK;
    errno = 0;
    is_number = value[0] >= '0' && value[0] <= '9';
    if (is_number)
        read = strtoull(value, &end, 10);
    if (!is_number || *end != '\0' || errno != 0 || read < low || read > high) {
        (void)command_misused(context, "option --%s takes a number from %llu to %llu, not %s", name,
            (unsigned long long)low, (unsigned long long)high, value);
        return SIGNET_ERR_ARGUMENT;
    }
    *number = read;
    return SIGNET_OK;
}

struct agent_place command_place(const struct context *context, struct home *home)
{
    return (struct agent_place){
        .library = context->library,
        .report = context->report,
        .home = home,
        .explain = context->line->explain,
    };
}

enum exit_code command_misused(const struct context *context, const char *format, ...)
{
    const struct command *command = context->line->command;
    char hint[64] = "see signet --help";
    char *message = NULL;
    va_list args;

    if (command != NULL)
        (void)snprintf(hint, sizeof(hint), "see signet %s --help", command->name);
    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    va_end(args);
    report_error(context->report, "usage", hint, "%s%s%s", command == NULL ? "" : command->name,
        command == NULL ? "" : ": ", message == NULL ? "out of memory" : message);
    free(message);
    return EXIT_USAGE;
}
