/* Accounts: making, keeping, and renewing the device list. docs/protocol.md, section 3. */
#include "protocol/account_internal.h"

#include <stdlib.h>

#include "crypto/secret.h"
#include "protocol/card_internal.h"
#include "protocol/signed.h"
#include "wire/cbor.h"

enum { FORMAT_VERSION = 1, DEVICE_BITS = 3072 };

static void remember_list(struct signet_account *account, const struct signet_id *list)
{
    if (account->issued_count == ACCOUNT_LISTS_MAX) {
        account->issued_count--;
        for (size_t i = 0; i < account->issued_count; i++)
            account->issued[i] = account->issued[i + 1];
    }
    account->issued[account->issued_count++] = *list;
}

/* The links of earlier generations as they are, and one of the present key with the new list. */
static enum signet_err write_card(const struct signet_account *account, uint64_t generation,
    signet_span signed_list, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, (size_t)generation + 1);
    if (generation > 0) {
        struct wire_reader r = wire_reader(signet_card_bytes(account->card));

        (void)wire_get_array(&r, 1, SIGNET_CARD_GENERATIONS_MAX);
        for (uint64_t i = 0; i < generation; i++)
            wire_put_encoded(&w, wire_get_item(&r, SIGNET_CARD_MAX));
    }
    wire_put_array(&w, 2);
    wire_put_bytes(&w, crypto_rsa_public_spki(crypto_rsa_private_public(account->identity)));
    wire_put_bytes(&w, signed_list);
    return wire_writer_finish(&w);
}

/* Sign the list, make it the account's card, and read that back as others will. */
static enum signet_err issue(struct signet_account *account, const struct device_list *list)
{
    struct signet_buf payload = {0}, cose = {0}, bytes = {0};
    struct signet_card *card = NULL;
    enum signet_err err;

    if (list->issued_at > SIGNET_TIME_MAX - LIST_LIFE_MS)
        return SIGNET_ERR_ARGUMENT;
    if ((err = device_list_write(list, &payload)) != SIGNET_OK)
        goto out;
    if ((err = signed_make(account->identity, TYP_DEVICE_LIST, signet_buf_span(&payload), &cose)) !=
        SIGNET_OK)
        goto out;
    if ((err = write_card(account, list->generation, signet_buf_span(&cose), &bytes)) != SIGNET_OK)
        goto out;
    if ((err = signet_card_read(account->library, signet_buf_span(&bytes), &card)) != SIGNET_OK)
        goto out;
    signet_card_free(account->card);
    account->card = card;
    remember_list(account, signet_card_list(card));
out:
    signet_buf_free(&payload);
    signet_buf_free(&cose);
    signet_buf_free(&bytes);
    return err;
}

enum signet_err account_from_keys(struct signet_library *library, const struct account_keys *keys,
    uint64_t now_ms, struct signet_account **account_out)
{
    struct signet_account *account = calloc(1, sizeof(*account));
    struct device_list list = {0};
    enum signet_err err = SIGNET_ERR_NOMEM;

    if (account == NULL) {
        crypto_rsa_private_free(keys->identity);
        crypto_rsa_private_free(keys->device);
        return SIGNET_ERR_NOMEM;
    }
    account->library = library;
    account->identity = keys->identity;
    account->device = keys->device;
    list.signer = *crypto_rsa_public_fingerprint(crypto_rsa_private_public(account->identity));
    list.address = list.signer;
    list.version = 1;
    list.issued_at = now_ms;
    list.not_after = now_ms + LIST_LIFE_MS;
    list.next_identity = keys->next_identity;
    list.device_count = 1;
    list.devices[0].key = crypto_rsa_private_public(account->device); /* borrowed */
    list.devices[0].since = 1;
    if ((err = issue(account, &list)) != SIGNET_OK)
        goto out;
    *account_out = account;
    account = NULL;
out:
    signet_account_free(account);
    return err;
}

