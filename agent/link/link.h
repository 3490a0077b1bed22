/*
 * An engine at its relay: finds and connects to it, carries bytes both ways, puts on disk what the
 * engine changes before anything of it leaves, and hands on its events.
 *
 * A link runs its own libuv loop in one thread; commands live in the handler's calls and in
 * handles of their own on the same loop.
 */
#ifndef AGENT_LINK_LINK_H
#define AGENT_LINK_LINK_H

#include <uv.h>

#include "agent/agent.h"

struct link;

/* Why there is no connection. */
struct link_down {
    const char *code; /* a word for scripts */
    const char *hint; /* NULL: nothing to say */
    enum exit_code exit_code;
    bool is_final;  /* trying again would not help */
    char text[512]; /* a sentence for report_error */
};

/* None of these is called inside a call of the owner. */
struct link_handler {
    /* What the engine tells. Of EVENT_FAILED only what is about messages comes by here. */
    void (*on_event)(void *ctx, const struct engine_event *event);
    /* Could not connect, or the connection has ended: link_report_down, or link_retry. */
    void (*on_down)(void *ctx, const struct link_down *down);
    /* All that was asked of the relay is answered; comes often. NULL: not wanted. */
    void (*on_settled)(void *ctx);
    /* The person, or the system, asks us to end. NULL: with EXIT_FAILED. */
    void (*on_interrupt)(void *ctx, int signal);
};

/* Make a link; nothing happens before link_connect. The agent is borrowed. Reports. */
SIGNET_MUST_USE enum signet_err link_new(
    struct agent *agent, const struct link_handler *handler, void *ctx, struct link **link_out);
/* Drops a connection, and closes the handles that the owner has on the loop. NULL is fine. */
void link_free(struct link *link);

uv_loop_t *link_loop(struct link *link);
/* HOST:PORT */
const char *link_relay(const struct link *link);
/* Logged in, and not down since. */
bool link_is_ready(const struct link *link);

/* Ready, all that was asked of the relay is answered, and told to the handler. */
bool link_is_settled(const struct link *link);

/* Connect to the relay now. */
void link_connect(struct link *link);
/* Connect again after a pause, which grows from one to thirty seconds while that fails. */
void link_retry(struct link *link);
/* The relay is not waited for any more: EVENT_QUEUED or FAILED follows for each text that it has not
 * accepted, and says what became of it. What is written to the connection still goes out. */
void link_give_up(struct link *link);
/* Run until link_end was called, and return its code. What is on its way to the relay is written
 * before; the relay's goodbye is not waited for. */
enum exit_code link_run(struct link *link);
/* The first code given counts. */
void link_end(struct link *link, enum exit_code code);
bool link_has_ended(const struct link *link);
/* Report why there is no connection, and end with the code for it. */
void link_report_down(struct link *link, const struct link_down *down);

/*
 * The engine's calls of the same names, with their output on its way. After an error, which is
 * reported, the link has ended with EXIT_FAILED.
 */
SIGNET_MUST_USE enum signet_err link_send(struct link *link, const struct engine_text *text);
SIGNET_MUST_USE enum signet_err link_subscribe(struct link *link);
SIGNET_MUST_USE enum signet_err link_shown(struct link *link, uint64_t number);

#endif
