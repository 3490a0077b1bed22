/* The inside of a connection; nobody outside of io/ includes this. */
#ifndef IO_CONNECTION_INTERNAL_H
#define IO_CONNECTION_INTERNAL_H

#include "io/connection.h"
#include "io/http.h"
#include "io/loop_internal.h"

enum {
    IO_READ_QUOTA = 65536,      /* bytes a connection may read per wake-up */
    IO_CLOSE_MS = 2000,         /* for the last words to arrive */
    IO_KEEP_MAX = 8192,         /* leftover input that is copied rather than grown in place */
    IO_PONG_PENDING_MAX = 4096, /* with more than this unsent, pings are not answered */
};

enum connection_state {
    CONNECTION_CONNECTING, /* TCP */
    CONNECTION_HANDSHAKE,  /* TLS */
    CONNECTION_UPGRADE,    /* HTTP */
    CONNECTION_OPEN,
    CONNECTION_CLOSING, /* last words are being written, input is thrown away */
    CONNECTION_CLOSED,  /* waits to be reaped */
};

struct io_connection {
    uv_poll_t poll;
    uv_timer_t timer; /* deadline, ping and the end of closing */
    struct io_loop *loop;
    const struct io_settings *settings;
    void *user;
    struct tls_stream *tls;
    struct io_connection *next, **link; /* in loop->all */
    struct io_connection *next_dirty, *next_ready;
    struct signet_buf in;  /* part of a head or of one frame */
    struct signet_buf out; /* not yet written, from out_sent on */
    size_t out_sent;
    size_t pending_max;
    struct ws_codec codec;
    struct ws_frame frame; /* being gathered at the end of `out`, if has_frame */
    uint64_t deadline_at;  /* uv_now; 0: none */
    uint64_t paused_at;    /* since when is_paused; the deadline stands still meanwhile */
    uint64_t pinged_at;    /* 0: heard from since */
    uint64_t heard_at;     /* when input last came */
    uint64_t closing_at;   /* when CLOSING is cut short */
    struct socket_address peer;
    int fd; /* of tls */
    uint16_t code;
    uint8_t interest; /* what the poll handle waits for */
    uint8_t handle_count;
    enum connection_state state;
    enum io_close_reason reason;   /* in CLOSING and CLOSED */
    char accept[HTTP_ACCEPT_SIZE]; /* clients: what the server must answer */
    bool is_dirty, is_ready;
    bool is_refused; /* by on_accept: there is no on_closed */
    bool has_frame;
    bool is_paused;
    bool is_write_blocked;      /* output had to wait; on_drained is due when it is gone */
    bool is_waiting_to_write;   /* the last write, or handshake step, wants a writable descriptor */
    bool is_read_waiting_write; /* the last read does */
    bool is_goodbye_said;       /* close_notify */
    bool is_final;              /* the peer closed first: nothing to wait for once all is written */
};

/* connection.c */
SIGNET_MUST_USE enum signet_err connection_new(struct io_loop *loop,
    const struct io_settings *settings, enum ws_role role, struct io_connection **connection_out);
/* Begin to watch the descriptor, which connection->tls owns. */
SIGNET_MUST_USE enum signet_err connection_watch(struct io_connection *connection, int fd);
/* Give back one that was never announced to its owner. */
void connection_discard(struct io_connection *connection);
/* Wait for what the state needs. */
void connection_update_interest(struct io_connection *connection);
void connection_update_timer(struct io_connection *connection);
/* By uv_now: when silence is next looked at, when the deadline passes; UINT64_MAX: never. */
uint64_t connection_ping_at(const struct io_connection *connection);
uint64_t connection_deadline_at(const struct io_connection *connection);
/* The end, at once; on_closed follows from the loop. The first reason stands. */
void connection_finish(struct io_connection *connection, enum io_close_reason reason);
/* on_closed, and give everything back. */
void connection_reap(struct io_connection *connection);

/* connection_close.c */
/* The end, when what is in `out` was written, or after IO_CLOSE_MS. */
void connection_linger(struct io_connection *connection, enum io_close_reason reason);
/* As connection_linger, with a close frame. */
void connection_close_with(
    struct io_connection *connection, enum io_close_reason reason, uint16_t code);

/* connection_input.c */
void connection_on_events(struct io_connection *connection, int events);
void connection_read(struct io_connection *connection);

/* connection_output.c */
/* Queue one frame behind what is there. Errors: NOMEM, CRYPTO; nothing is queued then. */
SIGNET_MUST_USE enum signet_err connection_append_frame(
    struct io_connection *connection, enum ws_opcode opcode, signet_span payload);
/* Write what the descriptor takes. Calls nobody. */
void connection_write(struct io_connection *connection);
/* As connection_write, then on_drained and the next step of closing. */
void connection_flush(struct io_connection *connection);

#endif
