/* Registering and logging in: docs/protocol.md, section 9. */
#include <string.h>

#include "engine/engine_internal.h"
#include "crypto/secret.h"

static enum signet_err send_register(struct engine *e)
{
    struct relay_message message = {.type = RELAY_REGISTER};
    struct signet_buf proof = {0};
    struct request *request;
    enum signet_err err;

    message.name = signet_span_str(e->relay.name);
    err = signet_registration_sign(e->account, message.name, &e->hop, &proof);
    if (err != SIGNET_OK)
        goto out;
    message.token = signet_span_of(e->relay.invitation.token, INVITATION_TOKEN_LEN);
    message.card = signet_card_bytes(signet_account_card(e->account));
    message.proof = signet_buf_span(&proof);
    e->phase = PHASE_REGISTER;
    err = engine_ask(e, REQUEST_REGISTER, &message, &request);
    if (err == SIGNET_OK)
        err = engine_explain(e, "authentication", "account registered under its name",
            "RSA-PSS, SHA-256",
            "the identity key signs name, device list and this very connection; invitation token "
            "of %d bytes",
            INVITATION_TOKEN_LEN);
out:
    signet_buf_free(&proof);
    return err;
}

static enum signet_err send_login(struct engine *e)
{
    struct relay_message message = {.type = RELAY_LOGIN};
    struct signet_buf proof = {0};
    char device[SIGNET_ID_SHORT_SIZE];
    struct request *request;
    enum signet_err err;

    if ((err = signet_login_sign(e->account, &e->hop, &proof)) != SIGNET_OK)
        goto out;
    message.proof = signet_buf_span(&proof);
    e->phase = PHASE_LOGIN;
    if ((err = engine_ask(e, REQUEST_LOGIN, &message, &request)) != SIGNET_OK)
        goto out;
    signet_id_short(signet_account_device(e->account), device);
    err = engine_explain(e, "authentication", "device logged in by signature, without a password",
        "RSA-PSS 3072, SHA-256",
        "device %s signs the relay's key and name, two nonces and the TLS exporter", device);
out:
    signet_buf_free(&proof);
    return err;
}

enum signet_err engine_connected(struct engine *engine, const struct engine_hop *hop,
    uint64_t now_ms, struct engine_output *output)
{
    engine->output = output;
    engine->now_ms = now_ms;
    engine->phase = PHASE_CHALLENGE;
    engine->is_subscribed = false;
    engine->has_drained = false;
    engine->hop.pin = hop->pin;
    engine->hop.origin = signet_span_str(engine->relay.invitation.host);
    memcpy(engine->hop.exporter, hop->exporter, sizeof(engine->hop.exporter));
    return crypto_random_public(
        engine->library, engine->hop.client_nonce, sizeof(engine->hop.client_nonce));
}

enum signet_err engine_challenged(struct engine *e, const struct relay_message *message)
{
    if (e->phase != PHASE_CHALLENGE)
        return SIGNET_ERR_FORMAT;
    memcpy(e->hop.server_nonce, message->nonce.ptr, sizeof(e->hop.server_nonce));
    return e->relay.is_registered ? send_login(e) : send_register(e);
}

enum signet_err engine_registered(struct engine *e)
{
    enum signet_err err;

    e->relay.is_registered = true;
    if ((err = engine_save_relay(e)) != SIGNET_OK)
        return err;
    if (engine_event(e, EVENT_REGISTERED) == NULL)
        return SIGNET_ERR_NOMEM;
    return send_login(e);
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

enum signet_err engine_not_registered(struct engine *e, uint64_t code, uint64_t now_ms)
{
    uint64_t issued_at = signet_card_issued_at(signet_account_card(e->account));
    enum signet_err err;

    if (code != RELAY_CODE_CLOCK || now_ms < issued_at + SIGNET_CLOCK_TOLERANCE_MS)
        return engine_stop(e, problem_of(code), e->relay.name);
    /* The card of an earlier attempt has grown old. It was tried first, because the relay might
     * have known it. */
    if ((err = signet_account_renew(e->account, now_ms)) != SIGNET_OK)
        return err;
    if ((err = engine_save_account(e)) != SIGNET_OK)
        return err;
    return send_register(e);
}

enum signet_err engine_stop(struct engine *e, enum engine_problem problem, const char *whom)
{
    e->phase = PHASE_STOPPED;
    return engine_fail(e, problem, 0, whom);
}

enum signet_err engine_ask_delivery(struct engine *e)
{
    struct relay_message message = {.type = RELAY_SUBSCRIBE};
    struct request *request;

    e->is_subscribed = true;
    return engine_ask(e, REQUEST_SUBSCRIBE, &message, &request);
}
