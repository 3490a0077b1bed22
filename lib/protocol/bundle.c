/* Prekey bundles as others see them: docs/protocol.md, section 4. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "protocol/bundle_internal.h"
#include "protocol/card_internal.h"
#include "protocol/signed.h"
#include "wire/cbor.h"

enum { BUNDLE_FIELDS = 11, SUITE_1 = 1 };
#define BUNDLE_LIFE_MAX_MS (UINT64_C(31) * 24 * 3600 * 1000)

enum signet_err bundle_write(const struct signet_bundle *bundle, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, BUNDLE_FIELDS);
    wire_put_id(&w, &bundle->device);
    wire_put_id(&w, &bundle->address);
    wire_put_id(&w, &bundle->list);
    wire_put_uint(&w, bundle->version);
    wire_put_uint(&w, bundle->not_before);
    wire_put_uint(&w, bundle->not_after);
    wire_put_array(&w, 1);
    wire_put_uint(&w, SUITE_1);
    wire_put_bytes(&w, crypto_rsa_public_spki(bundle->oaep_key));
    wire_put_bytes(&w, signet_span_of(bundle->signed_prekey.k, CRYPTO_DH_LEN));
    wire_put_null(&w);
    wire_put_array(&w, 2);
    wire_put_id(&w, &bundle->one_time_root);
    wire_put_uint(&w, bundle->one_time_count);
    return wire_writer_finish(&w);
}

/* Rising suites; the first error is FORMAT, a list without suite 1 is SUITE. */
static void read_suites(struct wire_reader *r, struct signet_bundle *bundle)
{
    size_t count = wire_get_array(r, 1, BUNDLE_SUITES_MAX);
    bool has_suite_1 = false;

    for (size_t i = 0; i < count; i++) {
        uint64_t suite = wire_get_uint(r, UINT16_MAX);

        if (suite <= bundle->suite_max)
            wire_reader_fail(r, SIGNET_ERR_FORMAT);
        has_suite_1 = has_suite_1 || suite == SUITE_1;
        bundle->suite_max = suite;
    }
    if (!has_suite_1)
        wire_reader_fail(r, SIGNET_ERR_SUITE);
}

static enum signet_err parse(signet_span payload, struct signet_bundle *bundle, signet_span *spki)
{
    struct wire_reader r = wire_reader(payload);
    signet_span prekey;
    enum signet_err err;

    wire_expect_array(&r, BUNDLE_FIELDS);
    wire_get_id(&r, &bundle->device);
    wire_get_id(&r, &bundle->address);
    wire_get_id(&r, &bundle->list);
    bundle->version = wire_get_uint(&r, SIGNET_TIME_MAX);
    bundle->not_before = wire_get_uint(&r, SIGNET_TIME_MAX);
    bundle->not_after = wire_get_uint(&r, SIGNET_TIME_MAX);
    read_suites(&r, bundle);
    *spki = wire_get_bytes(&r, 1, CRYPTO_RSA_SPKI_MAX);
    prekey = wire_get_bytes(&r, CRYPTO_DH_LEN, CRYPTO_DH_LEN);
    if (!wire_get_null(&r)) /* suite 2's place */
        wire_reader_fail(&r, SIGNET_ERR_FORMAT);
    wire_expect_array(&r, 2);
    wire_get_id(&r, &bundle->one_time_root);
    bundle->one_time_count = (size_t)wire_get_uint(&r, SIGNET_ONE_TIME_COUNT);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    memcpy(bundle->signed_prekey.k, prekey.ptr, CRYPTO_DH_LEN);
    if (bundle->version == 0 || bundle->one_time_count == 0 ||
        bundle->not_after < bundle->not_before ||
        bundle->not_after - bundle->not_before > BUNDLE_LIFE_MAX_MS)
        return SIGNET_ERR_FORMAT;
    return SIGNET_OK;
}

