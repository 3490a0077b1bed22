/*
 * What a peer with valid keys can put into a session that signet itself never would: first messages
 * and ratchet messages with any field changed.
 */
#ifndef TESTS_FORGE_SESSION_H
#define TESTS_FORGE_SESSION_H

#include "protocol/init_block.h"
#include "protocol/message_keys.h"
#include "protocol/ratchet.h"
#include "tests/support/parties.h"

/* ---- first messages ---- */

struct forged_init {
    const struct signet_account *account;    /* whose card goes into the block */
    struct handshake_parties parties;        /* the responder as named in the block */
    const struct crypto_rsa_private *device; /* signs the proof; NULL: the account's */
    struct signet_id signer, transcript;     /* of the proof; a zero transcript: T2 */
    signet_span proof;                       /* COSE_Sign1; empty: signed by `device` */
    bool has_ephemeral;
    struct crypto_dh_public ephemeral; /* where has_ephemeral: sent in place of a fresh one */
    bool has_oaep;
    signet_span oaep; /* where has_oaep: sent in place of the secret's */
};

/* A valid one, without a one-time prekey, to be changed. */
struct forged_init forge_init(const struct party *from, const struct party *to);
/* An envelope with that init data, its ratchet part filled with zeros. What is not given is made so
 * that it fits; where `sign` is given, T2 is taken over these names, else over `parties`. */
struct signet_buf forge_first_message(
    const struct party *to, const struct forged_init *init, const struct handshake_parties *sign);
/* Why `to` refuses it; OK where it does not. */
enum signet_err forge_refusal(
    const struct party *to, const struct forged_init *init, const struct handshake_parties *sign);

/* ---- messages of a session ---- */

struct forged_message {
    struct message_header header; /* as the session would send it; the commitment fits the key */
    struct header_key header_key;
    struct message_key message_key;
    uint8_t salt[ENVELOPE_SALT_LEN];
};

/* The next message of a session, which does not move on; to be changed. */
struct forged_message forge_message(const struct signet_session *session);
/* The envelope that follows from it, with the session's init data. */
struct signet_buf forge_envelope(const struct signet_session *session,
    const struct forged_message *message, const char *content);

/* ---- a session's state ---- */

/* A session around that ratchet, which it takes over: sealing and opening need no more. */
struct signet_session *forge_session(struct signet_library *library, struct ratchet *ratchet);
/* How many keys of skipped messages it has. */
size_t forge_skipped_count(const struct signet_session *session);
/* Give it as many as it may have, of its receiving chain. */
void forge_skipped_keys(struct signet_session *session, uint64_t now_ms);
/* Leave its init data out from now on, as after an answer. */
void forge_answered(struct signet_session *session);

#endif
