/*
 * How the store seals what it keeps.
 *
 * PRK = the store key. A name is stored as the first 16 bytes of HMAC-SHA-256(index key,
 * kind || name). A value is stored as random, 32 bytes || ciphertext || tag: AES-256-GCM with
 * key || nonce = HKDF-Expand(PRK, "signet record" || random), and as associated data the database,
 * table, column, version, and the row. Numbers are of 8 bytes, most significant first.
 */
#ifndef AGENT_STORE_SEAL_H
#define AGENT_STORE_SEAL_H

#include "agent/store/store.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"

enum { STORE_DATABASE_ID_LEN = 16, STORE_NAME_LEN = 16 };

/* Secret: to be wiped. */
struct store_seal {
    struct signet_library *library; /* borrowed */
    struct crypto_prk prk;
    uint8_t index_key[CRYPTO_MAC_LEN];
    uint8_t database[STORE_DATABASE_ID_LEN]; /* random, one for each file */
};

/* A row; kind 0 is no record but the store's check of its key. */
struct store_place {
    uint64_t kind, number;
    uint8_t name[STORE_NAME_LEN];
};

/* Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err store_seal_init(struct store_seal *seal,
    struct signet_library *library, const struct store_key *key, signet_span database);

/* Where a record is stored. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err store_seal_place(
    const struct store_seal *seal, const struct record_key *key, struct store_place *place_out);

/* Append the sealed value. Errors: NOMEM, CRYPTO; `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err store_seal_value(const struct store_seal *seal,
    const struct store_place *place, signet_span value, struct signet_buf *out);

/* Append the value. Errors: AUTH, NOMEM, CRYPTO; `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err store_open_value(const struct store_seal *seal,
    const struct store_place *place, signet_span sealed, struct signet_buf *out);

#endif
