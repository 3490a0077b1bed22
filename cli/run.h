/* The program: a command line, from its reading to its exit code. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/command.h"

/* Read a command line and do what it says; the process's exit code. `commands` ends with NULL. */
enum exit_code command_main(const struct command *const *commands, int argc, char **argv);

#endif
