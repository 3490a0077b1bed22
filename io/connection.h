/*
 * A WebSocket connection over TLS, on either side, driven by a libuv loop:
 * TCP -> TLS 1.3 -> HTTP upgrade -> messages. What messages mean is the owner's affair.
 *
 * Everything here belongs to the thread that runs the loop. Nothing blocks.
 *
 *   - Input is read up to a quota per wake-up, so nobody hogs the loop. An idle connection keeps
 *     no buffer.
 *   - Output is gathered and written once per wake-up, just before the loop waits.
 *   - A connection ends in exactly one on_closed, whether or not it was ever open, and never inside
 *     a call of its owner: after io_connection_close the pointer is good until on_closed returns.
 *   - Pings are answered; a peer that is silent for two ping intervals is given up.
 */
#ifndef IO_CONNECTION_H
#define IO_CONNECTION_H

#include <uv.h>

#include <signet/buffer.h>
#include <signet/id.h>

#include "io/socket.h"
#include "io/tls.h"
#include "io/websocket.h"

struct io_loop;
struct io_listener;
struct io_connection;

enum io_close_reason {
    IO_CLOSE_LOCAL,     /* our side asked for it */
    IO_CLOSE_PEER,      /* the peer closed; io_connection_code is its WebSocket code */
    IO_CLOSE_LOST,      /* the connection broke off */
    IO_CLOSE_CONNECT,   /* could not connect: refused, unreachable */
    IO_CLOSE_TLS,       /* no TLS 1.3 handshake */
    IO_CLOSE_WRONG_PIN, /* the server has another key */
    IO_CLOSE_HTTP,      /* no upgrade; io_connection_code is the HTTP status, or 0 */
    IO_CLOSE_PROTOCOL,  /* wrong or oversized frames; io_connection_code is what we sent */
    IO_CLOSE_DEADLINE,  /* the deadline passed */
    IO_CLOSE_SILENT,    /* the peer does not answer pings */
    IO_CLOSE_SLOW,      /* the peer does not read: over pending_max bytes wait for it */
    IO_CLOSE_MEMORY,    /* out of memory */
};

/* A word for logs: "peer", "wrong-pin"; never NULL. */
const char *io_close_reason_text(enum io_close_reason reason);

/* on_open, on_message and on_closed are needed, the others may be NULL. */
struct io_handler {
    /* Servers: false turns a new connection away before TLS begins, without on_closed; true is
     * followed by on_closed (limits per address). */
    bool (*on_accept)(void *owner, const struct socket_address *peer);
    /* The upgrade is done: messages may be sent. */
    void (*on_open)(struct io_connection *connection);
    /* One message; the span is valid during the call. */
    void (*on_message)(struct io_connection *connection, signet_span message);
    /* All output is written, after some of it had to wait. */
    void (*on_drained)(struct io_connection *connection);
    /* The last call for this connection. */
    void (*on_closed)(struct io_connection *connection, enum io_close_reason reason);
};

/* What connections of one kind share; must outlive them. */
struct io_settings {
    const struct io_handler *handler;
    void *owner;             /* for the handler: io_connection_owner */
    struct tls_context *tls; /* looked at when a connection begins: may be replaced in between */

    uint64_t deadline_ms; /* from accept or connect; stays in force after on_open until the owner
                             sets another or none */
    uint64_t ping_ms;     /* ping after this long without input; 0: never */
    size_t message_max;   /* largest message accepted, until io_connection_limit */
    size_t frame_max;     /* gathered frames (io_connection_frame) do not grow beyond this */
    size_t pending_max;   /* more unsent output than this ends the connection, likewise */
};

/* ---- loop ---- */

/*
 * What the connections of one uv loop share. Makes the process ignore SIGPIPE. Its handles do not
 * keep the uv loop alive.
 * Errors: NOMEM, IO.
 */
SIGNET_MUST_USE enum signet_err io_loop_new(uv_loop_t *uv, struct io_loop **loop_out);

/* Connections that have not seen on_closed yet. */
size_t io_loop_connections(const struct io_loop *loop);

/* io_connection_close for every connection: 0 drops them at once. */
void io_loop_close_connections(struct io_loop *loop, uint16_t code);

