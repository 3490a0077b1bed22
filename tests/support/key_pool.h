/*
 * RSA keys for tests and benchmarks: each is generated once and kept as a file, since generating
 * takes half a second and more. Test keys: nobody may rely on their secrecy.
 *
 * The folder is $SIGNET_KEY_POOL, which several build trees may share, or else key-pool in the
 * build tree. Processes may use one folder at the same time.
 */
#ifndef TESTS_KEY_POOL_H
#define TESTS_KEY_POOL_H

#include "crypto/rsa.h"

/* Key number `index` of that size: the same one at every call with the same folder. The caller
 * frees it. Never NULL: ends the process, saying why, where the folder cannot be used. */
struct crypto_rsa_private *key_pool_take(
    struct signet_library *library, unsigned bits, unsigned index);

#endif
