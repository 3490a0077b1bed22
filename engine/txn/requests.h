/* The connection to the relay: where it stands, and the questions that are not answered yet. */
#ifndef ENGINE_TXN_REQUESTS_H
#define ENGINE_TXN_REQUESTS_H

#include "engine/txn/txn.h"

/* Where the connection stands. */
enum engine_phase {
    PHASE_OFFLINE,
    PHASE_CHALLENGE, /* connected; the relay's nonce is awaited */
    PHASE_REGISTER,
    PHASE_LOGIN,
    PHASE_UPKEEP, /* logged in; own card or bundle is being published */
    PHASE_READY,
    PHASE_STOPPED, /* this connection can do no more: see the problem that was told */
};

enum request_type {
    REQUEST_REGISTER,
    REQUEST_LOGIN,
    REQUEST_CARD,
    REQUEST_BUNDLE,
    REQUEST_SUBSCRIBE,
    REQUEST_FIND_NAME,    /* for a text to a name that is no contact yet */
    REQUEST_FIND_CONTACT, /* a known contact's card again */
    REQUEST_FIND_ADDRESS, /* an address that is not known yet, or has no name yet */
    REQUEST_TAKE,
    REQUEST_PUT,
    REQUEST_TYPE_COUNT,
};

/* A question to the relay that is not answered yet. */
struct request {
    struct request *next;
    uint64_t req;
    uint64_t asked_at; /* ms */
    bool is_given_up;  /* it took too long: its answer is of no use any more */
    enum request_type type;
    struct signet_id address;       /* FIND_CONTACT, FIND_ADDRESS, TAKE */
    struct signet_id device;        /* TAKE, PUT */
    char name[SIGNET_NAME_MAX + 1]; /* FIND_NAME; FIND_CONTACT: asked by name, if not empty */
    uint64_t number;                /* PUT: of the outbox; BUNDLE: version */
    size_t len;                     /* PUT: of the envelope */
};

struct requests {
    enum engine_phase phase;
    uint64_t next_req;
    struct request *first;
};

/*
 * A request: sets message->req and remembers what it is about. NULL in *request_out after an error
 * (NOMEM); else borrowed from the list, to be filled in.
 */
SIGNET_MUST_USE enum signet_err requests_ask(struct txn *t, enum request_type type,
    struct relay_message *message, struct request **request_out);
/* Take the request that an answer belongs to off the list; the caller frees it. NULL: none. */
struct request *requests_take(struct requests *requests, uint64_t req);
/* Whether an answer about this address is awaited. */
bool requests_is_asking(
    const struct requests *requests, enum request_type type, const struct signet_id *address);
/* Whether no answer is awaited. */
bool requests_is_settled(const struct requests *requests);
void requests_free(struct requests *requests);
/* Nothing can be done on this connection any more: EVENT_FAILED. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err requests_stop(
    struct txn *t, enum engine_problem problem, const char *whom);

#endif
