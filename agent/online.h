/* The inside of an agent that works with its relay, each file calling those after it: agent.c has
 * its life, relay.c what comes from the link and from the clock, events.c hands on to the owner,
 * settle.c is what follows every call of the engine, queue.c what is yet to be told. */
#ifndef AGENT_ONLINE_H
#define AGENT_ONLINE_H

#include "agent/agent.h"
#include "agent/link/link.h"

enum { AGENT_SIGNALS = 3 };

struct agent_online {
    const struct agent_handler *handler;
    void *ctx;
    uv_loop_t loop;
    struct link *link;

    uv_signal_t signals[AGENT_SIGNALS];
    uv_timer_t turn;  /* hands on what a call of the owner has brought about */
    uv_timer_t watch; /* asks whether a connection has grown old */
    uv_timer_t quiet; /* since the last commit */
    uv_timer_t due;   /* for the engine's deadline */
    uv_timer_cb on_turn, on_due;

    bool is_ready; /* false, too, once the connection was given up */
    struct engine_event *first_event, *last_event;
    bool has_offline_texts; /* the engine was given texts while there was no connection */
    bool has_down;
    struct agent_down down;
    bool is_delivering, has_ended;
    enum exit_code code;
};

/* ---- relay.c ---- */

extern const struct link_handler agent_link_handler;

/* For the timers `due` and `watch`. */
void agent_on_due(uv_timer_t *timer);
void agent_on_watch(uv_timer_t *timer);

/* ---- events.c ---- */

/* Hand on events; not inside a call of the owner. */
void agent_deliver(struct agent *agent);
/* For the timer `turn`. */
void agent_on_turn(uv_timer_t *timer);

/* ---- settle.c ---- */

/* After every call of the engine: disk, then relay, then events. An error has been reported, and
 * has ended the agent. */
enum signet_err agent_settle(
    struct agent *agent, enum signet_err err, struct engine_output *output);
/* Tell the engine; errors as of agent_settle. */
enum signet_err agent_disconnected(struct agent *agent);

/* ---- queue.c ---- */

/* Neither ended nor broken. */
bool agent_is_usable(const struct agent *agent);
/* Takes the event over. */
void agent_add_event(struct agent *agent, struct engine_event *event);
/* The first event, to be freed; NULL: none. */
struct engine_event *agent_take_event(struct agent *agent);
/* Hand on events soon, outside of the call that brought them about. */
void agent_deliver_later(struct agent *agent);
/* There is no connection, and none under way. */
void agent_failed(struct agent *agent, const struct agent_down *down);

#endif
