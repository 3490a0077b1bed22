/* First messages and ratchet messages with any field changed. */
#include "tests/support/forge_session.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "protocol/padding.h"
#include "protocol/ratchet_internal.h"
#include "protocol/session_internal.h"
#include "protocol/signed.h"
#include "tests/support/forge.h"

static void must(enum signet_err err)
{
    if (err != SIGNET_OK)
        abort();
}

static struct handshake_party party_names(const struct signet_account *account)
{
    struct handshake_party names = {*signet_account_address(account),
        *signet_card_list(signet_account_card(account)), *signet_account_device(account)};

    return names;
}

struct forged_init forge_init(const struct party *from, const struct party *to)
{
    struct forged_init init = {
        .account = from->account,
        .parties = {party_names(from->account), party_names(to->account)},
        .signer = *signet_account_device(from->account),
    };

    return init;
}

/* What the initiator has in hand while it makes a first message. */
struct making {
    struct envelope_init init;
    struct crypto_dh_public ephemeral;
    struct crypto_aead_key key;
    struct signet_buf oaep, proof, block, padded, ad, sealed;
};

/* ss_rsa and ss_1 to the init key; of a replaced ephemeral key ss_1 is zero. */
static void agree(const struct party *to, const struct forged_init *forged, struct making *m)
{
    struct forged_bundle bundle = forge_bundle(to->bundle);
    struct signet_library *library = to->library;
    struct {
        struct crypto_oaep_secret rsa;
        struct crypto_dh_shared prekey;
    } shared = {{{0}}, {{0}}};
    struct crypto_out place = {&m->key, sizeof(m->key)};
    struct crypto_dh_pair pair;
    struct signet_id transcript;
    struct crypto_prk prk;

    must(crypto_random_secret(library, &shared.rsa, sizeof(shared.rsa)));
    must(crypto_rsa_wrap(bundle.oaep_key, &shared.rsa, &m->oaep));
    must(crypto_dh_generate(library, &pair));
    m->ephemeral = forged->has_ephemeral ? forged->ephemeral : pair.public_key;
    if (!forged->has_ephemeral)
        must(crypto_dh_agree(library, &pair.private_key, &bundle.signed_prekey, &shared.prekey));
    must(crypto_hkdf_extract(
        library, signet_span_of(NULL, 0), signet_span_of(&shared, sizeof(shared)), &prk));
    m->init.bundle = *signet_bundle_id(to->bundle);
    m->init.ephemeral = signet_span_of(m->ephemeral.k, sizeof(m->ephemeral.k));
    m->init.oaep = forged->has_oaep ? forged->oaep : signet_buf_span(&m->oaep);
    must(handshake_transcript(library, &m->init, &transcript));
    must(crypto_hkdf_expand(
        library, &prk, signet_span_str("init"), signet_id_span(&transcript), place));
}

static void sign_proof(const struct forged_init *forged, const struct handshake_parties *sign,
    struct signet_library *library, struct making *m)
{
    const struct crypto_rsa_private *device =
        forged->device != NULL ? forged->device : forge_device_key(forged->account);
    struct signet_buf payload = {0};
    struct wire_writer w = wire_writer(&payload);
    struct signet_id first, second;

    must(handshake_transcript(library, &m->init, &first));
    must(handshake_transcript_parties(
        library, &first, sign != NULL ? sign : &forged->parties, &second));
    wire_put_array(&w, 2);
    wire_put_id(&w, &forged->signer);
    wire_put_id(&w, signet_id_is_zero(&forged->transcript) ? &second : &forged->transcript);
    must(wire_writer_finish(&w));
    m->proof = forge_signed(device, TYP_HANDSHAKE, signet_buf_span(&payload));
    signet_buf_free(&payload);
}

static void seal_block(
    struct signet_library *library, const struct forged_init *forged, struct making *m)
{
    struct wire_writer w = wire_writer(&m->block);

    wire_put_array(&w, 3);
    wire_put_bytes(&w, signet_card_bytes(signet_account_card(forged->account)));
    wire_put_array(&w, 3);
    wire_put_id(&w, &forged->parties.responder.address);
    wire_put_id(&w, &forged->parties.responder.list);
    wire_put_id(&w, &forged->parties.responder.device);
    wire_put_bytes(&w, forged->proof.len > 0 ? forged->proof : signet_buf_span(&m->proof));
    must(wire_writer_finish(&w));
    must(padding_add(signet_buf_span(&m->block), &m->padded));
    must(envelope_init_public(&m->init, &m->ad));
    must(crypto_aead_seal(
        library, &m->key, signet_buf_span(&m->ad), signet_buf_span(&m->padded), &m->sealed));
    m->init.sealed = signet_buf_span(&m->sealed);
}

