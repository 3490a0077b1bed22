/* signet receive: show what has come, each message once, and answer it where that is wanted. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "agent/reply.h"
#include "cli/commands/commands.h"
#include "cli/explain.h"
#include "cli/inbox.h"
#include "cli/pending.h"
#include "cli/show.h"
#include "io/clock.h"

#define OPERATOR_NAME "operator" /* the relay gives it to nobody else */

enum { TIMEOUT_S = 10, TIMEOUT_MAX_S = 31536000 };

struct receiving {
    const struct context *context;
    struct agent agent;
    struct inbox inbox;
    struct show show;
    const char *command;        /* --reply; NULL: none */
    uint64_t count, timeout_ms; /* 0: none */
    bool follows;
    struct inbox_item item; /* being answered */
    struct reply *reply;    /* that runs for it */
    struct pending answers; /* not accepted yet */
    size_t lost_answers;    /* could not be sent, and are kept nowhere */
    uint64_t shown_count, last_token;
    bool has_been_ready, has_drained, has_told_down, is_interrupted;
    bool has_refused; /* or shown a fork */
    uv_timer_t silence;
    unsigned steps;
};

static void show_next(struct receiving *receiving);

/* ---- end ---- */

static bool has_enough(const struct receiving *receiving)
{
    return receiving->count > 0 && receiving->shown_count >= receiving->count;
}

/* All that waited at the relay was shown. */
static bool has_all(const struct receiving *receiving)
{
    return receiving->count == 0 && !receiving->follows && receiving->has_drained &&
           inbox_is_empty(&receiving->inbox);
}

/* End with this code, unless answers are still on their way: then it is 1. */
static void finish(struct receiving *receiving, enum exit_code code)
{
    const struct report *report = receiving->context->report;
    size_t waiting = engine_waiting(receiving->agent.engine);
    size_t late = receiving->answers.count, lost = receiving->lost_answers;

    if (agent_has_ended(&receiving->agent))
        return;
    if (late > 0 || lost > 0) {
        report_error(report, "answers", NULL,
            "%zu answer%s not accepted yet, but in the outbox; %zu could not be sent", late,
            late == 1 ? " is" : "s are", lost);
        code = EXIT_FAILED;
    } else if (waiting > 0) {
        report_note(report, "%zu message%s in the outbox", waiting, waiting == 1 ? " is" : "s are");
    }
    agent_end(&receiving->agent, code);
}

static void finish_if_done(struct receiving *receiving)
{
    bool is_settled = agent_is_settled(&receiving->agent);
    bool is_done = has_all(receiving) && is_settled;

    /* An answer that was given before there was a connection goes out with it. */
    if (has_enough(receiving))
        is_done = is_settled || receiving->answers.count == 0;
    if (pending_in_flight(&receiving->answers) > 0)
        return;
    if (receiving->is_interrupted)
        finish(receiving, receiving->follows ? EXIT_DONE : EXIT_FAILED);
    else if (is_done && receiving->reply == NULL)
        finish(receiving, EXIT_DONE);
}

static void on_silence(uv_timer_t *timer)
{
    struct receiving *receiving = timer->data;
    const struct report *report = receiving->context->report;
    uint64_t seconds = receiving->timeout_ms / 1000;

    /* A command, and the relay's answer to what it said, have limits of their own. */
    if (receiving->reply != NULL || pending_in_flight(&receiving->answers) > 0) {
        (void)uv_timer_again(timer);
    } else if (receiving->follows || has_all(receiving)) {
        finish(receiving, EXIT_DONE);
    } else {
        report_error(report, "timeout", NULL,
            "silence for %" PRIu64 " s, after %" PRIu64 " message%s", seconds,
            receiving->shown_count, receiving->shown_count == 1 ? "" : "s");
        agent_end(&receiving->agent, EXIT_FAILED);
    }
}

