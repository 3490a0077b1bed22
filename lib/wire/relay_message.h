/*
 * The messages between a client and its relay: docs/protocol.md, section 9.
 *
 * One WebSocket message holds a sequence of them. Reading parses in place: spans borrow from the
 * input. Nothing here knows what cards, bundles and proofs contain.
 */
#ifndef WIRE_RELAY_MESSAGE_H
#define WIRE_RELAY_MESSAGE_H

#include "wire/cbor.h"

enum relay_type {
    /* client to relay */
    RELAY_REGISTER = 1,
    RELAY_LOGIN = 2,
    RELAY_PUT_CARD = 3,
    RELAY_PUT_BUNDLE = 4,
    RELAY_FIND = 5,
    RELAY_TAKE = 6,
    RELAY_PUT = 7,
    RELAY_SUBSCRIBE = 8,
    RELAY_ACK = 9,
    /* relay to client */
    RELAY_CHALLENGE = 64,
    RELAY_DONE = 65,
    RELAY_REFUSED = 66,
    RELAY_WELCOME = 67,
    RELAY_ACCOUNT = 68,
    RELAY_PREKEYS = 69,
    RELAY_ACCEPTED = 70,
    RELAY_DELIVER = 71,
    RELAY_DRAINED = 72,
};

enum relay_code {
    RELAY_CODE_UNKNOWN = 1,
    RELAY_CODE_NAME_TAKEN = 2,
    RELAY_CODE_INVITATION = 3,
    RELAY_CODE_CLOSED = 4,
    RELAY_CODE_INVALID = 5,
    RELAY_CODE_CLOCK = 6,
    RELAY_CODE_VERSION = 7,
    RELAY_CODE_FULL = 8,
    RELAY_CODE_OFTEN = 9,
    RELAY_CODE_STORE = 10,
    RELAY_CODE_NAME = 11,
    RELAY_CODE_NOT_REGISTERED = 12,
};

enum {
    RELAY_MESSAGE_MAX = 131072,      /* bytes of a WebSocket message from a client */
    RELAY_MESSAGE_MAX_BEFORE = 4096, /* before login */
    RELAY_ENVELOPE_MAX = 98304,
    RELAY_NONCE_LEN = 32,
    RELAY_TOKEN_LEN = 16,
    RELAY_NAME_MAX = 32,
    RELAY_CARD_MAX = 32768,
    RELAY_BUNDLE_MAX = 4096,
    RELAY_PROOF_MAX = 2048,
    RELAY_PREKEY_LEN = 32,
    RELAY_PREKEYS_MAX = 256,
    RELAY_PATH_MAX = 8,
    RELAY_ACKS_MAX = 1024,
    RELAY_CLOSE_REPLACED = 4001, /* WebSocket close codes of our own */
    RELAY_CLOSE_SLOW = 4003,
    RELAY_CLOSE_REMOVED = 4004,
};

/* One one-time prekey with its inclusion path. */
struct relay_prekey {
    uint64_t index;
    signet_span key;  /* RELAY_PREKEY_LEN bytes */
    signet_span path; /* whole ids, one after the other; at most RELAY_PATH_MAX */
};

/* Which fields hold what, by type, is said beside them; the others are zero. */
struct relay_message {
    enum relay_type type;
    uint64_t req;               /* all but CHALLENGE, ACK, DELIVER, DRAINED */
    signet_span token;          /* REGISTER: empty or RELAY_TOKEN_LEN bytes */
    signet_span name;           /* REGISTER, ACCOUNT; FIND by name (else empty) */
    struct signet_id id;        /* FIND by address; TAKE and PUT: device; WELCOME: list */
    signet_span card;           /* REGISTER, PUT_CARD, ACCOUNT */
    signet_span proof;          /* REGISTER, LOGIN */
    signet_span bundle;         /* PUT_BUNDLE, PREKEYS; WELCOME: empty if the relay has none */
    signet_span keys;           /* PUT_BUNDLE: reading: the encoded array, see relay_keys_copy;
                               writing: whole keys, one after the other */
    size_t key_count;           /* PUT_BUNDLE, reading */
    bool has_prekey;            /* PREKEYS */
    struct relay_prekey prekey; /* PREKEYS; reading: path is encoded, see relay_path_copy */
    signet_span envelope;       /* PUT, DELIVER */
    uint64_t message;           /* ACCEPTED, DELIVER */
    signet_span acks;           /* ACK, reading: the encoded items, see relay_ack_next */
    const uint64_t *ack_ids;    /* ACK, writing */
    size_t ack_count;           /* ACK */
    signet_span nonce;          /* CHALLENGE: RELAY_NONCE_LEN bytes */
    uint64_t code;           /* REFUSED: enum relay_code, or one that is newer than this program */
    uint64_t retry_after_ms; /* REFUSED */
    uint64_t time_ms;        /* WELCOME */
    uint64_t one_time_left;  /* WELCOME */
};

/*
 * Read the first message of a sequence that is not empty; *rest_out is what follows it.
 * Errors: FORMAT, LIMIT. The outputs are unchanged then.
 */
SIGNET_MUST_USE enum signet_err relay_message_read(
    signet_span in, struct relay_message *message_out, signet_span *rest_out);

/* Append a message. Errors: ARGUMENT (relay_message_read would refuse it: a type that does not
 * exist, a field beyond its ceiling), FORMAT (a name that is not UTF-8), NOMEM; `out` is unchanged
 * then. */
SIGNET_MUST_USE enum signet_err relay_message_write(
    const struct relay_message *message, struct signet_buf *out);

/* Take the next id off an ACK that was read; false at the end. */
bool relay_ack_next(struct relay_message *ack, uint64_t *id_out);

/* Append the keys of a PUT_BUNDLE that was read, 32 bytes each. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err relay_keys_copy(
    const struct relay_message *put_bundle, struct signet_buf *out);

/* The path of a PREKEYS that was read; returns how many ids were written. */
size_t relay_path_copy(const struct relay_message *prekeys, struct signet_id path[RELAY_PATH_MAX]);

#endif
