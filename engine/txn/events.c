/* What a call has to tell: events, explained steps, frames for the relay. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/txn/txn.h"

/* Frames stay below what the relay accepts, with room for the largest single message. */
enum { FRAME_MAX = 65536 };

void event_append(
    struct engine_event **first, struct engine_event **last, struct engine_event *event)
{
    if (*last != NULL)
        (*last)->next = event;
    else
        *first = event;
    *last = event;
}

struct engine_event *txn_event(struct txn *t, enum engine_event_type type)
{
    struct engine_event *event = calloc(1, sizeof(*event));

    if (event == NULL)
        return NULL;
    event->type = type;
    event_append(&t->output->first_event, &t->output->last_event, event);
    return event;
}

enum signet_err txn_note(struct txn *t, const char *format, ...)
{
    struct engine_event *event = txn_event(t, EVENT_NOTE);
    va_list args;

    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    va_start(args, format);
    (void)vsnprintf(event->text, sizeof(event->text), format, args);
    va_end(args);
    return SIGNET_OK;
}

enum signet_err txn_queued(struct txn *t, uint64_t token, const struct signet_id *entry)
{
    struct engine_event *event;

    if (token == 0)
        return SIGNET_OK;
    event = txn_event(t, EVENT_QUEUED);
    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->token = token;
    if (entry != NULL)
        event->id = *entry;
    return SIGNET_OK;
}

enum signet_err txn_fail(
    struct txn *t, enum engine_problem problem, uint64_t token, const char *whom)
{
    struct engine_event *event = txn_event(t, EVENT_FAILED);

    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->problem = problem;
    event->token = token;
    (void)snprintf(event->text, sizeof(event->text), "%s", whom);
    return SIGNET_OK;
}

enum signet_err txn_contact(struct txn *t, const struct signet_id *address)
{
    struct engine_event *event = txn_event(t, EVENT_CONTACT);

    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->address = *address;
    return SIGNET_OK;
}

enum signet_err txn_explain(struct txn *t, const char *serves, const char *what,
    const char *algorithm, const char *format, ...)
{
    struct engine_event *event;
    va_list args;

    if (!t->explain)
        return SIGNET_OK;
    event = txn_event(t, EVENT_STEP);
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

enum signet_err txn_send(struct txn *t, const struct relay_message *message)
{
    struct engine_frame *frame = t->output->last_frame;
    size_t more = message->envelope.len + message->card.len + message->bundle.len;

    if (frame == NULL || frame->bytes.len + more > FRAME_MAX)
        frame = add_frame(t->output);
    if (frame == NULL)
        return SIGNET_ERR_NOMEM;
    return relay_message_write(message, &frame->bytes);
}
