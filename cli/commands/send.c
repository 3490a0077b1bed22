/* signet send: sign, seal and hand messages to the relay; done when it has accepted them. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands/commands.h"
#include "cli/explain.h"
#include "cli/pending.h"
#include "cli/problem.h"
#include "io/clock.h"
#include "term/input.h"
#include "term/json.h"
#include "term/text.h"

enum {
    IN_FLIGHT_MAX = 64, /* lines handed to the engine and not accepted yet */
    SETTLE_MS = 2000,   /* for what the outbox held from earlier */
};

struct sending {
    const struct context *context;
    struct agent agent;
    const char *peer;
    struct signet_buf text; /* without --lines: the one message */
    bool is_lines;
    struct input input;
    bool has_begun;     /* texts are handed to the engine now */
    bool is_input_over; /* there will be no more of them */
    bool has_failed;    /* no use in sending more: the cause was reported */
    bool is_settling;
    uint64_t last_token;
    struct pending in_flight;
    size_t queued, accepted;
    size_t line_count; /* read */
    bool has_flaw;     /* the last of them */
    struct text_flaw flaw;
    enum exit_code code;
    unsigned steps;
    struct agent_down down; /* why messages are queued */
    uv_timer_t settle;
};

/* ---- texts ---- */

/* Standard input as one message, without the line feed that ends it. Reports. */
static bool read_text(struct sending *sending)
{
    struct signet_buf *text = &sending->text;
    enum signet_err err = input_read_all(STDIN_FILENO, SIGNET_TEXT_MAX + 1, text);

    /* Over the limit it is refused afterwards. */
    if (err != SIGNET_OK && err != SIGNET_ERR_LIMIT) {
        report_error(sending->context->report, "input", NULL, "cannot read standard input: %s",
            err == SIGNET_ERR_IO ? strerror(errno) : signet_err_text(err));
        return false;
    }
    if (text->len > 0 && text->ptr[text->len - 1] == '\n')
        signet_buf_truncate(text, text->len - 1);
    return true;
}

/* Find the one message, if it is one. Reports. */
static bool take_text(struct sending *sending)
{
    const struct command_line *line = sending->context->line;
    const char *given = line->arg_count > 1 ? line->args[1] : "-";
    bool is_given = line->arg_count > 1; /* else reading ended at the limit */
    struct text_flaw flaw;

    if (strcmp(given, "-") == 0) {
        if (!read_text(sending))
            return false;
    } else if (signet_buf_append(&sending->text, signet_span_str(given)) != SIGNET_OK) {
        report_error(sending->context->report, "machine", NULL, "out of memory");
        return false;
    }
    if (!text_has_flaw(signet_buf_span(&sending->text), is_given, &flaw))
        return true;
    report_error(
        sending->context->report, engine_problem_word(PROBLEM_TEXT), flaw.hint, "%s", flaw.what);
    return false;
}

/* ---- end ---- */

static void report_queued(struct sending *sending)
{
    const struct agent_down *down = &sending->down;
    const char *hint = "the next signet command that reaches the relay sends what is queued";

    report_error(sending->context->report, down->is_final ? down->code : "queued",
        down->is_final ? down->hint : hint, "%s; %zu message%s queued in the outbox",
        down->text[0] != '\0' ? down->text : "not accepted yet", sending->queued,
        sending->queued == 1 ? " is" : "s are");
}

/* Told when it is known what became of the lines before it. */
static void report_flaw(struct sending *sending)
{
    report_error(sending->context->report, engine_problem_word(PROBLEM_TEXT), sending->flaw.hint,
        "line %zu: %s; %zu message%s accepted, nothing from this line on was sent",
        sending->line_count, sending->flaw.what, sending->accepted,
        sending->accepted == 1 ? " was" : "s were");
}

static void on_settled_late(uv_timer_t *timer)
{
    struct sending *sending = timer->data;

    agent_end(&sending->agent, sending->code);
}

