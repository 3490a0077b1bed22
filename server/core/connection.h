/* One connection: what the core knows of it, and how it is answered, refused and closed. */
#ifndef SERVER_CORE_CONNECTION_H
#define SERVER_CORE_CONNECTION_H

#include <signet/login.h>

#include "server/core/core.h"
#include "server/core/window.h"
#include "wire/relay_message.h"

struct core_op;

enum conn_state {
    CONN_EXPECT_LOGIN,
    CONN_CHECKING, /* register or login waits for the store; what else arrives is held */
    CONN_READY,
    CONN_CLOSING, /* nothing is read any more */
};

enum delivery {
    DELIVERY_NOT_SUBSCRIBED,
    DELIVERY_FETCHING, /* deliveries are ignored: the fetch, or the next one, brings them */
    DELIVERY_LIVE,     /* all that waited was delivered; the rest comes as it is put */
    DELIVERY_BEHIND,   /* the client does not keep up: more waits in its mailbox */
};

/* What a connection has from its login on. */
struct conn_device {
    struct signet_id id, address;
    enum delivery delivery;
    bool is_drained_said;
    struct window window;
    struct signet_buf acked; /* ids that the messages being carried out acknowledged */
    struct rate find, take, put;
};

struct conn {
    struct conn *next_output; /* in core->outputs, while is_listed */
    void *owner;
    uint64_t number; /* slot and a serial number: never used again */
    enum conn_state state;
    uint16_t close_code;
    uint8_t refusals; /* before the login */
    bool is_listed;
    bool is_paused;
    bool is_changed;                 /* is_paused or device, since the loop was told */
    struct core_frame *first, *last; /* output */
    struct signet_buf held;          /* input that waits: CHECKING, or conn_is_full */
    size_t in_flight;                /* operations that the store has not answered */
    size_t in_flight_bytes;          /* in them, and in their answers at most */
    size_t pending;                  /* output bytes that the loop could not get rid of */
    uint64_t
        congested_ms; /* monotonic: since when pending is over CORE_CONGESTED and does not fall */
    bool is_watched;  /* output was sent since none was pending: asked about with each tick */
    struct core_hop hop;
    uint8_t nonce[RELAY_NONCE_LEN];
    struct rate attempts;
    struct conn_device *device; /* from the login on */
};

/* Queue a message; where memory is short the connection closes. */
void conn_send(struct relay_core *core, struct conn *conn, const struct relay_message *message);
void conn_done(struct relay_core *core, struct conn *conn, uint64_t req);
/* A client that is not logged in has only so many refusals; the last one closes. */
void conn_refuse(
    struct relay_core *core, struct conn *conn, uint64_t req, enum relay_code code, uint64_t retry);
/* Refuse as the store did, or because it could not answer. */
void conn_refuse_answer(struct relay_core *core, struct conn *conn, const struct core_op *op);
/* Whether the log takes another line about what a client did: it cannot be made to fill the disk. */
bool conn_may_log(struct relay_core *core);
/* Refuse what the library refused (code 5), or close where the machine is at fault. */
void conn_refuse_err(struct relay_core *core, struct conn *conn, uint64_t req, enum signet_err err);
/* Send what is queued, then close. */
void conn_close(struct relay_core *core, struct conn *conn, uint16_t code);
/* A limit on how often; refuses with code 9 and gives false. Before login it also closes. */
bool conn_allow(struct relay_core *core, struct conn *conn, struct rate *rate,
    const struct rate_limit *limit, uint64_t req);
/* The hop as this side knows it: what proofs are verified against. */
struct signet_hop conn_hop(const struct relay_core *core, const struct conn *conn);
/* Whether as much is under way for the client as may be: what else it asks for waits. */
bool conn_is_full(const struct conn *conn);
/* Whether at most half of that is under way: what waited can go on. */
bool conn_is_half_free(const struct conn *conn);

#endif
