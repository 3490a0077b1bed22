/*
 * A library whose randomness comes from a seed: the same calls give the same bytes, so that a test
 * or a simulation that failed can be run again. Never for anything but tests.
 *
 * Keys that the key pool has to generate first draw from the seed too: run once to fill the pool.
 */
#ifndef TESTS_SEEDED_LIBRARY_H
#define TESTS_SEEDED_LIBRARY_H

#include <stdint.h>

#include <signet/library.h>

struct seeded_library {
    struct signet_library *library;
    struct ossl_lib_ctx_st *openssl; /* OpenSSL's context of its own */
    struct ossl_provider_st *generator, *algorithms;
};

/* Ends the process, saying why, where OpenSSL refuses. */
struct seeded_library seeded_library_new(uint64_t seed);
/* Everything made with the library must be gone. */
void seeded_library_free(struct seeded_library *seeded);

/* How many bytes were drawn so far. */
uint64_t seeded_library_drawn(const struct seeded_library *seeded);

#endif
