/* How the store seals what it keeps. */
#include "agent/store/seal.h"

#include <string.h>

#include "crypto/aead.h"
#include "crypto/secret.h"

enum { RANDOM_LEN = 32, U64_LEN = 8 };

/* Table, column and version of the format; all that follows it is of fixed length. */
static const char context[] = "record.value.1";

enum { AD_MAX = sizeof(context) - 1 + STORE_DATABASE_ID_LEN + 2 * U64_LEN + STORE_NAME_LEN };

enum signet_err store_seal_init(struct store_seal *seal, struct signet_library *library,
    const struct store_key *key, signet_span database)
{
    struct crypto_out index_key = {seal->index_key, sizeof(seal->index_key)};

    if (database.len != sizeof(seal->database))
        return SIGNET_ERR_FORMAT;
    seal->library = library;
    memcpy(seal->prk.k, key->k, sizeof(seal->prk.k));
    memcpy(seal->database, database.ptr, sizeof(seal->database));
    return crypto_hkdf_expand(
        library, &seal->prk, signet_span_str("signet index"), database, index_key);
}

static void put_u64(uint8_t bytes[U64_LEN], uint64_t value)
{
    for (size_t i = 0; i < U64_LEN; i++)
        bytes[i] = (uint8_t)(value >> (8 * (U64_LEN - 1 - i)));
}

enum signet_err store_seal_place(
    const struct store_seal *seal, const struct record_key *key, struct store_place *place_out)
{
    uint8_t named[U64_LEN + RECORD_NAME_MAX];
    uint8_t mac[CRYPTO_MAC_LEN];
    enum signet_err err;

    if (key->name.len > RECORD_NAME_MAX)
        return SIGNET_ERR_ARGUMENT;
    put_u64(named, (uint64_t)key->kind);
    if (key->name.len > 0)
        memcpy(named + U64_LEN, key->name.ptr, key->name.len);
    err = crypto_hmac(seal->library, signet_span_of(seal->index_key, sizeof(seal->index_key)),
        signet_span_of(named, U64_LEN + key->name.len), mac);
    if (err != SIGNET_OK)
        return err;
    place_out->kind = (uint64_t)key->kind;
    place_out->number = key->number;
    memcpy(place_out->name, mac, sizeof(place_out->name));
    return SIGNET_OK;
}

/* What binds a value to its row. */
static void associate(
    const struct store_seal *seal, const struct store_place *place, uint8_t ad[AD_MAX])
{
    uint8_t *at = ad;

    memcpy(at, context, sizeof(context) - 1);
    at += sizeof(context) - 1;
    memcpy(at, seal->database, sizeof(seal->database));
    at += sizeof(seal->database);
    put_u64(at, place->kind);
    at += U64_LEN;
    memcpy(at, place->name, sizeof(place->name));
    at += sizeof(place->name);
    put_u64(at, place->number);
}

static enum signet_err derive(
    const struct store_seal *seal, signet_span random, struct crypto_aead_key *key_out)
{
    return crypto_hkdf_expand(seal->library, &seal->prk, signet_span_str("signet record"), random,
        (struct crypto_out){key_out, sizeof(*key_out)});
}

enum signet_err store_seal_value(const struct store_seal *seal, const struct store_place *place,
    signet_span value, struct signet_buf *out)
{
    struct crypto_aead_key key;
    uint8_t random[RANDOM_LEN];
    uint8_t ad[AD_MAX];
    size_t start = out->len;
    enum signet_err err;

    if ((err = crypto_random_public(seal->library, random, sizeof(random))) != SIGNET_OK)
        return err;
    if ((err = derive(seal, signet_span_of(random, sizeof(random)), &key)) != SIGNET_OK)
        return err;
    associate(seal, place, ad);
    if ((err = signet_buf_append(out, signet_span_of(random, sizeof(random)))) == SIGNET_OK)
        err = crypto_aead_seal(seal->library, &key, signet_span_of(ad, sizeof(ad)), value, out);
    if (err != SIGNET_OK)
        signet_buf_truncate(out, start);
    crypto_wipe(&key, sizeof(key));
    return err;
}

enum signet_err store_open_value(const struct store_seal *seal, const struct store_place *place,
    signet_span sealed, struct signet_buf *out)
{
    struct crypto_aead_key key;
    uint8_t ad[AD_MAX];
    enum signet_err err;

    if (sealed.len < RANDOM_LEN)
        return SIGNET_ERR_AUTH;
    if ((err = derive(seal, signet_span_of(sealed.ptr, RANDOM_LEN), &key)) != SIGNET_OK)
        return err;
    associate(seal, place, ad);
    err = crypto_aead_open(seal->library, &key, signet_span_of(ad, sizeof(ad)),
        signet_span_from(sealed, RANDOM_LEN), out);
    crypto_wipe(&key, sizeof(key));
    return err;
}
