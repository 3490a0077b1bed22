/*
 * What the relay's core asks of a store: directory, mailboxes, routes, invitations.
 *
 * The core fills a group of operations and submits it; the store carries all of a group out in one
 * durable transaction (together with other groups that wait) and answers it exactly once, through
 * the sink of the worker that submitted it. Everything in a group stays the submitter's memory, but
 * must not be touched until the answer. SQLite implements this (store_sqlite.h); another database
 * can later.
 *
 * Delivery without a race: the store hands a message that was put to the sink of the worker on
 * which its recipient is logged in (STORE_PUT committed -> sink deliver), in the same order in
 * which it answers that worker's groups. So a fetch that is answered contains all that was
 * committed before it, and deliver brings exactly what is committed after it: a core that is
 * fetching ignores deliveries until the fetch is answered with `more` false. Within one group
 * messages are put before anything is fetched.
 */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include <signet/bundle.h>

enum { STORE_TOKEN_LEN = 16, STORE_NAME_MAX = 32, STORE_WORKERS_MAX = 64 };

enum store_op_type {
    STORE_PUT,          /* an envelope into a device's mailbox */
    STORE_ACK,          /* delivered messages go; idempotent */
    STORE_FETCH,        /* what waits for a device, oldest first */
    STORE_CLAIM,        /* a device has logged in at a worker's connection; OFTEN where as many of
                           its account's others are logged in as may be */
    STORE_RELEASE,      /* that connection has ended */
    STORE_INVITE_CHECK, /* is this token good for a registration; with a name: under that name */
    STORE_INVITE_ADD,
    STORE_REGISTER, /* uses up the token, stores name and card */
    STORE_FIND,     /* a card by name or address */
    STORE_CARD_PUT,
    STORE_BUNDLE_PUT,
    STORE_BUNDLE_TAKE, /* the bundle of a device and at most one one-time prekey */
    STORE_EXPIRE,      /* remove what is past its time, bounded work; with `more`: again soon */
};

/* The answer to one operation. */
enum store_answer {
    STORE_PENDING, /* not answered yet; or it could not be, since what it needs is damaged */
    STORE_OK,
    STORE_GONE,       /* no such name, account, device, bundle or token */
    STORE_FULL,       /* the mailbox is at its quota */
    STORE_TAKEN,      /* the name, or a device on the card, belongs to another account; or this
                         account has another name */
    STORE_STALE,      /* not newer than what is there */
    STORE_INVITATION, /* wrong, used up or expired */
    STORE_NAME,       /* a good invitation, but not for this name */
    STORE_CLOSED,     /* registration is closed */
    STORE_OFTEN,      /* a limit on how often; retry_after_ms is set */
};

/* How the whole group ended. */
enum store_result {
    STORE_DONE,    /* durable; each operation has its answer */
    STORE_UNKNOWN, /* perhaps durable: submit the same group again, with the same ids; who gives
                      that up has promised nothing, and what is stored comes as if new */
    STORE_DOWN,    /* the store cannot write (disk full, for example): done is what has an answer,
                      for it only reads, or makes room */
};

/* A logged-in connection: which worker, and that worker's own number for it (never reused). */
struct store_route {
    uint32_t worker;
    uint64_t connection;
};

struct store_message {
    uint64_t id;
    struct signet_buf envelope; /* owned by whoever holds the message */
};

struct store_op {
    struct store_op *next; /* in the group */
    enum store_op_type type;
    enum store_answer answer;
    uint64_t retry_after_ms; /* with STORE_OFTEN */

    /* The submitter's own, to find its way back; the store does not look at them. */
    uint64_t connection;
    uint64_t req;

    /* PUT, ACK, FETCH, CLAIM, RELEASE, BUNDLE_PUT, BUNDLE_TAKE: the device. */
    struct signet_id device;
    /* FIND by address, and its answer; CLAIM: the account; REGISTER, CARD_PUT: of the card;
     * BUNDLE_TAKE: the requester's account. */
    struct signet_id address;
    struct store_route route; /* CLAIM, RELEASE */

    uint64_t message_id;        /* PUT: below 2^63; STORE_OFTEN where another device has it */
    uint64_t expires_ms;        /* PUT; INVITE_ADD (0: never) */
    struct signet_buf envelope; /* PUT: moved out by the store when the recipient is logged in */
    const uint64_t *ack_ids;    /* ACK */
    size_t ack_count;

    size_t max_count, max_bytes;    /* FETCH */
    struct store_message *messages; /* FETCH, answer: an array, freed by store_op_clear */
    size_t message_count;
    bool more; /* FETCH, EXPIRE, answer: there is more than was done */

