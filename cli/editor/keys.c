/* What the keyboard sends: the bytes of a key, characters, and keys that mean nothing. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/editor/state.h"

enum { SEQUENCE_MS = 100 /* the bytes of one key come together */ };

struct editor *editor_of(EditLine *edit)
{
    void *data = NULL;

    (void)el_get(edit, EL_CLIENTDATA, &data);
    return data;
}

/* The first byte of a key is there; for the others nobody waits long, since a key may end earlier
 * than expected. */
bool editor_read_byte(struct editor *editor, char *byte)
{
    struct pollfd waiting = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t got;

    if (editor->is_in_key && poll(&waiting, 1, SEQUENCE_MS) <= 0)
        return false;
    editor->is_in_key = true;
    do
        got = read(STDIN_FILENO, byte, 1);
    while (got < 0 && errno == EINTR);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        editor->has_ended = true;
    return got == 1;
}

/* Bytes that are no character are passed over. */
int editor_read_character(EditLine *edit, wchar_t *character)
{
    struct editor *editor = editor_of(edit);
    mbstate_t state = {0};
    char byte;

    for (;;) {
        size_t used;

        if (!editor_read_byte(editor, &byte)) {
            errno = 0;
            return -1;
        }
        used = mbrtowc(character, &byte, 1, &state);
        if (used == 0 || used == 1)
            return 1;
        if (used == (size_t)-1)
            memset(&state, 0, sizeof(state));
    }
}

/* Keys that mean nothing here (Page Up, F1, with Ctrl or not): libedit would insert the end of what
 * they send as text. */
void editor_ignore_keys(struct editor *editor)
{
    static const char used[] = {1, 3, 4, 7, 8};
    char keys[32];

    for (int number = 1; number <= 34; number++) {
        (void)snprintf(keys, sizeof(keys), "\\e[%d~", number);
        if (memchr(used, number, sizeof(used)) == NULL)
            (void)el_set(editor->edit, EL_BIND, keys, "ed-ignore", NULL);
        for (int modifier = 2; modifier <= 8; modifier++) {
            (void)snprintf(keys, sizeof(keys), "\\e[%d;%d~", number, modifier);
            (void)el_set(editor->edit, EL_BIND, keys, "ed-ignore", NULL);
        }
    }
    for (const char *letter = "ABCDE"; *letter != '\0'; letter++) { /* F1 to F5 of Linux */
        (void)snprintf(keys, sizeof(keys), "\\e[[%c", *letter);
        (void)el_set(editor->edit, EL_BIND, keys, "ed-ignore", NULL);
    }
    for (const char *letter = "ABCDFHPQRS"; *letter != '\0'; letter++) {
        if (*letter >= 'P') {
            (void)snprintf(keys, sizeof(keys), "\\eO%c", *letter);
            (void)el_set(editor->edit, EL_BIND, keys, "ed-ignore", NULL);
        }
        for (int modifier = 2; modifier <= 8; modifier++) {
            (void)snprintf(keys, sizeof(keys), "\\e[1;%d%c", modifier, *letter);
            (void)el_set(editor->edit, EL_BIND, keys, "ed-ignore", NULL);
        }
    }
}
