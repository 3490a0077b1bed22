/*
 * Pasted text. A terminal that knows bracketed paste marks its beginning and end: what is between is
 * no keys but text, tabs and line feeds included, and Enter sends it as one message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/editor/state.h"

static const char ending[] = "\033[201~";

void editor_mark_pastes(const struct editor *editor, bool are_marked)
{
    if (!editor->is_plain)
        (void)fputs(are_marked ? "\033[?2004h" : "\033[?2004l", stdout);
}

unsigned char editor_paste(EditLine *edit, int key)
{
    (void)key;
    editor_of(edit)->is_pasting = true; /* read outside of libedit, which could not wait for it */
    return CC_NORM;
}

void editor_drop_paste(struct editor *editor)
{
    editor->is_pasting = false;
    signet_buf_free(&editor->pasted);
}

static bool has_ending(signet_span text)
{
    size_t len = strlen(ending);

    return text.len >= len && memcmp(text.ptr + text.len - len, ending, len) == 0;
}

/* As libedit wants it, to be freed; NULL: out of memory. Terminals paste a line feed as the Enter
 * key would be; bytes that are no UTF-8 cannot be sent. */
static wchar_t *as_line(signet_span text)
{
    wchar_t *line = calloc(text.len + 1, sizeof(*line));
    size_t count = 0;

    while (line != NULL && text.len > 0) {
        uint32_t code_point = 0;
        size_t len = utf8_decode(text, &code_point);

        text = signet_span_from(text, len == 0 ? 1 : len);
        if (code_point == '\r' && text.len > 0 && text.ptr[0] == '\n')
            continue;
        if (code_point != 0)
            line[count++] = code_point == '\r' ? L'\n' : (wchar_t)code_point;
    }
    return line;
}

void editor_take_paste(struct editor *editor)
{
    wchar_t *line;
    char byte;

    while (!has_ending(signet_buf_span(&editor->pasted))) {
        if (!editor_read_byte(editor, &byte))
            return; /* the rest comes later */
        if (signet_buf_append(&editor->pasted, signet_span_of(&byte, 1)) != SIGNET_OK) {
            editor_drop_paste(editor);
            return;
        }
    }
    signet_buf_truncate(&editor->pasted, editor->pasted.len - strlen(ending));
    line = as_line(signet_buf_span(&editor->pasted));
    editor_drop_paste(editor);
    editor_erase(editor);
    if (line != NULL)
        (void)el_winsertstr(editor->edit, line);
    editor_draw(editor);
    free(line);
}