    char name[STORE_NAME_MAX + 1];  /* REGISTER, INVITE_CHECK (or empty); FIND by name (empty: by
                                       address), and its answer */
    uint8_t token[STORE_TOKEN_LEN]; /* REGISTER, INVITE_*; the store keeps only its SHA-256 */
    bool has_token;                 /* REGISTER, INVITE_CHECK */
    bool for_operator;              /* INVITE_ADD: good for the name `operator` and no other */
    uint64_t uses;                  /* INVITE_ADD */
    struct signet_buf card;         /* REGISTER, CARD_PUT; FIND, answer */
    struct signet_id list; /* REGISTER, CARD_PUT: id of the card's current list; CLAIM, answer */
    uint64_t card_generation, card_version;            /* REGISTER, CARD_PUT: compare-and-set */
    struct signet_id devices[SIGNET_CARD_DEVICES_MAX]; /* REGISTER, CARD_PUT: on the card; CLAIM:
                                                          the store's own, for its limit */
    size_t device_count;
    struct store_route *removed; /* CARD_PUT, answer: where devices that left the card were logged
                                    in; an array, freed by store_op_clear */
    size_t removed_count;

    struct signet_buf bundle; /* BUNDLE_PUT; BUNDLE_TAKE and CLAIM, answer (CLAIM: may be empty) */
    struct signet_buf keys;   /* BUNDLE_PUT: one-time keys, 32 bytes each */
    uint64_t bundle_version;  /* BUNDLE_PUT: compare-and-set */
    uint64_t bundle_expires_ms; /* BUNDLE_PUT: not_after */
    bool has_one_time;          /* BUNDLE_TAKE, answer */
    struct signet_one_time one_time;
    uint64_t one_time_left; /* CLAIM, answer */
    bool replaced;          /* CLAIM, answer: an older login was there */
    struct store_route replaced_route;
    uint64_t limit; /* EXPIRE: rows at most, large ones counted as several */

    /* The file is damaged where this operation had to read; it does not concern the others of its
     * group. `device` says whose mailbox it is, these which ids are passed over (both 0: it is not
     * in a mailbox, and the operation was not carried out). */
    bool is_damaged;
    uint64_t damaged_from, damaged_to;
    bool is_apart; /* the store's own: in a transaction by itself */
};

struct store_group {
    struct store_group *next; /* the store's own while it has the group */
    uint32_t worker;          /* whose sink is answered */
    uint64_t now_ms;          /* wall clock, for limits */
    uint64_t expired_ms;      /* what expires until then has; 0: nothing, the clock may be wrong */
    unsigned tries;           /* the submitter's own: how often it was answered UNKNOWN */
    struct store_op *first, *last;
    size_t count;
    enum store_result result;
    bool is_news; /* the store went down with it, or has written again: told with one group only */
};

/* How a store speaks to a worker. Called from the store's thread; must not block or call back. */
struct store_sink {
    void *ctx;
    void (*answered)(void *ctx, struct store_group *group);
    /* The message now belongs to the callee. */
    void (*deliver)(void *ctx, uint64_t connection, struct store_message message);
    /* A transaction's answers and deliveries are complete: the worker may be woken. NULL where the
     * other two are enough. */
    void (*hand_over)(void *ctx);
};

struct store_limits {
    uint64_t mailbox_messages; /* per device */
    uint64_t mailbox_bytes;
    uint64_t take_interval_ms;        /* between one-time prekeys for one requester and target */
    uint64_t take_burst;              /* one-time prekeys of a target at once */
    uint64_t take_refill_ms;          /* then one per this time */
    uint64_t connections_per_account; /* logins of an account's devices at once; 0: no limit */
    bool open_registration;           /* no token needed */
    bool closed_registration;         /* no token helps, but the operator's */
};

struct store;

struct store_ops {
    void (*close)(struct store *store); /* waits for what was submitted; NULL is fine */
    /* Before the first submit of that worker. */
    void (*attach)(struct store *store, uint32_t worker, const struct store_sink *sink);
    void (*submit)(struct store *store, struct store_group *group);
    /* Take over new limits; from the next transaction on. */
    void (*set_limits)(struct store *store, const struct store_limits *limits);
};

/* A store in use. */
struct store {
    const struct store_ops *ops;
};

/* Free what an operation owns and zero it. */
void store_op_clear(struct store_op *op);
/* Append an operation (made with calloc) to a group; the group owns it. */
void store_group_add(struct store_group *group, struct store_op *op);
/* Free a group and its operations; NULL is fine. */
void store_group_free(struct store_group *group);

#endif
