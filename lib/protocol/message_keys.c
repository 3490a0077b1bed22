/* Header and body keys of one message: docs/protocol.md, section 6.1. */
#include "protocol/message_keys.h"

#include <string.h>

#include "crypto/kdf.h"
#include "crypto/secret.h"

/* HKDF-Expand from a 32-byte key of any kind. */
static enum signet_err expand(struct signet_library *library, const uint8_t key[32],
    const char *label, signet_span context, struct crypto_out out)
{
    struct crypto_prk prk;
    enum signet_err err;

    memcpy(prk.k, key, sizeof(prk.k));
    err = crypto_hkdf_expand(library, &prk, signet_span_str(label), context, out);
    crypto_wipe(&prk, sizeof(prk));
    return err;
}

bool header_key_equal(const struct header_key *a, const struct header_key *b)
{
    return crypto_equal(signet_span_of(a->k, sizeof(a->k)), signet_span_of(b->k, sizeof(b->k)));
}

enum signet_err header_key_tag(
    struct signet_library *library, const struct header_key *key, struct signet_tag *tag_out)
{
    struct crypto_out out = {tag_out->b, sizeof(tag_out->b)};

    return expand(library, key->k, "tag", signet_span_of(NULL, 0), out);
}

static enum signet_err derive_header_key(struct signet_library *library,
    const struct header_key *key, signet_span salt, struct crypto_aead_key *out)
{
    struct crypto_out place = {out, sizeof(*out)}; /* key || nonce, as the structure lies */

    _Static_assert(sizeof(*out) == 44, "key and nonce lie together");
    return expand(library, key->k, "hdr", salt, place);
}

static void put_u32(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 24);
    to[1] = (uint8_t)(value >> 16);
    to[2] = (uint8_t)(value >> 8);
    to[3] = (uint8_t)value;
}

static uint32_t get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

enum signet_err header_seal(
    struct signet_library *library, const struct header_seal *seal, struct signet_buf *envelope)
{
    struct crypto_aead_key key;
    uint8_t plain[ENVELOPE_HEADER_PLAIN_LEN];
    enum signet_err err;

    /* Room first: the associated data must not move while it is read. */
    if ((err = signet_buf_reserve(envelope, ENVELOPE_HEADER_LEN)) != SIGNET_OK)
        return err;
    if ((err = derive_header_key(library, seal->key, seal->salt, &key)) != SIGNET_OK)
        return err;
    memcpy(plain, seal->header->ratchet_key.k, CRYPTO_DH_LEN);
    put_u32(plain + 32, seal->header->previous_count);
    put_u32(plain + 36, seal->header->number);
    memcpy(plain + 40, seal->header->commitment, COMMITMENT_LEN);
    err = crypto_aead_seal(
        library, &key, signet_buf_span(envelope), signet_span_of(plain, sizeof(plain)), envelope);
    crypto_wipe(&key, sizeof(key));
    crypto_wipe(plain, sizeof(plain));
    return err;
}

enum signet_err header_open(struct signet_library *library, const struct header_key *key,
    const struct envelope *envelope, struct message_header *header_out)
{
    struct crypto_aead_key aead;
    struct signet_buf plain = {0};
    enum signet_err err;

    if ((err = derive_header_key(library, key, envelope->salt, &aead)) != SIGNET_OK)
        return err;
    err = crypto_aead_open(library, &aead, envelope->header_ad, envelope->header, &plain);
    if (err == SIGNET_OK && plain.len != ENVELOPE_HEADER_PLAIN_LEN)
        err = SIGNET_ERR_AUTH;
    if (err == SIGNET_OK) {
        memcpy(header_out->ratchet_key.k, plain.ptr, CRYPTO_DH_LEN);
        header_out->previous_count = get_u32(plain.ptr + 32);
        header_out->number = get_u32(plain.ptr + 36);
        memcpy(header_out->commitment, plain.ptr + 40, COMMITMENT_LEN);
    }
    signet_buf_free(&plain);
    crypto_wipe(&aead, sizeof(aead));
    return err;
}

enum signet_err body_keys_derive(struct signet_library *library, const struct message_key *key,
    signet_span salt, struct body_keys *keys_out)
{
    struct crypto_out place = {keys_out, sizeof(*keys_out)};

    _Static_assert(sizeof(*keys_out) == 76, "key, nonce and commitment lie together");
    return expand(library, key->k, "msg", salt, place);
}
