/* signet chat: talk, in a terminal or through pipes. */
#include "cli/chat/chat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/chat/state.h"
#include "cli/explain.h"
#include "term/text.h"

enum { IN_FLIGHT_MAX = 64 /* lines of a pipe that were read and have no answer yet */ };

/* ---- what appears ---- */

static void show_arrived(struct chat *chat)
{
    struct inbox_item item;

    while (!agent_has_ended(&chat->agent) && inbox_take(&chat->inbox, &item)) {
        if (!chat_show(chat, &item) || agent_shown(&chat->agent, item.number) != SIGNET_OK)
            return;
    }
}

static void write_prompt(void *ctx, char text[EDITOR_PROMPT_SIZE])
{
    const struct chat *chat = ctx;
    size_t waiting = chat->pending.count;
    const char *why = chat->has_told_down ? "offline" : "connecting";
    const char *offline = agent_is_ready(&chat->agent) ? "" : why;
    char count[48] = "";

    if (waiting > 0)
        (void)snprintf(count, sizeof(count), "%s%zu not accepted yet",
            offline[0] == '\0' ? "" : ", ", waiting);
    if (waiting > 0 || offline[0] != '\0')
        (void)snprintf(text, EDITOR_PROMPT_SIZE, "%s (%s%s)> ", chat->peer, offline, count);
    else
        (void)snprintf(text, EDITOR_PROMPT_SIZE, "%s> ", chat->peer);
}

static void refresh(struct chat *chat)
{
    if (chat->editor != NULL)
        editor_refresh(chat->editor);
}

/* ---- what is typed ---- */

static void send_line(struct chat *chat, signet_span line)
{
    struct engine_text text = {.peer = chat->peer, .text = line};
    struct text_flaw flaw;
    char message[256];

    if (chat->peer[0] == '\0' && chat->editor != NULL) {
        chat_say(chat, "to whom? /to NAME chooses");
        return;
    }
    if (chat->peer[0] == '\0') {
        chat_complain(chat, "no-peer", "/to NAME chooses", "to whom?");
        chat->has_failed = true;
        return;
    }
    if (text_has_flaw(line, chat->editor != NULL, &flaw)) {
        (void)snprintf(message, sizeof(message), "not sent to %s: %s", chat->peer, flaw.what);
        chat_complain(chat, engine_problem_word(PROBLEM_TEXT), flaw.hint, message);
        chat->has_failed = true;
        return;
    }
    text.token = ++chat->last_token;
    if (pending_add(&chat->pending, text.token) != SIGNET_OK ||
        agent_send(&chat->agent, &text) != SIGNET_OK)
        agent_end(&chat->agent, EXIT_FAILED);
}

static void take_line(struct chat *chat, const char *line)
{
    bool is_command = line[0] == '/' && line[1] != '/' && strchr(line, '\n') == NULL;

    if (is_command)
        chat_command(chat, line);
    else if (line[strspn(line, " \t\n")] != '\0')
        send_line(chat, signet_span_str(line[0] == '/' && line[1] == '/' ? line + 1 : line));
}

static void on_typed(void *ctx, const char *line)
{
    struct chat *chat = ctx;

    chat->has_warned = false;
    if (line == NULL)
        chat_leave(chat);
    else if (!chat->is_leaving)
        take_line(chat, line);
}

static void on_line(void *ctx, signet_span line)
{
    struct chat *chat = ctx;
    struct signet_buf text = {0};
    enum signet_err err = signet_buf_append(&text, line);

    if (err == SIGNET_OK)
        err = signet_buf_append(&text, signet_span_of("", 1));
    if (err != SIGNET_OK) {
        agent_report(&chat->agent.place, err);
        agent_end(&chat->agent, EXIT_FAILED);
    } else if (strlen((const char *)text.ptr) == line.len) {
        take_line(chat, (const char *)text.ptr);
    } else {
        /* A zero byte ends a C string, but not what was meant: the engine judges the whole line. */
        send_line(chat, line);
    }
    signet_buf_free(&text);
    if (pending_in_flight(&chat->pending) >= IN_FLIGHT_MAX)
        input_pause(&chat->input, true);
}

static void on_input_end(void *ctx, enum signet_err err)
{
    struct chat *chat = ctx;

    if (err != SIGNET_OK) {
        report_error(chat->context->report, "input", NULL, "cannot read standard input: %s",
            err == SIGNET_ERR_IO ? strerror(errno) : signet_err_text(err));
        chat->has_failed = true;
    }
    chat_leave(chat);
}

