/* What an agent has yet to tell: events of the engine, in order, that the connection is down, that
 * the end has come. */
#include "agent/online.h"

bool agent_is_usable(const struct agent *agent)
{
    return !agent->online->has_ended && !agent->is_broken;
}

bool agent_is_ready(const struct agent *agent)
{
    return agent->online->is_ready;
}

bool agent_is_settled(const struct agent *agent)
{
    return agent->online->is_ready && agent->online->first_event == NULL &&
           engine_is_settled(agent->engine);
}

/* ---- events ---- */

void agent_add_event(struct agent *agent, struct engine_event *event)
{
    struct agent_online *online = agent->online;

    event->next = NULL;
    if (online->last_event != NULL)
        online->last_event->next = event;
    else
        online->first_event = event;
    online->last_event = event;
}

struct engine_event *agent_take_event(struct agent *agent)
{
    struct agent_online *online = agent->online;
    struct engine_event *event = online->first_event;

    if (event == NULL)
        return NULL;
    online->first_event = event->next;
    if (online->first_event == NULL)
        online->last_event = NULL;
    return event;
}

void agent_deliver_later(struct agent *agent)
{
    struct agent_online *online = agent->online;

    if (!online->is_delivering)
        (void)uv_timer_start(&online->turn, online->on_turn, 0, 0);
}

void agent_failed(struct agent *agent, const struct agent_down *down)
{
    agent->online->down = *down;
    agent->online->has_down = true;
    agent_deliver_later(agent);
}

/* ---- the end ---- */

void agent_end(struct agent *agent, enum exit_code code)
{
    struct agent_online *online = agent->online;

    if (online->has_ended)
        return;
    online->has_ended = true;
    online->code = code;
    link_stop(online->link);
    uv_stop(&online->loop);
}

bool agent_has_ended(const struct agent *agent)
{
    return agent->online->has_ended;
}

void agent_report_down(struct agent *agent, const struct agent_down *down)
{
    report_error(agent->place.report, down->code, down->hint, "%s", down->text);
    agent_end(agent, down->exit_code);
}
