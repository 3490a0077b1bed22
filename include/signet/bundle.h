/*
 * Prekey bundles: what a device publishes so that others can start a session while it is away.
 *
 * docs/protocol.md, section 4. A bundle is signed by its device and commits to 256 one-time
 * prekeys by a Merkle tree, so that a relay can neither invent one nor hand out its own.
 */
#ifndef SIGNET_BUNDLE_H
#define SIGNET_BUNDLE_H

#include <signet/account.h>

SIGNET_C_BEGIN

enum {
    SIGNET_ONE_TIME_COUNT = 256, /* that a new bundle has; fewer are accepted */
    SIGNET_ONE_TIME_KEY_LEN = 32,
    SIGNET_ONE_TIME_PATH_MAX = 8,
    SIGNET_BUNDLE_MAX = 4096, /* bytes of the signed bundle */
};

/* ---- what others see ---- */

struct signet_bundle;

/*
 * Read a signed bundle and verify it against the card of its account, apart from its time.
 * Errors: FORMAT, LIMIT, PROFILE, PURPOSE, KEY, SIGNER (the device is not on the card), CHANNEL
 * (another account), SUITE (suite 1 not offered), AUTH, NOMEM, CRYPTO.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_bundle_read(struct signet_library *library,
    signet_span bytes, const struct signet_card *card, struct signet_bundle **bundle_out);
/* The id of a signed bundle, of which nothing is verified: to recognize one's own.
 * Errors: FORMAT, LIMIT, PROFILE, PURPOSE, NOMEM, CRYPTO. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_bundle_peek(
    struct signet_library *library, signet_span bytes, struct signet_id *id_out);
/* NULL is fine. */
SIGNET_API void signet_bundle_free(struct signet_bundle *bundle);
SIGNET_API const struct signet_id *signet_bundle_id(const struct signet_bundle *bundle);
SIGNET_API const struct signet_id *signet_bundle_device(const struct signet_bundle *bundle);
SIGNET_API uint64_t signet_bundle_version(const struct signet_bundle *bundle);
SIGNET_API uint64_t signet_bundle_suite_max(const struct signet_bundle *bundle);
SIGNET_API uint64_t signet_bundle_not_before(const struct signet_bundle *bundle); /* ms */
SIGNET_API uint64_t signet_bundle_not_after(const struct signet_bundle *bundle);  /* ms */
SIGNET_API size_t signet_bundle_one_time_count(const struct signet_bundle *bundle);
/* Errors: EXPIRED, NOT_YET. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_bundle_check_time(
    const struct signet_bundle *bundle, uint64_t now_ms);

/* One one-time prekey as the relay hands it out. */
struct signet_one_time {
    uint32_t index;
    uint8_t key[SIGNET_ONE_TIME_KEY_LEN];
    size_t path_len; /* hashes in `path` */
    struct signet_id path[SIGNET_ONE_TIME_PATH_MAX];
};
/* Errors: AUTH (it is not one of the bundle's), NOMEM, CRYPTO. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_bundle_check_one_time(
    struct signet_library *library, const struct signet_bundle *bundle,
    const struct signet_one_time *one_time);

/* For the relay. `keys` holds count keys of 32 bytes. Errors: AUTH (not the bundle's keys). */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_bundle_check_keys(
    struct signet_library *library, const struct signet_bundle *bundle, signet_span keys);
/* Fill in one_time for keys[index] with its path. Errors: ARGUMENT (index), NOMEM, CRYPTO. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_one_time_prove(struct signet_library *library,
    signet_span keys, uint32_t index, struct signet_one_time *one_time_out);

/* ---- what the owner keeps ---- */

struct signet_bundle_secrets;

/*
 * Make a bundle and its private keys. The decryption key of `previous` (may be NULL) is used again
 * while it is younger than 30 days, else a new one is generated (half a second).
 * bundle_out  the signed bundle is appended
 * keys_out    the 256 one-time public keys, 32 bytes each, are appended
 * Errors: ARGUMENT (a version of 0, a version or time beyond SIGNET_TIME_MAX), NOMEM, CRYPTO;
 * outputs are unchanged then.
 */
struct signet_bundle_order {
    const struct signet_account *account;
    const struct signet_bundle_secrets *previous; /* NULL: none */
    uint64_t version;                             /* from 1, one more with each bundle */
    uint64_t now_ms;
};
SIGNET_API SIGNET_MUST_USE enum signet_err signet_bundle_make(struct signet_library *library,
    const struct signet_bundle_order *order, struct signet_bundle_secrets **secrets_out,
    struct signet_buf *bundle_out, struct signet_buf *keys_out);
/* Append the secret form. Errors: NOMEM, CRYPTO. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_bundle_secrets_encode(
    const struct signet_bundle_secrets *secrets, struct signet_buf *out);
/* Errors: FORMAT, LIMIT, KEY, NOMEM, CRYPTO. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_bundle_secrets_decode(
    struct signet_library *library, signet_span encoded,
    struct signet_bundle_secrets **secrets_out);
/* NULL is fine; wipes. */
SIGNET_API void signet_bundle_secrets_free(struct signet_bundle_secrets *secrets);
SIGNET_API const struct signet_id *signet_bundle_secrets_id(
    const struct signet_bundle_secrets *secrets);
SIGNET_API uint64_t signet_bundle_secrets_version(const struct signet_bundle_secrets *secrets);
SIGNET_API uint64_t signet_bundle_secrets_not_after(const struct signet_bundle_secrets *secrets);
/* Whether that one-time private key is still there. */
SIGNET_API bool signet_bundle_secrets_has(
    const struct signet_bundle_secrets *secrets, uint32_t index);
/* Wipe a one-time private key that has been used; no effect where it is gone. */
SIGNET_API void signet_bundle_secrets_forget(struct signet_bundle_secrets *secrets, uint32_t index);

SIGNET_C_END

#endif
