/*
 * The init block: who starts a session with whom, signed by the initiator's device over T2 and
 * sealed for the responder. docs/protocol.md, section 5.
 */
#ifndef PROTOCOL_INIT_BLOCK_H
#define PROTOCOL_INIT_BLOCK_H

#include "crypto/aead.h"
#include "protocol/handshake.h"

struct handshake_parties {
    struct handshake_party initiator, responder;
};

/* T2. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err handshake_transcript_parties(struct signet_library *library,
    const struct signet_id *transcript, const struct handshake_parties *parties,
    struct signet_id *transcript_out);

struct init_block {
    const struct handshake_parties *parties;
    struct signet_id transcript; /* T2 */
};

/* Sign, pad and seal; bound to the public part of `init`. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err init_block_seal(const struct signet_account *account,
    const struct init_block *block, const struct crypto_aead_key *key,
    const struct envelope_init *init, struct signet_buf *sealed_out);

/*
 * Open and verify: fills in card, device and responder of `received`, whose card the caller frees
 * also after an error. Errors: AUTH, FORMAT, LIMIT, those of signet_card_read, CHANNEL (not for
 * this device), SIGNER, NOMEM, CRYPTO.
 */
SIGNET_MUST_USE enum signet_err init_block_open(const struct signet_account *account,
    const struct signet_id *transcript, const struct crypto_aead_key *key,
    const struct envelope_init *init, struct handshake_received *received);

#endif
