/* The inside of a link, each file calling those after it: link.c has its life, connection.c what
 * comes by an open connection, dial.c the way to one. */
#ifndef AGENT_LINK_STATE_H
#define AGENT_LINK_STATE_H

#include "agent/link/link.h"
#include "io/connection.h"

enum {
    LINK_ADDRESSES_MAX = 8,
    LINK_AUTHORITY_SIZE = INVITATION_HOST_MAX + 16,
};

struct link {
    uv_loop_t *loop;
    const struct invitation *relay;
    const struct link_handler *handler;
    void *ctx;
    struct io_loop *io;
    struct tls_context *tls;
    struct io_settings settings;
    char authority[LINK_AUTHORITY_SIZE];

    uv_timer_t patience; /* until open, then until logged in */
    uv_timer_t pause;    /* before another attempt */
    uint64_t pause_ms;

    uv_getaddrinfo_t lookup;
    bool is_looking_up;
    struct socket_address addresses[LINK_ADDRESSES_MAX];
    size_t address_count, address_next;

    struct io_connection *connection; /* NULL: none */
    bool is_open;                     /* false, too, once it was given up */
    bool is_nonsense;                 /* the relay broke the protocol above the frames */
    bool is_stopped;
};

/* ---- connection.c ---- */

extern const struct io_handler link_io_handler;

/* ---- dial.c ---- */

/* Look the relay up and connect to its addresses in turn; ends in on_open or on_down. */
void link_dial(struct link *link);
/* An address did not work: go on with the next. False: there is none. */
bool link_dial_next(struct link *link);
/* Give up looking up and connecting. */
void link_dial_stop(struct link *link);

#endif
