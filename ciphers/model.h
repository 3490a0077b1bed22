/*
 * How much a text looks like English: a Markov model of order 3 over letters, from counted runs of
 * four in Jane Austen's novels and in the Jargon File (model/make_model.py).
 *
 * The measure is the cost: what the model would spend to write the text down, in units of
 * 1/CIPHER_COST_UNIT bit. English prose costs about 3 bits a letter; its letters in no order about
 * 8, and letters that are all as frequent about 10. There is a table for letters alone, and one
 * where symbol 26 is the space between words.
 */
#ifndef CIPHERS_MODEL_H
#define CIPHERS_MODEL_H

#include <signet/buffer.h>

#include "ciphers/cipher.h"

#define CIPHER_COST_UNIT 16.0 /* in a bit */

enum {
    CIPHER_SYMBOLS = 27,
    MODEL_START = 26,     /* before the first letter; also the space between words */
    MODEL_RUNS = 1 << 20, /* four symbols of five bits */
    MODEL_CONTEXT = 26 << 10 | 26 << 5 | 26, /* the three symbols before the first one */
};

/* One kind of text. */
struct cipher_model_table {
    uint8_t cost[MODEL_RUNS];   /* of the last symbol of a run, after the first three */
    uint8_t pair_cost[1 << 10]; /* after one symbol */
    uint8_t single_cost[CIPHER_SYMBOLS];
};

struct cipher_model {
    struct cipher_model_table letters; /* symbol 26 only before the first letter */
    struct cipher_model_table words;   /* symbol 26 between words, too */
};

/* About 2 MiB. Errors: NOMEM, FORMAT (the data that was built in is damaged). */
SIGNET_MUST_USE enum signet_err cipher_model_new(struct cipher_model **model_out);
void cipher_model_free(struct cipher_model *model);

/* The cost of symbols each replaced through `map` first; below 2^32 for under 2^24 symbols. */
static inline uint32_t model_cost_mapped(const struct cipher_model_table *table,
    const uint8_t *symbols, size_t count, const uint8_t *map)
{
    uint32_t run = MODEL_CONTEXT, cost = 0;

    for (size_t i = 0; i < count; i++) {
        run = (run << 5 | map[symbols[i]]) & (MODEL_RUNS - 1);
        cost += table->cost[run];
    }
    return cost;
}

uint32_t model_cost(const struct cipher_model_table *table, const uint8_t *symbols, size_t count);

#endif
