/* The prompt and the line on the screen. */
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "cli/editor/state.h"
#include "term/screen.h"

enum { TAB = 8 };

/* A place on the screen, from where the prompt begins. */
struct place {
    size_t row, column;
};

/* How libedit shows a character at a column, in ASCII; empty: as itself. */
static void show_as(wchar_t character, size_t column, char text[16])
{
    text[0] = '\0';
    if (character == L'\t')
        (void)snprintf(text, 16, "%*s", (int)(TAB - column % TAB), "");
    else if (character < 0x20 || character == 0x7f)
        (void)snprintf(text, 16, "^%c", (char)(character ^ 0x40));
    else if (wcwidth(character) < 0)
        (void)snprintf(text, 16, "\\U+%04X", (unsigned)character);
}

/* Where the next character comes behind this one. */
static struct place behind(struct place place, wchar_t character)
{
    size_t columns = screen_columns(), width;
    char text[16];

    if (character == L'\n')
        return (struct place){.row = place.row + 1};
    show_as(character, place.column, text);
    width = text[0] != '\0' ? strlen(text) : (size_t)wcwidth(character);
    if (width == 2 && text[0] == '\0' && place.column + width > columns)
        place = (struct place){.row = place.row + 1};
    place.column += width;
    place.row += place.column / columns;
    place.column %= columns;
    return place;
}

static struct place place_of(const struct editor *editor, const wchar_t *end)
{
    size_t columns = screen_columns(), len = strlen(editor->prompt);
    struct place place = {.row = len / columns, .column = len % columns};

    for (const wchar_t *at = el_wline(editor->edit)->buffer; at < end; at++)
        place = behind(place, *at);
    return place;
}

static void go_up(size_t rows)
{
    if (rows > 0)
        (void)printf("\033[%zuA", rows);
    (void)fputc('\r', stdout);
}

void editor_erase(struct editor *editor)
{
    if (!editor->is_active || !editor->is_shown)
        return;
    editor->is_shown = false;
    if (editor->is_plain) {
        (void)fputs("\r\n", stdout);
        return;
    }
    go_up(place_of(editor, el_wline(editor->edit)->cursor).row);
    (void)fputs("\033[J", stdout);
}

/*
 * Write the line once more, in one go. libedit begins some rows itself, and a terminal that is
 * resized would take these for lines of their own: nobody could tell where the prompt is then.
 */
static void join_rows(struct editor *editor)
{
    const LineInfoW *line = el_wline(editor->edit);
    struct place cursor = place_of(editor, line->cursor), end = place_of(editor, line->lastchar);
    struct place place = place_of(editor, line->buffer);

    if (end.row == 0 || editor->is_plain)
        return;
    go_up(cursor.row);
    (void)fputs(editor->prompt, stdout);
    for (const wchar_t *at = line->buffer; at < line->lastchar; at++) {
        char text[16];

        show_as(*at, place.column, text);
        if (*at == L'\n')
            (void)fputs("\r\n", stdout);
        else if (text[0] != '\0')
            (void)fputs(text, stdout);
        else
            (void)printf("%lc", (wint_t)*at);
        place = behind(place, *at);
    }
    if (end.column == 0)
        (void)fputs(" ", stdout); /* the terminal goes to the next row only with a character */
    go_up(end.row - cursor.row);
    if (cursor.column > 0)
        (void)printf("\033[%zuC", cursor.column);
    (void)fflush(stdout);
}

void editor_draw(struct editor *editor)
{
    (void)fflush(stdout);
    if (!editor->is_active)
        return;
    editor->handler->prompt(editor->ctx, editor->prompt);
    (void)el_set(editor->edit, EL_REFRESH);
    editor->is_shown = true;
    join_rows(editor);
}

enum signet_err editor_print(struct editor *editor, signet_span text)
{
    bool is_written;

    editor_erase(editor);
    is_written = text.len == 0 || fwrite(text.ptr, 1, text.len, stdout) == text.len;
    is_written = fputc('\n', stdout) != EOF && is_written;
    is_written = fflush(stdout) == 0 && is_written;
    editor_draw(editor);
    return is_written ? SIGNET_OK : SIGNET_ERR_IO;
}

void editor_refresh(struct editor *editor)
{
    editor_erase(editor);
    editor_draw(editor);
}