static void restart_silence(struct receiving *receiving)
{
    if (receiving->timeout_ms > 0)
        (void)uv_timer_start(
            &receiving->silence, on_silence, receiving->timeout_ms, receiving->timeout_ms);
}

/* ---- showing ---- */

/* Only now the message is not shown again, also not after a crash. */
static bool mark_shown(struct receiving *receiving)
{
    return agent_shown(&receiving->agent, receiving->item.number) == SIGNET_OK;
}

static enum signet_err print(struct receiving *receiving, const struct message *message)
{
    struct signet_buf out = {0};
    enum signet_err err;

    if (message == NULL)
        err = show_damaged(&receiving->show, receiving->item.number, &out);
    else
        err = show_message(&receiving->show, message, clock_wall_ms(), &out);
    if (err != SIGNET_OK)
        agent_report(&receiving->agent.place, err);
    else
        err = report_result(receiving->context->report, signet_buf_span(&out));
    signet_buf_free(&out);
    return err;
}

static void on_reply(void *ctx, const char *problem, signet_span answer)
{
    struct receiving *receiving = ctx;
    char peer[SIGNET_ID_TEXT_SIZE];
    struct engine_text text = {.peer = peer, .text = answer, .is_automatic = true};
    struct message message = {0};
    enum signet_err err = SIGNET_OK;

    receiving->reply = NULL;
    if (problem != NULL)
        report_note(receiving->context->report, "no answer from the reply command: %s", problem);
    if (problem == NULL && answer.len > 0 &&
        inbox_read(&receiving->agent, &receiving->item, &message) == SIGNET_OK) {
        signet_id_text(&message.address, peer);
        text.token = ++receiving->last_token;
        err = pending_add(&receiving->answers, text.token);
        if (err == SIGNET_OK)
            err = agent_send(&receiving->agent, &text);
    }
    message_clear(&message);
    if (err != SIGNET_OK || !mark_shown(receiving)) {
        agent_end(&receiving->agent, EXIT_FAILED);
        return;
    }
    restart_silence(receiving);
    show_next(receiving);
}

/* Whoever tries addresses must not learn from an answer who reads here, and when. Only the operator
 * is there to answer anyone. */
static bool may_answer(const struct receiving *receiving, const struct person *person)
{
    if (person->state != CONTACT_NEW ||
        strcmp(engine_name(receiving->agent.engine), OPERATOR_NAME) == 0)
        return true;
    report_note(receiving->context->report,
        "%s is new and gets no automatic answer; answers begin with signet contacts accept, or "
        "when you write",
        person->name);
    return false;
}

static bool start_reply(struct receiving *receiving, const struct message *message)
{
    const struct person *person = NULL;
    char address[SIGNET_ID_TEXT_SIZE], id[SIGNET_ID_TEXT_SIZE];
    struct reply_request request = {
        .command = receiving->command,
        .text = signet_buf_span(&message->text),
        .on_done = on_reply,
        .ctx = receiving,
    };

    if (people_find(&receiving->show.people, &message->address, &person) != SIGNET_OK)
        return false;
    if (!may_answer(receiving, person))
        return false;
    signet_id_text(&message->address, address);
    signet_id_text(&message->id, id);
    request.facts = (struct reply_facts){
        .from = person->name,
        .address = address,
        .id = id,
        .verdict = verdict_word(message->verdict),
        .contact = contact_state_word(person->state),
    };
    if (reply_start(agent_loop(&receiving->agent), &request, &receiving->reply) == SIGNET_OK)
        return true;
    report_note(receiving->context->report, "cannot run the reply command: %s", strerror(errno));
    return false;
}

