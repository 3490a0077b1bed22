/*
 * How many connections each address has, over all workers: nobody alone takes every descriptor.
 * An IPv6 host has a whole /64 to connect from, so that is what counts as one address.
 */
#ifndef SERVER_WORKER_ADDRESSES_H
#define SERVER_WORKER_ADDRESSES_H

#include <signet/error.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/socket.h"

struct addresses;

/* max: connections per address; 0: no limit. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err addresses_new(uint64_t max, struct addresses **addresses_out);
/* NULL is fine. */
void addresses_free(struct addresses *addresses);

/* From any thread. */

/* Another limit, for those who come from now on. */
void addresses_set_max(struct addresses *addresses, uint64_t max);
/* A connection begins; false: its address has as many as it may (or memory is out), and it is not
 * counted. */
bool addresses_enter(struct addresses *addresses, const struct socket_address *peer);
/* One that was counted has ended. */
void addresses_leave(struct addresses *addresses, const struct socket_address *peer);

#endif
