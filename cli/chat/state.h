/* What the parts of signet chat share: chat.c has its life, words.c what is typed with '/', and
 * below both show.c what appears, leave.c its end. */
#ifndef CLI_CHAT_STATE_H
#define CLI_CHAT_STATE_H

#include "cli/command.h"
#include "cli/editor/editor.h"
#include "cli/inbox.h"
#include "cli/pending.h"
#include "cli/show.h"
#include "term/input.h"

struct chat {
    const struct context *context;
    struct agent agent;
    struct inbox inbox;
    struct show show;
    struct editor *editor; /* NULL: standard input is no terminal */
    struct input input;
    char peer[SIGNET_ID_GROUPS_SIZE]; /* to whom lines go; empty: to nobody yet */
    struct pending pending;           /* not accepted yet */
    uint64_t last_token;
    unsigned steps;
    bool has_told_down; /* and has not been connected since */
    bool is_leaving;
    bool has_failed;                     /* something was not sent: exit code 1 */
    bool has_warned;                     /* one Ctrl-C was pressed */
    uv_timer_t leave;                    /* how long accepting is waited for */
    const char *names[EDITOR_WORDS_MAX]; /* to complete to; borrowed from name_list */
    struct signet_buf name_list;
};

/* Print lines; false: nobody reads them, and the chat is ending. */
bool chat_print(struct chat *chat, signet_span text);
/* Say something by the way. */
void chat_say(struct chat *chat, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Tell what was not done and what to do about it (NULL: nothing): an error, where no terminal is. */
void chat_complain(struct chat *chat, const char *code, const char *hint, const char *message);
/* The document for a message that the relay has accepted. */
void chat_show_accepted(struct chat *chat, const struct engine_event *event);
/* Show a line of the history; false: it could not be shown, and the chat is ending. */
bool chat_show(struct chat *chat, const struct inbox_item *item);
/* Stop, when what is on its way has been accepted. */
void chat_leave(struct chat *chat);
/* Stop now, if that is wanted and nothing is on its way. */
void chat_leave_if_done(struct chat *chat);

/* Choose to whom lines go. */
void chat_turn_to(struct chat *chat, const char *peer);
/* Do what a line says that begins with '/'. */
void chat_command(struct chat *chat, const char *line);
/* For editor_handler.complete. */
size_t chat_complete(void *ctx, const char *line, size_t *word_out, const char **words_out);

#endif
