/* signet chat: talk, in a terminal or through pipes. */
#ifndef CLI_CHAT_CHAT_H
#define CLI_CHAT_CHAT_H

#include "cli/command.h"

extern const struct command cmd_chat;

#endif
