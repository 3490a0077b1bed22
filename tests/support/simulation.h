/*
 * A relay and client engines in one process, on a simulated network and clock, from one seed: no
 * socket, no file, no thread. Clients can lose their connection, or their process (what was
 * committed stays), at any point between two frames.
 */
#ifndef TESTS_SIMULATION_H
#define TESTS_SIMULATION_H

#include "tests/support/core_rig.h"

#include "engine/engine.h"
#include "tests/support/memory_records.h"
#include "tests/support/seeded_library.h"

enum { SIMULATION_CLIENTS_MAX = 4 };

struct simulation;

struct sim_client;

/* A malicious relay: called with each message on its way to a client, appends to `out` what the
 * client is given instead. */
typedef void (*sim_intercept)(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out);

struct sim_client {
    struct simulation *sim;
    sim_intercept intercept; /* NULL: an honest relay */
    void *intercept_ctx;
    unsigned index;
    char name[SIGNET_NAME_MAX + 1];
    struct memory_records *records; /* what is on its disk */
    struct engine *engine;          /* NULL: its process does not run */
    struct core_client connection;
    bool is_online;
    uint64_t clock_ahead_ms; /* of the relay's clock */
    /* What its events have said. */
    size_t ready, accepted, queued, failed, received, drained, steps;
    enum engine_problem problem; /* of the last failure */
    char blamed[256];            /* whom or what it is about */
    size_t received_before_name; /* until it was last told who somebody is */
    bool commit_failed;
    bool is_nonsense; /* the relay broke the protocol, and the connection was cut */
};

struct simulation {
    struct seeded_library seeded;
    struct core_rig rig;
    struct sim_client clients[SIMULATION_CLIENTS_MAX];
    size_t client_count;
    uint64_t random; /* state of the generator that decides what goes wrong */
    uint64_t sent_bytes;
    uint64_t patience; /* of engines that start from now on */
};

void simulation_open(struct simulation *sim, uint64_t seed);
void simulation_close(struct simulation *sim);
/* 0..below-1, from the seed. */
uint64_t simulation_random(struct simulation *sim, uint64_t below);

/* A further client, with keys from the pool: prepared to join and to receive; offline. */
struct sim_client *sim_prepare(struct simulation *sim, const char *name);
/* The same, joined and connected. */
struct sim_client *sim_join(struct simulation *sim, const char *name);
/* Start its process from what was committed; offline. */
void sim_start(struct sim_client *client);
/* Ask for what waits, and for what comes: at once, or when it is logged in. */
void sim_subscribe(struct sim_client *client);
/* End its process without a word. */
void sim_kill(struct sim_client *client);
/* Connect and log in; nothing where it is online. */
void sim_connect(struct sim_client *client);
/* Cut its connection. */
void sim_disconnect(struct sim_client *client);

/* Time passes, for the relay and for the clients. */
void sim_wait(struct simulation *sim, uint64_t ms);
/* Send a text; events come as the simulation runs. */
void sim_send(struct sim_client *client, const char *peer, const char *text);
/* Give a client bytes as if the relay had sent them. */
void sim_inject(struct sim_client *client, signet_span bytes);
/* What `from` could send in the last session in its store: content sealed as the next message, and
 * given to the other. Its store stays as it is, so that its own next message has the same place. */
void sim_inject_content(const struct sim_client *from, struct sim_client *to, signet_span content);
/* Deliver one frame to one client, if any waits; false: nothing to do. */
bool sim_step(struct simulation *sim);
/* Until nothing is to be done. */
void sim_run(struct simulation *sim);

/* What a client has in its history with a peer, in order: texts received (is_outgoing false) or
 * sent, one a line, with the verdict in front where it is not `verified`. The caller frees it. */
char *sim_history(struct sim_client *client, const struct sim_client *peer, bool is_outgoing);
const struct signet_id *sim_address(const struct sim_client *client);

#endif
