/* The commands of signet, in the order in which the help names them. */
#include "cli/commands/commands.h"

const struct command *const commands[] = {
    &cmd_join,
    &cmd_send,
    &cmd_receive,
    &cmd_chat,
    &cmd_contacts,
    &cmd_history,
    &cmd_cipher,
    &cmd_compare,
    NULL,
};
