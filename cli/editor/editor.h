/*
 * A line being typed in the terminal (libedit), on a libuv loop, with other text appearing above it
 * meanwhile. What was typed is remembered in memory only.
 */
#ifndef CLI_EDITOR_EDITOR_H
#define CLI_EDITOR_EDITOR_H

#include <uv.h>

#include <signet/buffer.h>

struct editor;

enum { EDITOR_PROMPT_SIZE = 160, EDITOR_WORDS_MAX = 64 };

struct editor_handler {
    /* A line without its end; NULL: the end of input. */
    void (*on_line)(void *ctx, const char *line);
    /* Write what stands before the line: printable ASCII. */
    void (*prompt)(void *ctx, char text[EDITOR_PROMPT_SIZE]);
    /* What a word may be completed to, given the line up to its end: at most EDITOR_WORDS_MAX,
     * borrowed until the next call. *word_out is where in the line the word begins. */
    size_t (*complete)(void *ctx, const char *line, size_t *word_out, const char **words_out);
};

/* Standard input and output are a terminal. Errors: IO, NOMEM. */
SIGNET_MUST_USE enum signet_err editor_new(
    uv_loop_t *loop, const struct editor_handler *handler, void *ctx, struct editor **editor_out);
/* Takes the prompt away and gives the terminal back; its handles are closed with the loop, and its
 * memory with editor_free after that. NULL is fine for both. */
void editor_stop(struct editor *editor);
void editor_free(struct editor *editor);

/* Print lines above the line being typed; a line feed is added. Errors: IO. */
SIGNET_MUST_USE enum signet_err editor_print(struct editor *editor, signet_span text);
/* The prompt has changed. */
void editor_refresh(struct editor *editor);
/* Drop what was typed. Returns whether keys were pressed since the last time. */
bool editor_drop_line(struct editor *editor);

#endif