/* ---- events ---- */

static void explain(struct chat *chat, const struct engine_step *step)
{
    struct signet_buf line = {0};

    if (chat->editor == NULL)
        explain_step(chat->context->report, step, ++chat->steps);
    else if (explain_write(step, ++chat->steps, chat->show.json, &line) == SIGNET_OK)
        (void)chat_print(chat, signet_buf_span(&line));
    signet_buf_free(&line);
}

static void on_accepted(struct chat *chat, const struct engine_event *event)
{
    if (!pending_take(&chat->pending, event->token))
        return;
    if (chat->show.json)
        chat_show_accepted(chat, event);
    refresh(chat);
}

static void on_failed(struct chat *chat, const struct engine_event *event)
{
    bool is_kept = engine_problem_is_kept(event->problem);
    bool is_own = is_kept ? pending_keep(&chat->pending, event->token)
                          : pending_take(&chat->pending, event->token);
    char message[512];

    (void)snprintf(message, sizeof(message), "%s%s%s%s", is_own ? "not sent to " : "", event->text,
        event->text[0] == '\0' ? "" : ": ", engine_problem_text(event->problem));
    chat_complain(
        chat, engine_problem_word(event->problem), engine_problem_hint(event->problem), message);
    chat->has_failed = chat->has_failed || (is_own && !is_kept);
}

static void on_ready(struct chat *chat)
{
    if (chat->has_told_down)
        chat_say(chat, "connected");
    chat->has_told_down = false;
    refresh(chat);
    input_pause(&chat->input, false);
}

static void on_arrived(struct chat *chat, const struct engine_event *event)
{
    struct inbox_item item = {.number = event->number, .conversation = event->conversation};

    if (inbox_add(&chat->inbox, &item) == SIGNET_OK) {
        show_arrived(chat);
        return;
    }
    agent_report(&chat->agent.place, SIGNET_ERR_NOMEM);
    agent_end(&chat->agent, EXIT_FAILED);
}

static void on_event(void *ctx, const struct engine_event *event)
{
    struct chat *chat = ctx;

    switch (event->type) {
    case EVENT_STEP: explain(chat, &event->step); return;
    case EVENT_NOTE: chat_say(chat, "%s", event->text); return;
    case EVENT_READY: on_ready(chat); break;
    case EVENT_MESSAGE: on_arrived(chat, event); break;
    case EVENT_CONTACT: people_forget(&chat->show.people); break;
    case EVENT_ACCEPTED: on_accepted(chat, event); break;
    case EVENT_QUEUED:
        if (pending_keep(&chat->pending, event->token))
            refresh(chat);
        break;
    case EVENT_FAILED: on_failed(chat, event); break;
    default: break;
    }
    if (pending_in_flight(&chat->pending) < IN_FLIGHT_MAX / 2)
        input_pause(&chat->input, false);
    chat_leave_if_done(chat);
}

static void on_down(void *ctx, const struct agent_down *down)
{
    struct chat *chat = ctx;

    if (down->is_final) {
        editor_stop(chat->editor);
        agent_report_down(&chat->agent, down);
        return;
    }
    if (!chat->has_told_down)
        chat_say(chat, "%s; trying again", down->text);
    chat->has_told_down = true;
    refresh(chat);
    agent_retry(&chat->agent);
    input_pause(&chat->input, false); /* what is read now goes to the outbox */
    chat_leave_if_done(chat);
}

static void on_interrupt(void *ctx, int signal)
{
    struct chat *chat = ctx;

    if (signal != SIGINT || chat->editor == NULL || chat->is_leaving) {
        input_stop(&chat->input);
        chat->is_leaving = chat->has_failed = true;
        agent_give_up(&chat->agent);
        chat_leave_if_done(chat);
        return;
    }
    if (!editor_drop_line(chat->editor) && chat->has_warned) {
        chat_leave(chat);
        return;
    }
    chat->has_warned = true;
    chat_say(chat, "Ctrl-C once more, or Ctrl-D, leaves");
}

/* ---- beginning ---- */

