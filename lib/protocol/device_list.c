/* Device lists as bytes: docs/protocol.md, section 3. */
#include "protocol/card_internal.h"

#include <string.h>

#include "crypto/hash.h"
#include "wire/cbor.h"

enum { LIST_FIELDS = 9, DEVICE_FIELDS = 2 };

enum signet_err device_list_write(const struct device_list *list, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, LIST_FIELDS);
    wire_put_id(&w, &list->signer);
    wire_put_id(&w, &list->address);
    wire_put_uint(&w, list->generation);
    wire_put_uint(&w, list->version);
    if (list->has_previous)
        wire_put_id(&w, &list->previous);
    else
        wire_put_null(&w);
    wire_put_uint(&w, list->issued_at);
    wire_put_uint(&w, list->not_after);
    wire_put_id(&w, &list->next_identity);
    wire_put_array(&w, list->device_count);
    for (size_t i = 0; i < list->device_count; i++) {
        wire_put_array(&w, DEVICE_FIELDS);
        wire_put_bytes(&w, crypto_rsa_public_spki(list->devices[i].key));
        wire_put_uint(&w, list->devices[i].since);
    }
    return wire_writer_finish(&w);
}

/* One device; the spans of its key are parsed once the whole list has proved canonical. */
static void read_device(
    struct wire_reader *r, uint64_t version, signet_span *spki_out, uint64_t *since_out)
{
    wire_expect_array(r, DEVICE_FIELDS);
    *spki_out = wire_get_bytes(r, 1, CRYPTO_RSA_SPKI_MAX);
    *since_out = wire_get_uint(r, SIGNET_TIME_MAX);
    if (*since_out == 0 || *since_out > version)
        wire_reader_fail(r, SIGNET_ERR_FORMAT);
}

static enum signet_err take_devices(
    struct signet_library *library, const signet_span *spkis, struct device_list *list)
{
    for (size_t i = 0; i < list->device_count; i++) {
        struct device *device = &list->devices[i];
        enum signet_err err = SIGNET_ERR_KEY;

        if (spkis[i].len <= CRYPTO_RSA_SPKI_3072)
            err = crypto_rsa_public_read_known(library, spkis[i], &device->key);
        if (err != SIGNET_OK)
            return err;
        device->id = *crypto_rsa_public_fingerprint(device->key);
        if (i > 0 && signet_id_compare(&list->devices[i - 1].id, &device->id) >= 0)
            return SIGNET_ERR_FORMAT;
    }
    return SIGNET_OK;
}

/* All but the devices' keys, which borrow from the payload. Errors: FORMAT, LIMIT. */
static enum signet_err read_fields(
    signet_span payload, struct device_list *list, signet_span spkis[SIGNET_CARD_DEVICES_MAX])
{
    struct wire_reader r = wire_reader(payload);
    enum signet_err err;

    wire_expect_array(&r, LIST_FIELDS);
    wire_get_id(&r, &list->signer);
    wire_get_id(&r, &list->address);
    list->generation = wire_get_uint(&r, SIGNET_CARD_GENERATIONS_MAX - 1);
    list->version = wire_get_uint(&r, SIGNET_TIME_MAX);
    list->has_previous = !wire_get_null(&r);
    if (list->has_previous)
        wire_get_id(&r, &list->previous);
    list->issued_at = wire_get_uint(&r, SIGNET_TIME_MAX);
    list->not_after = wire_get_uint(&r, SIGNET_TIME_MAX);
    wire_get_id(&r, &list->next_identity);
    list->device_count = wire_get_array(&r, 1, SIGNET_CARD_DEVICES_MAX);
    for (size_t i = 0; i < list->device_count; i++)
        read_device(&r, list->version, &spkis[i], &list->devices[i].since);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    if (list->version == 0 || list->has_previous == (list->version == 1))
        return SIGNET_ERR_FORMAT;
    /* A list that lasts longer would still be shown when its removed devices are long forgotten. */
    return list->not_after < list->issued_at || list->not_after - list->issued_at > LIST_LIFE_MS
               ? SIGNET_ERR_FORMAT
               : SIGNET_OK;
}

enum signet_err device_list_find(struct signet_library *library, signet_span payload,
    const struct signet_id *device, signet_span *spki_out)
{
    struct device_list list = {0};
    signet_span spkis[SIGNET_CARD_DEVICES_MAX];
    enum signet_err err = read_fields(payload, &list, spkis);

    for (size_t i = 0; err == SIGNET_OK && i < list.device_count; i++) {
        struct signet_id id;

        err = crypto_sha256_one(library, spkis[i], &id);
        if (err == SIGNET_OK && signet_id_equal(&id, device)) {
            *spki_out = spkis[i];
            return SIGNET_OK;
        }
    }
    return err == SIGNET_OK ? SIGNET_ERR_SIGNER : err;
}

enum signet_err device_list_read(
    struct signet_library *library, signet_span payload, struct device_list *out)
{
    struct device_list list = {0};
    signet_span spkis[SIGNET_CARD_DEVICES_MAX];
    enum signet_err err;

    if ((err = read_fields(payload, &list, spkis)) != SIGNET_OK)
        return err;
    if ((err = take_devices(library, spkis, &list)) != SIGNET_OK) {
        device_list_clear(&list);
        return err;
    }
    *out = list;
    return SIGNET_OK;
}

void device_list_clear(struct device_list *list)
{
    for (size_t i = 0; i < SIGNET_CARD_DEVICES_MAX; i++)
        crypto_rsa_public_free(list->devices[i].key);
    memset(list, 0, sizeof(*list));
}
