/*
 * Session set-up, the keys: docs/protocol.md, section 5.
 *
 * ss_rsa is the session secret wrapped with the recipient's RSA key; X25519 beside it gives forward
 * secrecy that RSA alone cannot. Both sides' names and device lists are hashed into T2, so that no
 * one can be made to believe that a session is with somebody else.
 */
#include "protocol/handshake.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "protocol/account_internal.h"
#include "protocol/bundle_internal.h"
#include "protocol/init_block.h"

/* ss_rsa || ss_1 || ss_2, as HKDF-Extract takes them. */
struct shared {
    struct crypto_oaep_secret rsa;
    struct crypto_dh_shared prekey, one_time;
};

enum signet_err handshake_transcript(struct signet_library *library,
    const struct envelope_init *init, struct signet_id *transcript_out)
{
    struct signet_buf public_part = {0};
    enum signet_err err = envelope_init_public(init, &public_part);

    if (err == SIGNET_OK)
        err = crypto_sha256_one(library, signet_buf_span(&public_part), transcript_out);
    signet_buf_free(&public_part);
    return err;
}

/* prk from the shared secrets; wipes them. */
static enum signet_err extract(struct signet_library *library, struct shared *shared,
    bool has_one_time, struct crypto_prk *prk)
{
    size_t len = has_one_time ? sizeof(*shared) : sizeof(*shared) - sizeof(shared->one_time);
    enum signet_err err;

    _Static_assert(sizeof(*shared) == 96, "the secrets lie together");
    err = crypto_hkdf_extract(library, signet_span_of(NULL, 0), signet_span_of(shared, len), prk);
    crypto_wipe(shared, sizeof(*shared));
    return err;
}

static enum signet_err expand(struct signet_library *library, const struct crypto_prk *prk,
    const char *label, const struct signet_id *transcript, struct crypto_out out)
{
    return crypto_hkdf_expand(
        library, prk, signet_span_str(label), signet_id_span(transcript), out);
}

/* The initiator's three secrets; what the responder needs for them goes to init and oaep. */
static enum signet_err agree_initiator(struct signet_library *library,
    const struct signet_session_peer *peer, struct crypto_dh_public *ephemeral,
    struct signet_buf *oaep, struct shared *shared)
{
    const struct signet_bundle *bundle = peer->bundle;
    struct crypto_dh_public one_time;
    struct crypto_dh_pair pair;
    enum signet_err err;

    if ((err = crypto_random_secret(library, &shared->rsa, sizeof(shared->rsa))) != SIGNET_OK)
        return err;
    if ((err = crypto_rsa_wrap(bundle->oaep_key, &shared->rsa, oaep)) != SIGNET_OK)
        return err;
    if ((err = crypto_dh_generate(library, &pair)) != SIGNET_OK)
        return err;
    /* A zero result is fatal: crypto_dh_agree refuses low-order points. */
    err = crypto_dh_agree(library, &pair.private_key, &bundle->signed_prekey, &shared->prekey);
    if (err == SIGNET_OK && peer->one_time != NULL) {
        memcpy(one_time.k, peer->one_time->key, CRYPTO_DH_LEN);
        err = crypto_dh_agree(library, &pair.private_key, &one_time, &shared->one_time);
    }
    *ephemeral = pair.public_key;
    crypto_wipe(&pair, sizeof(pair));
    return err;
}

/* The bundle must be of a device on the card, and the one-time prekey one of the bundle's. */
static enum signet_err check_peer(
    struct signet_library *library, const struct signet_session_peer *peer)
{
    if (!signet_id_equal(&peer->bundle->address, signet_card_address(peer->card)) ||
        !signet_card_has_device(peer->card, &peer->bundle->device))
        return SIGNET_ERR_CHANNEL;
    if (peer->one_time == NULL)
        return SIGNET_OK;
    return signet_bundle_check_one_time(library, peer->bundle, peer->one_time);
}

/* Everything that follows from prk on the initiator's side: init block and first keys. */
static enum signet_err finish_initiator(const struct signet_account *account,
    const struct handshake_parties *parties, const struct crypto_prk *prk,
    struct envelope_init *init, struct handshake_sent *sent)
{
    struct init_block block = {.parties = parties};
    struct crypto_aead_key key;
    struct crypto_out key_out = {&key, sizeof(key)};
    struct crypto_out keys_out = {&sent->keys, sizeof(sent->keys)};
    enum signet_err err;

    _Static_assert(sizeof(sent->keys) == 96, "root and header keys lie together");
    err = handshake_transcript(account->library, init, &sent->transcript);
    if (err != SIGNET_OK)
        return err;
    err = handshake_transcript_parties(
        account->library, &sent->transcript, parties, &block.transcript);
    if (err != SIGNET_OK)
        return err;
    err = expand(account->library, prk, "root", &block.transcript, keys_out);
    if (err != SIGNET_OK)
        return err;
    err = expand(account->library, prk, "init", &sent->transcript, key_out);
    if (err == SIGNET_OK)
        err = init_block_seal(account, &block, &key, init, &sent->sealed);
    crypto_wipe(&key, sizeof(key));
    return err;
}

