/*
 * One connection as the core sees it, the core itself, and what the handlers share. Only the files
 * of the core include this.
 */
#ifndef SERVER_CORE_CONNECTION_H
#define SERVER_CORE_CONNECTION_H

#include <signet/login.h>

#include "server/core/core.h"
#include "server/core/wall_trust.h"
#include "server/core/window.h"
#include "wire/relay_message.h"

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

struct core_op;
typedef void core_answer(struct relay_core *core, struct conn *conn, struct core_op *op);

/* One operation for the store, and how to go on when it is answered. */
struct core_op {
    struct store_op op;        /* first, so that a group frees the whole of it */
    core_answer *answered;     /* the connection is still there then; NULL: nothing to do */
    struct signet_buf held;    /* the client's message, or what else the answer needs */
    size_t counted_bytes;      /* in conn->in_flight_bytes: the store changes what it holds */
    enum store_answer earlier; /* the answer that led to this operation */
    size_t checked; /* keys of the card that is being published: signet_card_check_keys */
};

struct relay_core {
    struct core_config config;
    struct store *store;
    struct signet_library *library;
    uint64_t wall_ms, monotonic_ms;
    struct wall_trust wall;
    uint64_t known_ms;   /* when the newest message came, at the start: others give ids since */
    struct conn **conns; /* by slot; NULL: free */
    size_t slot_count;
    uint32_t *free_slots; /* a stack; as large as conns */
    size_t free_count;
    uint64_t serial;
    struct store_group *group;              /* being gathered; NULL: nothing yet */
    struct store_group *again, **again_end; /* answered UNKNOWN: submitted with the next tick */
    bool is_expiring;                       /* STORE_EXPIRE is submitted and not answered */
    size_t in_flight;
    struct core_op *spare; /* empty operations: one is made for every message */
    size_t spare_count;
    struct account_rates publishes;
    struct rate complaints; /* lines in the log that clients can cause */
    struct conn *outputs, *outputs_last;
    struct core_ended *ended; /* on other workers */
    size_t ended_count, ended_capacity;
    uint64_t expire_ms; /* monotonic: when to ask the store to expire */
};

/* ---- connections.c ---- */

/* Give it a number and keep it under that. Errors: LIMIT, NOMEM. */
SIGNET_MUST_USE enum signet_err connections_add(struct relay_core *core, struct conn *conn);
/* Forget it: nothing finds it any more. */
void connections_remove(struct relay_core *core, struct conn *conn);
/* NULL: no such connection any more. */
struct conn *conn_find(const struct relay_core *core, uint64_t number);
/* The loop has something to do for it. */
void conn_list(struct relay_core *core, struct conn *conn);
/* The one that was listed first; NULL: none. */
struct conn *connections_next_listed(struct relay_core *core);
/* Free what finds them. The connections themselves are the caller's. */
void connections_free(struct relay_core *core);

/* ---- connection.c ---- */

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

/* ---- operations.c ---- */

/* A new operation of that connection (NULL: none), not submitted yet. NULL: out of memory. */
struct core_op *core_op_new(struct relay_core *core, const struct conn *conn,
    enum store_op_type type, uint64_t req, core_answer *answered);
void core_op_free(struct relay_core *core, struct core_op *op);
void core_op_free_spare(struct relay_core *core);
/* Add it to the group. Errors: NOMEM; the operation is freed then. */
SIGNET_MUST_USE enum signet_err core_op_submit(
    struct relay_core *core, struct conn *conn, struct core_op *op);
/* The device of a connection that ended is not there any more. */
void core_release(
    struct relay_core *core, const struct signet_id *device, const struct store_route *route);
/* Ask the store to remove what is past its time, if that is due. */
void core_expire(struct relay_core *core);

/* ---- groups.c ---- */

/* Submit again the groups that the store could not tell the fate of. */
void groups_submit_again(struct relay_core *core);

/* ---- time.c ---- */

/* Whether something was made within the last 24 hours; the future is signet_card_check_time's. */
bool core_is_recent(const struct relay_core *core, uint64_t ms);
/* When a message was put, by a clock that is believed: one that is behind must not make the message
 * expire as soon as it is corrected. */
uint64_t core_put_ms(const struct relay_core *core);
/* What is due until then has expired; 0: nothing, the clock is not believed. */
uint64_t core_expired_ms(const struct relay_core *core);

/* ---- dispatch.c ---- */

/* Carry out a sequence of messages. */
void dispatch(struct relay_core *core, struct conn *conn, signet_span messages);
/* The client is wrong, and goes; one line in the log says why. */
void dispatch_reject(struct relay_core *core, struct conn *conn, uint16_t code, const char *why);
/* Carry on with an operation that the store has answered, then with what was held for the answer.
 * In CHECKING the function that carries on sets the state: to READY or EXPECT_LOGIN, or to CHECKING
 * again where it has asked the store once more. */
void dispatch_answer(struct relay_core *core, struct conn *conn, struct core_op *op);
/* Go on with what was held, and stop or go on reading from the client, by what is under way. */
void dispatch_throttle(struct relay_core *core, struct conn *conn);

/* ---- handlers: `raw` is the encoded message; errors close the connection ---- */

typedef enum signet_err handler(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw);

handler handle_register, handle_login;            /* handle_register.c, handle_login.c */
handler handle_find, handle_take;                 /* handle_directory.c */
handler handle_put_card, handle_put_bundle;       /* handle_publish.c */
handler handle_put, handle_subscribe, handle_ack; /* handle_mailbox.c */

/* Tell the store what was acknowledged, all of it in one operation. */
void mailbox_acknowledge(struct relay_core *core, struct conn *conn);
/* The client keeps up again, or a fetch failed: fetch if there is room. */
void mailbox_catch_up(struct relay_core *core, struct conn *conn);
/* A message put just now. */
void mailbox_deliver(
    struct relay_core *core, struct conn *conn, const struct store_message *message);

/* Fill the fields of REGISTER and CARD_PUT that come from the card. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err publish_card(struct core_op *op, const struct signet_card *card);

#endif
