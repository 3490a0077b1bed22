/* Numbers for searches: fast, even, and the same for the same seed. Nothing here keeps a secret. */
#ifndef CIPHERS_RANDOM_H
#define CIPHERS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* xorshift64* (Vigna 2016). */
static inline uint32_t random_next(struct random *random)
{
    uint64_t x = random->state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    return (uint32_t)((x * 0x2545f4914f6cdd1d) >> 32);
}

static inline void random_seed(struct random *random, uint64_t seed)
{
    random->state = seed ^ 0x9e3779b97f4a7c15;
    if (random->state == 0)
        random->state = 1;
    for (int i = 0; i < 8; i++)
        (void)random_next(random);
}

/* 0..below - 1. */
static inline uint32_t random_below(struct random *random, uint32_t below)
{
    return (uint32_t)(((uint64_t)random_next(random) * below) >> 32);
}

/* Put items in an order of chance. */
static inline void random_shuffle(struct random *random, uint8_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        uint32_t other = random_below(random, (uint32_t)i);
        uint8_t item = items[i - 1];

        items[i - 1] = items[other];
        items[other] = item;
    }
}

#endif
