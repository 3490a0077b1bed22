/*
 * An account as its owner holds it: the identity key, this device's signing key, its own card.
 *
 * docs/protocol.md, sections 3 and 9. Secret keys live in OpenSSL's secure heap; the encoded form
 * holds them in the clear and belongs under a seal.
 */
#ifndef SIGNET_ACCOUNT_H
#define SIGNET_ACCOUNT_H

#include <signet/card.h>

SIGNET_C_BEGIN

struct signet_account;

/* The private key that will follow the present identity key: to be kept somewhere else. */
struct signet_next_identity {
    struct signet_buf pkcs8; /* unencrypted DER; wipe with signet_buf_free */
    struct signet_id fingerprint;
};

/*
 * Make identity key, next identity key and device key (three RSA key generations: seconds) and the
 * first device list. identity_bits: 2048, 3072 or 4096. Device keys have 3072 bits.
 * Errors: ARGUMENT (bits; a list from then would end after SIGNET_TIME_MAX), NOMEM, CRYPTO; outputs
 * are unchanged then.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_account_create(struct signet_library *library,
    unsigned identity_bits, uint64_t now_ms, struct signet_account **account_out,
    struct signet_next_identity *next_out);

/* Append the secret form. Errors: NOMEM, CRYPTO. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_account_encode(
    const struct signet_account *account, struct signet_buf *out);
/* Errors: FORMAT, KEY and those of signet_card_read. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_account_decode(
    struct signet_library *library, signet_span encoded, struct signet_account **account_out);
/* NULL is fine; wipes. */
SIGNET_API void signet_account_free(struct signet_account *account);

SIGNET_API const struct signet_card *signet_account_card(const struct signet_account *account);
SIGNET_API const struct signet_id *signet_account_address(const struct signet_account *account);
SIGNET_API const struct signet_id *signet_account_device(const struct signet_account *account);
/* Whether this id names a device list that this account has issued. */
SIGNET_API bool signet_account_issued_list(
    const struct signet_account *account, const struct signet_id *list);

/*
 * Issue the next version of the device list, good for another 90 days from now.
 * Errors: STATE (now is before the current list was issued), ARGUMENT (the list would end after
 * SIGNET_TIME_MAX), NOMEM, CRYPTO; unchanged then.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_account_renew(
    struct signet_account *account, uint64_t now_ms);

/*
 * Go over to the announced identity key: issue a list of the next generation, which voids the
 * later lists of the old key, and make and announce another next key.
 * Errors: SUCCESSION (not the key that was announced), KEY, LIMIT (as many generations as a card
 * holds), ARGUMENT (as signet_account_renew), NOMEM, CRYPTO; unchanged then.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_account_succeed(struct signet_account *account,
    signet_span next_pkcs8, uint64_t now_ms, struct signet_next_identity *next_out);

SIGNET_C_END

#endif
