/*
 * An engine at work on a home: what it changes goes to disk before anything depends on it, and
 * what fails is told in words.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "cli/command.h"
#include "engine/engine.h"

struct desk {
    const struct context *context; /* borrowed, as is the home */
    struct home *home;
    struct record_source records;
    struct engine *engine;
    bool is_broken; /* the engine's memory is ahead of the disk: nothing may be done with it */
};

/* What an engine is made with. */
struct engine_config desk_config(const struct context *context, struct home *home);

/* Open the engine of a home. Reports. Errors: those of engine_open; close the desk then, too. */
SIGNET_MUST_USE enum signet_err desk_open(
    struct desk *desk, const struct context *context, struct home *home);
/* The same for what needs the relay: the account must be registered there. Errors: STATE, too. */
SIGNET_MUST_USE enum signet_err desk_open_registered(
    struct desk *desk, const struct context *context, struct home *home);
/* A zeroed desk is fine. */
void desk_close(struct desk *desk);

/*
 * Put the changes of an engine's output on disk, after a call that returned `err`; they are gone
 * from the output then. Reports, and breaks the desk, where the call or the disk failed.
 * Errors: the call's, STATE (broken before), those of store_commit.
 */
SIGNET_MUST_USE enum signet_err desk_commit(
    struct desk *desk, enum signet_err err, struct engine_output *output);

/* Report an error of the engine or of the store that is not about a peer. */
void desk_report(const struct context *context, struct home *home, enum signet_err err);

/* Report why something asked of the engine cannot be done (EVENT_FAILED), and return the exit code
 * for it. */
enum exit_code desk_report_problem(const struct context *context, const struct engine_event *event);

#endif
