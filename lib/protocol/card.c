/*
 * Cards: reading, verifying, and whether one may follow another. docs/protocol.md, section 3.
 *
 * The server cannot add a device: every list is signed by the identity key of its generation, and
 * each generation's key was announced by the list before it (Matrix, "Practically-exploitable
 * cryptographic vulnerabilities", S&P 2023, is what happens otherwise).
 */
#include "protocol/card_internal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "protocol/signed.h"
#include "wire/cbor.h"
#include "wire/cose.h"

struct signet_card {
    atomic_uint owners;
    struct signet_buf bytes;
    size_t generation_count;
    struct crypto_rsa_public *identities[SIGNET_CARD_GENERATIONS_MAX];
    struct signet_id list_id;
    struct device_list list; /* the current one */
};

/* One link, before it is verified. */
struct link {
    signet_span spki;
    signet_span list;
};

static const struct signet_id *identity_id(const struct signet_card *card, size_t generation)
{
    return crypto_rsa_public_fingerprint(card->identities[generation]);
}

static enum signet_err read_links(
    signet_span bytes, struct link links[SIGNET_CARD_GENERATIONS_MAX], size_t *count_out)
{
    struct wire_reader r = wire_reader(bytes);
    size_t count = wire_get_array(&r, 1, SIGNET_CARD_GENERATIONS_MAX);

    if (bytes.len > SIGNET_CARD_MAX)
        return SIGNET_ERR_LIMIT;
    for (size_t i = 0; i < count; i++) {
        wire_expect_array(&r, 2);
        links[i].spki = wire_get_bytes(&r, 1, CRYPTO_RSA_SPKI_MAX);
        links[i].list =
            wire_get_bytes(&r, 1, COSE_PAYLOAD_MAX + COSE_SIGNATURE_MAX + COSE_TYP_MAX + 32);
    }
    *count_out = count;
    return wire_reader_finish(&r);
}

/* What ties the list of generation `i` to its key, the address, and the list before it. */
static enum signet_err check_link(const struct signet_card *card, size_t i,
    const struct device_list *before, const struct device_list *list)
{
    if (!signet_id_equal(&list->signer, identity_id(card, i)))
        return SIGNET_ERR_SIGNER;
    if (list->generation != i || !signet_id_equal(&list->address, identity_id(card, 0)))
        return SIGNET_ERR_FORMAT;
    if (i == 0)
        return SIGNET_OK;
    if (!signet_id_equal(&before->next_identity, identity_id(card, i)))
        return SIGNET_ERR_SUCCESSION;
    return list->version > before->version ? SIGNET_OK : SIGNET_ERR_FORMAT;
}

/* Where a card comes from. */
enum origin { FROM_OTHERS, FROM_STORE };

/* Make the list of link `i` the card's current one: verified, unless it was before. */
static enum signet_err take_link(struct signet_library *library, struct signet_card *card, size_t i,
    const struct link *link, enum origin origin)
{
    struct device_list list = {0};
    signet_span payload;
    enum signet_err err;

    err = crypto_rsa_public_read_known(library, link->spki, &card->identities[i]);
    if (err != SIGNET_OK)
        return err;
    if (origin == FROM_STORE)
        err = signed_peek(link->list, TYP_DEVICE_LIST, &payload);
    else
        err = signed_open(card->identities[i], TYP_DEVICE_LIST, link->list, &payload);
    if (err != SIGNET_OK)
        return err;
    if ((err = device_list_read(library, payload, &list)) != SIGNET_OK)
        return err;
    if ((err = check_link(card, i, &card->list, &list)) != SIGNET_OK)
        goto out;
    if ((err = crypto_sha256_one(library, payload, &card->list_id)) != SIGNET_OK)
        goto out;
    device_list_clear(&card->list);
    card->list = list;
    memset(&list, 0, sizeof(list));
out:
    device_list_clear(&list);
    return err;
}

static enum signet_err read_card(struct signet_library *library, signet_span bytes,
    enum origin origin, struct signet_card **card_out)
{
    struct link links[SIGNET_CARD_GENERATIONS_MAX] = {0};
    struct signet_card *card = NULL;
    size_t count;
    enum signet_err err;

