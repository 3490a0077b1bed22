/* What lib/protocol knows of an account beyond its public header. */
#ifndef PROTOCOL_ACCOUNT_INTERNAL_H
#define PROTOCOL_ACCOUNT_INTERNAL_H

#include <signet/account.h>

#include "crypto/rsa.h"

enum { ACCOUNT_LISTS_MAX = 64 };

struct signet_account {
    struct signet_library *library;
    struct crypto_rsa_private *identity;
    struct crypto_rsa_private *device;
    struct signet_card *card;
    size_t issued_count;
    struct signet_id issued[ACCOUNT_LISTS_MAX]; /* ids of own lists, oldest first */
};

/* Two keys that become an account: tests take them from a pool, signet_account_create makes them.
 * The private keys are taken over, also on failure. */
struct account_keys {
    struct crypto_rsa_private *identity;
    struct crypto_rsa_private *device;
    struct signet_id next_identity;
};
SIGNET_MUST_USE enum signet_err account_from_keys(struct signet_library *library,
    const struct account_keys *keys, uint64_t now_ms, struct signet_account **account_out);

#endif
