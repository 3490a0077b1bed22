/* Proofs to a relay: docs/protocol.md, section 9. */
#include <signet/login.h>

#include "base/utf8.h"
#include "crypto/secret.h"
#include "protocol/account_internal.h"
#include "protocol/card_internal.h"
#include "protocol/signed.h"
#include "wire/cbor.h"

bool signet_name_is_valid(signet_span name)
{
    if (name.len == 0 || name.len > SIGNET_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!alphanumeric && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return true;
}

/* Whether whoever reads the proof will accept the name. */
static bool origin_is_valid(signet_span origin)
{
    return origin.len > 0 && origin.len <= SIGNET_ORIGIN_MAX && utf8_is_valid(origin);
}

static void put_hop(struct wire_writer *w, const struct signet_hop *hop)
{
    wire_put_array(w, 5);
    wire_put_id(w, &hop->pin);
    wire_put_text(w, hop->origin);
    wire_put_bytes(w, signet_span_of(hop->server_nonce, sizeof(hop->server_nonce)));
    wire_put_bytes(w, signet_span_of(hop->client_nonce, sizeof(hop->client_nonce)));
    wire_put_bytes(w, signet_span_of(hop->exporter, sizeof(hop->exporter)));
}

/* The hop inside a payload as it was signed; spans borrow from it. */
struct signed_hop {
    struct signet_id pin;
    signet_span origin, server_nonce, exporter;
};

static void get_hop(struct wire_reader *r, struct signed_hop *hop)
{
    wire_expect_array(r, 5);
    wire_get_id(r, &hop->pin);
    hop->origin = wire_get_text(r, 1, SIGNET_ORIGIN_MAX);
    hop->server_nonce = wire_get_bytes(r, SIGNET_HOP_NONCE_LEN, SIGNET_HOP_NONCE_LEN);
    (void)wire_get_bytes(r, SIGNET_HOP_NONCE_LEN, SIGNET_HOP_NONCE_LEN);
    hop->exporter = wire_get_bytes(r, 32, 32);
}

static enum signet_err check_hop(const struct signed_hop *theirs, const struct signet_hop *ours)
{
    bool same =
        signet_id_equal(&theirs->pin, &ours->pin) &&
        signet_span_equal(theirs->origin, ours->origin) &&
        crypto_equal(
            theirs->server_nonce, signet_span_of(ours->server_nonce, SIGNET_HOP_NONCE_LEN)) &&
        crypto_equal(theirs->exporter, signet_span_of(ours->exporter, sizeof(ours->exporter)));

    return same ? SIGNET_OK : SIGNET_ERR_CHANNEL;
}

enum signet_err signet_registration_sign(const struct signet_account *account, signet_span name,
    const struct signet_hop *hop, struct signet_buf *out)
{
    struct signet_buf payload = {0};
    struct wire_writer w = wire_writer(&payload);
    enum signet_err err;

    if (!signet_name_is_valid(name) || !origin_is_valid(hop->origin))
        return SIGNET_ERR_ARGUMENT;
    wire_put_array(&w, 4);
    wire_put_id(&w, &card_list(account->card)->signer);
    wire_put_text(&w, name);
    wire_put_id(&w, signet_card_list(account->card));
    put_hop(&w, hop);
    if ((err = wire_writer_finish(&w)) != SIGNET_OK)
        goto out;
    err = signed_make(account->identity, TYP_REGISTRATION, signet_buf_span(&payload), out);
out:
    signet_buf_free(&payload);
    return err;
}

enum signet_err signet_login_sign(
    const struct signet_account *account, const struct signet_hop *hop, struct signet_buf *out)
{
    struct signet_buf payload = {0};
    struct wire_writer w = wire_writer(&payload);
    enum signet_err err;

    if (!origin_is_valid(hop->origin))
        return SIGNET_ERR_ARGUMENT;
    wire_put_array(&w, 4);
    wire_put_id(&w, signet_account_device(account));
    wire_put_id(&w, signet_account_address(account));
    wire_put_id(&w, signet_card_list(account->card));
    put_hop(&w, hop);
    if ((err = wire_writer_finish(&w)) != SIGNET_OK)
        goto out;
    err = signed_make(account->device, TYP_LOGIN, signet_buf_span(&payload), out);
out:
    signet_buf_free(&payload);
    return err;
}

enum signet_err signet_registration_verify(signet_span proof, const struct signet_card *card,
    signet_span name, const struct signet_hop *hop)
{
    struct signet_id signer, list;
    struct signed_hop theirs = {0};
    signet_span payload, signed_name;
    struct wire_reader r;
    enum signet_err err;

    err = signed_open(card_identity_key(card), TYP_REGISTRATION, proof, &payload);
    if (err != SIGNET_OK)
        return err;
    r = wire_reader(payload);
    wire_expect_array(&r, 4);
    wire_get_id(&r, &signer);
    signed_name = wire_get_text(&r, 1, SIGNET_NAME_MAX);
    wire_get_id(&r, &list);
    get_hop(&r, &theirs);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    if (!signet_id_equal(&signer, &card_list(card)->signer))
        return SIGNET_ERR_SIGNER;
    if (!signet_span_equal(signed_name, name) || !signet_id_equal(&list, signet_card_list(card)))
        return SIGNET_ERR_CHANNEL;
    return check_hop(&theirs, hop);
}

static enum signet_err read_login(
    signet_span payload, struct signet_login_claim *claim, struct signed_hop *hop)
{
    struct wire_reader r = wire_reader(payload);

    wire_expect_array(&r, 4);
    wire_get_id(&r, &claim->device);
    wire_get_id(&r, &claim->address);
    wire_get_id(&r, &claim->list);
    get_hop(&r, hop);
    return wire_reader_finish(&r);
}

enum signet_err signet_login_read(signet_span proof, struct signet_login_claim *claim_out)
{
    struct signet_login_claim claim;
    struct signed_hop hop = {0};
    signet_span payload;
    enum signet_err err;

    if ((err = signed_peek(proof, TYP_LOGIN, &payload)) != SIGNET_OK)
        return err;
    if ((err = read_login(payload, &claim, &hop)) != SIGNET_OK)
        return err;
    *claim_out = claim;
    return SIGNET_OK;
}

static enum signet_err verify_login(
    signet_span proof, const struct crypto_rsa_public *key, const struct signet_hop *hop)
{
    struct signet_login_claim claim;
    struct signed_hop theirs = {0};
    signet_span payload;
    enum signet_err err;

    if ((err = signed_open(key, TYP_LOGIN, proof, &payload)) != SIGNET_OK)
        return err;
    if ((err = read_login(payload, &claim, &theirs)) != SIGNET_OK)
        return err;
    return check_hop(&theirs, hop);
}

enum signet_err signet_login_verify(
    signet_span proof, const struct signet_card *card, const struct signet_hop *hop)
{
    struct signet_login_claim claim;
    const struct crypto_rsa_public *key;
    enum signet_err err;

    if ((err = signet_login_read(proof, &claim)) != SIGNET_OK)
        return err;
    if (!signet_id_equal(&claim.address, signet_card_address(card)))
        return SIGNET_ERR_CHANNEL;
    key = card_device_key(card, &claim.device);
    return key == NULL ? SIGNET_ERR_SIGNER : verify_login(proof, key, hop);
}

enum signet_err signet_login_verify_stored(struct signet_library *library, signet_span proof,
    signet_span card, const struct signet_hop *hop)
{
    struct crypto_rsa_public *key = NULL;
    struct signet_login_claim claim;
    enum signet_err err;

    if ((err = signet_login_read(proof, &claim)) != SIGNET_OK)
        return err;
    err = card_known_device_key(library, card, &claim.address, &claim.device, &key);
    if (err == SIGNET_OK)
        err = verify_login(proof, key, hop);
    crypto_rsa_public_free(key);
    return err;
}
