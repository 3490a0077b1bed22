/* The inside of a link, each file calling those after it: link.c has its life, connection.c what is
 * done with an open connection, events.c hands on to the owner, dial.c is the way to a connection,
 * settle.c what follows every call of the engine, queue.c what is yet to be told. */
#ifndef AGENT_LINK_LINK_INTERNAL_H
#define AGENT_LINK_LINK_INTERNAL_H

#include "agent/link/link.h"
#include "io/connection.h"

enum {
    LINK_ADDRESSES_MAX = 8,
    LINK_AUTHORITY_SIZE = INVITATION_HOST_MAX + 16,
};

struct link {
    struct agent *agent;
    const struct link_handler *handler;
    void *ctx;
    uv_loop_t uv;
    struct io_loop *io;
    struct tls_context *tls;
    struct io_settings settings;
    char authority[LINK_AUTHORITY_SIZE];

    uv_signal_t signals[3];
    uv_timer_t turn;     /* hands on what a call of the owner has brought about */
    uv_timer_t patience; /* until open, then until logged in */
    uv_timer_t pause;    /* before another attempt */
    uv_timer_t watch;    /* asks whether a connection has grown old */
    uv_timer_t quiet;    /* since the last commit */
    uv_timer_t due;      /* for the engine's deadline */
    uv_timer_cb on_turn, on_due;
    uint64_t pause_ms;

    uv_getaddrinfo_t lookup;
    bool is_looking_up;
    struct socket_address addresses[LINK_ADDRESSES_MAX];
    size_t address_count, address_next;

    struct io_connection *connection; /* NULL: none */
    bool is_open, is_ready;           /* both false, too, once it was given up */
    bool is_nonsense;                 /* the relay broke the protocol above the frames */

    struct engine_event *first_event, *last_event;
    bool has_offline_texts; /* the engine was given texts while there was no connection */
    bool has_down;
    struct link_down down;
    bool is_delivering, has_ended;
    enum exit_code code;
};

/* ---- connection.c ---- */

extern const struct io_handler link_io_handler;
/* For the timer `due`. */
void link_on_due(uv_timer_t *timer);

/* ---- events.c ---- */

/* Hand on events; not inside a call of the owner. */
void link_deliver(struct link *link);
/* For the timer `turn`. */
void link_on_turn(uv_timer_t *timer);

/* ---- dial.c ---- */

/* Look the relay up and connect to its addresses in turn; ends in link_opened or link_failed. */
void link_dial(struct link *link);
/* An address did not work: go on with the next. False: there is none. */
bool link_dial_next(struct link *link);
/* Give up looking up and connecting. */
void link_dial_stop(struct link *link);

/* ---- settle.c ---- */

/* After every call of the engine: disk, then relay, then events. An error has been reported, and
 * has ended the link. */
enum signet_err link_settle(struct link *link, enum signet_err err, struct engine_output *output);
/* Tell the engine; errors as of link_settle. */
enum signet_err link_disconnected(struct link *link);

/* ---- queue.c ---- */

/* Neither ended nor broken. */
bool link_is_usable(const struct link *link);
/* Takes the event over. */
void link_add_event(struct link *link, struct engine_event *event);
/* Hand on events soon, outside of the call that brought them about. */
void link_deliver_later(struct link *link);
/* There is no connection, and none under way. */
void link_failed(struct link *link, const struct link_down *down);
/* The same, where only a cause is to be added to "cannot reach the relay at HOST:PORT". */
void link_unreachable(struct link *link, const char *why);

#endif
