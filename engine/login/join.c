/* Preparing a home to join a relay. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"

enum { IDENTITY_BITS = 3072 };

/* The account that an earlier attempt left. Errors: UNKNOWN. */
static enum signet_err load_account(struct engine *e)
{
    struct record_key key = {.kind = RECORD_ACCOUNT};
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    if (err == SIGNET_OK)
        err = signet_account_decode(e->library, signet_buf_span(&value), &e->account);
    signet_buf_free(&value);
    return err;
}

static enum signet_err make_account(
    struct engine *e, uint64_t now_ms, struct signet_next_identity *next_out)
{
    enum signet_err err =
        signet_account_create(e->library, IDENTITY_BITS, now_ms, &e->account, next_out);

    return err == SIGNET_OK ? engine_save_account(e) : err;
}

/* Whether the account of an earlier attempt was made by a clock that was wrong: no relay takes a
 * device list from the future, and nobody knows the account yet. */
static bool is_from_the_future(const struct engine *e, uint64_t now_ms)
{
    uint64_t issued_at = signet_card_issued_at(signet_account_card(e->account));

    return issued_at > now_ms && issued_at - now_ms > SIGNET_CLOCK_TOLERANCE_MS;
}

static enum signet_err explain_keys(struct engine *e)
{
    char address[SIGNET_ID_SHORT_SIZE], device[SIGNET_ID_SHORT_SIZE];
    enum signet_err err;

    signet_id_short(signet_account_address(e->account), address);
    signet_id_short(signet_account_device(e->account), device);
    err = engine_explain(e, "authentication", "identity key made: it only certifies devices",
        "RSA-3072", "fingerprint (your address) %s", address);
    if (err != SIGNET_OK)
        return err;
    return engine_explain(e, "authentication, integrity",
        "device signing key made, and certified by the identity key", "RSA-3072; RSA-PSS, SHA-256",
        "device %s on device list version %llu", device,
        (unsigned long long)signet_card_version(signet_account_card(e->account)));
}

static enum signet_err prepare(
    struct engine *e, const struct engine_join *join, struct signet_next_identity *next_out)
{
    enum signet_err err = engine_load_relay(e);

    if (err == SIGNET_OK && e->relay.is_registered)
        return SIGNET_ERR_STATE;
    if (err != SIGNET_OK && err != SIGNET_ERR_UNKNOWN)
        return err;
    err = load_account(e);
    if (err == SIGNET_OK && is_from_the_future(e, join->now_ms)) {
        signet_account_free(e->account);
        e->account = NULL;
        err = SIGNET_ERR_UNKNOWN;
    }
    if (err == SIGNET_ERR_UNKNOWN)
        err = make_account(e, join->now_ms, next_out);
    if (err == SIGNET_OK)
        err = engine_load_counters(e);
    if (err == SIGNET_ERR_UNKNOWN)
        err = engine_save_counters(e);
    if (err != SIGNET_OK)
        return err;
    e->relay.invitation = *join->invitation;
    e->relay.is_registered = false;
    memset(e->relay.name, 0, sizeof(e->relay.name));
    memcpy(e->relay.name, join->name, strlen(join->name));
    if ((err = engine_save_relay(e)) != SIGNET_OK)
        return err;
    return explain_keys(e);
}

enum signet_err engine_prepare(const struct engine_config *config, const struct engine_join *join,
    struct signet_next_identity *next_out, struct engine_output *output)
{
    struct engine *e;
    enum signet_err err;

    if (!signet_name_is_valid(signet_span_str(join->name)))
        return SIGNET_ERR_ARGUMENT;
    e = calloc(1, sizeof(*e));
    if (e == NULL)
        return SIGNET_ERR_NOMEM;
    e->library = config->library;
    e->records = config->records;
    e->explain = config->explain;
    e->output = output;
    memset(next_out, 0, sizeof(*next_out));
    err = prepare(e, join, next_out);
    engine_free(e);
    return err;
}
