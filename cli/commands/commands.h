/* The commands of signet, one file NAME.c each; that of the chat is in cli/chat/. */
#ifndef CLI_COMMANDS_COMMANDS_H
#define CLI_COMMANDS_COMMANDS_H

#include "cli/chat/chat.h"
#include "cli/command.h"

extern const struct command cmd_join;
extern const struct command cmd_send;
extern const struct command cmd_receive;
extern const struct command cmd_contacts;
extern const struct command cmd_history;
extern const struct command cmd_cipher;
extern const struct command cmd_compare;

/* In the order in which the help names them; ends with NULL. */
extern const struct command *const commands[];

#endif
