/*
 * Many RSA keys in a short time: products of the primes of a few keys of the tests' pool. They
 * share factors, so they are worth nothing; to sign and to verify with them costs what it costs
 * with any.
 */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

#include "crypto/rsa.h"

enum { BENCH_KEY_BITS = 2048, BENCH_KEYS_MAX = 39060 };

struct bench_primes;

/* The primes for so many keys, at most BENCH_KEYS_MAX; those take 140 keys of the pool. Ends the
 * process where that fails. */
struct bench_primes *bench_primes_new(struct signet_library *library, unsigned key_count);
void bench_primes_free(struct bench_primes *primes);
/* Key number `index`, of those there are primes for; always the same one. The caller frees it. */
struct crypto_rsa_private *bench_key(
    struct signet_library *library, const struct bench_primes *primes, unsigned index);

#endif