    if ((err = read_links(bytes, links, &count)) != SIGNET_OK)
        return err;
    card = calloc(1, sizeof(*card));
    if (card == NULL)
        return SIGNET_ERR_NOMEM;
    atomic_init(&card->owners, 1);
    card->generation_count = count;
    for (size_t i = 0; i < count; i++) {
        if ((err = take_link(library, card, i, &links[i], origin)) != SIGNET_OK)
            goto out;
    }
    if ((err = signet_buf_append(&card->bytes, bytes)) != SIGNET_OK)
        goto out;
    *card_out = card;
    card = NULL;
out:
    signet_card_free(card);
    return err;
}

enum signet_err signet_card_read_unchecked(
    struct signet_library *library, signet_span bytes, struct signet_card **card_out)
{
    return read_card(library, bytes, FROM_OTHERS, card_out);
}

enum signet_err signet_card_read_stored(
    struct signet_library *library, signet_span bytes, struct signet_card **card_out)
{
    return read_card(library, bytes, FROM_STORE, card_out);
}

enum signet_err signet_card_read(
    struct signet_library *library, signet_span bytes, struct signet_card **card_out)
{
    struct signet_card *card = NULL;
    size_t checked = 0, budget = SIZE_MAX;
    enum signet_err err = signet_card_read_unchecked(library, bytes, &card);

    if (err == SIGNET_OK)
        err = signet_card_check_keys(card, NULL, &budget, &checked);
    if (err != SIGNET_OK) {
        signet_card_free(card);
        return err;
    }
    *card_out = card;
    return SIGNET_OK;
}

/* ---- the keys' moduli ---- */

size_t signet_card_key_count(const struct signet_card *card)
{
    return card->generation_count + card->list.device_count;
}

static const struct crypto_rsa_public *key_at(const struct signet_card *card, size_t index)
{
    return index < card->generation_count ? card->identities[index]
                                          : card->list.devices[index - card->generation_count].key;
}

static bool has_key(const struct signet_card *card, const struct crypto_rsa_public *key)
{
    for (size_t i = 0; card != NULL && i < signet_card_key_count(card); i++)
        if (signet_id_equal(
                crypto_rsa_public_fingerprint(key_at(card, i)), crypto_rsa_public_fingerprint(key)))
            return true;
    return false;
}

enum signet_err signet_card_check_keys(const struct signet_card *card,
    const struct signet_card *known, size_t *budget, size_t *checked)
{
    for (; *checked < signet_card_key_count(card); (*checked)++) {
        const struct crypto_rsa_public *key = key_at(card, *checked);
        enum signet_err err;

        if (has_key(known, key))
            continue;
        if (*budget == 0)
            return SIGNET_OK;
        (*budget)--;
        if ((err = crypto_rsa_public_check(key)) != SIGNET_OK)
            return err;
    }
    return SIGNET_OK;
}

enum signet_err card_known_device_key(struct signet_library *library, signet_span card,
    const struct signet_id *address, const struct signet_id *device,
    struct crypto_rsa_public **key_out)
{
    struct link links[SIGNET_CARD_GENERATIONS_MAX] = {0};
    struct signet_id first;
    signet_span payload, spki;
    size_t count;
    enum signet_err err;

    if ((err = read_links(card, links, &count)) != SIGNET_OK)
        return err;
    if ((err = crypto_sha256_one(library, links[0].spki, &first)) != SIGNET_OK)
        return err;
    if (!signet_id_equal(&first, address))
        return SIGNET_ERR_CHANNEL;
    if ((err = signed_peek(links[count - 1].list, TYP_DEVICE_LIST, &payload)) != SIGNET_OK)
        return err;
    if ((err = device_list_find(library, payload, device, &spki)) != SIGNET_OK)
        return err;
    return crypto_rsa_public_read_known(library, spki, key_out);
}

struct signet_card *signet_card_share(struct signet_card *card)
{
    atomic_fetch_add(&card->owners, 1);
    return card;
}

