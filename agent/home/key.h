/* The store key of a home: choosing how it is kept, and getting it back. */
#ifndef AGENT_HOME_KEY_H
#define AGENT_HOME_KEY_H

#include "agent/home/home.h"

/*
 * Make a key and write it to `key`, or to `key.sealed` where a person is present and chooses a
 * passphrase. Neither file may be there. Reports; errors as home_create.
 */
SIGNET_MUST_USE enum signet_err home_key_create(
    const struct home_place *place, struct store_key *key_out);

/* Get the key, asking for the passphrase where there is one. Reports; errors as home_open. */
SIGNET_MUST_USE enum signet_err home_key_open(
    const struct home_place *place, struct store_key *key_out);

#endif
