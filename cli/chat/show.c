/* What appears in a chat: in the terminal above the line being typed, or as a program reads it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/chat/state.h"
#include "io/clock.h"
#include "term/text.h"

bool chat_print(struct chat *chat, signet_span text)
{
    enum signet_err err;

    if (chat->editor != NULL)
        err = editor_print(chat->editor, text);
    else
        err = report_result(chat->context->report, text);
    if (err != SIGNET_OK)
        agent_end(&chat->agent, EXIT_FAILED);
    return err == SIGNET_OK;
}

void chat_say(struct chat *chat, const char *format, ...)
{
    struct signet_buf line = {0};
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    if (text == NULL)
        return;
    if (chat->editor == NULL)
        report_note(chat->context->report, "%s", text);
    else if (text_format(&line, "-- ") == SIGNET_OK &&
             text_show(signet_span_str(text), TEXT_LINE, &line) == SIGNET_OK)
        (void)chat_print(chat, signet_buf_span(&line));
    signet_buf_free(&line);
    free(text);
}

bool chat_show(struct chat *chat, const struct inbox_item *item)
{
    struct message message = {0};
    struct signet_buf out = {0};
    enum signet_err err = inbox_read(&chat->agent, item, &message);
    bool is_shown;

    if (err == SIGNET_OK)
        err = show_message(&chat->show, &message, clock_wall_ms(), &out);
    else if (err != SIGNET_ERR_IO && err != SIGNET_ERR_NOMEM)
        err = show_damaged(&chat->show, item->number, &out);
    is_shown = err == SIGNET_OK && chat_print(chat, signet_buf_span(&out));
    if (err != SIGNET_OK) {
        agent_report(&chat->agent.place, err);
        agent_end(&chat->agent, EXIT_FAILED);
    }
    message_clear(&message);
    signet_buf_free(&out);
    return is_shown;
}

void chat_complain(struct chat *chat, const char *code, const char *hint, const char *message)
{
    if (chat->editor == NULL)
        report_error(chat->context->report, code, hint, "%s", message);
    else
        chat_say(chat, "!! %s%s%s", message, hint == NULL ? "" : "; ", hint == NULL ? "" : hint);
}

void chat_show_accepted(struct chat *chat, const struct engine_event *event)
{
    struct signet_buf out = {0};
    struct message message = {0};
    struct inbox_item item = {.number = event->number, .conversation = event->conversation};
    enum signet_err err = inbox_read(&chat->agent, &item, &message);

    if (err == SIGNET_OK)
        err = show_accepted(&chat->show, &message, event, &out);
    if (err != SIGNET_OK)
        agent_report(&chat->agent.place, err);
    if (err != SIGNET_OK || !chat_print(chat, signet_buf_span(&out)))
        agent_end(&chat->agent, EXIT_FAILED);
    message_clear(&message);
    signet_buf_free(&out);
}
