/* What the parts of the editor share: editor.c is on top, then words.c and paste.c, then screen.c
 * and keys.c. */
#ifndef CLI_EDITOR_STATE_H
#define CLI_EDITOR_STATE_H

#include <histedit.h>

#include "cli/editor/editor.h"

struct editor {
    const struct editor_handler *handler;
    void *ctx;
    EditLine *edit;
    History *history;
    uv_poll_t poll;
    uv_signal_t resized, stopped, continued;
    char prompt[EDITOR_PROMPT_SIZE];
    bool is_active;  /* a line is being typed */
    bool is_shown;   /* it is on the screen */
    bool is_in_key;  /* the first byte of a key was read */
    bool has_ended;  /* no more input */
    bool has_marks;  /* the line on the screen has characters without width */
    bool has_typed;  /* since the last editor_drop_line */
    bool is_entered; /* the Enter key was pressed */
    bool is_pasting; /* what is read belongs to a pasted text */
    struct signet_buf pasted;
    bool is_plain; /* a terminal without cursor movement */
};

/* ---- keys.c ---- */

/* Whose line libedit is at. */
struct editor *editor_of(EditLine *edit);
/* The next byte, if it comes soon; false: it does not. */
bool editor_read_byte(struct editor *editor, char *byte);
/* An el_rfunc_t: one character. */
int editor_read_character(EditLine *edit, wchar_t *character);
/* Let the keys for which there is no use do nothing. */
void editor_ignore_keys(struct editor *editor);

/* ---- screen.c; editor_print and editor_refresh, too ---- */

/* Take the prompt and the line off the screen; the cursor stands where the prompt began. */
void editor_erase(struct editor *editor);
/* Show them where the cursor stands, with the prompt that is right now. */
void editor_draw(struct editor *editor);

/* ---- paste.c ---- */

/* Have the terminal mark what is pasted, or no longer. */
void editor_mark_pastes(const struct editor *editor, bool are_marked);
/* What begins a pasted text, as libedit calls it. */
unsigned char editor_paste(EditLine *edit, int key);
/* Take in what there is of a pasted text, and insert it when it is complete. */
void editor_take_paste(struct editor *editor);
void editor_drop_paste(struct editor *editor);

/* ---- words.c ---- */

/* Characters as UTF-8, to be freed; NULL: out of memory. */
char *editor_text(const wchar_t *line, size_t len);
/* The Tab key, as libedit calls it: as far as all candidates agree; then their list. */
unsigned char editor_complete(EditLine *edit, int key);

#endif
