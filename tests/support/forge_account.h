/*
 * Accounts and prekey bundles of keys that are there, and with any field changed. Ends the process
 * when out of memory.
 */
#ifndef TESTS_FORGE_ACCOUNT_H
#define TESTS_FORGE_ACCOUNT_H

#include <signet/account.h>
#include <signet/bundle.h>

#include "crypto/dh.h"
#include "crypto/rsa.h"

/* ---- accounts ---- */

/* The private keys are taken over. */
struct forged_account {
    struct crypto_rsa_private *identity;
    struct crypto_rsa_private *device;
    struct signet_id next_identity;
};
/* The caller frees it. */
struct signet_account *forge_account(
    struct signet_library *library, const struct forged_account *keys, uint64_t now_ms);

/* Borrowed from the account. */
const struct crypto_rsa_private *forge_identity_key(const struct signet_account *account);
const struct crypto_rsa_private *forge_device_key(const struct signet_account *account);

/* Put another one in its place; what was there is the caller's, what is there the account's. */
struct crypto_rsa_private *forge_replace_identity_key(
    struct signet_account *account, struct crypto_rsa_private *key);
struct crypto_rsa_private *forge_replace_device_key(
    struct signet_account *account, struct crypto_rsa_private *key);
/* The present card is freed. */
void forge_replace_card(struct signet_account *account, struct signet_card *card);

/* How many lists of its own an account remembers. */
size_t forge_account_lists_max(void);

/* ---- bundles ---- */

/* A bundle's fields, its key borrowed. */
struct forged_bundle {
    struct signet_id id; /* as it was read; what is signed does not hold it */
    struct signet_id device, address, list;
    uint64_t version;
    uint64_t not_before, not_after; /* ms */
    uint64_t suite_max;
    struct crypto_rsa_public *oaep_key;
    struct crypto_dh_public signed_prekey;
    struct signet_id one_time_root;
    size_t one_time_count;
};
/* Those of a bundle, to be changed. */
struct forged_bundle forge_bundle(const struct signet_bundle *bundle);
/* The payload that is signed; the caller frees it, as all that is returned here. */
struct signet_buf forge_bundle_payload(const struct forged_bundle *fields);
/* That, signed by the key. */
struct signet_buf forge_bundle_bytes(
    const struct crypto_rsa_private *signer, const struct forged_bundle *fields);
/* As if it had been read. */
struct signet_bundle *forge_bundle_read(const struct forged_bundle *fields);

/* The root over one-time prekeys: whole keys of 32 bytes. */
struct signet_id forge_one_time_root(struct signet_library *library, signet_span keys);

/* ---- secrets of a bundle ---- */

/* The key is taken over. */
struct forged_secrets {
    struct crypto_rsa_private *oaep_key;
    struct crypto_reject_key reject;
    uint64_t oaep_made_at; /* ms */
};
/* The signed bundle is appended to out[0], the one-time public keys to out[1]. */
struct signet_bundle_secrets *forge_secrets(struct signet_library *library,
    const struct signet_bundle_order *order, const struct forged_secrets *keys,
    struct signet_buf out[2]);

/* A look inside; all is borrowed. */
struct seen_secrets {
    const struct crypto_rsa_private *oaep_key;
    const struct crypto_reject_key *reject;
    const struct crypto_dh_pair *signed_prekey;
    signet_span one_time; /* all private keys */
};
struct seen_secrets forge_see_secrets(const struct signet_bundle_secrets *secrets);

#endif
