/* Preparing a home to join a relay. */
#include <string.h>

#include "engine/account.h"
#include "engine/login/login.h"

enum { IDENTITY_BITS = 3072 };

static enum signet_err make_account(struct txn *t, struct signet_next_identity *next_out)
{
    enum signet_err err =
        signet_account_create(t->library, IDENTITY_BITS, t->now_ms, &t->own->account, next_out);

    return err == SIGNET_OK ? own_save_account(t) : err;
}

/* Whether the account of an earlier attempt was made by a clock that was wrong: no relay takes a
 * device list from the future, and nobody knows the account yet. */
static bool is_from_the_future(const struct txn *t)
{
    uint64_t issued_at = signet_card_issued_at(signet_account_card(t->own->account));

    return issued_at > t->now_ms && issued_at - t->now_ms > SIGNET_CLOCK_TOLERANCE_MS;
}

static enum signet_err explain_keys(struct txn *t)
{
    char address[SIGNET_ID_SHORT_SIZE], device[SIGNET_ID_SHORT_SIZE];
    enum signet_err err;

    signet_id_short(signet_account_address(t->own->account), address);
    signet_id_short(signet_account_device(t->own->account), device);
    err = txn_explain(t, "authentication", "identity key made: it only certifies devices",
        "RSA-3072", "fingerprint (your address) %s", address);
    if (err != SIGNET_OK)
        return err;
    return txn_explain(t, "authentication, integrity",
        "device signing key made, and certified by the identity key", "RSA-3072; RSA-PSS, SHA-256",
        "device %s on device list version %llu", device,
        (unsigned long long)signet_card_version(signet_account_card(t->own->account)));
}

enum signet_err login_prepare(
    struct txn *t, const struct engine_join *join, struct signet_next_identity *next_out)
{
    enum signet_err err = own_load_relay(t);

    if (err == SIGNET_OK && t->own->relay.is_registered)
        return SIGNET_ERR_STATE;
    if (err != SIGNET_OK && err != SIGNET_ERR_UNKNOWN)
        return err;
    err = own_load_account(t);
    if (err == SIGNET_OK && is_from_the_future(t)) {
        signet_account_free(t->own->account);
        t->own->account = NULL;
        err = SIGNET_ERR_UNKNOWN;
    }
    if (err == SIGNET_ERR_UNKNOWN)
        err = make_account(t, next_out);
    if (err == SIGNET_OK)
        err = own_load_counters(t);
    if (err == SIGNET_ERR_UNKNOWN)
        err = own_save_counters(t);
    if (err != SIGNET_OK)
        return err;
    t->own->relay.invitation = *join->invitation;
    t->own->relay.is_registered = false;
    memset(t->own->relay.name, 0, sizeof(t->own->relay.name));
    memcpy(t->own->relay.name, join->name, strlen(join->name));
    if ((err = own_save_relay(t)) != SIGNET_OK)
        return err;
    return explain_keys(t);
}
