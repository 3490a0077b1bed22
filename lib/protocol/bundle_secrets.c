/* The owner's side of a prekey bundle: docs/protocol.md, section 4. */
#include <string.h>

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "protocol/account_internal.h"
#include "protocol/bundle_internal.h"
#include "protocol/signed.h"
#include "wire/cbor.h"

enum { FORMAT_VERSION = 1, OAEP_BITS = 3072 };
#define DAY_MS           (UINT64_C(24) * 3600 * 1000)
#define BUNDLE_LIFE_MS   (30 * DAY_MS)
#define OAEP_KEY_LIFE_MS (30 * DAY_MS)

/* Fresh X25519 pairs; the public halves are appended to `keys`. */
static enum signet_err make_prekeys(
    struct signet_library *library, struct signet_bundle_secrets *secrets, struct signet_buf *keys)
{
    struct crypto_dh_pair pair;
    enum signet_err err;

    if ((err = crypto_dh_generate(library, &secrets->signed_prekey)) != SIGNET_OK)
        return err;
    for (size_t i = 0; i < SIGNET_ONE_TIME_COUNT; i++) {
        if ((err = crypto_dh_generate(library, &pair)) != SIGNET_OK)
            break;
        secrets->one_time[i] = pair.private_key;
        secrets->has_one_time[i] = true;
        err = signet_buf_append(keys, signet_span_of(pair.public_key.k, CRYPTO_DH_LEN));
        if (err != SIGNET_OK)
            break;
    }
    crypto_wipe(&pair, sizeof(pair));
    return err;
}

/* Sign the public half of the secrets and note the bundle's id. */
static enum signet_err sign_bundle(struct signet_library *library,
    const struct signet_bundle_order *order, struct signet_bundle_secrets *secrets,
    signet_span keys, struct signet_buf *out)
{
    struct signet_bundle bundle = {
        .device = *signet_account_device(order->account),
        .address = *signet_account_address(order->account),
        .list = *signet_card_list(order->account->card),
        .version = order->version,
        .not_before = order->now_ms,
        .not_after = order->now_ms + BUNDLE_LIFE_MS,
        .oaep_key = crypto_rsa_private_public(secrets->oaep_key), /* borrowed */
        .signed_prekey = secrets->signed_prekey.public_key,
        .one_time_count = SIGNET_ONE_TIME_COUNT,
    };
    struct signet_buf payload = {0};
    enum signet_err err;

    if ((err = one_time_root(library, keys, &bundle.one_time_root)) != SIGNET_OK)
        return err;
    if ((err = bundle_write(&bundle, &payload)) != SIGNET_OK)
        goto out;
    if ((err = crypto_sha256_one(library, signet_buf_span(&payload), &secrets->id)) != SIGNET_OK)
        goto out;
    secrets->version = bundle.version;
    secrets->not_after = bundle.not_after;
    err = signed_make(order->account->device, TYP_BUNDLE, signet_buf_span(&payload), out);
out:
    signet_buf_free(&payload);
    return err;
}

enum signet_err bundle_from_keys(struct signet_library *library,
    const struct signet_bundle_order *order, const struct bundle_keys *keys,
    struct signet_bundle_secrets **secrets_out, struct signet_buf out[2])
{
    struct signet_bundle_secrets *secrets = crypto_secret_alloc(sizeof(*secrets));
    struct signet_buf public_keys = {0};
    enum signet_err err;

    if (secrets == NULL) {
        crypto_rsa_private_free(keys->oaep_key);
        return SIGNET_ERR_NOMEM;
    }
    secrets->oaep_key = keys->oaep_key;
    secrets->reject = keys->reject;
    secrets->oaep_made_at = keys->oaep_made_at;
    if ((err = make_prekeys(library, secrets, &public_keys)) != SIGNET_OK)
        goto out;
    if ((err = signet_buf_reserve(&out[1], public_keys.len)) != SIGNET_OK)
        goto out;
    if ((err = sign_bundle(library, order, secrets, signet_buf_span(&public_keys), &out[0])) !=
        SIGNET_OK)
        goto out;
    err = signet_buf_append(&out[1], signet_buf_span(&public_keys)); /* reserved: cannot fail */
    *secrets_out = secrets;
    secrets = NULL;
out:
    signet_buf_free(&public_keys);
    signet_bundle_secrets_free(secrets);
    return err;
}

