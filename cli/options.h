/* The options that every command takes. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/command.h"

enum global_option {
    GLOBAL_HOME,
    GLOBAL_JSON,
    GLOBAL_EXPLAIN,
    GLOBAL_QUIET,
    GLOBAL_HELP,
    GLOBAL_VERSION,
};

/* By enum global_option; ends where the name is NULL. */
extern const struct command_option global_options[];

#endif
