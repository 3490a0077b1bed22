/* Registering and logging in: docs/protocol.md, section 9. */
#include "engine/login/login.h"

#include <string.h>

#include "crypto/secret.h"
#include "engine/account.h"

static enum signet_err send_register(struct txn *t)
{
    struct relay_message message = {.type = RELAY_REGISTER};
    struct signet_buf proof = {0};
    struct request *request;
    enum signet_err err;

    message.name = signet_span_str(t->own->relay.name);
    err = signet_registration_sign(t->own->account, message.name, &t->login->hop, &proof);
    if (err != SIGNET_OK)
        goto out;
    message.token = signet_span_of(t->own->relay.invitation.token, INVITATION_TOKEN_LEN);
    message.card = signet_card_bytes(signet_account_card(t->own->account));
    message.proof = signet_buf_span(&proof);
    t->requests->phase = PHASE_REGISTER;
    err = requests_ask(t, REQUEST_REGISTER, &message, &request);
    if (err == SIGNET_OK)
        err = txn_explain(t, "authentication", "account registered under its name",
            "RSA-PSS, SHA-256",
            "the identity key signs name, device list and this very connection; invitation token "
            "of %d bytes",
            INVITATION_TOKEN_LEN);
out:
    signet_buf_free(&proof);
    return err;
}

static enum signet_err send_login(struct txn *t)
{
    struct relay_message message = {.type = RELAY_LOGIN};
    struct signet_buf proof = {0};
    char device[SIGNET_ID_SHORT_SIZE];
    struct request *request;
    enum signet_err err;

    if ((err = signet_login_sign(t->own->account, &t->login->hop, &proof)) != SIGNET_OK)
        goto out;
    message.proof = signet_buf_span(&proof);
    t->requests->phase = PHASE_LOGIN;
    if ((err = requests_ask(t, REQUEST_LOGIN, &message, &request)) != SIGNET_OK)
        goto out;
    signet_id_short(signet_account_device(t->own->account), device);
    err = txn_explain(t, "authentication", "device logged in by signature, without a password",
        "RSA-PSS 3072, SHA-256",
        "device %s signs the relay's key and name, two nonces and the TLS exporter", device);
out:
    signet_buf_free(&proof);
    return err;
}

enum signet_err login_connected(struct txn *t, const struct engine_hop *hop)
{
    struct login *login = t->login;

    t->requests->phase = PHASE_CHALLENGE;
    login->is_subscribed = false;
    login->has_drained = false;
    login->hop.pin = hop->pin;
    login->hop.origin = signet_span_str(t->own->relay.invitation.host);
    memcpy(login->hop.exporter, hop->exporter, sizeof(login->hop.exporter));
    return crypto_random_public(
        t->library, login->hop.client_nonce, sizeof(login->hop.client_nonce));
}

enum signet_err login_challenged(struct txn *t, const struct relay_message *message)
{
    if (t->requests->phase != PHASE_CHALLENGE)
        return SIGNET_ERR_FORMAT;
    memcpy(t->login->hop.server_nonce, message->nonce.ptr, sizeof(t->login->hop.server_nonce));
    return t->own->relay.is_registered ? send_login(t) : send_register(t);
}

enum signet_err login_registered(struct txn *t)
{
    enum signet_err err;

    t->own->relay.is_registered = true;
    if ((err = own_save_relay(t)) != SIGNET_OK)
        return err;
    if (txn_event(t, EVENT_REGISTERED) == NULL)
        return SIGNET_ERR_NOMEM;
    return send_login(t);
}

static enum engine_problem problem_of(uint64_t code)
{
    switch (code) {
    case RELAY_CODE_NAME_TAKEN: return PROBLEM_NAME_TAKEN;
    case RELAY_CODE_NAME: return PROBLEM_NAME_NOT_ALLOWED;
    case RELAY_CODE_INVITATION: return PROBLEM_INVITATION;
    case RELAY_CODE_CLOSED: return PROBLEM_CLOSED;
    case RELAY_CODE_CLOCK: return PROBLEM_CLOCK;
    case RELAY_CODE_STORE: return PROBLEM_NOT_NOW;
    case RELAY_CODE_OFTEN: return PROBLEM_OFTEN;
    default: return PROBLEM_LOGIN;
    }
}

enum signet_err login_not_registered(struct txn *t, uint64_t code)
{
    uint64_t issued_at = signet_card_issued_at(signet_account_card(t->own->account));
    enum signet_err err;

    if (code != RELAY_CODE_CLOCK || t->now_ms < issued_at + SIGNET_CLOCK_TOLERANCE_MS)
        return requests_stop(t, problem_of(code), t->own->relay.name);
    /* The card of an earlier attempt has grown old. It was tried first, because the relay might
     * have known it. */
    if ((err = signet_account_renew(t->own->account, t->now_ms)) != SIGNET_OK)
        return err;
    if ((err = own_save_account(t)) != SIGNET_OK)
        return err;
    return send_register(t);
}

/* A login that the relay may take a little later says nothing of who may log in. */
enum signet_err login_refused(struct txn *t, uint64_t code)
{
    enum engine_problem problem = PROBLEM_LOGIN;

    if (code == RELAY_CODE_STORE)
        problem = PROBLEM_RELAY;
    else if (code == RELAY_CODE_OFTEN)
        problem = PROBLEM_OFTEN;
    return requests_stop(t, problem, t->own->relay.name);
}

enum signet_err login_ask_delivery(struct txn *t)
{
    struct relay_message message = {.type = RELAY_SUBSCRIBE};
    struct request *request;

    t->login->is_subscribed = true;
    return requests_ask(t, REQUEST_SUBSCRIBE, &message, &request);
}

enum signet_err login_drained(struct txn *t)
{
    if (!t->login->is_subscribed)
        return SIGNET_ERR_FORMAT;
    if (t->login->has_drained)
        return SIGNET_OK;
    t->login->has_drained = true;
    return txn_event(t, EVENT_DRAINED) == NULL ? SIGNET_ERR_NOMEM : SIGNET_OK;
}