void signet_card_free(struct signet_card *card)
{
    if (card == NULL || atomic_fetch_sub(&card->owners, 1) != 1)
        return;
    for (size_t i = 0; i < SIGNET_CARD_GENERATIONS_MAX; i++)
        crypto_rsa_public_free(card->identities[i]);
    device_list_clear(&card->list);
    signet_buf_free(&card->bytes);
    free(card);
}

signet_span signet_card_bytes(const struct signet_card *card)
{
    return signet_buf_span(&card->bytes);
}

const struct signet_id *signet_card_address(const struct signet_card *card)
{
    return identity_id(card, 0);
}

const struct signet_id *signet_card_list(const struct signet_card *card)
{
    return &card->list_id;
}

uint64_t signet_card_generation(const struct signet_card *card)
{
    return card->list.generation;
}

uint64_t signet_card_version(const struct signet_card *card)
{
    return card->list.version;
}

uint64_t signet_card_issued_at(const struct signet_card *card)
{
    return card->list.issued_at;
}

uint64_t signet_card_not_after(const struct signet_card *card)
{
    return card->list.not_after;
}

unsigned signet_card_identity_bits(const struct signet_card *card)
{
    return (unsigned)crypto_rsa_public_size(card_identity_key(card)) * 8;
}

size_t signet_card_device_count(const struct signet_card *card)
{
    return card->list.device_count;
}

const struct signet_id *signet_card_device(const struct signet_card *card, size_t index)
{
    return &card->list.devices[index].id;
}

const struct crypto_rsa_public *card_device_key(
    const struct signet_card *card, const struct signet_id *device)
{
    for (size_t i = 0; i < card->list.device_count; i++) {
        if (signet_id_equal(&card->list.devices[i].id, device))
            return card->list.devices[i].key;
    }
    return NULL;
}

const struct crypto_rsa_public *card_identity_key(const struct signet_card *card)
{
    return card->identities[card->generation_count - 1];
}

const struct device_list *card_list(const struct signet_card *card)
{
    return &card->list;
}

bool signet_card_has_device(const struct signet_card *card, const struct signet_id *device)
{
    return card_device_key(card, device) != NULL;
}

enum signet_err signet_card_check_time(const struct signet_card *card, uint64_t now_ms)
{
    if (now_ms > card->list.not_after + SIGNET_CLOCK_TOLERANCE_MS)
        return SIGNET_ERR_EXPIRED;
    if (now_ms + SIGNET_CLOCK_TOLERANCE_MS < card->list.issued_at)
        return SIGNET_ERR_NOT_YET;
    return SIGNET_OK;
}

/* Both lists are of one generation. */
static enum signet_err follows_in_generation(
    const struct signet_card *older, const struct signet_card *newer)
{
    const struct device_list *before = &older->list;
    const struct device_list *after = &newer->list;

    if (!signet_id_equal(&before->signer, &after->signer))
        return SIGNET_ERR_SUCCESSION;
    if (after->version < before->version)
        return SIGNET_ERR_ROLLBACK;
    if (after->version == before->version)
        return signet_id_equal(&older->list_id, &newer->list_id) ? SIGNET_OK : SIGNET_ERR_FORK;
    /* A thief of the identity key must not be able to announce a successor of his own. */
    if (!signet_id_equal(&before->next_identity, &after->next_identity))
        return SIGNET_ERR_FORK;
    if (after->version == before->version + 1 &&
        !signet_id_equal(&after->previous, &older->list_id))
        return SIGNET_ERR_FORK;
    return SIGNET_OK;
}

enum signet_err signet_card_follows(
    const struct signet_card *older, const struct signet_card *newer)
{
    size_t next = (size_t)older->list.generation + 1;

    if (!signet_id_equal(identity_id(older, 0), identity_id(newer, 0)))
        return SIGNET_ERR_CHANNEL;
    if (newer->list.generation < older->list.generation)
        return SIGNET_ERR_ROLLBACK;
    if (newer->list.generation == older->list.generation)
        return follows_in_generation(older, newer);
    /* The key that was announced to us, whatever the newer card says was announced. */
    if (!signet_id_equal(identity_id(newer, next), &older->list.next_identity))
        return SIGNET_ERR_SUCCESSION;
    return SIGNET_OK;
}
