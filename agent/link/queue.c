/* What a link has yet to tell: events of the engine, in order, and that the connection is down. */
#include <stdio.h>

#include "agent/link/link_internal.h"

bool link_is_usable(const struct link *link)
{
    return !link->has_ended && !link->agent->is_broken;
}

void link_add_event(struct link *link, struct engine_event *event)
{
    event->next = NULL;
    if (link->last_event != NULL)
        link->last_event->next = event;
    else
        link->first_event = event;
    link->last_event = event;
}

void link_deliver_later(struct link *link)
{
    if (!link->is_delivering)
        (void)uv_timer_start(&link->turn, link->on_turn, 0, 0);
}

void link_failed(struct link *link, const struct link_down *down)
{
    link->down = *down;
    link->has_down = true;
    link_deliver_later(link);
}

void link_unreachable(struct link *link, const char *why)
{
    struct link_down down = {
        .code = "unreachable",
        .hint = "is the relay running, and this machine connected?",
        .exit_code = EXIT_FAILED,
    };

    (void)snprintf(
        down.text, sizeof(down.text), "cannot reach the relay at %s: %s", link->authority, why);
    link_failed(link, &down);
}

bool link_is_settled(const struct link *link)
{
    return link->is_ready && link->first_event == NULL && engine_is_settled(link->agent->engine);
}

void link_end(struct link *link, enum exit_code code)
{
    if (link->has_ended)
        return;
    link->has_ended = true;
    link->code = code;
    uv_stop(&link->uv);
}
