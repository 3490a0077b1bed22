/* The commands of signet, in the order in which the help names them. */
#include "client/commands.h"

const struct command *const commands[] = {
    NULL,
};
