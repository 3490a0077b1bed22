/*
 * The envelope as bytes: docs/protocol.md, section 6; its init data, section 5. Reading parses in
 * place; nothing here holds a key.
 */
#ifndef WIRE_ENVELOPE_H
#define WIRE_ENVELOPE_H

#include "wire/cbor.h"

enum {
    ENVELOPE_VERSION = 1,
    ENVELOPE_MAX = 98304, /* bytes */
    ENVELOPE_TAG_LEN = 8,
    ENVELOPE_SALT_LEN = 16,
    ENVELOPE_HEADER_PLAIN_LEN = 72,
    ENVELOPE_HEADER_LEN = 88, /* with its GCM tag */
    ENVELOPE_DH_LEN = 32,
    ENVELOPE_OAEP_MAX = 512,
    ENVELOPE_SUITE_1 = 1,
};

/* What starts a session; spans borrow. */
struct envelope_init {
    struct signet_id bundle;
    bool has_one_time;
    uint32_t one_time;
    signet_span ephemeral;
    signet_span oaep;
    signet_span sealed;
};

struct envelope {
    signet_span tag;
    signet_span salt;
    bool has_init;
    struct envelope_init init;
    signet_span header;
    signet_span body;
    signet_span header_ad; /* all bytes before the header's ciphertext */
    signet_span body_ad;   /* all bytes before the body's ciphertext */
};

/* Errors: FORMAT, LIMIT, SUITE (version or suite not spoken). *out is unchanged then. */
SIGNET_MUST_USE enum signet_err envelope_read(signet_span in, struct envelope *out);

/* Append init data as an envelope carries it. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err envelope_init_write(
    const struct envelope_init *init, struct signet_buf *out);

/* Append CBOR[suite, bundle, one-time index / null, ephemeral, oaep, kem]: what T1 hashes and
 * the init block is bound to. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err envelope_init_public(
    const struct envelope_init *init, struct signet_buf *out);

/* Append an envelope up to the header's ciphertext. `init` is encoded init data, or empty.
 * Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err envelope_begin(
    signet_span tag, signet_span salt, signet_span init, struct signet_buf *out);

#endif
