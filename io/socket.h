/*
 * TCP sockets over IPv4 and IPv6: addresses as text, listening, accepting, connecting. Every
 * descriptor made here is non-blocking, close-on-exec and without Nagle's delay.
 */
#ifndef IO_SOCKET_H
#define IO_SOCKET_H

#include <netinet/in.h>

#include <signet/error.h>
#include <signet/span.h>

#include "io/result.h"

enum { SOCKET_TEXT_SIZE = 56 }; /* "[v6]:65535" and the terminating zero */

struct socket_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } u;
};

/* "192.0.2.1:7443" or "[2001:db8::1]:7443"; port 0 is allowed. Nothing is looked up.
 * Errors: FORMAT; *address_out is unchanged then. */
SIGNET_MUST_USE enum signet_err socket_address_parse(
    const char *text, struct socket_address *address_out);

void socket_address_text(const struct socket_address *address, char text[SOCKET_TEXT_SIZE]);
/* The text without the port: what limits per address are kept by. */
void socket_host_text(const struct socket_address *address, char text[SOCKET_TEXT_SIZE]);
uint16_t socket_port(const struct socket_address *address);

/*
 * Look up "HOST:PORT"; literals need no network. Blocks while the resolver does. Writes at most
 * `max` addresses in the order in which to try them.
 * Errors: FORMAT (not HOST:PORT), IO (no such host, or the resolver failed).
 */
SIGNET_MUST_USE enum signet_err socket_resolve(
    const char *text, struct socket_address *addresses_out, size_t max, size_t *count_out);

/* Whether nobody listens there yet: socket_listen would share it without a word with another
 * program of the same user. Errors: IO, with errno. */
SIGNET_MUST_USE enum signet_err socket_check_free(const struct socket_address *address);

/*
 * Listen with SO_REUSEADDR and SO_REUSEPORT: several threads may listen on one address, and the
 * system spreads connections over them. "::" is every address, of IPv4 too. *bound_out (may be
 * NULL) names the port that port 0 chose. Errors: IO, with errno.
 */
SIGNET_MUST_USE enum signet_err socket_listen(
    const struct socket_address *address, int *fd_out, struct socket_address *bound_out);

/* IO_OK; IO_AGAIN (nobody waits); IO_FAILED with errno, among them EMFILE and ENFILE, after which
 * the listener stays readable. A peer that came by IPv4 has an address of IPv4. */
SIGNET_MUST_USE enum io_result socket_accept(
    int listener, int *fd_out, struct socket_address *peer_out);

/* Begin to connect; when the descriptor is writable, ask socket_connect_finish.
 * Errors: IO, with errno. */
SIGNET_MUST_USE enum signet_err socket_connect_start(
    const struct socket_address *address, int *fd_out);

/* IO_OK, IO_AGAIN_WRITE, or IO_FAILED with errno; the caller closes the descriptor. */
SIGNET_MUST_USE enum io_result socket_connect_finish(int fd);

#endif
