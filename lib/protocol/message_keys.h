/*
 * What one message is sealed with, derived from a header key and a message key:
 * docs/protocol.md, section 6.1.
 */
#ifndef PROTOCOL_MESSAGE_KEYS_H
#define PROTOCOL_MESSAGE_KEYS_H

#include <signet/session.h>

#include "crypto/aead.h"
#include "crypto/dh.h"
#include "wire/envelope.h"

enum { COMMITMENT_LEN = 32 };

/* Each kind of key is a type of its own: one cannot be taken for another. */
struct header_key {
    uint8_t k[32];
};
struct message_key {
    uint8_t k[32];
};

/* A header in the clear. */
struct message_header {
    struct crypto_dh_public ratchet_key;
    uint32_t previous_count; /* PN: messages in the sending chain before this one */
    uint32_t number;         /* N */
    uint8_t commitment[COMMITMENT_LEN];
};

/* Whether it is the same chain; in constant time. */
bool header_key_equal(const struct header_key *a, const struct header_key *b);

/* The lookup tag of a chain. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err header_key_tag(
    struct signet_library *library, const struct header_key *key, struct signet_tag *tag_out);

/* Append the sealed header to an envelope that envelope_begin began: all of it is associated
 * data. Errors: NOMEM, CRYPTO. */
struct header_seal {
    const struct header_key *key;
    const struct message_header *header;
    signet_span salt;
};
SIGNET_MUST_USE enum signet_err header_seal(
    struct signet_library *library, const struct header_seal *seal, struct signet_buf *envelope);

/* Errors: AUTH, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err header_open(struct signet_library *library,
    const struct header_key *key, const struct envelope *envelope,
    struct message_header *header_out);

/* The body's key, and the commitment to it. */
struct body_keys {
    struct crypto_aead_key aead;
    uint8_t commitment[COMMITMENT_LEN];
};
/* Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err body_keys_derive(struct signet_library *library,
    const struct message_key *key, signet_span salt, struct body_keys *keys_out);

#endif