/* What the outbox holds from earlier goes out, too, while we are here. */
static void finish_if_done(struct sending *sending)
{
    if (!sending->has_begun || !sending->is_input_over || sending->in_flight.count > 0)
        return;
    /* The connection has just been lost: why, is told next. */
    if (!agent_is_ready(&sending->agent) && sending->down.text[0] == '\0')
        return;
    if (!sending->is_settling) {
        sending->is_settling = true;
        if (sending->has_flaw)
            report_flaw(sending);
        if (sending->queued > 0 && !sending->has_failed)
            report_queued(sending);
        else if (sending->queued > 0)
            report_note(sending->context->report, "%zu more in the outbox", sending->queued);
        if (sending->queued > 0 && sending->code == EXIT_DONE)
            sending->code =
                sending->down.exit_code == EXIT_DONE ? EXIT_FAILED : sending->down.exit_code;
        (void)uv_timer_start(&sending->settle, on_settled_late, SETTLE_MS * clock_patience(), 0);
    }
    if (!agent_is_ready(&sending->agent) || engine_is_settled(sending->agent.engine))
        agent_end(&sending->agent, sending->code);
}

static void stop_reading(struct sending *sending)
{
    input_stop(&sending->input);
    sending->is_input_over = true;
}

/* ---- sending ---- */

static void send_text(struct sending *sending, signet_span text)
{
    struct engine_text engine_text = {
        .peer = sending->peer, .text = text, .token = ++sending->last_token};

    if (pending_add(&sending->in_flight, engine_text.token) != SIGNET_OK) {
        agent_report(&sending->agent.place, SIGNET_ERR_NOMEM);
        agent_end(&sending->agent, EXIT_FAILED);
    }
    if (agent_send(&sending->agent, &engine_text) != SIGNET_OK)
        stop_reading(sending); /* the agent has ended */
}

static void on_line(void *ctx, signet_span line)
{
    struct sending *sending = ctx;

    sending->line_count++;
    if (line.len == 0)
        return;
    if (text_has_flaw(line, false, &sending->flaw)) {
        sending->has_flaw = true;
        sending->has_failed = true;
        sending->code = EXIT_FAILED;
        stop_reading(sending);
        finish_if_done(sending);
        return;
    }
    send_text(sending, line);
    if (sending->in_flight.count >= IN_FLIGHT_MAX)
        input_pause(&sending->input, true);
}

static void on_input_end(void *ctx, enum signet_err err)
{
    struct sending *sending = ctx;

    sending->is_input_over = true;
    if (err != SIGNET_OK) {
        sending->has_failed = true;
        sending->code = EXIT_FAILED;
        report_error(sending->context->report, "input", NULL, "cannot read standard input: %s",
            signet_err_text(err));
    }
    finish_if_done(sending);
}

/* Logged in, or it is certain that we will not be: the engine may have the texts. */
static void begin(struct sending *sending)
{
    static const struct input_handler handler = {.on_line = on_line, .on_end = on_input_end};

    if (sending->has_begun)
        return;
    sending->has_begun = true;
    if (!sending->is_lines) {
        sending->is_input_over = true;
        send_text(sending, signet_buf_span(&sending->text));
        return;
    }
    sending->input = (struct input){
        .handler = &handler, .ctx = sending, .line_max = SIGNET_TEXT_MAX, .fd = STDIN_FILENO};
    if (input_start(&sending->input, agent_loop(&sending->agent)) != SIGNET_OK)
        on_input_end(sending, SIGNET_ERR_IO);
}

/* ---- events ---- */

static void print_accepted(struct sending *sending, const struct engine_event *event)
{
    char id[SIGNET_ID_TEXT_SIZE];
    struct signet_buf out = {0};
    struct json json;
    enum signet_err err;

    signet_id_text(&event->id, id);
    if (!sending->context->line->json) {
        if (!sending->is_lines)
            report_note(sending->context->report, "accepted for %s; id %s", sending->peer, id);
        return;
    }
    json_begin(&json, &out);
    json_object(&json, NULL);
    json_text(&json, "id", id);
    json_text(&json, "to", sending->peer);
    json_u64(&json, "accepted_at", event->at);
    json_end(&json);
    if ((err = json_finish(&json)) == SIGNET_OK)
        err = report_result(sending->context->report, signet_buf_span(&out));
    if (err != SIGNET_OK)
        sending->code = EXIT_FAILED; /* the cause is told at the end of the process */
    signet_buf_free(&out);
}

