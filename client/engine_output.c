/* What comes out of the engine: events, explained steps, frames for the relay. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/engine_internal.h"

/* Frames stay below what the relay accepts, with room for the largest single message. */
enum {
    FRAME_MAX = 65536,
    HELD_MAX = 64, /* a relay that does not answer must not keep messages from the person */
};

/* Append to a list of events. */
static void link_event(
    struct engine_event **first, struct engine_event **last, struct engine_event *event)
{
    if (*last != NULL)
        (*last)->next = event;
    else
        *first = event;
    *last = event;
}

struct engine_event *engine_event(struct engine *e, enum engine_event_type type)
{
    struct engine_event *event = calloc(1, sizeof(*event));

    if (event == NULL)
        return NULL;
    event->type = type;
    link_event(&e->output->first_event, &e->output->last_event, event);
    return event;
}

enum signet_err engine_note(struct engine *e, const char *format, ...)
{
    struct engine_event *event = engine_event(e, EVENT_NOTE);
    va_list args;

    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    va_start(args, format);
    (void)vsnprintf(event->text, sizeof(event->text), format, args);
    va_end(args);
    return SIGNET_OK;
}

enum signet_err engine_queued(struct engine *e, uint64_t token, const struct signet_id *entry)
{
    struct engine_event *event;

    if (token == 0)
        return SIGNET_OK;
    event = engine_event(e, EVENT_QUEUED);
    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->token = token;
    if (entry != NULL)
        event->id = *entry;
    return SIGNET_OK;
}

enum signet_err engine_fail(
    struct engine *e, enum engine_problem problem, uint64_t token, const char *whom)
{
    struct engine_event *event = engine_event(e, EVENT_FAILED);

    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->problem = problem;
    event->token = token;
    (void)snprintf(event->text, sizeof(event->text), "%s", whom);
    return SIGNET_OK;
}

enum signet_err engine_explain(struct engine *e, const char *serves, const char *what,
    const char *algorithm, const char *format, ...)
{
    struct engine_event *event;
    va_list args;

    if (!e->explain)
        return SIGNET_OK;
    event = engine_event(e, EVENT_STEP);
    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->step.serves = serves;
    event->step.what = what;
    event->step.algorithm = algorithm;
    va_start(args, format);
    (void)vsnprintf(event->step.detail, sizeof(event->step.detail), format, args);
    va_end(args);
    return SIGNET_OK;
}

static struct engine_frame *add_frame(struct engine_output *output)
{
    struct engine_frame *frame = calloc(1, sizeof(*frame));

    if (frame == NULL)
        return NULL;
    if (output->last_frame != NULL)
        output->last_frame->next = frame;
    else
        output->first_frame = frame;
    output->last_frame = frame;
    return frame;
}

enum signet_err engine_put_message(struct engine *e, const struct relay_message *message)
{
    struct engine_frame *frame = e->output->last_frame;
    size_t more = message->envelope.len + message->card.len + message->bundle.len;

    if (frame == NULL || frame->bytes.len + more > FRAME_MAX)
        frame = add_frame(e->output);
    if (frame == NULL)
        return SIGNET_ERR_NOMEM;
    return relay_message_write(message, &frame->bytes);
}

enum signet_err engine_ask(struct engine *e, enum request_type type, struct relay_message *message,
    struct request **request_out)
{
    struct request *request = calloc(1, sizeof(*request));
    enum signet_err err;

    *request_out = NULL;
    if (request == NULL)
        return SIGNET_ERR_NOMEM;
    request->req = ++e->next_req;
    request->type = type;
    message->req = request->req;
    if ((err = engine_put_message(e, message)) != SIGNET_OK) {
        free(request);
        return err;
    }
    request->next = e->requests;
    e->requests = request;
    *request_out = request;
    return SIGNET_OK;
}

static bool is_name_awaited(const struct engine *e)
{
    for (const struct request *r = e->requests; r != NULL; r = r->next) {
        if (r->type == REQUEST_FIND_ADDRESS)
            return true;
    }
    return false;
}

/* Move the messages, and the end of what waited, out of the output. */
static void hold(struct engine *e)
{
    struct engine_event *event = e->output->first_event;

    e->output->first_event = NULL;
    e->output->last_event = NULL;
    while (event != NULL) {
        struct engine_event *next = event->next;

        event->next = NULL;
        if (event->type == EVENT_MESSAGE || event->type == EVENT_DRAINED) {
            link_event(&e->first_held, &e->last_held, event);
            e->held_count++;
        } else
            link_event(&e->output->first_event, &e->output->last_event, event);
        event = next;
    }
}

void engine_hold_events(struct engine *e)
{
    bool is_awaited = is_name_awaited(e);

    if (!is_awaited && e->first_held == NULL)
        return;
    /* What is held already is older than what this call brought. */
    hold(e);
    if (is_awaited && e->held_count < HELD_MAX)
        return;
    if (e->first_held == NULL)
        return;
    link_event(&e->output->first_event, &e->output->last_event, e->first_held);
    e->output->last_event = e->last_held;
    e->first_held = NULL;
    e->last_held = NULL;
    e->held_count = 0;
}

struct engine_event *engine_output_event(struct engine_output *output)
{
    struct engine_event *event = output->first_event;

    if (event == NULL)
        return NULL;
    output->first_event = event->next;
    if (output->first_event == NULL)
        output->last_event = NULL;
    event->next = NULL;
    return event;
}

struct engine_frame *engine_output_frame(struct engine_output *output)
{
    struct engine_frame *frame = output->first_frame;

    if (frame == NULL)
        return NULL;
    output->first_frame = frame->next;
    if (output->first_frame == NULL)
        output->last_frame = NULL;
    frame->next = NULL;
    return frame;
}

void engine_frame_free(struct engine_frame *frame)
{
    if (frame == NULL)
        return;
    signet_buf_free(&frame->bytes);
    free(frame);
}

void engine_output_clear(struct engine_output *output)
{
    struct engine_frame *frame;
    struct engine_event *event;

    record_batch_clear(&output->changes);
    while ((frame = engine_output_frame(output)) != NULL)
        engine_frame_free(frame);
    while ((event = engine_output_event(output)) != NULL)
        free(event);
}
