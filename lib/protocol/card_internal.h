/* What lib/protocol knows of a card beyond its public header. */
#ifndef PROTOCOL_CARD_INTERNAL_H
#define PROTOCOL_CARD_INTERNAL_H

#include <signet/card.h>

#include "crypto/rsa.h"

/* How long a list is valid, at most. */
#define LIST_LIFE_MS (UINT64_C(90) * 24 * 3600 * 1000)

struct device {
    struct signet_id id; /* fingerprint of the key */
    struct crypto_rsa_public *key;
    uint64_t since; /* version of the list that added it */
};

/* A device list: docs/protocol.md, section 3. */
struct device_list {
    struct signet_id signer;
    struct signet_id address;
    uint64_t generation;
    uint64_t version;
    bool has_previous;
    struct signet_id previous;
    uint64_t issued_at, not_after; /* ms */
    struct signet_id next_identity;
    size_t device_count;
    struct device devices[SIGNET_CARD_DEVICES_MAX]; /* rising by id */
};

/* The key of a device on the card, borrowed; NULL if it is not on it. */
const struct crypto_rsa_public *card_device_key(
    const struct signet_card *card, const struct signet_id *device);

/* The current identity key, borrowed. */
const struct crypto_rsa_public *card_identity_key(const struct signet_card *card);

/* The current list, borrowed. */
const struct device_list *card_list(const struct signet_card *card);

/*
 * The key of one device, from the bytes of a card that was read once and has been kept since where
 * nobody else writes: nothing is verified again.
 * Errors: FORMAT, LIMIT, PROFILE, PURPOSE, CHANNEL (another address), SIGNER (the device is not on
 * it), KEY, NOMEM, CRYPTO.
 */
SIGNET_MUST_USE enum signet_err card_known_device_key(struct signet_library *library,
    signet_span card, const struct signet_id *address, const struct signet_id *device,
    struct crypto_rsa_public **key_out);

/* The SubjectPublicKeyInfo of one device in the payload of a list, not verified.
 * Errors: FORMAT, LIMIT, SIGNER (it is not there), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err device_list_find(struct signet_library *library,
    signet_span payload, const struct signet_id *device, signet_span *spki_out);

/* Append a list's payload. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err device_list_write(
    const struct device_list *list, struct signet_buf *out);

/* Read a payload; the keys' moduli are not checked (crypto_rsa_public_check).
 * Errors: FORMAT, LIMIT, KEY, NOMEM, CRYPTO; on error nothing is held. */
SIGNET_MUST_USE enum signet_err device_list_read(
    struct signet_library *library, signet_span payload, struct device_list *out);

/* Give back the keys. */
void device_list_clear(struct device_list *list);

#endif