/* Show the item, and give it to the command. */
static void show_item(struct receiving *receiving)
{
    struct message message = {0};
    enum signet_err err = inbox_read(&receiving->agent, &receiving->item, &message);
    bool is_there = err == SIGNET_OK;
    bool is_authentic = is_there && verdict_is_authentic(message.verdict);
    bool is_text = is_authentic && message.kind == SIGNET_KIND_TEXT;

    if (err == SIGNET_ERR_IO || err == SIGNET_ERR_NOMEM) {
        agent_report(&receiving->agent.place, err);
        agent_end(&receiving->agent, EXIT_FAILED);
        return;
    }
    if (print(receiving, is_there ? &message : NULL) != SIGNET_OK) {
        agent_end(&receiving->agent, EXIT_FAILED);
        goto out;
    }
    receiving->shown_count += is_text;
    receiving->has_refused |= is_there && (!is_authentic || message.verdict == VERDICT_FORK);
    restart_silence(receiving);
    if (receiving->command == NULL || !is_text || !start_reply(receiving, &message))
        (void)mark_shown(receiving);
out:
    message_clear(&message);
}

/* One after the other, so that a crash repeats no more than one. */
static void show_next(struct receiving *receiving)
{
    while (receiving->reply == NULL && !agent_has_ended(&receiving->agent) &&
           !has_enough(receiving) && inbox_take(&receiving->inbox, &receiving->item))
        show_item(receiving);
    finish_if_done(receiving);
}

/* ---- events ---- */

static void on_failed(struct receiving *receiving, const struct engine_event *event)
{
    bool is_kept = engine_problem_is_kept(event->problem);
    bool is_answer = is_kept ? pending_keep(&receiving->answers, event->token)
                             : pending_take(&receiving->answers, event->token);

    receiving->lost_answers += is_answer && !is_kept;

    report_note(receiving->context->report, "%s%s%s%s", is_answer ? "no answer to " : "",
        event->text, event->text[0] == '\0' ? "" : ": ", engine_problem_text(event->problem));
}

static void on_arrived(struct receiving *receiving, const struct engine_event *event)
{
    struct inbox_item item = {.number = event->number, .conversation = event->conversation};

    if (inbox_add(&receiving->inbox, &item) == SIGNET_OK) {
        show_next(receiving);
        return;
    }
    agent_report(&receiving->agent.place, SIGNET_ERR_NOMEM);
    agent_end(&receiving->agent, EXIT_FAILED);
}

static void on_event(void *ctx, const struct engine_event *event)
{
    struct receiving *receiving = ctx;

    switch (event->type) {
    case EVENT_STEP:
        explain_step(receiving->context->report, &event->step, ++receiving->steps);
        return;
    case EVENT_NOTE: report_note(receiving->context->report, "%s", event->text); return;
    case EVENT_CONTACT: people_forget(&receiving->show.people); return;
    case EVENT_READY:
        if (receiving->has_told_down)
            report_note(receiving->context->report, "connected again");
        receiving->has_been_ready = true;
        receiving->has_told_down = false;
        break;
    case EVENT_MESSAGE: on_arrived(receiving, event); return;
    case EVENT_DRAINED: receiving->has_drained = true; break;
    case EVENT_FAILED: on_failed(receiving, event); break;
    case EVENT_QUEUED: (void)pending_keep(&receiving->answers, event->token); break;
    case EVENT_ACCEPTED:
        (void)pending_take(&receiving->answers, event->token);
        restart_silence(receiving); /* sending is no silence */
        break;
    default: break;
    }
    finish_if_done(receiving);
}

static void on_settled(void *ctx)
{
    finish_if_done(ctx);
}

static void on_down(void *ctx, const struct agent_down *down)
{
    struct receiving *receiving = ctx;
    bool waits = receiving->follows || (receiving->count > 0 && receiving->has_been_ready);

    if (down->is_final || !waits) {
        agent_report_down(&receiving->agent, down);
        return;
    }
    if (!receiving->has_told_down)
        report_note(receiving->context->report, "%s; trying again", down->text);
    receiving->has_told_down = true;
    agent_retry(&receiving->agent);
}

static void on_interrupt(void *ctx, int signal)
{
    struct receiving *receiving = ctx;

    (void)signal;
    receiving->is_interrupted = true;
    agent_give_up(&receiving->agent);
    finish_if_done(receiving);
}

