/* The init block: docs/protocol.md, section 5. */
#include "protocol/init_block.h"

#include "crypto/hash.h"
#include "protocol/account_internal.h"
#include "protocol/card_internal.h"
#include "protocol/padding.h"
#include "protocol/signed.h"
#include "wire/cbor.h"

enum { PROOF_MAX = 2048 };

enum signet_err handshake_transcript_parties(struct signet_library *library,
    const struct signet_id *transcript, const struct handshake_parties *parties,
    struct signet_id *transcript_out)
{
    const struct handshake_party *both[] = {&parties->initiator, &parties->responder};
    struct signet_buf bytes = {0};
    struct wire_writer w = wire_writer(&bytes);
    enum signet_err err;

    wire_put_array(&w, 7);
    wire_put_id(&w, transcript);
    for (size_t i = 0; i < 2; i++) {
        wire_put_id(&w, &both[i]->address);
        wire_put_id(&w, &both[i]->list);
        wire_put_id(&w, &both[i]->device);
    }
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = crypto_sha256_one(library, signet_buf_span(&bytes), transcript_out);
    signet_buf_free(&bytes);
    return err;
}

/* The device's signature over T2. */
static enum signet_err sign_proof(const struct signet_account *account,
    const struct signet_id *transcript, struct signet_buf *out)
{
    struct signet_buf payload = {0};
    struct wire_writer w = wire_writer(&payload);
    enum signet_err err;

    wire_put_array(&w, 2);
    wire_put_id(&w, signet_account_device(account));
    wire_put_id(&w, transcript);
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = signed_make(account->device, TYP_HANDSHAKE, signet_buf_span(&payload), out);
    signet_buf_free(&payload);
    return err;
}

static enum signet_err write_block(const struct signet_account *account,
    const struct handshake_party *responder, signet_span proof, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 3);
    wire_put_bytes(&w, signet_card_bytes(account->card));
    wire_put_array(&w, 3);
    wire_put_id(&w, &responder->address);
    wire_put_id(&w, &responder->list);
    wire_put_id(&w, &responder->device);
    wire_put_bytes(&w, proof);
    return wire_writer_finish(&w);
}

enum signet_err init_block_seal(const struct signet_account *account,
    const struct init_block *block, const struct crypto_aead_key *key,
    const struct envelope_init *init, struct signet_buf *sealed_out)
{
    struct signet_buf proof = {0}, plain = {0}, padded = {0}, ad = {0};
    enum signet_err err;

    if ((err = sign_proof(account, &block->transcript, &proof)) != SIGNET_OK)
        goto out;
    err = write_block(account, &block->parties->responder, signet_buf_span(&proof), &plain);
    if (err != SIGNET_OK)
        goto out;
    if ((err = padding_add(signet_buf_span(&plain), &padded)) != SIGNET_OK)
        goto out;
    if ((err = envelope_init_public(init, &ad)) != SIGNET_OK)
        goto out;
    err = crypto_aead_seal(
        account->library, key, signet_buf_span(&ad), signet_buf_span(&padded), sealed_out);
out:
    signet_buf_free(&proof);
    signet_buf_free(&plain);
    signet_buf_free(&padded);
    signet_buf_free(&ad);
    return err;
}

/* What a block says; spans borrow. */
struct block_view {
    signet_span card, proof;
    struct handshake_party responder;
};

static enum signet_err read_block(signet_span padded, struct block_view *view)
{
    signet_span plain;
    struct wire_reader r;
    enum signet_err err;

    if ((err = padding_strip(padded, &plain)) != SIGNET_OK)
        return err;
    r = wire_reader(plain);
    wire_expect_array(&r, 3);
    view->card = wire_get_bytes(&r, 1, SIGNET_CARD_MAX);
    wire_expect_array(&r, 3);
    wire_get_id(&r, &view->responder.address);
    wire_get_id(&r, &view->responder.list);
    wire_get_id(&r, &view->responder.device);
    view->proof = wire_get_bytes(&r, 1, PROOF_MAX);
    return wire_reader_finish(&r);
}

/* The initiator's device, on its card, signed exactly this transcript. */
static enum signet_err verify_proof(struct signet_library *library, signet_span proof,
    const struct signet_id *transcript, struct handshake_received *received)
{
    struct handshake_parties parties = {.responder = received->responder};
    const struct crypto_rsa_public *key;
    struct signet_id expected, signed_transcript;
    struct wire_reader r;
    signet_span payload;
    enum signet_err err;

    if ((err = signed_peek(proof, TYP_HANDSHAKE, &payload)) != SIGNET_OK)
        return err;
    r = wire_reader(payload);
    wire_expect_array(&r, 2);
    wire_get_id(&r, &received->device);
    wire_get_id(&r, &signed_transcript);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    key = card_device_key(received->card, &received->device);
    if (key == NULL)
        return SIGNET_ERR_SIGNER;
    if ((err = signed_open(key, TYP_HANDSHAKE, proof, &payload)) != SIGNET_OK)
        return err;
    parties.initiator.address = *signet_card_address(received->card);
    parties.initiator.list = *signet_card_list(received->card);
    parties.initiator.device = received->device;
    err = handshake_transcript_parties(library, transcript, &parties, &expected);
    if (err != SIGNET_OK)
        return err;
    return signet_id_equal(&expected, &signed_transcript) ? SIGNET_OK : SIGNET_ERR_CHANNEL;
}

static bool is_us(const struct signet_account *account, const struct handshake_party *named)
{
    return signet_id_equal(&named->address, signet_account_address(account)) &&
           signet_account_issued_list(account, &named->list) &&
           signet_id_equal(&named->device, signet_account_device(account));
}

enum signet_err init_block_open(const struct signet_account *account,
    const struct signet_id *transcript, const struct crypto_aead_key *key,
    const struct envelope_init *init, struct handshake_received *received)
{
    struct signet_buf ad = {0}, padded = {0};
    struct block_view view;
    enum signet_err err;

    if ((err = envelope_init_public(init, &ad)) != SIGNET_OK)
        goto out;
    err = crypto_aead_open(account->library, key, signet_buf_span(&ad), init->sealed, &padded);
    if (err != SIGNET_OK)
        goto out;
    if ((err = read_block(signet_buf_span(&padded), &view)) != SIGNET_OK)
        goto out;
    if ((err = signet_card_read(account->library, view.card, &received->card)) != SIGNET_OK)
        goto out;
    received->responder = view.responder;
    err = SIGNET_ERR_CHANNEL;
    if (!is_us(account, &view.responder))
        goto out;
    err = verify_proof(account->library, view.proof, transcript, received);
out:
    signet_buf_free(&ad);
    signet_buf_free(&padded);
    return err;
}
