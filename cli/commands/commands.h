/* The commands of signet, one file cmd_NAME.c each. */
#ifndef CLI_COMMANDS_COMMANDS_H
#define CLI_COMMANDS_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_join;
extern const struct command cmd_send;
extern const struct command cmd_receive;
extern const struct command cmd_chat;
extern const struct command cmd_contacts;
extern const struct command cmd_history;
extern const struct command cmd_cipher;
extern const struct command cmd_compare;

/* In the order in which the help names them; ends with NULL. */
extern const struct command *const commands[];

#endif
