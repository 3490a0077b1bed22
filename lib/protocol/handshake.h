/* Session set-up: docs/protocol.md, section 5. */
#ifndef PROTOCOL_HANDSHAKE_H
#define PROTOCOL_HANDSHAKE_H

#include <signet/session.h>

#include "crypto/dh.h"
#include "wire/envelope.h"

/* What both sides come to: root key and the two first header keys, as Expand gives them. */
struct handshake_keys {
    uint8_t root[32];
    uint8_t header_a[32]; /* the initiator sends under it first */
    uint8_t header_b[32]; /* the responder's next */
};

/* T1. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err handshake_transcript(struct signet_library *library,
    const struct envelope_init *init, struct signet_id *transcript_out);

/* Initiator: the encoded init data is appended to init_out. Errors: KEY, AUTH, CHANNEL, NOMEM, CRYPTO. */
struct handshake_sent {
    struct signet_id transcript;
    struct handshake_keys keys;
    struct signet_buf sealed; /* used on the way; empty in the result */
};
SIGNET_MUST_USE enum signet_err handshake_initiate(const struct signet_account *account,
    const struct signet_session_peer *peer, struct handshake_sent *sent_out,
    struct signet_buf *init_out);

/* Responder: who began, verified. The caller owns the card. Errors: as signet_session_accept. */
struct handshake_party {
    struct signet_id address, list, device;
};
struct handshake_received {
    struct handshake_party responder; /* as the initiator named us */
    struct signet_id transcript;
    struct handshake_keys keys;
    struct signet_card *card;
    struct signet_id device;
};
SIGNET_MUST_USE enum signet_err handshake_accept(const struct signet_session_own *own,
    const struct envelope_init *init, struct handshake_received *received_out);

#endif
