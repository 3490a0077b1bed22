/* A line being typed in the terminal. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/editor/state.h"
#include "term/input.h"

enum { HISTORY_LINES = 200 };

/* ---- the terminal ---- */

static char *give_prompt(EditLine *edit)
{
    return editor_of(edit)->prompt;
}

/* Begin a new line: the terminal in raw mode, an empty line, the prompt drawn. */
static void activate(struct editor *editor)
{
    if (editor->is_active || editor->has_ended)
        return;
    editor->handler->prompt(editor->ctx, editor->prompt);
    editor->is_active = editor->is_shown = true;
    editor_mark_pastes(editor, true);
    (void)el_set(editor->edit, EL_UNBUFFERED, 1);
}

/* The terminal as it was before. */
static void deactivate(struct editor *editor)
{
    if (!editor->is_active)
        return;
    editor->is_active = false;
    (void)el_set(editor->edit, EL_UNBUFFERED, 0);
    editor_mark_pastes(editor, false);
    (void)fflush(stdout);
}

bool editor_drop_line(struct editor *editor)
{
    bool has_typed = editor->has_typed;

    editor->has_typed = false;
    editor_drop_paste(editor);
    editor_erase(editor);
    (void)fflush(stdout);
    if (editor->is_active) {
        deactivate(editor);
        activate(editor);
    }
    return has_typed;
}

/* ---- keys ---- */

/* An el_afunc_t: the Enter key. A line may hold line feeds, which do not end it. */
static unsigned char enter(EditLine *edit, int key)
{
    const LineInfoW *line = el_wline(edit);

    (void)key;
    editor_of(edit)->is_entered = true;
    (void)el_cursor(edit, (int)(line->lastchar - line->cursor));
    return CC_REFRESH;
}

static void hand_over(struct editor *editor)
{
    const LineInfoW *line = el_wline(editor->edit);
    char *text = editor_text(line->buffer, (size_t)(line->lastchar - line->buffer));
    HistEvent event;

    (void)fputs("\r\n", stdout);
    deactivate(editor);
    if (text != NULL && text[0] != '\0')
        (void)history(editor->history, &event, H_ENTER, text);
    if (text != NULL)
        editor->handler->on_line(editor->ctx, text);
    free(text);
    activate(editor);
}

static void end_input(struct editor *editor)
{
    editor->has_ended = true;
    (void)uv_poll_stop(&editor->poll);
    editor_erase(editor);
    (void)fflush(stdout);
    deactivate(editor);
    editor->handler->on_line(editor->ctx, NULL);
}

/* libedit leaves marks on the screen that take no column of their own, when they are deleted. */
static void redraw_marks(struct editor *editor)
{
    const LineInfoW *line = el_wline(editor->edit);
    bool has_marks = false;

    for (const wchar_t *at = line->buffer; at < line->lastchar; at++)
        has_marks = has_marks || wcwidth(*at) == 0;
    if (has_marks || editor->has_marks)
        editor_refresh(editor);
    editor->has_marks = has_marks;
}

static void on_key(uv_poll_t *poll, int status, int events)
{
    static const wchar_t ctrl_d = 4;
    struct editor *editor = poll->data;
    const wchar_t *line = NULL;
    int count = 0;

    (void)status;
    (void)events;
    editor->is_in_key = editor->is_entered = false;
    editor->has_typed = true;
    if (!editor->is_pasting)
        line = el_wgets(editor->edit, &count);
    if (editor->has_ended || (line != NULL && count == 1 && line[0] == ctrl_d))
        end_input(editor);
    else if (editor->is_entered)
        hand_over(editor);
    else if (editor->is_pasting)
        editor_take_paste(editor);
    if (editor->is_active)
        redraw_marks(editor);
}

/* ---- signals ---- */

/* The terminal has folded its lines anew, that of the prompt among them: rows are counted as they
 * are now. */
static void on_resized(uv_signal_t *signal, int number)
{
    struct editor *editor = signal->data;

    (void)number;
    editor_erase(editor);
    (void)fflush(stdout);
    el_resize(editor->edit);
    editor_draw(editor);
}

/* Begin the line again with what was typed: others may have had the terminal. */
static void on_continued(uv_signal_t *signal, int number)
{
    struct editor *editor = signal->data;
    const LineInfoW *line = el_wline(editor->edit);
    size_t len = (size_t)(line->lastchar - line->buffer);
    wchar_t *typed = calloc(len + 1, sizeof(*typed));

    (void)number;
    if (!editor->is_active || typed == NULL) {
        free(typed);
        return;
    }
    wmemcpy(typed, line->buffer, len);
    editor_erase(editor);
    (void)fflush(stdout);
    deactivate(editor);
    el_resize(editor->edit);
    activate(editor);
    editor_erase(editor);
    (void)el_winsertstr(editor->edit, typed);
    editor_draw(editor);
    free(typed);
}

