/* How a link hands on: what the engine has told, and that the connection is down. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/link/link_internal.h"

/* Whether the engine has given this connection up: its problem is then not that of one message. */
static bool has_stopped(const struct link *link, const struct engine_event *event)
{
    return event->type == EVENT_FAILED && event->token == 0 &&
           engine_is_stopped(link->agent->engine);
}

/* Problems that will be the same at the next connection. */
static bool is_final(enum engine_problem problem)
{
    switch (problem) {
    case PROBLEM_NAME_TAKEN:
    case PROBLEM_NAME_NOT_ALLOWED:
    case PROBLEM_INVITATION:
    case PROBLEM_CLOSED:
    case PROBLEM_CLOCK:
    case PROBLEM_LOGIN:
    case PROBLEM_OLD_STORE: return true;
    default: return false;
    }
}

static void engine_stopped(struct link *link, const struct engine_event *event)
{
    struct link_down down = {
        .code = engine_problem_word(event->problem),
        .hint = engine_problem_hint(event->problem),
        .exit_code = engine_problem_is_refusal(event->problem) ? EXIT_REFUSED : EXIT_FAILED,
        .is_final = is_final(event->problem),
    };

    (void)snprintf(down.text, sizeof(down.text), "%s%s%s", event->text,
        event->text[0] == '\0' ? "" : ": ", engine_problem_text(event->problem));
    link_dial_stop(link);
    link->is_open = link->is_ready = false;
    link_failed(link, &down);
    (void)link_disconnected(link); /* an error has ended the link */
}

static void deliver_event(struct link *link, const struct engine_event *event)
{
    if (event->type == EVENT_READY) {
        link->is_ready = true;
        link->pause_ms = 0;
        (void)uv_timer_stop(&link->patience);
    }
    if (has_stopped(link, event))
        engine_stopped(link, event);
    else
        link->handler->on_event(link->ctx, event);
}

void link_deliver(struct link *link)
{
    struct engine_event *event;

    if (link->is_delivering)
        return;
    link->is_delivering = true;
    while (!link->has_ended) {
        event = link->first_event;
        if (event != NULL) {
            link->first_event = event->next;
            if (link->first_event == NULL)
                link->last_event = NULL;
            deliver_event(link, event);
            free(event);
        } else if (link->has_offline_texts) {
            link->has_offline_texts = false;
            if (!link->is_open) /* else they go out by the connection that has opened since */
                (void)link_disconnected(link); /* to the outbox; an error has ended the link */
        } else if (link->has_down) {
            link->has_down = false;
            link->handler->on_down(link->ctx, &link->down);
        } else {
            break;
        }
    }
    if (!link->has_ended && link->handler->on_settled != NULL && link_is_settled(link))
        link->handler->on_settled(link->ctx);
    link->is_delivering = false;
    if (!link->has_ended && link->first_event != NULL)
        link_deliver_later(link);
}

void link_on_turn(uv_timer_t *timer)
{
    link_deliver(timer->data);
}
