/* Accounts and prekey bundles of keys that are there. */
#include "tests/support/forge_account.h"

#include <stdlib.h>

#include "protocol/account_internal.h"
#include "protocol/bundle_internal.h"
#include "protocol/signed.h"

static void must(enum signet_err err)
{
    if (err != SIGNET_OK)
        abort();
}

/* ---- accounts ---- */

struct signet_account *forge_account(
    struct signet_library *library, const struct forged_account *keys, uint64_t now_ms)
{
    struct account_keys taken = {
        .identity = keys->identity,
        .device = keys->device,
        .next_identity = keys->next_identity,
    };
    struct signet_account *account = NULL;

    must(account_from_keys(library, &taken, now_ms, &account));
    return account;
}

const struct crypto_rsa_private *forge_identity_key(const struct signet_account *account)
{
    return account->identity;
}

const struct crypto_rsa_private *forge_device_key(const struct signet_account *account)
{
    return account->device;
}

struct crypto_rsa_private *forge_replace_identity_key(
    struct signet_account *account, struct crypto_rsa_private *key)
{
    struct crypto_rsa_private *before = account->identity;

    account->identity = key;
    return before;
}

struct crypto_rsa_private *forge_replace_device_key(
    struct signet_account *account, struct crypto_rsa_private *key)
{
    struct crypto_rsa_private *before = account->device;

    account->device = key;
    return before;
}

void forge_replace_card(struct signet_account *account, struct signet_card *card)
{
    signet_card_free(account->card);
    account->card = card;
}

size_t forge_account_lists_max(void)
{
    return ACCOUNT_LISTS_MAX;
}

/* ---- bundles ---- */

struct forged_bundle forge_bundle(const struct signet_bundle *bundle)
{
    struct forged_bundle fields = {
        .id = bundle->id,
        .device = bundle->device,
        .address = bundle->address,
        .list = bundle->list,
        .version = bundle->version,
        .not_before = bundle->not_before,
        .not_after = bundle->not_after,
        .suite_max = bundle->suite_max,
        .oaep_key = bundle->oaep_key,
        .signed_prekey = bundle->signed_prekey,
        .one_time_root = bundle->one_time_root,
        .one_time_count = bundle->one_time_count,
    };

    return fields;
}

/* The other way; the key stays borrowed. */
static struct signet_bundle bundle_of(const struct forged_bundle *fields)
{
    struct signet_bundle bundle = {
        .id = fields->id,
        .device = fields->device,
        .address = fields->address,
        .list = fields->list,
        .version = fields->version,
        .not_before = fields->not_before,
        .not_after = fields->not_after,
        .suite_max = fields->suite_max,
        .oaep_key = fields->oaep_key,
        .signed_prekey = fields->signed_prekey,
        .one_time_root = fields->one_time_root,
        .one_time_count = fields->one_time_count,
    };

    return bundle;
}

struct signet_buf forge_bundle_payload(const struct forged_bundle *fields)
{
    struct signet_bundle bundle = bundle_of(fields);
    struct signet_buf payload = {0};

    must(bundle_write(&bundle, &payload));
    return payload;
}

struct signet_buf forge_bundle_bytes(
    const struct crypto_rsa_private *signer, const struct forged_bundle *fields)
{
    struct signet_buf payload = forge_bundle_payload(fields), cose = {0};

    must(signed_make(signer, TYP_BUNDLE, signet_buf_span(&payload), &cose));
    signet_buf_free(&payload);
    return cose;
}

struct signet_bundle *forge_bundle_read(const struct forged_bundle *fields)
{
    struct signet_bundle *bundle = malloc(sizeof(*bundle));

    if (bundle == NULL)
        abort();
    *bundle = bundle_of(fields);
    bundle->oaep_key = crypto_rsa_public_share(bundle->oaep_key);
    return bundle;
}

struct signet_id forge_one_time_root(struct signet_library *library, signet_span keys)
{
    struct signet_id root;

    must(one_time_root(library, keys, &root));
    return root;
}

/* ---- secrets of a bundle ---- */

struct signet_bundle_secrets *forge_secrets(struct signet_library *library,
    const struct signet_bundle_order *order, const struct forged_secrets *keys,
    struct signet_buf out[2])
{
    struct bundle_keys taken = {
        .oaep_key = keys->oaep_key,
        .reject = keys->reject,
        .oaep_made_at = keys->oaep_made_at,
    };
    struct signet_bundle_secrets *secrets = NULL;

    must(bundle_from_keys(library, order, &taken, &secrets, out));
    return secrets;
}

struct seen_secrets forge_see_secrets(const struct signet_bundle_secrets *secrets)
{
    struct seen_secrets seen = {
        .oaep_key = secrets->oaep_key,
        .reject = &secrets->reject,
        .signed_prekey = &secrets->signed_prekey,
        .one_time = signet_span_of(secrets->one_time, sizeof(secrets->one_time)),
    };

    return seen;
}