/*
 * Drop every connection (each gets its on_closed within this call), stop every listener and give
 * the loop back; not from inside a handler. The memory is freed when the uv loop has run once more,
 * but the pointer is gone now. NULL is fine.
 */
void io_loop_free(struct io_loop *loop);

/* ---- server ---- */

/* Accept connections from a listening socket (socket_listen), which the listener now owns; after
 * an error the caller still does. Errors: NOMEM, IO. */
SIGNET_MUST_USE enum signet_err io_listener_new(struct io_loop *loop,
    const struct io_settings *settings, int fd, struct io_listener **listener_out);

/* Stop accepting and close the socket; connections live on. NULL is fine. */
void io_listener_free(struct io_listener *listener);

/* ---- client ---- */

struct io_target {
    struct socket_address address;
    const char *authority;        /* HOST:PORT, for the Host header */
    const struct signet_id *pins; /* of the server's keys */
    size_t pin_count;             /* 1..TLS_PINS_MAX */
};

/* Begin to connect; nothing of `target` is kept. Later failures come by on_closed.
 * Errors: ARGUMENT, IO (with errno), NOMEM, CRYPTO; there is no on_closed then. */
SIGNET_MUST_USE enum signet_err io_connect(struct io_loop *loop, const struct io_settings *settings,
    const struct io_target *target, struct io_connection **connection_out);

/* ---- connections ---- */

void *io_connection_owner(const struct io_connection *connection); /* settings->owner */

/* The handler's own pointer per connection; NULL at first. */
void io_connection_set_user(struct io_connection *connection, void *user);
void *io_connection_user(const struct io_connection *connection);

const struct socket_address *io_connection_peer(const struct io_connection *connection);
/* For the exporter and the pins; good until on_closed returns. */
struct tls_stream *io_connection_tls(const struct io_connection *connection);
/* See io_close_reason; 0 where there is none. */
uint16_t io_connection_code(const struct io_connection *connection);

/*
 * Send one message as one frame, at the end of this wake-up.
 * Errors, with nothing queued: STATE (not open, or closing); LIMIT (over pending_max, although the
 * peer was given a chance to take what waits: the connection ends now, as IO_CLOSE_SLOW; an empty
 * queue takes a message of any size); NOMEM; CRYPTO.
 */
SIGNET_MUST_USE enum signet_err io_connection_send(
    struct io_connection *connection, signet_span message);

/*
 * Several small messages in one frame, without copying: returns the output buffer, to which the
 * caller appends at most `len` bytes at once, before any other call here. They join the frame being
 * gathered, if there is one and frame_max allows, or begin another; it ends with the wake-up or
 * with the next io_connection_send. To take back what was appended (an encoder failed), truncate
 * the buffer to its former length.
 *
 * NULL: the message cannot be sent, for the reasons of io_connection_send; *err_out says which.
 */
SIGNET_MUST_USE struct signet_buf *io_connection_frame(
    struct io_connection *connection, size_t len, enum signet_err *err_out);

/* Output bytes, with framing, that the system has not taken yet. */
size_t io_connection_pending(const struct io_connection *connection);
/* The system would not take all of them: on_drained will come. */
bool io_connection_is_blocked(const struct io_connection *connection);

/* Where that is so, try again at the end of this wake-up: the system takes a little long before it
 * reports that it takes much. */
void io_connection_push(struct io_connection *connection);

/* From the next message on: the largest that is accepted, and how much output may wait. */
void io_connection_limit(struct io_connection *connection, size_t message_max, size_t pending_max);

/* Close with IO_CLOSE_DEADLINE in `ms` from now, whatever the peer does until then; the time during
 * which it is not listened to (io_connection_pause) does not count. 0: no deadline. */
void io_connection_deadline(struct io_connection *connection, uint64_t ms);

/* Stop or go on taking messages from the peer: backpressure towards it. */
void io_connection_pause(struct io_connection *connection, bool is_paused);

/*
 * Close: what is pending, a close frame with this code and close_notify are sent if the peer takes
 * them within two seconds; no more on_message. 0 drops the connection without a word. on_closed
 * comes later, with IO_CLOSE_LOCAL. No effect where the connection is closing already, except that
 * 0 cuts it short.
 */
void io_connection_close(struct io_connection *connection, uint16_t code);

#endif
