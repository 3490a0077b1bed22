/*
 * The invitation to a relay, one line without spaces: docs/protocol.md, section 9.
 *   signet://HOST:PORT/base64url([1, [pin, pin], token, operator / null])
 */
#ifndef WIRE_INVITATION_H
#define WIRE_INVITATION_H

#include "wire/cbor.h"

enum {
    INVITATION_TEXT_MAX = 1024, /* characters */
    INVITATION_HOST_MAX = 255,
    INVITATION_TOKEN_LEN = 16,
};

struct invitation {
    char host[INVITATION_HOST_MAX + 1]; /* name, IPv4 address, or IPv6 address without brackets */
    uint16_t port;
    struct signet_id pins[2]; /* current and backup key of the relay */
    uint8_t token[INVITATION_TOKEN_LEN];
    bool has_operator;
    struct signet_id operator_address;
};

/* Errors: FORMAT, NOMEM; *out is unchanged then. Surrounding white space is passed over. */
SIGNET_MUST_USE enum signet_err invitation_read(const char *text, struct invitation *out);

/* Append the line, without its end. Errors: ARGUMENT (host, port), NOMEM; `out` is unchanged
 * then. */
SIGNET_MUST_USE enum signet_err invitation_write(
    const struct invitation *invitation, struct signet_buf *out);

#endif
