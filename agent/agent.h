/*
 * An agent owns one home, an engine on it, and the way to its relay. What the engine changes goes
 * to disk before anything of it leaves, and before anybody is told; what fails is told in words.
 *
 * An agent is opened for what the home alone can answer. What needs the relay is done after
 * agent_start, on a libuv loop in one thread: commands live in the handler's calls and in handles
 * of their own on the same loop.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <uv.h>

#include "agent/home/home.h"
#include "engine/engine.h"
#include "term/report.h"

/* Where an agent works, and with what; all of it is borrowed. */
struct agent_place {
    struct signet_library *library;
    const struct report *report;
    struct home *home;
    bool explain; /* the engine tells its cryptographic steps */
};

struct agent_online;

struct agent {
    struct agent_place place;
    struct record_source records;
    struct engine *engine;
    bool is_broken; /* the engine's memory is ahead of the disk: nothing may be done with it */
    struct agent_online *online; /* from agent_start on */
};

/* What an engine is made with. */
struct engine_config agent_engine_config(const struct agent_place *place);

/* Open the engine of a home. Reports. Errors: those of engine_open; close the agent then, too. */
SIGNET_MUST_USE enum signet_err agent_open(struct agent *agent, const struct agent_place *place);
/* The same for what needs the relay: the account must be registered there. Errors: STATE, too. */
SIGNET_MUST_USE enum signet_err agent_open_registered(
    struct agent *agent, const struct agent_place *place);
/* Drops a connection, and closes the handles that others have on the loop. A zeroed agent is
 * fine. */
void agent_close(struct agent *agent);

/*
 * Put the changes of an engine's output on disk, after a call that returned `err`; they are gone
 * from the output then. Reports, and breaks the agent, where the call or the disk failed.
 * Errors: the call's, STATE (broken before), those of store_commit.
 */
SIGNET_MUST_USE enum signet_err agent_commit(
    struct agent *agent, enum signet_err err, struct engine_output *output);

/* Report an error of the engine or of the store that is not about a peer. */
void agent_report(const struct agent_place *place, enum signet_err err);

/* ---- with the relay: from agent_start on ---- */

/* Why there is no connection. */
struct agent_down {
    const char *code; /* a word for scripts */
    const char *hint; /* NULL: nothing to say */
    enum exit_code exit_code;
    bool is_final;  /* trying again would not help */
    char text[512]; /* a sentence for report_error */
};

/* None of these is called inside a call of the owner. */
struct agent_handler {
    /* What the engine tells. Of EVENT_FAILED only what is about messages comes by here. */
    void (*on_event)(void *ctx, const struct engine_event *event);
    /* Could not connect, or the connection has ended: agent_report_down, or agent_retry. */
    void (*on_down)(void *ctx, const struct agent_down *down);
    /* All that was asked of the relay is answered; comes often. NULL: not wanted. */
    void (*on_settled)(void *ctx);
    /* The person, or the system, asks us to end. NULL: with EXIT_FAILED. */
    void (*on_interrupt)(void *ctx, int signal);
};

/* Make ready for the relay; nothing happens before agent_connect. Reports. Errors: NOMEM, IO,
 * CRYPTO; close the agent then, too. */
SIGNET_MUST_USE enum signet_err agent_start(
    struct agent *agent, const struct agent_handler *handler, void *ctx);

uv_loop_t *agent_loop(struct agent *agent);
/* HOST:PORT */
const char *agent_relay(const struct agent *agent);
/* Logged in, and not down since. */
bool agent_is_ready(const struct agent *agent);
/* Ready, all that was asked of the relay is answered, and told to the handler. */
bool agent_is_settled(const struct agent *agent);

/* Connect to the relay now. */
void agent_connect(struct agent *agent);
/* Connect again after a pause, which grows from one to thirty seconds while that fails. */
void agent_retry(struct agent *agent);
/* The relay is not waited for any more: EVENT_QUEUED or FAILED follows for each text that it has
 * not accepted, and says what became of it. What is written to the connection still goes out. */
void agent_give_up(struct agent *agent);
/* Run until agent_end was called, and return its code. What is on its way to the relay is written
 * before; the relay's goodbye is not waited for. */
enum exit_code agent_run(struct agent *agent);
/* The first code given counts. */
void agent_end(struct agent *agent, enum exit_code code);
bool agent_has_ended(const struct agent *agent);
/* Report why there is no connection, and end with the code for it. */
void agent_report_down(struct agent *agent, const struct agent_down *down);

/*
 * The engine's calls of the same names, with their output on its way. After an error, which is
 * reported, the agent has ended with EXIT_FAILED.
 */
SIGNET_MUST_USE enum signet_err agent_send(struct agent *agent, const struct engine_text *text);
SIGNET_MUST_USE enum signet_err agent_subscribe(struct agent *agent);
SIGNET_MUST_USE enum signet_err agent_shown(struct agent *agent, uint64_t number);

#endif
