/*
 * The way to the relay: looks it up, connects to its addresses in turn, tries again after a pause,
 * and carries messages both ways. What they mean is the affair of its owner, whom it tells by a
 * table of functions.
 *
 * Its handles are on the owner's loop, and all of it belongs to the thread that runs that.
 */
#ifndef AGENT_LINK_LINK_H
#define AGENT_LINK_LINK_H

#include <uv.h>

#include <signet/id.h>

#include "io/tls.h"
#include "wire/invitation.h"

struct link;

/* Why there is no connection. */
enum link_cause {
    LINK_UNREACHABLE,
    LINK_WRONG_RELAY, /* it shows a key that is not pinned */
    LINK_ELSEWHERE,   /* it ended the connection: the device has logged in by another */
};

struct link_handler {
    /* Messages may be sent. */
    void (*on_open)(void *ctx);
    /* The span is valid during the call. */
    void (*on_message)(void *ctx, signet_span message);
    /* There is no connection, and none under way. `why` is a clause, NULL but for UNREACHABLE.
     * Comes inside link_connect, too. */
    void (*on_down)(void *ctx, enum link_cause cause, const char *why);
    /* A connection that was open, or was to be, has ended; on_down has told why. */
    void (*on_closed)(void *ctx, bool was_open);
};

/* What both ends of a connection know, and nobody between them can choose. */
struct link_binding {
    struct signet_id pin; /* that the relay showed */
    uint8_t exporter[TLS_EXPORTER_LEN];
    const char *cipher; /* its name; static */
};

/* Make a link; nothing happens before link_connect. Loop and relay are borrowed.
 * Errors: NOMEM, IO, CRYPTO; the loop must then run once more. */
SIGNET_MUST_USE enum signet_err link_new(uv_loop_t *loop, const struct invitation *relay,
    const struct link_handler *handler, void *ctx, struct link **link_out);
/* Drops a connection; its handles are closed with the loop, and its memory with link_free after
 * that. NULL is fine for both. */
void link_close(struct link *link);
void link_free(struct link *link);

/* HOST:PORT */
const char *link_relay(const struct link *link);
/* A connection is open, and was not given up. */
bool link_is_open(const struct link *link);
/* Of the open connection. Errors: CRYPTO, NOMEM. */
SIGNET_MUST_USE enum signet_err link_read_binding(
    const struct link *link, struct link_binding *binding_out);

/* Connect now, unless that is done or under way. */
void link_connect(struct link *link);
/* Connect again after a pause, which grows from one to thirty seconds while that fails. */
void link_retry(struct link *link);
/* Send one message; where nothing is open, it is dropped. Errors: those of io_connection_send. */
SIGNET_MUST_USE enum signet_err link_send(struct link *link, signet_span message);

/* The relay broke the protocol by its last message: end the connection. */
void link_refuse(struct link *link);
/* Where the relay has not let us in yet, the time that it has for its answer begins anew. */
void link_await(struct link *link);
/* The relay has let us in: no answer is awaited here any more, and pauses begin at one second. */
void link_let_in(struct link *link);

/* Drop the connection, or the way to one; the handler is not called for it any more. */
void link_drop(struct link *link);
/* The same, but what is written to the connection still goes out. */
void link_give_up(struct link *link);
/* Begin nothing any more, and call the handler for nothing. */
void link_stop(struct link *link);
/* After link_stop: run the loop until what is written has gone out. Not clean: drop that. */
void link_finish(struct link *link, bool is_clean);

#endif
