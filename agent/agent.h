/*
 * An engine at work on a home: what it changes goes to disk before anything depends on it, and
 * what fails is told in words.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

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

struct agent {
    struct agent_place place;
    struct record_source records;
    struct engine *engine;
    bool is_broken; /* the engine's memory is ahead of the disk: nothing may be done with it */
};

/* What an engine is made with. */
struct engine_config agent_engine_config(const struct agent_place *place);

/* Open the engine of a home. Reports. Errors: those of engine_open; close the agent then, too. */
SIGNET_MUST_USE enum signet_err agent_open(struct agent *agent, const struct agent_place *place);
/* The same for what needs the relay: the account must be registered there. Errors: STATE, too. */
SIGNET_MUST_USE enum signet_err agent_open_registered(
    struct agent *agent, const struct agent_place *place);
/* A zeroed agent is fine. */
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

#endif