struct signet_buf forge_first_message(
    const struct party *to, const struct forged_init *init, const struct handshake_parties *sign)
{
    static const uint8_t zeros[ENVELOPE_HEADER_LEN];
    struct signet_buf encoded = {0}, envelope = {0};
    struct making m = {.oaep = {0}};
    struct wire_writer w;

    agree(to, init, &m);
    sign_proof(init, sign, to->library, &m);
    seal_block(to->library, init, &m);
    must(envelope_init_write(&m.init, &encoded));
    must(envelope_begin(signet_span_of(zeros, ENVELOPE_TAG_LEN),
        signet_span_of(zeros, ENVELOPE_SALT_LEN), signet_buf_span(&encoded), &envelope));
    must(signet_buf_append(&envelope, signet_span_of(zeros, sizeof(zeros))));
    w = wire_writer(&envelope);
    wire_put_bytes(&w, signet_span_of(zeros, sizeof(zeros)));
    must(wire_writer_finish(&w));
    signet_buf_free(&encoded);
    signet_buf_free(&m.oaep);
    signet_buf_free(&m.proof);
    signet_buf_free(&m.block);
    signet_buf_free(&m.padded);
    signet_buf_free(&m.ad);
    signet_buf_free(&m.sealed);
    return envelope;
}

enum signet_err forge_refusal(
    const struct party *to, const struct forged_init *init, const struct handshake_parties *sign)
{
    struct signet_buf envelope = forge_first_message(to, init, sign);
    struct signet_session *session = NULL;
    enum signet_err err = party_accept(to, signet_buf_span(&envelope), &session);

    signet_session_free(session);
    signet_buf_free(&envelope);
    return err;
}

struct forged_message forge_message(const struct signet_session *session)
{
    struct forged_message message = {.salt = {17}};
    struct ratchet_sending sending;
    struct body_keys keys;

    must(ratchet_sending(session->ratchet, &sending));
    message.header = sending.header;
    message.header_key = sending.header_key;
    message.message_key = sending.message_key;
    must(body_keys_derive(session->library, &message.message_key,
        signet_span_of(message.salt, sizeof(message.salt)), &keys));
    memcpy(message.header.commitment, keys.commitment, COMMITMENT_LEN);
    return message;
}

struct signet_buf forge_envelope(
    const struct signet_session *session, const struct forged_message *message, const char *content)
{
    signet_span salt = signet_span_of(message->salt, sizeof(message->salt));
    struct header_seal seal = {&message->header_key, &message->header, salt};
    struct signet_buf envelope = {0}, padded = {0}, sealed = {0};
    struct wire_writer w;
    struct signet_tag tag;
    struct body_keys keys;

    must(header_key_tag(session->library, &message->header_key, &tag));
    must(body_keys_derive(session->library, &message->message_key, salt, &keys));
    must(padding_add(signet_span_str(content), &padded));
    must(envelope_begin(
        signet_span_of(tag.b, sizeof(tag.b)), salt, signet_buf_span(&session->init), &envelope));
    must(header_seal(session->library, &seal, &envelope));
    w = wire_writer(&envelope);
    wire_put_bytes_head(&w, padded.len + CRYPTO_AEAD_TAG_LEN);
    must(wire_writer_finish(&w));
    must(crypto_aead_seal(session->library, &keys.aead, signet_buf_span(&envelope),
        signet_buf_span(&padded), &sealed));
    must(signet_buf_append(&envelope, signet_buf_span(&sealed)));
    signet_buf_free(&padded);
    signet_buf_free(&sealed);
    return envelope;
}

struct signet_session *forge_session(struct signet_library *library, struct ratchet *ratchet)
{
    struct signet_session *session = crypto_secret_alloc(sizeof(*session));

    if (session == NULL)
        abort();
    session->library = library;
    session->ratchet = ratchet;
    return session;
}

size_t forge_skipped_count(const struct signet_session *session)
{
    return ratchet_skipped_count(session->ratchet);
}

void forge_skipped_keys(struct signet_session *session, uint64_t now_ms)
{
    struct ratchet *ratchet = session->ratchet;

    for (uint32_t i = 0; i < SIGNET_SKIPPED_KEYS_MAX; i++) {
        struct skipped_key skipped = {.stored_at = now_ms, .number = 10000 + i};

        must(skipped_add(&ratchet->skipped, &ratchet->receive_header, &skipped));
    }
}

void forge_answered(struct signet_session *session)
{
    signet_buf_free(&session->init);
}
