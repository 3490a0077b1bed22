/* Registering, logging in, and what is due at each login: docs/protocol.md, sections 3, 4 and 9. */
#ifndef ENGINE_LOGIN_LOGIN_H
#define ENGINE_LOGIN_LOGIN_H

#include <signet/account.h>
#include <signet/login.h>

#include "engine/input.h"
#include "engine/txn/requests.h"

struct login {
    struct signet_hop hop; /* what a login is bound to */
    bool wants_delivery;   /* the person wants what waits and what comes */
    bool is_subscribed;    /* the relay was asked for it on this connection */
    bool has_drained;      /* it was told that nothing more waits */
    uint64_t welcomed_at;  /* ms: the last login */
};

/* engine_prepare (join.c). */
SIGNET_MUST_USE enum signet_err login_prepare(
    struct txn *t, const struct engine_join *join, struct signet_next_identity *next_out);

/* The connection is open. Errors: CRYPTO. */
SIGNET_MUST_USE enum signet_err login_connected(struct txn *t, const struct engine_hop *hop);
/* What the relay says. Errors: FORMAT (not now), and machine errors. */
SIGNET_MUST_USE enum signet_err login_challenged(
    struct txn *t, const struct relay_message *message);
SIGNET_MUST_USE enum signet_err login_registered(struct txn *t);
SIGNET_MUST_USE enum signet_err login_not_registered(struct txn *t, uint64_t code);
SIGNET_MUST_USE enum signet_err login_refused(struct txn *t, uint64_t code);
/* Logged in: own device list and bundle in order at the relay, old records away (upkeep.c). */
SIGNET_MUST_USE enum signet_err login_welcomed(struct txn *t, const struct relay_message *message);
/* Own card or bundle was taken over by the relay, or refused: without them nobody can reach us. */
SIGNET_MUST_USE enum signet_err login_published(struct txn *t, const struct request *request);
SIGNET_MUST_USE enum signet_err login_not_published(struct txn *t, uint64_t code);
/* Ask the relay for what waits and what comes. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err login_ask_delivery(struct txn *t);
/* All that waited at the relay has been received. Errors: FORMAT (not asked for), NOMEM. */
SIGNET_MUST_USE enum signet_err login_drained(struct txn *t);
/* A day has passed since the last login. */
bool login_is_old(const struct login *login, uint64_t now_ms);

#endif
