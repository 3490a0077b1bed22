/*
 * Signed objects: COSE_Sign1 of profile Single made and verified with a key, and the purposes for
 * which signet signs. docs/protocol.md, section 2.
 */
#ifndef PROTOCOL_SIGNED_H
#define PROTOCOL_SIGNED_H

#include "crypto/rsa.h"

#define TYP_DEVICE_LIST  "application/signet-device-list+cbor"
#define TYP_BUNDLE       "application/signet-bundle+cbor"
#define TYP_HANDSHAKE    "application/signet-handshake+cbor"
#define TYP_ENTRY        "application/signet-entry+cbor"
#define TYP_REGISTRATION "application/signet-registration+cbor"
#define TYP_LOGIN        "application/signet-login+cbor"

/* Sign a payload for a purpose; the COSE_Sign1 is appended. Errors: ARGUMENT, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err signed_make(const struct crypto_rsa_private *key, const char *typ,
    signet_span payload, struct signet_buf *out);

/* The payload, not verified: to find out whose key to verify with. It borrows from `cose`.
 * Errors: FORMAT, LIMIT, PURPOSE, PROFILE (a batch too: docs/protocol.md, section 2). */
SIGNET_MUST_USE enum signet_err signed_peek(
    signet_span cose, const char *typ, signet_span *payload_out);

/* The payload, verified under the key. Errors: as signed_peek, and AUTH, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err signed_open(const struct crypto_rsa_public *key, const char *typ,
    signet_span cose, signet_span *payload_out);

#endif
