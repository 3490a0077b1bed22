/* The kinds of load; each prints one line of JSON. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "bench/peer.h"

struct load {
    struct swarm swarm;
    struct bench_accounts accounts;
    const char *data;
    uint16_t port;
    long pid; /* of the relay */
};

/* Who else is there: nobody, or one more pair whose recipient reads, does not read, or does not
 * acknowledge. */
enum load_beside { LOAD_BESIDE_NOBODY, LOAD_BESIDE_READER, LOAD_BESIDE_DEAF, LOAD_BESIDE_MUTE };

struct load_shape {
    size_t pairs, window;
    enum load_beside beside;
};

/* Pairs of clients: in each one sends to the other, `window` messages at a time. */
void load_messages(struct load *load, const struct load_shape *shape, double seconds);
/* Connect, log in, close; `at_once` of them at the same time. */
void load_logins(struct load *load, size_t at_once, double seconds);
/* So many connections that are logged in and do nothing; then what each costs in memory. */
void load_idle(struct load *load, size_t count);
/* Clients in pairs that send to each other through a relay that may be killed and started again at
 * any time; until SIGTERM. Says whether what was accepted arrived, and what was acknowledged did
 * not come again. */
void load_promises(struct load *load, size_t pairs, size_t window);

#endif
