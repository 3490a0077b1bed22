/* Who we are: the account, its place at the relay, and what is counted. */
#ifndef ENGINE_ACCOUNT_H
#define ENGINE_ACCOUNT_H

#include <signet/account.h>
#include <signet/bundle.h>

#include "engine/txn/txn.h"
#include "wire/invitation.h"

enum { OWN_BUNDLES_MAX = 32 };

/* An own bundle whose secrets are kept as RECORD_BUNDLE under its version. */
struct own_bundle {
    struct signet_id id;
    uint64_t version, made_at, not_after; /* ms */
};

/* RECORD_COUNTERS. */
struct counters {
    uint64_t next_message; /* place of the next line of the history */
    uint64_t next_outbox;
    uint64_t bundle_version; /* of the newest own bundle; 0: none */
    uint64_t cleaned_at;     /* ms: when old RECORD_SEEN were looked for */
    size_t bundle_count;
    struct own_bundle bundles[OWN_BUNDLES_MAX]; /* oldest first */
};

/* RECORD_RELAY. */
struct relay_record {
    struct invitation invitation;
    char name[SIGNET_NAME_MAX + 1];
    bool is_registered;
};

struct own {
    struct signet_account *account;
    struct relay_record relay;
    struct counters counters;
};

/* Errors of loading: UNKNOWN (there is none), AUTH (damaged), FORMAT, IO, NOMEM, CRYPTO. Damaged
 * counters are counted again from the records. Errors of saving: NOMEM. */
SIGNET_MUST_USE enum signet_err own_load_account(struct txn *t);
SIGNET_MUST_USE enum signet_err own_save_account(struct txn *t);
SIGNET_MUST_USE enum signet_err own_load_relay(struct txn *t);
SIGNET_MUST_USE enum signet_err own_save_relay(struct txn *t);
SIGNET_MUST_USE enum signet_err own_load_counters(struct txn *t);
SIGNET_MUST_USE enum signet_err own_save_counters(struct txn *t);

/* The secrets of an own bundle, by its version. Errors: as of the others. */
SIGNET_MUST_USE enum signet_err own_load_bundle(
    struct txn *t, uint64_t version, struct signet_bundle_secrets **secrets_out);
SIGNET_MUST_USE enum signet_err own_save_bundle(
    struct txn *t, const struct signet_bundle_secrets *secrets);
SIGNET_MUST_USE enum signet_err own_delete_bundle(struct txn *t, uint64_t version);

/* The own account's address, device and card: borrowed. */
const struct signet_id *own_address(const struct txn *t);
const struct signet_id *own_device(const struct txn *t);
const struct signet_card *own_card(const struct txn *t);

void own_free(struct own *own);

#endif