/* A key that is announced now and may follow later. */
static enum signet_err make_next(
    struct signet_library *library, unsigned bits, struct signet_next_identity *next_out)
{
    struct crypto_rsa_private *next = NULL;
    enum signet_err err;

    if ((err = crypto_rsa_generate(library, bits, &next)) != SIGNET_OK)
        return err;
    next_out->fingerprint = *crypto_rsa_public_fingerprint(crypto_rsa_private_public(next));
    err = crypto_rsa_private_write(next, &next_out->pkcs8);
    crypto_rsa_private_free(next);
    return err;
}

enum signet_err signet_account_create(struct signet_library *library, unsigned identity_bits,
    uint64_t now_ms, struct signet_account **account_out, struct signet_next_identity *next_out)
{
    struct account_keys keys = {0};
    struct signet_next_identity next = {0};
    enum signet_err err;

    if ((err = make_next(library, identity_bits, &next)) != SIGNET_OK)
        goto out;
    keys.next_identity = next.fingerprint;
    if ((err = crypto_rsa_generate(library, identity_bits, &keys.identity)) != SIGNET_OK)
        goto out;
    if ((err = crypto_rsa_generate(library, DEVICE_BITS, &keys.device)) != SIGNET_OK) {
        crypto_rsa_private_free(keys.identity);
        goto out;
    }
    if ((err = account_from_keys(library, &keys, now_ms, account_out)) != SIGNET_OK)
        goto out;
    *next_out = next;
    next = (struct signet_next_identity){0};
out:
    signet_buf_free(&next.pkcs8);
    return err;
}

void signet_account_free(struct signet_account *account)
{
    if (account == NULL)
        return;
    crypto_rsa_private_free(account->identity);
    crypto_rsa_private_free(account->device);
    signet_card_free(account->card);
    free(account);
}

static void put_private(
    struct wire_writer *w, const struct crypto_rsa_private *key, struct signet_buf *scratch)
{
    signet_buf_truncate(scratch, 0);
    if (w->err == SIGNET_OK)
        w->err = crypto_rsa_private_write(key, scratch);
    wire_put_bytes(w, signet_buf_span(scratch));
}

enum signet_err signet_account_encode(const struct signet_account *account, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);
    struct signet_buf scratch = {0};
    enum signet_err err;

    wire_put_array(&w, 5);
    wire_put_uint(&w, FORMAT_VERSION);
    put_private(&w, account->identity, &scratch);
    put_private(&w, account->device, &scratch);
    wire_put_bytes(&w, signet_card_bytes(account->card));
    wire_put_array(&w, account->issued_count);
    for (size_t i = 0; i < account->issued_count; i++)
        wire_put_id(&w, &account->issued[i]);
    err = wire_writer_finish(&w);
    signet_buf_free(&scratch);
    return err;
}

/* The keys must be those that the card names, and its list one of the account's own. */
static enum signet_err check_parts(const struct signet_account *account)
{
    const struct device_list *list = card_list(account->card);
    const struct crypto_rsa_public *identity = crypto_rsa_private_public(account->identity);

    if (!signet_id_equal(&list->signer, crypto_rsa_public_fingerprint(identity)) ||
        !signet_card_has_device(account->card, signet_account_device(account)) ||
        !signet_account_issued_list(account, signet_card_list(account->card)))
        return SIGNET_ERR_FORMAT;
    return SIGNET_OK;
}

enum signet_err signet_account_decode(
    struct signet_library *library, signet_span encoded, struct signet_account **account_out)
{
    struct wire_reader r = wire_reader(encoded);
    struct signet_account *account = calloc(1, sizeof(*account));
    signet_span identity, device, card;
    enum signet_err err;

