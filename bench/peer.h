/*
 * A client of the relay as the load needs it: the protocol's own login (docs/protocol.md,
 * section 9) over TLS and WebSocket, then messages to whoever drives it.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <signet/account.h>

#include "io/connection.h"
#include "wire/relay_message.h"

/* The accounts that bench_fill has registered. */
struct bench_accounts {
    struct signet_library *library;
    struct signet_buf bytes;
    signet_span *encoded;
    size_t count;
};
void bench_accounts_read(struct bench_accounts *accounts, const char *data);

struct peer;

struct peer_handler {
    void (*on_ready)(struct peer *peer); /* logged in */
    void (*on_message)(struct peer *peer, const struct relay_message *message);
    void (*on_batch)(struct peer *peer); /* what arrived together was given; may be NULL */
    void (*on_closed)(struct peer *peer);
};

struct swarm {
    uv_loop_t uv;
    uv_timer_t tick; /* the loop never waits for long */
    struct io_loop *io;
    struct io_settings settings;
    struct io_target target;
    char origin[256]; /* the relay's name */
    struct signet_id pins[2];
    const struct bench_accounts *accounts;
    const struct peer_handler *handler;
    struct signet_account *
        *kept; /* the first of them; others' keys are in memory while they sign */
    size_t kept_count;
    bool is_loss_expected; /* a connection that is lost is nothing to talk of */
};

struct peer {
    struct swarm *swarm;
    struct io_connection *connection; /* NULL: closed */
    size_t account;
    void *user;
    bool is_ready;
};

/* The relay of DATA, on that port of the loopback. */
void swarm_open(struct swarm *swarm, const char *data, uint16_t port,
    const struct bench_accounts *accounts, const struct peer_handler *handler);
/* Keep the keys of the first accounts in memory: logins then cost this side less. */
void swarm_keep(struct swarm *swarm, size_t count);
void swarm_close(struct swarm *swarm);

/* Connect and log in as that account's device; false where nobody listens. */
bool peer_try_open(struct peer *peer, struct swarm *swarm, size_t account);
/* The same, where somebody must. */
void peer_open(struct peer *peer, struct swarm *swarm, size_t account);
/* Add to what leaves with this wake-up. */
void peer_say(struct peer *peer, const struct relay_message *message);
/* The device of an account. */
struct signet_id bench_device(const struct bench_accounts *accounts, size_t account);

#endif
