/* What is typed as text, and what it may be completed to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cli/editor/state.h"

char *editor_text(const wchar_t *line, size_t len)
{
    size_t size = len * MB_CUR_MAX + 1, used = 0;
    char *text = malloc(size);
    mbstate_t state = {0};

    for (size_t i = 0; text != NULL && i < len; i++) {
        size_t more = wcrtomb(text + used, line[i], &state);

        if (more != (size_t)-1)
            used += more;
        else
            memset(&state, 0, sizeof(state));
    }
    if (text != NULL)
        text[used] = '\0';
    return text;
}

/* What all words have in common. */
static size_t common_length(const char *const *words, size_t count)
{
    size_t len = strlen(words[0]);

    for (size_t i = 1; i < count; i++) {
        size_t same = 0;

        while (same < len && words[i][same] == words[0][same])
            same++;
        len = same;
    }
    return len;
}

static unsigned char print_words(struct editor *editor, const char *const *words, size_t count)
{
    struct signet_buf out = {0};
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; err == SIGNET_OK && i < count; i++) {
        err = signet_buf_append(&out, signet_span_str(i == 0 ? "" : "  "));
        if (err == SIGNET_OK)
            err = signet_buf_append(&out, signet_span_str(words[i]));
    }
    if (err == SIGNET_OK)
        err = editor_print(editor, signet_buf_span(&out));
    signet_buf_free(&out);
    return err == SIGNET_OK ? CC_NORM : CC_ERROR;
}

unsigned char editor_complete(EditLine *edit, int key)
{
    struct editor *editor = editor_of(edit);
    const LineInfoW *line = el_wline(edit);
    char *text = editor_text(line->buffer, (size_t)(line->cursor - line->buffer));
    const char *words[EDITOR_WORDS_MAX];
    unsigned char answer = CC_ERROR;
    size_t begin = 0, count, typed, common;
    char more[EDITOR_PROMPT_SIZE];

    (void)key;
    if (text == NULL)
        return CC_ERROR;
    count = editor->handler->complete(editor->ctx, text, &begin, words);
    typed = strlen(text) - begin;
    common = count == 0 ? 0 : common_length(words, count);
    if (common > typed || count == 1) {
        (void)snprintf(more, sizeof(more), "%.*s%s", (int)(common - typed), words[0] + typed,
            count == 1 ? " " : "");
        answer = el_insertstr(edit, more) == 0 ? CC_REFRESH : CC_ERROR;
    } else if (count > 1) {
        answer = print_words(editor, words, count);
    }
    free(text);
    return answer;
}