static void welcome(struct chat *chat)
{
    char groups[SIGNET_ID_GROUPS_SIZE];

    if (chat->context->line->quiet)
        return;
    signet_id_groups(signet_account_address(engine_account(chat->agent.engine)), groups);
    chat_say(chat, "you are %s, %s", engine_name(chat->agent.engine), groups);
    chat_say(chat, "messages here are signed and on the record: who receives one can prove who "
                   "wrote it");
    if (chat->editor != NULL)
        chat_say(chat, "/help tells more");
}

static enum signet_err start_input(struct chat *chat)
{
    static const struct editor_handler editor_handler = {
        .on_line = on_typed, .prompt = write_prompt, .complete = chat_complete};
    static const struct input_handler input_handler = {.on_line = on_line, .on_end = on_input_end};
    enum signet_err err;

    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !chat->show.json)
        return editor_new(agent_loop(&chat->agent), &editor_handler, chat, &chat->editor);
    chat->input = (struct input){
        .handler = &input_handler, .ctx = chat, .line_max = SIGNET_TEXT_MAX, .fd = STDIN_FILENO};
    if ((err = input_start(&chat->input, agent_loop(&chat->agent))) == SIGNET_OK)
        input_pause(&chat->input, true); /* until it is known whether the relay is there */
    return err;
}

static enum signet_err begin(struct chat *chat)
{
    enum signet_err err;

    (void)uv_timer_init(agent_loop(&chat->agent), &chat->leave);
    chat->leave.data = chat;
    if ((err = start_input(chat)) != SIGNET_OK) {
        report_error(chat->context->report, "terminal", NULL, "cannot use standard input: %s",
            signet_err_text(err));
        return err;
    }
    if ((err = inbox_load(&chat->inbox, &chat->agent)) != SIGNET_OK) {
        agent_report(&chat->agent.place, err);
        return err;
    }
    welcome(chat);
    if (chat->context->line->arg_count > 0)
        chat_turn_to(chat, chat->context->line->args[0]);
    refresh(chat);
    show_arrived(chat);
    if ((err = agent_subscribe(&chat->agent)) == SIGNET_OK)
        agent_connect(&chat->agent);
    return err;
}

static enum exit_code check_peer(const struct context *context)
{
    const char *peer = context->line->arg_count == 0 ? NULL : context->line->args[0];
    struct signet_id address;

    if (peer == NULL || signet_name_is_valid(signet_span_str(peer)) ||
        signet_id_parse(peer, &address) == SIGNET_OK)
        return EXIT_DONE;
    report_error(context->report, engine_problem_word(PROBLEM_BAD_NAME),
        engine_problem_hint(PROBLEM_BAD_NAME), "%s is %s", peer,
        engine_problem_text(PROBLEM_BAD_NAME));
    return EXIT_FAILED;
}

static enum exit_code run(struct context *context)
{
    struct agent_place place = command_place(context, context->home);
    static const struct agent_handler handler = {
        .on_event = on_event, .on_down = on_down, .on_interrupt = on_interrupt};
    struct chat chat = {.context = context, .show.json = context->line->json};
    enum exit_code code = check_peer(context);

    if (code != EXIT_DONE)
        return code;
    code = EXIT_FAILED;
    if (agent_open_registered(&chat.agent, &place) != SIGNET_OK)
        goto out;
    chat.show.people.engine = chat.agent.engine;
    if (agent_start(&chat.agent, &handler, &chat) != SIGNET_OK)
        goto out;
    if (begin(&chat) == SIGNET_OK)
        code = agent_run(&chat.agent);
out:
    editor_stop(chat.editor);
    agent_close(&chat.agent);
    editor_free(chat.editor);
    input_free(&chat.input);
    people_clear(&chat.show.people);
    inbox_free(&chat.inbox);
    pending_free(&chat.pending);
    signet_buf_free(&chat.name_list);
    return code;
}

const struct command cmd_chat = {
    .name = "chat",
    .usage = "chat [PEER]",
    .summary = "talk in the terminal",
    .help =
        "Without a terminal, or with --json, each line of standard input is sent, and what\n"
        "comes is printed until standard input ends. --json is for programs: lines in, documents\n"
        "out, those of receive for what comes and those of send for what was accepted.\n\n"
        "A line that begins with / is a command:\n"
        "  /to NAME     write to somebody else\n"
        "  /who         your contacts\n"
        "  /history     what was said here last\n"
        "  /help        these\n"
        "  /quit        leave, as Ctrl-D does\n"
        "  //TEXT       sends /TEXT",
    .max_args = 1,
    .needs = NEEDS_HOME,
    .run = run,
};
