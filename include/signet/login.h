/*
 * The proofs given to a relay: that an account registers a name, and that a device logs in.
 *
 * docs/protocol.md, section 9. Both are bound to one relay (its pinned key and its name) and to one
 * connection (both nonces and the TLS exporter of RFC 9266), so that no proof serves elsewhere.
 */
#ifndef SIGNET_LOGIN_H
#define SIGNET_LOGIN_H

#include <signet/account.h>

SIGNET_C_BEGIN

enum {
    SIGNET_NAME_MAX = 32,    /* characters */
    SIGNET_ORIGIN_MAX = 255, /* bytes */
    SIGNET_HOP_NONCE_LEN = 32,
};

/* One connection between a device and a relay. */
struct signet_hop {
    struct signet_id pin; /* SHA-256 of the SubjectPublicKeyInfo that the relay showed */
    signet_span origin;   /* the relay's name, 1..SIGNET_ORIGIN_MAX bytes of UTF-8 */
    uint8_t server_nonce[SIGNET_HOP_NONCE_LEN];
    uint8_t client_nonce[SIGNET_HOP_NONCE_LEN]; /* verifying: not compared */
    uint8_t exporter[32];
};

/* [a-z0-9][a-z0-9._-]{0,31} */
SIGNET_API bool signet_name_is_valid(signet_span name);

/* Append the signed proof. Errors: ARGUMENT (the name or origin), NOMEM, CRYPTO. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_registration_sign(
    const struct signet_account *account, signet_span name, const struct signet_hop *hop,
    struct signet_buf *out);
SIGNET_API SIGNET_MUST_USE enum signet_err signet_login_sign(
    const struct signet_account *account, const struct signet_hop *hop, struct signet_buf *out);

/*
 * Errors: FORMAT, LIMIT, PROFILE, PURPOSE, SIGNER, AUTH, CHANNEL (another relay, connection, name
 * or list), NOMEM, CRYPTO. AUTH before all that is inside the signature.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_registration_verify(signet_span proof,
    const struct signet_card *card, signet_span name, const struct signet_hop *hop);

/* Who claims to log in, before anything is verified: to look up the card. Errors: as reading. */
struct signet_login_claim {
    struct signet_id address;
    struct signet_id device;
    struct signet_id list;
};
SIGNET_API SIGNET_MUST_USE enum signet_err signet_login_read(
    signet_span proof, struct signet_login_claim *claim_out);
/* Errors: as signet_registration_verify; SIGNER where the device is not on the card. The list is a
 * claim, which may be newer than the card: a device logs in before it can publish its list. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_login_verify(
    signet_span proof, const struct signet_card *card, const struct signet_hop *hop);
/*
 * The same for a relay that has verified the card (signet_card_read) when it was stored, and lets
 * nobody else write there: its bytes are not verified again, which would cost milliseconds. No card
 * that came from anywhere else may be given.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_login_verify_stored(
    struct signet_library *library, signet_span proof, signet_span card,
    const struct signet_hop *hop);

SIGNET_C_END

#endif