enum signet_err handshake_initiate(const struct signet_account *account,
    const struct signet_session_peer *peer, struct handshake_sent *sent_out,
    struct signet_buf *init_out)
{
    struct handshake_parties parties = {
        .initiator = {*signet_account_address(account), *signet_card_list(account->card),
            *signet_account_device(account)},
        .responder = {*signet_card_address(peer->card), *signet_card_list(peer->card),
            peer->bundle->device},
    };
    struct envelope_init init = {.bundle = peer->bundle->id};
    struct handshake_sent sent = {0};
    struct signet_buf oaep = {0};
    struct crypto_dh_public ephemeral;
    struct shared shared = {0};
    struct crypto_prk prk = {0};
    enum signet_err err;

    if ((err = check_peer(account->library, peer)) != SIGNET_OK)
        return err;
    err = agree_initiator(account->library, peer, &ephemeral, &oaep, &shared);
    if (err != SIGNET_OK)
        goto out;
    init.has_one_time = peer->one_time != NULL;
    init.one_time = init.has_one_time ? peer->one_time->index : 0;
    init.ephemeral = signet_span_of(ephemeral.k, sizeof(ephemeral.k));
    init.oaep = signet_buf_span(&oaep);
    if ((err = extract(account->library, &shared, init.has_one_time, &prk)) != SIGNET_OK)
        goto out;
    if ((err = finish_initiator(account, &parties, &prk, &init, &sent)) != SIGNET_OK)
        goto out;
    init.sealed = signet_buf_span(&sent.sealed);
    if ((err = envelope_init_write(&init, init_out)) != SIGNET_OK)
        goto out;
    sent_out->transcript = sent.transcript;
    sent_out->keys = sent.keys;
out:
    signet_buf_free(&sent.sealed);
    signet_buf_free(&oaep);
    crypto_wipe(&sent, sizeof(sent));
    crypto_wipe(&shared, sizeof(shared));
    crypto_wipe(&prk, sizeof(prk));
    return err;
}

/* The responder's three secrets. Of them only the Diffie-Hellman results can fail, by public facts. */
static enum signet_err agree_responder(
    const struct signet_session_own *own, const struct envelope_init *init, struct shared *shared)
{
    const struct signet_bundle_secrets *secrets = own->secrets;
    struct signet_library *library = own->account->library;
    struct crypto_dh_public ephemeral;
    enum signet_err err;

    memcpy(ephemeral.k, init->ephemeral.ptr, sizeof(ephemeral.k));
    err = crypto_rsa_unwrap(secrets->oaep_key, &secrets->reject, init->oaep, &shared->rsa);
    if (err != SIGNET_OK)
        return err;
    err =
        crypto_dh_agree(library, &secrets->signed_prekey.private_key, &ephemeral, &shared->prekey);
    if (err != SIGNET_OK || !init->has_one_time)
        return err;
    return crypto_dh_agree(
        library, &secrets->one_time[init->one_time], &ephemeral, &shared->one_time);
}

/* Open the init block, verify who speaks, and derive the first keys. */
static enum signet_err finish_responder(const struct signet_session_own *own,
    const struct envelope_init *init, const struct crypto_prk *prk,
    struct handshake_received *received)
{
    struct signet_library *library = own->account->library;
    struct crypto_out keys_out = {&received->keys, sizeof(received->keys)};
    struct handshake_parties parties;
    struct crypto_aead_key key;
    struct crypto_out key_out = {&key, sizeof(key)};
    struct signet_id transcript;
    enum signet_err err;

    if ((err = handshake_transcript(library, init, &received->transcript)) != SIGNET_OK)
        return err;
    err = expand(library, prk, "init", &received->transcript, key_out);
    if (err == SIGNET_OK)
        err = init_block_open(own->account, &received->transcript, &key, init, received);
    crypto_wipe(&key, sizeof(key));
    if (err != SIGNET_OK)
        return err;
    parties = (struct handshake_parties){
        .initiator = {*signet_card_address(received->card), *signet_card_list(received->card),
            received->device},
        .responder = received->responder,
    };
    err = handshake_transcript_parties(library, &received->transcript, &parties, &transcript);
    if (err != SIGNET_OK)
        return err;
    return expand(library, prk, "root", &transcript, keys_out);
}

enum signet_err handshake_accept(const struct signet_session_own *own,
    const struct envelope_init *init, struct handshake_received *received_out)
{
    struct handshake_received received = {0};
    struct shared shared = {0};
    struct crypto_prk prk = {0};
    enum signet_err err;

    if (!signet_id_equal(&init->bundle, &own->secrets->id) ||
        (init->has_one_time && !signet_bundle_secrets_has(own->secrets, init->one_time)))
        return SIGNET_ERR_UNKNOWN;
    if ((err = agree_responder(own, init, &shared)) != SIGNET_OK)
        goto out;
    err = extract(own->account->library, &shared, init->has_one_time, &prk);
    if (err != SIGNET_OK)
        goto out;
    if ((err = finish_responder(own, init, &prk, &received)) != SIGNET_OK)
        goto out;
    *received_out = received;
    received.card = NULL;
out:
    signet_card_free(received.card);
    crypto_wipe(&received, sizeof(received));
    crypto_wipe(&shared, sizeof(shared));
    crypto_wipe(&prk, sizeof(prk));
    return err;
}
