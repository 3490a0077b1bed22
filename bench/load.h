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

/* Pairs of clients: in each one sends to the other, `window` messages at a time. */
void load_messages(struct load *load, size_t pairs, size_t window, double seconds);
/* Connect, log in, close; `at_once` of them at the same time. */
void load_logins(struct load *load, size_t at_once, double seconds);
/* So many connections that are logged in and do nothing; then what each costs in memory. */
void load_idle(struct load *load, size_t count);
/* Clients in pairs that send to each other through a relay that may be killed and started again at
 * any time; until SIGTERM. Says whether what was accepted arrived, and what was acknowledged did
 * not come again. */
void load_promises(struct load *load, size_t pairs, size_t window);

#endif
