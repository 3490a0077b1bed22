/*
 * The relay's core: what one worker does with the messages of its clients (docs/protocol.md,
 * section 9) and with the answers of the store. It reads no clock and no socket: a loop tells it
 * the time, gives it messages and answers, and takes what is to be sent.
 *
 * One wake-up of a loop:
 *
 *   core_set_time
 *   core_open, core_receive, core_pending, core_closed   what the connections brought
 *   core_answered, core_deliver, core_end                what the store and other workers brought
 *   core_tick                                            about once a second
 *   core_flush                                           everything for the store, as one group
 *   core_next_output, core_next_ended                    until there are no more
 *
 * A core belongs to one thread. The store's sink calls come from another: the loop queues them, in
 * their order.
 */
#ifndef SERVER_CORE_CORE_H
#define SERVER_CORE_CORE_H

#include <signet/library.h>

#include "io/log.h"
#include "server/core/limits.h"
#include "server/core/message_id.h"
#include "server/store/store.h"

enum {
    CORE_FRAME_MAX = 131072,     /* bytes of a WebSocket message to a client */
    CORE_CONGESTED = 262144,     /* bytes waiting for a client from which on it is left alone */
    CORE_STALLED_MS = 60000,     /* and how long it may then take nothing of them */
    CORE_WINDOW_MESSAGES = 128,  /* unacknowledged deliveries of one connection */
    CORE_WINDOW_BYTES = 1048576, /* and their sizes together */
};

/* Per connection, but for `publish`: that is per account, on each worker. */
struct core_rates {
    struct rate_limit login;   /* register and login */
    struct rate_limit publish; /* put-card and put-bundle */
    struct rate_limit find;
    struct rate_limit take;
    struct rate_limit put;
};

struct core_config {
    char name[256];      /* the relay's own: what clients sign as origin */
    uint64_t message_ms; /* how long a message waits in its mailbox */
    uint64_t stalled_ms; /* CORE_STALLED_MS, but for tests */
    struct core_rates rates;
    struct message_ids *ids; /* shared by the workers */
    /* Says why the store last answered with DOWN or UNKNOWN; NULL: it is not known. */
    void (*store_problem)(struct store *store, char *text, size_t size);
    const struct log *log; /* NULL: none */
    uint32_t worker;
};

/* What TLS says about one connection. */
struct core_hop {
    struct signet_id pin; /* of the key that we showed */
    uint8_t exporter[32]; /* RFC 9266 */
};

struct relay_core;
struct conn;

/* Store, library and config->ids are borrowed; the sink of this worker is attached by the caller.
 * All cores are made before one of them gives an id: the newest there is says whether the clock is
 * right. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err core_new(const struct core_config *config, struct store *store,
    struct signet_library *library, struct relay_core **core_out);
/* Connections that are still there go without a word; every group must have been answered. NULL is
 * fine. */
void core_free(struct relay_core *core);
/* Another configuration, from the next message on. The name must stay. */
void core_configure(struct relay_core *core, const struct core_config *config);

/* wall_ms: since 1970, may jump; monotonic_ms: never goes back. */
void core_set_time(struct relay_core *core, uint64_t wall_ms, uint64_t monotonic_ms);

/*
 * A client is connected: it is sent the challenge. `owner` is the loop's own and comes back with
 * the output. NULL: out of memory or randomness; the loop closes the connection.
 */
struct conn *core_open(struct relay_core *core, const struct core_hop *hop, void *owner);
/* One WebSocket message from it. */
void core_receive(struct relay_core *core, struct conn *conn, signet_span message);
/* How many bytes of output wait for the client: after some were sent or taken, and whenever the
 * connection comes up in the output without frames. */
void core_pending(struct relay_core *core, struct conn *conn, size_t pending);
/* Whether a device has logged in there. */
bool core_is_logged_in(const struct conn *conn);
/* It is gone; so is `conn`. */
void core_closed(struct relay_core *core, struct conn *conn);

/* The store's answer to a group of this core. */
void core_answered(struct relay_core *core, struct store_group *group);
/* Free a group of this core without looking at it: the relay is ending. */
void core_discard(struct relay_core *core, struct store_group *group);
/* A message for the device logged in at that connection; it now belongs to the core. */
void core_deliver(struct relay_core *core, uint64_t connection, struct store_message message);
/* Deliveries were lost on the way here: those who wait for them fetch instead. */
void core_missed(struct relay_core *core);
/* Close that connection, if it is still there, with a code that says why its login has ended. */
void core_end(struct relay_core *core, uint64_t connection, uint16_t code);

/* Whether a line that clients can cause may go to the log now: there is a limit to them. */
bool core_may_log(struct relay_core *core);

void core_tick(struct relay_core *core);
/* Submit what was gathered for the store, as one group. */
void core_flush(struct relay_core *core);
/* Operations that the store has not answered yet. */
size_t core_in_flight(const struct relay_core *core);

/* One WebSocket message to send. */
struct core_frame {
    struct core_frame *next;
    struct signet_buf bytes;
};

/* What the loop is to do with one connection, in the order of the fields; but what may wait for a
 * client that has logged in is raised first. */
struct core_output {
    struct conn *conn;
    void *owner;
    struct core_frame *frames; /* now the loop's: core_frames_free; NULL: core_pending is due */
    bool is_changed;           /* one of the following three is new */
    size_t message_max;        /* largest message accepted from now on */
    bool is_logged_in;         /* the login deadline is off */
    bool is_paused;            /* take no more messages from it for now */
    uint16_t close_code;       /* close it, with this code; 0: it stays open */
};

/* The next connection with something to do; false: none. */
bool core_next_output(struct relay_core *core, struct core_output *output_out);
void core_frames_free(struct core_frame *frames);

/* A login that has ended: replaced by a newer one, or its device is not on the card any more. */
struct core_ended {
    struct store_route route;
    uint16_t code;
};

/* The next such login on another worker: for that worker's core_end. */
bool core_next_ended(struct relay_core *core, struct core_ended *ended_out);

#endif