/* Whose bundle it is, and that its signature holds; fields are filled in, except oaep_key. */
static enum signet_err verify(signet_span bytes, const struct signet_card *card,
    struct signet_bundle *bundle, signet_span *payload, signet_span *spki)
{
    const struct crypto_rsa_public *key;
    enum signet_err err;

    if ((err = signed_peek(bytes, TYP_BUNDLE, payload)) != SIGNET_OK)
        return err;
    if ((err = parse(*payload, bundle, spki)) != SIGNET_OK)
        return err;
    if (!signet_id_equal(&bundle->address, signet_card_address(card)))
        return SIGNET_ERR_CHANNEL;
    key = card_device_key(card, &bundle->device);
    if (key == NULL)
        return SIGNET_ERR_SIGNER;
    return signed_open(key, TYP_BUNDLE, bytes, payload);
}

enum signet_err signet_bundle_read(struct signet_library *library, signet_span bytes,
    const struct signet_card *card, struct signet_bundle **bundle_out)
{
    struct signet_bundle *bundle;
    signet_span payload, spki;
    enum signet_err err;

    if (bytes.len > SIGNET_BUNDLE_MAX)
        return SIGNET_ERR_LIMIT;
    bundle = calloc(1, sizeof(*bundle));
    if (bundle == NULL)
        return SIGNET_ERR_NOMEM;
    if ((err = verify(bytes, card, bundle, &payload, &spki)) != SIGNET_OK)
        goto out;
    err = SIGNET_ERR_KEY;
    if (spki.len > CRYPTO_RSA_SPKI_3072)
        goto out;
    if ((err = crypto_rsa_public_read(library, spki, &bundle->oaep_key)) != SIGNET_OK)
        goto out;
    /* One key for one purpose: a decryption key that also signs is a decryption oracle's dream. */
    err = SIGNET_ERR_KEY;
    if (signet_id_equal(crypto_rsa_public_fingerprint(bundle->oaep_key), &bundle->device))
        goto out;
    if ((err = crypto_sha256_one(library, payload, &bundle->id)) != SIGNET_OK)
        goto out;
    *bundle_out = bundle;
    bundle = NULL;
out:
    signet_bundle_free(bundle);
    return err;
}

enum signet_err signet_bundle_peek(
    struct signet_library *library, signet_span bytes, struct signet_id *id_out)
{
    signet_span payload;
    enum signet_err err = signed_peek(bytes, TYP_BUNDLE, &payload);

    return err == SIGNET_OK ? crypto_sha256_one(library, payload, id_out) : err;
}

void signet_bundle_free(struct signet_bundle *bundle)
{
    if (bundle == NULL)
        return;
    crypto_rsa_public_free(bundle->oaep_key);
    free(bundle);
}

const struct signet_id *signet_bundle_id(const struct signet_bundle *bundle)
{
    return &bundle->id;
}

const struct signet_id *signet_bundle_device(const struct signet_bundle *bundle)
{
    return &bundle->device;
}

uint64_t signet_bundle_version(const struct signet_bundle *bundle)
{
    return bundle->version;
}

uint64_t signet_bundle_suite_max(const struct signet_bundle *bundle)
{
    return bundle->suite_max;
}

uint64_t signet_bundle_not_before(const struct signet_bundle *bundle)
{
    return bundle->not_before;
}

uint64_t signet_bundle_not_after(const struct signet_bundle *bundle)
{
    return bundle->not_after;
}

size_t signet_bundle_one_time_count(const struct signet_bundle *bundle)
{
    return bundle->one_time_count;
}

enum signet_err signet_bundle_check_time(const struct signet_bundle *bundle, uint64_t now_ms)
{
    if (now_ms > bundle->not_after + SIGNET_CLOCK_TOLERANCE_MS)
        return SIGNET_ERR_EXPIRED;
    if (now_ms + SIGNET_CLOCK_TOLERANCE_MS < bundle->not_before)
        return SIGNET_ERR_NOT_YET;
    return SIGNET_OK;
}