/* Ctrl-Z: the shell finds neither prompt nor line, and its own prompt at the left edge. */
static void on_stopped(uv_signal_t *signal, int number)
{
    struct editor *editor = signal->data;

    editor_erase(editor);
    editor_mark_pastes(editor, false);
    (void)fflush(stdout);
    (void)uv_signal_stop(signal);
    (void)raise(number); /* goes on here later, or at once where no shell would wake us */
    (void)uv_signal_start(signal, on_stopped, number);
    on_continued(&editor->continued, SIGCONT);
}

/* ---- beginning and end ---- */

static bool set_up_edit(struct editor *editor)
{
    const char *terminal = getenv("TERM");
    HistEvent event;

    editor->is_plain = terminal == NULL || strcmp(terminal, "dumb") == 0;
    editor->edit = el_init("signet", stdin, stdout, stderr);
    editor->history = history_init();
    if (editor->edit == NULL || editor->history == NULL)
        return false;
    (void)history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
    (void)history(editor->history, &event, H_SETUNIQUE, 1);
    (void)el_set(editor->edit, EL_CLIENTDATA, editor);
    (void)el_set(editor->edit, EL_PROMPT, give_prompt);
    (void)el_set(editor->edit, EL_EDITOR, "emacs");
    (void)el_set(editor->edit, EL_SIGNAL, 0);
    (void)el_set(editor->edit, EL_HIST, history, editor->history);
    (void)el_wset(editor->edit, EL_ADDFN, L"signet-complete", L"complete a name", editor_complete);
    (void)el_set(editor->edit, EL_BIND, "^I", "signet-complete", NULL);
    (void)el_wset(editor->edit, EL_ADDFN, L"signet-enter", L"end the line", enter);
    (void)el_set(editor->edit, EL_BIND, "^M", "signet-enter", NULL);
    (void)el_set(editor->edit, EL_BIND, "^J", "signet-enter", NULL);
    (void)el_wset(editor->edit, EL_ADDFN, L"signet-paste", L"insert a text", editor_paste);
    (void)el_set(editor->edit, EL_BIND, "\\e[200~", "signet-paste", NULL);
    editor_ignore_keys(editor);
    (void)el_wset(editor->edit, EL_GETCFN, editor_read_character);
    return true;
}

static bool watch(struct editor *editor, uv_loop_t *loop)
{
    if (input_poll_init(loop, &editor->poll, STDIN_FILENO) != 0)
        return false;
    (void)uv_signal_init(loop, &editor->resized); /* these cannot fail */
    (void)uv_signal_init(loop, &editor->continued);
    (void)uv_signal_init(loop, &editor->stopped);
    editor->poll.data = editor->resized.data = editor;
    editor->continued.data = editor->stopped.data = editor;
    return uv_poll_start(&editor->poll, UV_READABLE | UV_DISCONNECT, on_key) == 0 &&
           uv_signal_start(&editor->resized, on_resized, SIGWINCH) == 0 &&
           uv_signal_start(&editor->continued, on_continued, SIGCONT) == 0 &&
           uv_signal_start(&editor->stopped, on_stopped, SIGTSTP) == 0;
}

enum signet_err editor_new(
    uv_loop_t *loop, const struct editor_handler *handler, void *ctx, struct editor **editor_out)
{
    struct editor *editor = calloc(1, sizeof(*editor));

    if (editor == NULL)
        return SIGNET_ERR_NOMEM;
    editor->handler = handler;
    editor->ctx = ctx;
    *editor_out = editor; /* from here on editor_free sees to it */
    if (!set_up_edit(editor))
        return SIGNET_ERR_NOMEM;
    if (!watch(editor, loop))
        return SIGNET_ERR_IO;
    activate(editor);
    return SIGNET_OK;
}

void editor_stop(struct editor *editor)
{
    if (editor == NULL)
        return;
    editor_erase(editor);
    (void)fflush(stdout);
    deactivate(editor);
    editor->has_ended = true;
    if (uv_is_active((uv_handle_t *)&editor->poll))
        (void)uv_poll_stop(&editor->poll);
}

void editor_free(struct editor *editor)
{
    if (editor == NULL)
        return;
    if (editor->edit != NULL)
        el_end(editor->edit);
    if (editor->history != NULL)
        history_end(editor->history);
    signet_buf_free(&editor->pasted);
    free(editor);
}
