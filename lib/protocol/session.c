/* Sessions: docs/protocol.md, sections 5 and 6. Set-up here; sealing and opening below. */
#include <signet/session.h>

#include <string.h>

#include "crypto/secret.h"
#include "protocol/account_internal.h"
#include "protocol/bundle_internal.h"
#include "protocol/handshake.h"
#include "protocol/padding.h"
#include "protocol/ratchet.h"
#include "protocol/session_internal.h"
#include "wire/envelope.h"

#define UNANSWERED_MAX_MS (UINT64_C(24) * 3600 * 1000)

enum signet_err signet_envelope_view(
    struct signet_library *library, signet_span envelope, struct signet_envelope_view *view_out)
{
    struct signet_envelope_view view = {0};
    struct envelope e;
    enum signet_err err;

    if ((err = envelope_read(envelope, &e)) != SIGNET_OK)
        return err;
    memcpy(view.tag.b, e.tag.ptr, sizeof(view.tag.b));
    view.has_init = e.has_init;
    if (e.has_init) {
        if ((err = handshake_transcript(library, &e.init, &view.transcript)) != SIGNET_OK)
            return err;
        view.bundle = e.init.bundle;
        view.has_one_time = e.init.has_one_time;
        view.one_time = e.init.one_time;
    }
    *view_out = view;
    return SIGNET_OK;
}

void signet_session_free(struct signet_session *session)
{
    if (session == NULL)
        return;
    ratchet_free(session->ratchet);
    signet_card_free(session->peer_card);
    signet_buf_free(&session->init);
    crypto_secret_free(session, sizeof(*session));
}

enum signet_err signet_session_initiate(struct signet_library *library,
    const struct signet_account *account, const struct signet_session_peer *peer, uint64_t now_ms,
    struct signet_session **session_out)
{
    struct signet_session *session = crypto_secret_alloc(sizeof(*session));
    struct handshake_sent sent = {0};
    enum signet_err err;

    if (session == NULL)
        return SIGNET_ERR_NOMEM;
    if ((err = handshake_initiate(account, peer, &sent, &session->init)) != SIGNET_OK)
        goto out;
    err =
        ratchet_new_initiator(library, &sent.keys, &peer->bundle->signed_prekey, &session->ratchet);
    if (err != SIGNET_OK)
        goto out;
    session->library = library;
    session->is_initiator = true;
    session->transcript = sent.transcript;
    session->peer_address = *signet_card_address(peer->card);
    session->peer_device = peer->bundle->device;
    session->peer_list = *signet_card_list(peer->card);
    session->created_at = now_ms;
    *session_out = session;
    session = NULL;
out:
    signet_session_free(session);
    crypto_wipe(&sent, sizeof(sent));
    return err;
}

enum signet_err signet_session_accept(struct signet_library *library,
    const struct signet_session_own *own, signet_span envelope, uint64_t now_ms,
    struct signet_session **session_out)
{
    struct signet_session *session = NULL;
    struct handshake_received received = {0};
    struct envelope e;
    enum signet_err err;

    if ((err = envelope_read(envelope, &e)) != SIGNET_OK)
        return err;
    if (!e.has_init)
        return SIGNET_ERR_UNKNOWN;
    if ((err = handshake_accept(own, &e.init, &received)) != SIGNET_OK)
        return err;
    err = SIGNET_ERR_NOMEM;
    session = crypto_secret_alloc(sizeof(*session));
    if (session == NULL)
        goto out;
    err = ratchet_new_responder(
        library, &received.keys, &own->secrets->signed_prekey, &session->ratchet);
    if (err != SIGNET_OK)
        goto out;
    session->library = library;
    session->transcript = received.transcript;
    session->peer_address = *signet_card_address(received.card);
    session->peer_device = received.device;
    session->peer_list = *signet_card_list(received.card);
    session->peer_card = received.card;
    received.card = NULL;
    session->created_at = now_ms;
    *session_out = session;
    session = NULL;
out:
    signet_session_free(session);
    signet_card_free(received.card);
    crypto_wipe(&received, sizeof(received));
    return err;
}

enum signet_err signet_session_copy(
    const struct signet_session *session, struct signet_session **copy_out)
{
    struct signet_session *copy = crypto_secret_alloc(sizeof(*copy));
    enum signet_err err;

    if (copy == NULL)
        return SIGNET_ERR_NOMEM;
    *copy = *session;
    copy->ratchet = NULL;
    copy->init = (struct signet_buf){0};
    if (copy->peer_card != NULL)
        copy->peer_card = signet_card_share(session->peer_card);
    if ((err = signet_buf_append(&copy->init, signet_buf_span(&session->init))) != SIGNET_OK)
        goto out;
    if ((err = ratchet_copy(session->ratchet, &copy->ratchet)) != SIGNET_OK)
        goto out;
    *copy_out = copy;
    copy = NULL;
out:
    signet_session_free(copy);
    return err;
}

const struct signet_id *signet_session_transcript(const struct signet_session *session)
{
    return &session->transcript;
}

const struct signet_id *signet_session_peer_address(const struct signet_session *session)
{
    return &session->peer_address;
}

const struct signet_id *signet_session_peer_device(const struct signet_session *session)
{
    return &session->peer_device;
}

const struct signet_id *signet_session_peer_list(const struct signet_session *session)
{
    return &session->peer_list;
}

const struct signet_card *signet_session_peer_card(const struct signet_session *session)
{
    return session->peer_card;
}

bool signet_session_is_initiator(const struct signet_session *session)
{
    return session->is_initiator;
}

bool signet_session_is_answered(const struct signet_session *session)
{
    return session->received_at != 0;
}

uint64_t signet_session_received_at(const struct signet_session *session)
{
    return session->received_at;
}

uint64_t signet_session_created_at(const struct signet_session *session)
{
    return session->created_at;
}

bool signet_session_is_worn(const struct signet_session *session, uint64_t now_ms)
{
    if (ratchet_sent_count(session->ratchet) >= SIGNET_CHAIN_MESSAGES_MAX)
        return true;
    return session->received_at == 0 && now_ms > session->created_at &&
           now_ms - session->created_at >= UNANSWERED_MAX_MS;
}

bool signet_session_expire(struct signet_session *session, uint64_t now_ms)
{
    return ratchet_expire(session->ratchet, now_ms);
}

enum signet_err signet_session_tags(const struct signet_session *session,
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX], size_t *count_out)
{
    return ratchet_tags(session->ratchet, tags, count_out);
}