/* A decryption key of its own for the new bundle: a copy of the previous one, or a fresh one. */
static enum signet_err take_oaep_key(struct signet_library *library,
    const struct signet_bundle_order *order, struct bundle_keys *keys)
{
    const struct signet_bundle_secrets *previous = order->previous;
    struct signet_buf pkcs8 = {0};
    enum signet_err err;

    if (previous == NULL || order->now_ms - previous->oaep_made_at >= OAEP_KEY_LIFE_MS) {
        keys->oaep_made_at = order->now_ms;
        err = crypto_random_secret(library, &keys->reject, sizeof(keys->reject));
        if (err == SIGNET_OK)
            err = crypto_rsa_generate(library, OAEP_BITS, &keys->oaep_key);
        return err;
    }
    keys->oaep_made_at = previous->oaep_made_at;
    keys->reject = previous->reject;
    if ((err = crypto_rsa_private_write(previous->oaep_key, &pkcs8)) == SIGNET_OK)
        err = crypto_rsa_private_read(library, signet_buf_span(&pkcs8), &keys->oaep_key);
    signet_buf_free(&pkcs8);
    return err;
}

/* Whether whoever reads the bundle will accept its numbers, and decoding the secrets too. */
static bool order_is_valid(const struct signet_bundle_order *order)
{
    return order->version > 0 && order->version <= SIGNET_TIME_MAX &&
           order->now_ms <= SIGNET_TIME_MAX - BUNDLE_LIFE_MS;
}

enum signet_err signet_bundle_make(struct signet_library *library,
    const struct signet_bundle_order *order, struct signet_bundle_secrets **secrets_out,
    struct signet_buf *bundle_out, struct signet_buf *keys_out)
{
    struct signet_buf made[2] = {{0}};
    struct signet_bundle_secrets *secrets = NULL;
    struct bundle_keys keys = {0};
    enum signet_err err;

    if (!order_is_valid(order))
        return SIGNET_ERR_ARGUMENT;
    if ((err = take_oaep_key(library, order, &keys)) != SIGNET_OK)
        goto out;
    if ((err = bundle_from_keys(library, order, &keys, &secrets, made)) != SIGNET_OK)
        goto out;
    if ((err = signet_buf_reserve(keys_out, made[1].len)) != SIGNET_OK)
        goto out;
    if ((err = signet_buf_append(bundle_out, signet_buf_span(&made[0]))) != SIGNET_OK)
        goto out;
    err = signet_buf_append(keys_out, signet_buf_span(&made[1])); /* reserved: cannot fail */
    *secrets_out = secrets;
    secrets = NULL;
out:
    signet_bundle_secrets_free(secrets);
    signet_buf_free(&made[0]);
    signet_buf_free(&made[1]);
    crypto_wipe(&keys.reject, sizeof(keys.reject));
    return err;
}

void signet_bundle_secrets_free(struct signet_bundle_secrets *secrets)
{
    if (secrets == NULL)
        return;
    crypto_rsa_private_free(secrets->oaep_key);
    crypto_secret_free(secrets, sizeof(*secrets));
}

