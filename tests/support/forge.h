/*
 * Signed objects as somebody with some keys can make them: valid ones to be changed, and whatever
 * comes of that. Ends the process when out of memory.
 */
#ifndef TESTS_FORGE_H
#define TESTS_FORGE_H

#include "protocol/card_internal.h"
#include "protocol/signed.h"
#include "tests/support/parties.h"
#include "wire/cbor.h"

/* A COSE_Sign1 over the payload; the caller frees it, as all that is returned here. */
struct signet_buf forge_signed(
    const struct crypto_rsa_private *key, const char *typ, signet_span payload);

/* A copy of the party's device list, its keys borrowed: to be changed. */
struct device_list forge_list(const struct party *party);

/* One generation of a card: that key's SubjectPublicKeyInfo, with that list signed by `signer`. */
struct forged_link {
    const struct crypto_rsa_private *identity;
    const struct device_list *list;
    const struct crypto_rsa_private *signer; /* NULL: the identity */
    const char *typ;                         /* NULL: that of device lists */
};
struct signet_buf forge_card_bytes(const struct forged_link *links, size_t count);
/* Those bytes read. Errors: as signet_card_read. */
enum signet_err forge_card(struct signet_library *library, const struct forged_link *links,
    size_t count, struct signet_card **card_out);

/* The id that a list has: of the list before it. */
struct signet_id forge_list_id(struct signet_library *library, const struct device_list *list);

#endif