static void on_failed(struct sending *sending, const struct engine_event *event)
{
    enum exit_code code;

    if (!pending_take(&sending->in_flight, event->token)) {
        report_note(sending->context->report, "%s%s%s", event->text,
            event->text[0] == '\0' ? "" : ": ", engine_problem_text(event->problem));
        return;
    }
    stop_reading(sending);
    if (sending->has_failed)
        return; /* the same cause, once for each message on its way */
    sending->has_failed = true;
    /* A name that cannot be asked for is not the cause: the relay out of reach is. */
    if (event->problem == PROBLEM_OFFLINE && sending->down.text[0] != '\0') {
        report_error(sending->context->report, sending->down.code,
            engine_problem_hint(event->problem), "%s; %s is %s", sending->down.text, sending->peer,
            engine_problem_text(event->problem));
        code = sending->down.exit_code;
    } else {
        code = problem_report(sending->context->report, event);
    }
    sending->code = code;
}

static void on_event(void *ctx, const struct engine_event *event)
{
    struct sending *sending = ctx;

    switch (event->type) {
    case EVENT_STEP: explain_step(sending->context->report, &event->step, ++sending->steps); return;
    case EVENT_NOTE: report_note(sending->context->report, "%s", event->text); break;
    case EVENT_READY: begin(sending); break;
    case EVENT_ACCEPTED:
        if (pending_take(&sending->in_flight, event->token)) {
            sending->accepted++;
            print_accepted(sending, event);
        }
        break;
    case EVENT_QUEUED: sending->queued += pending_take(&sending->in_flight, event->token); break;
    case EVENT_FAILED: on_failed(sending, event); break;
    default: break;
    }
    if (sending->is_lines && sending->has_begun && sending->in_flight.count < IN_FLIGHT_MAX / 2)
        input_pause(&sending->input, false);
    finish_if_done(sending);
}

/* Without the relay, messages go to the outbox. */
static void on_down(void *ctx, const struct agent_down *down)
{
    struct sending *sending = ctx;

    sending->down = *down;
    begin(sending);
    finish_if_done(sending);
}

static void on_settled(void *ctx)
{
    finish_if_done(ctx);
}

static void on_interrupt(void *ctx, int signal)
{
    struct sending *sending = ctx;

    (void)signal;
    stop_reading(sending);
    if (sending->in_flight.count == 0) {
        if (!sending->is_settling)
            report_note(sending->context->report, "interrupted; nothing is on its way");
        agent_end(&sending->agent, sending->is_settling ? sending->code : EXIT_FAILED);
        return;
    }
    sending->down =
        (struct agent_down){.code = "interrupted", .exit_code = EXIT_FAILED, .text = "interrupted"};
    agent_give_up(&sending->agent);
}

static enum exit_code run(struct context *context)
{
    struct agent_place place = command_place(context, context->home);
    static const struct agent_handler handler = {.on_event = on_event,
        .on_down = on_down,
        .on_settled = on_settled,
        .on_interrupt = on_interrupt};
    struct sending sending = {
        .context = context,
        .peer = context->line->args[0],
        .is_lines = command_value(context->line, "lines") != NULL,
    };
    enum exit_code code = EXIT_FAILED;

    if (sending.is_lines && context->line->arg_count > 1)
        return command_misused(context, "--lines reads standard input: give no text");
    if (!sending.is_lines && !take_text(&sending))
        goto out;
    if (agent_open_registered(&sending.agent, &place) != SIGNET_OK)
        goto out;
    if (agent_start(&sending.agent, &handler, &sending) != SIGNET_OK)
        goto out;
    (void)uv_timer_init(agent_loop(&sending.agent), &sending.settle);
    sending.settle.data = &sending;
    agent_connect(&sending.agent);
    code = agent_run(&sending.agent);
out:
    agent_close(&sending.agent);
    input_free(&sending.input);
    signet_buf_free(&sending.text);
    pending_free(&sending.in_flight);
    return code;
}

const struct command cmd_send = {
    .name = "send",
    .usage = "send PEER [TEXT | -] [--lines]",
    .summary = "sign, seal and send a message",
    .help =
        "PEER is a name or a fingerprint. Without TEXT, or with -, the message is what standard\n"
        "input gives, without the line feed at its end.\n"
        "Done when the relay has accepted it; where the relay cannot be reached, the message\n"
        "waits in the outbox for the next command that reaches it, and the exit code is 1.",
    .options = {{"lines", NULL,
        "send each line of standard input as a message; empty ones are "
        "passed over"}},
    .min_args = 1,
    .max_args = 2,
    .needs = NEEDS_HOME,
    .run = run,
};