/* ---- beginning ---- */

static enum exit_code read_options(struct receiving *receiving)
{
    const struct context *context = receiving->context;
    uint64_t timeout_s = 0;

    receiving->follows = command_value(context->line, "follow") != NULL;
    receiving->command = command_value(context->line, "reply");
    if (command_number(context, "count", 1, INT64_MAX, &receiving->count) != SIGNET_OK)
        return EXIT_USAGE;
    if (command_number(context, "timeout", 1, TIMEOUT_MAX_S, &timeout_s) != SIGNET_OK)
        return EXIT_USAGE;
    if (receiving->follows && receiving->count > 0)
        return command_misused(context, "--follow and --count exclude each other");
    if (timeout_s == 0 && !receiving->follows)
        timeout_s = TIMEOUT_S;
    receiving->timeout_ms = timeout_s * 1000;
    return EXIT_DONE;
}

static enum exit_code check(const struct context *context)
{
    struct receiving unused = {.context = context};

    return read_options(&unused);
}

static enum signet_err begin(struct receiving *receiving)
{
    enum signet_err err = inbox_load(&receiving->inbox, &receiving->agent);

    if (err != SIGNET_OK) {
        agent_report(&receiving->agent.place, err);
        return err;
    }
    (void)uv_timer_init(agent_loop(&receiving->agent), &receiving->silence);
    receiving->silence.data = receiving;
    if ((err = agent_subscribe(&receiving->agent)) != SIGNET_OK)
        return err;
    restart_silence(receiving);
    show_next(receiving);
    if (!agent_has_ended(&receiving->agent))
        agent_connect(&receiving->agent);
    return SIGNET_OK;
}

static enum exit_code run(struct context *context)
{
    struct agent_place place = command_place(context, context->home);
    static const struct agent_handler handler = {.on_event = on_event,
        .on_down = on_down,
        .on_settled = on_settled,
        .on_interrupt = on_interrupt};
    struct receiving receiving = {.context = context, .show.json = context->line->json};
    enum exit_code code;

    if ((code = read_options(&receiving)) != EXIT_DONE)
        return code;
    code = EXIT_FAILED;
    if (agent_open_registered(&receiving.agent, &place) != SIGNET_OK)
        goto out;
    receiving.show.people.engine = receiving.agent.engine;
    if (agent_start(&receiving.agent, &handler, &receiving) != SIGNET_OK)
        goto out;
    if (begin(&receiving) == SIGNET_OK)
        code = agent_run(&receiving.agent);
out:
    reply_stop(receiving.reply);
    agent_close(&receiving.agent);
    people_clear(&receiving.show.people);
    inbox_free(&receiving.inbox);
    pending_free(&receiving.answers);
    return receiving.has_refused ? EXIT_REFUSED : code;
}

const struct command cmd_receive = {
    .name = "receive",
    .usage = "receive [--follow] [--count N] [--timeout SECONDS] [--reply COMMAND]",
    .summary = "show the messages that have come",
    .help =
        "Shows what waits, and is done. The reply command gets each text on its standard input,\n"
        "and SIGNET_FROM, SIGNET_ADDRESS, SIGNET_ID, SIGNET_VERDICT and SIGNET_CONTACT in its\n"
        "environment; what it prints within 30 seconds is sent back, unless it fails. Contacts\n"
        "that are new get no answer, except from the account called operator.\n"
        "The exit code is 3 where a message was refused, or is one of a fork, whatever else came.",
    .options =
        {
            {"follow", NULL, "go on until interrupted, or silent for --timeout"},
            {"count", "N", "go on until N messages were shown"},
            {"timeout", "SECONDS", "how long silence may last; with --count 10"},
            {"reply", "COMMAND", "answer each message with the output of a command"},
        },
    .max_args = 0,
    .needs = NEEDS_HOME,
    .check = check,
    .run = run,
};
