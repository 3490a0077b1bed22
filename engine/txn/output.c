/* What comes out of the engine: events, explained steps, frames for the relay. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"

/* Frames stay below what the relay accepts, with room for the largest single message. */
enum {
    FRAME_MAX = 65536,
    HELD_MAX = 64,  /* a relay that does not answer must not keep messages from the person, */
    HELD_MS = 5000, /* nor for long */
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
    request->asked_at = e->now_ms;
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

/* Until when the name of an address is awaited; 0: it is not. */
static uint64_t awaited_until(const struct engine *e, const struct signet_id *address)
{
    for (const struct request *r = e->requests; r != NULL; r = r->next) {
        if (r->type == REQUEST_FIND_ADDRESS && !r->is_given_up &&
            signet_id_equal(&r->address, address))
            return r->asked_at + HELD_MS;
    }
    return 0;
}

uint64_t engine_held_until(const struct engine *e)
{
    uint64_t first = UINT64_MAX;

    for (const struct engine_event *event = e->first_held; event != NULL; event = event->next) {
        uint64_t until = awaited_until(e, &event->address);

        if (event->type == EVENT_MESSAGE && until < first)
            first = until;
    }
    return first;
}

/* A message to be shown with a name; or the end of what waited, where such a message is held. */
static bool is_to_hold(const struct engine *e, const struct engine_event *event)
{
    if (event->type == EVENT_MESSAGE)
        return awaited_until(e, &event->address) > e->now_ms;
    return event->type == EVENT_DRAINED && e->first_held != NULL;
}

/* Take out of the events those that tell who somebody is. */
static struct engine_event *take_contacts(struct engine_output *output)
{
    struct engine_event *event = output->first_event, *first = NULL, *last = NULL, *next;

    output->first_event = output->last_event = NULL;
    for (; event != NULL; event = next) {
        next = event->next;
        event->next = NULL;
        if (event->type == EVENT_CONTACT)
            link_event(&first, &last, event);
        else
            link_event(&output->first_event, &output->last_event, event);
    }
    return first;
}

void engine_hold_events(struct engine *e)
{
    /* Who somebody is, before what they have said; and what is held already is older than what this
     * call brought. */
    struct engine_event *lists[3] = {take_contacts(e->output), e->first_held};
    bool has_room = e->held_count < HELD_MAX;

    lists[2] = e->output->first_event;
    e->first_held = e->last_held = NULL;
    e->output->first_event = e->output->last_event = NULL;
    e->held_count = 0;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct engine_event *next;

        for (struct engine_event *event = lists[i]; event != NULL; event = next) {
            next = event->next;
            event->next = NULL;
            if (has_room && is_to_hold(e, event)) {
                link_event(&e->first_held, &e->last_held, event);
                e->held_count++;
            } else {
                link_event(&e->output->first_event, &e->output->last_event, event);
            }
        }
    }
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
