/* How an agent hands on: what the engine has told, and that the connection is down. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/online.h"

/* Whether the engine has given this connection up: its problem is then not that of one message. */
static bool has_stopped(const struct agent *agent, const struct engine_event *event)
{
    return event->type == EVENT_FAILED && event->token == 0 && engine_is_stopped(agent->engine);
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

static void engine_stopped(struct agent *agent, const struct engine_event *event)
{
    struct agent_down down = {
        .code = engine_problem_word(event->problem),
        .hint = engine_problem_hint(event->problem),
        .exit_code = engine_problem_is_refusal(event->problem) ? EXIT_REFUSED : EXIT_FAILED,
        .is_final = is_final(event->problem),
    };

    (void)snprintf(down.text, sizeof(down.text), "%s%s%s", event->text,
        event->text[0] == '\0' ? "" : ": ", engine_problem_text(event->problem));
    link_drop(agent->online->link);
    agent->online->is_ready = false;
    agent_failed(agent, &down);
    (void)agent_disconnected(agent); /* an error has ended the agent */
}

static void deliver_event(struct agent *agent, const struct engine_event *event)
{
    struct agent_online *online = agent->online;

    if (event->type == EVENT_READY) {
        online->is_ready = true;
        link_let_in(online->link);
    }
    if (has_stopped(agent, event))
        engine_stopped(agent, event);
    else
        online->handler->on_event(online->ctx, event);
}

void agent_deliver(struct agent *agent)
{
    struct agent_online *online = agent->online;
    struct engine_event *event;

    if (online->is_delivering)
        return;
    online->is_delivering = true;
    while (!online->has_ended) {
        if ((event = agent_take_event(agent)) != NULL) {
            deliver_event(agent, event);
            free(event);
        } else if (online->has_offline_texts) {
            online->has_offline_texts = false;
            /* Else they go out by the connection that has opened since. */
            if (!link_is_open(online->link))
                (void)agent_disconnected(agent); /* to the outbox; an error has ended the agent */
        } else if (online->has_down) {
            online->has_down = false;
            online->handler->on_down(online->ctx, &online->down);
        } else {
            break;
        }
    }
    if (!online->has_ended && online->handler->on_settled != NULL && agent_is_settled(agent))
        online->handler->on_settled(online->ctx);
    online->is_delivering = false;
    if (!online->has_ended && online->first_event != NULL)
        agent_deliver_later(agent);
}

void agent_on_turn(uv_timer_t *timer)
{
    agent_deliver(timer->data);
}