    if (account == NULL)
        return SIGNET_ERR_NOMEM;
    account->library = library;
    wire_expect_array(&r, 5);
    wire_expect_uint(&r, FORMAT_VERSION);
    identity = wire_get_bytes(&r, 1, CRYPTO_RSA_PRIVATE_MAX);
    device = wire_get_bytes(&r, 1, CRYPTO_RSA_PRIVATE_MAX);
    card = wire_get_bytes(&r, 1, SIGNET_CARD_MAX);
    account->issued_count = wire_get_array(&r, 1, ACCOUNT_LISTS_MAX);
    for (size_t i = 0; i < account->issued_count; i++)
        wire_get_id(&r, &account->issued[i]);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        goto out;
    if ((err = crypto_rsa_private_read(library, identity, &account->identity)) != SIGNET_OK)
        goto out;
    if ((err = crypto_rsa_private_read(library, device, &account->device)) != SIGNET_OK)
        goto out;
    if ((err = signet_card_read(library, card, &account->card)) != SIGNET_OK)
        goto out;
    if ((err = check_parts(account)) != SIGNET_OK)
        goto out;
    *account_out = account;
    account = NULL;
out:
    signet_account_free(account);
    return err;
}

const struct signet_card *signet_account_card(const struct signet_account *account)
{
    return account->card;
}

const struct signet_id *signet_account_address(const struct signet_account *account)
{
    return signet_card_address(account->card);
}

const struct signet_id *signet_account_device(const struct signet_account *account)
{
    return crypto_rsa_public_fingerprint(crypto_rsa_private_public(account->device));
}

bool signet_account_issued_list(const struct signet_account *account, const struct signet_id *list)
{
    for (size_t i = 0; i < account->issued_count; i++) {
        if (signet_id_equal(&account->issued[i], list))
            return true;
    }
    return false;
}

static void swap_keys(struct crypto_rsa_private **a, struct crypto_rsa_private **b)
{
    struct crypto_rsa_private *kept = *a;

    *a = *b;
    *b = kept;
}

/* The list after the present one, with the same devices. Its keys are borrowed from the card,
 * which is given up only when the new one is there. */
static struct device_list next_list(const struct signet_account *account, uint64_t now_ms)
{
    struct device_list list = *card_list(account->card);

    list.version++;
    list.has_previous = true;
    list.previous = *signet_card_list(account->card);
    list.issued_at = now_ms;
    list.not_after = now_ms + LIST_LIFE_MS;
    return list;
}

enum signet_err signet_account_renew(struct signet_account *account, uint64_t now_ms)
{
    struct device_list list = next_list(account, now_ms);

    if (now_ms < signet_card_issued_at(account->card))
        return SIGNET_ERR_STATE;
    return issue(account, &list);
}

enum signet_err signet_account_succeed(struct signet_account *account, signet_span next_pkcs8,
    uint64_t now_ms, struct signet_next_identity *next_out)
{
    struct device_list list = next_list(account, now_ms);
    struct crypto_rsa_private *identity = NULL;
    struct signet_next_identity made = {0};
    enum signet_err err;

    if (list.generation + 1 == SIGNET_CARD_GENERATIONS_MAX)
        return SIGNET_ERR_LIMIT;
    if ((err = crypto_rsa_private_read(account->library, next_pkcs8, &identity)) != SIGNET_OK)
        goto out;
    list.generation++;
    list.signer = *crypto_rsa_public_fingerprint(crypto_rsa_private_public(identity));
    err = SIGNET_ERR_SUCCESSION;
    if (!signet_id_equal(&list.signer, &list.next_identity))
        goto out;
    if ((err = make_next(account->library, signet_card_identity_bits(account->card), &made)) !=
        SIGNET_OK)
        goto out;
    list.next_identity = made.fingerprint;
    swap_keys(&account->identity, &identity);
    if ((err = issue(account, &list)) != SIGNET_OK) {
        swap_keys(&account->identity, &identity);
        goto out;
    }
    *next_out = made;
    made = (struct signet_next_identity){0};
out:
    signet_buf_free(&made.pkcs8);
    crypto_rsa_private_free(identity);
    return err;
}
