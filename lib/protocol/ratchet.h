/*
 * The Double Ratchet with header encryption: Signal, "The Double Ratchet Algorithm", revision 1,
 * section 4; constants in docs/protocol.md, section 6.1.
 *
 * The functions compute; whoever calls decides what is kept. ratchet_sending changes nothing,
 * ratchet_sent moves on; to receive, work on a ratchet_copy and keep it when all has held.
 */
#ifndef PROTOCOL_RATCHET_H
#define PROTOCOL_RATCHET_H

#include "crypto/dh.h"
#include "protocol/handshake.h"
#include "protocol/message_keys.h"

struct ratchet;

/* The initiator sends at once, to the responder's signed prekey. Errors: KEY, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err ratchet_new_initiator(struct signet_library *library,
    const struct handshake_keys *keys, const struct crypto_dh_public *theirs,
    struct ratchet **ratchet_out);
/* The responder must receive before it can send. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err ratchet_new_responder(struct signet_library *library,
    const struct handshake_keys *keys, const struct crypto_dh_pair *ours,
    struct ratchet **ratchet_out);
/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err ratchet_copy(
    const struct ratchet *ratchet, struct ratchet **copy_out);
/* NULL is fine; wipes. */
void ratchet_free(struct ratchet *ratchet);

/* Append the secret form as one CBOR item. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err ratchet_encode(
    const struct ratchet *ratchet, struct signet_buf *out);
/* Errors: FORMAT, LIMIT, NOMEM. */
SIGNET_MUST_USE enum signet_err ratchet_decode(
    struct signet_library *library, signet_span encoded, struct ratchet **ratchet_out);

/* Messages sent in the present chain. */
uint32_t ratchet_sent_count(const struct ratchet *ratchet);
/* Message keys kept for messages that were skipped. */
size_t ratchet_skipped_count(const struct ratchet *ratchet);

/* Forget the keys of skipped messages that are older than 30 days; false: there was nothing. */
bool ratchet_expire(struct ratchet *ratchet, uint64_t now_ms);

/* What the next message is sealed with; wipe it. */
struct ratchet_sending {
    struct header_key header_key;
    struct message_key message_key;
    struct message_header header; /* without commitment */
};
/* Errors: STATE (a responder that has not received), LIMIT (the chain is full), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err ratchet_sending(
    const struct ratchet *ratchet, struct ratchet_sending *sending_out);
/* That message was sealed: its key is forgotten. Errors: NOMEM, CRYPTO; unchanged then. */
SIGNET_MUST_USE enum signet_err ratchet_sent(struct ratchet *ratchet);

/* The tags under which messages may arrive; returns how many. Errors: as header_key_tag. */
SIGNET_MUST_USE enum signet_err ratchet_tags(const struct ratchet *ratchet,
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX], size_t *count_out);

/*
 * Open the header of an envelope and come to its message key, moving the chains on. After an error
 * the ratchet is not to be used: work on a copy.
 * Errors: UNKNOWN (tag), AUTH, REPLAY, LIMIT, KEY, NOMEM, CRYPTO.
 */
struct ratchet_received {
    struct message_header header;
    struct message_key message_key;
};
SIGNET_MUST_USE enum signet_err ratchet_receive(struct ratchet *ratchet,
    const struct envelope *envelope, uint64_t now_ms, struct ratchet_received *received_out);

#endif