enum signet_err signet_bundle_secrets_encode(
    const struct signet_bundle_secrets *secrets, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);
    struct signet_buf pkcs8 = {0};
    enum signet_err err;

    w.err = crypto_rsa_private_write(secrets->oaep_key, &pkcs8);
    wire_put_array(&w, 10);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_id(&w, &secrets->id);
    wire_put_uint(&w, secrets->version);
    wire_put_uint(&w, secrets->not_after);
    wire_put_uint(&w, secrets->oaep_made_at);
    wire_put_bytes(&w, signet_buf_span(&pkcs8));
    wire_put_bytes(&w, signet_span_of(secrets->reject.k, sizeof(secrets->reject.k)));
    wire_put_bytes(&w, signet_span_of(secrets->signed_prekey.private_key.k, CRYPTO_DH_LEN));
    wire_put_bytes(&w, signet_span_of(secrets->signed_prekey.public_key.k, CRYPTO_DH_LEN));
    wire_put_array(&w, SIGNET_ONE_TIME_COUNT);
    for (size_t i = 0; i < SIGNET_ONE_TIME_COUNT; i++) {
        if (secrets->has_one_time[i])
            wire_put_bytes(&w, signet_span_of(secrets->one_time[i].k, CRYPTO_DH_LEN));
        else
            wire_put_null(&w);
    }
    err = wire_writer_finish(&w);
    signet_buf_free(&pkcs8);
    return err;
}

/* Exactly `len` bytes into `to`. */
static void get_exact(struct wire_reader *r, void *to, size_t len)
{
    signet_span bytes = wire_get_bytes(r, len, len);

    if (bytes.len == len)
        memcpy(to, bytes.ptr, len);
}

static enum signet_err decode_into(
    struct signet_library *library, signet_span encoded, struct signet_bundle_secrets *secrets)
{
    struct wire_reader r = wire_reader(encoded);
    signet_span pkcs8;
    enum signet_err err;

    wire_expect_array(&r, 10);
    wire_expect_uint(&r, FORMAT_VERSION);
    wire_get_id(&r, &secrets->id);
    secrets->version = wire_get_uint(&r, SIGNET_TIME_MAX);
    secrets->not_after = wire_get_uint(&r, SIGNET_TIME_MAX);
    secrets->oaep_made_at = wire_get_uint(&r, SIGNET_TIME_MAX);
    pkcs8 = wire_get_bytes(&r, 1, CRYPTO_RSA_PRIVATE_MAX);
    get_exact(&r, secrets->reject.k, sizeof(secrets->reject.k));
    get_exact(&r, secrets->signed_prekey.private_key.k, CRYPTO_DH_LEN);
    get_exact(&r, secrets->signed_prekey.public_key.k, CRYPTO_DH_LEN);
    wire_expect_array(&r, SIGNET_ONE_TIME_COUNT);
    for (size_t i = 0; i < SIGNET_ONE_TIME_COUNT; i++) {
        secrets->has_one_time[i] = !wire_get_null(&r);
        if (secrets->has_one_time[i])
            get_exact(&r, secrets->one_time[i].k, CRYPTO_DH_LEN);
    }
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    return crypto_rsa_private_read(library, pkcs8, &secrets->oaep_key);
}

enum signet_err signet_bundle_secrets_decode(
    struct signet_library *library, signet_span encoded, struct signet_bundle_secrets **secrets_out)
{
    struct signet_bundle_secrets *secrets = crypto_secret_alloc(sizeof(*secrets));
    enum signet_err err;

    if (secrets == NULL)
        return SIGNET_ERR_NOMEM;
    if ((err = decode_into(library, encoded, secrets)) != SIGNET_OK) {
        signet_bundle_secrets_free(secrets);
        return err;
    }
    *secrets_out = secrets;
    return SIGNET_OK;
}

const struct signet_id *signet_bundle_secrets_id(const struct signet_bundle_secrets *secrets)
{
    return &secrets->id;
}

uint64_t signet_bundle_secrets_version(const struct signet_bundle_secrets *secrets)
{
    return secrets->version;
}

uint64_t signet_bundle_secrets_not_after(const struct signet_bundle_secrets *secrets)
{
    return secrets->not_after;
}

bool signet_bundle_secrets_has(const struct signet_bundle_secrets *secrets, uint32_t index)
{
    return index < SIGNET_ONE_TIME_COUNT && secrets->has_one_time[index];
}

void signet_bundle_secrets_forget(struct signet_bundle_secrets *secrets, uint32_t index)
{
    if (index >= SIGNET_ONE_TIME_COUNT)
        return;
    secrets->has_one_time[index] = false;
    crypto_wipe(&secrets->one_time[index], sizeof(secrets->one_time[index]));
}
