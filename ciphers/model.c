/*
 * How much a text looks like English.
 *
 * Probabilities are those of interpolated absolute discounting (Ney, Essen and Kneser 1994): of
 * each count a constant is taken away and given to the next shorter context, so that a run that
 * was never seen is unlikely, but not impossible.
 */
#include "ciphers/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ciphers/model_data.h"

enum { CONTEXTS = MODEL_RUNS / 32, COST_MAX = 255 };
static const double DISCOUNT = 0.75;

/* Counts of runs of one to four symbols, and their probabilities, by symbols of five bits. */
struct counts {
    uint32_t four[MODEL_RUNS], three[1 << 15], two[1 << 10], one[1 << 5];
};
struct chances {
    float four[MODEL_RUNS], three[1 << 15], two[1 << 10], one[1 << 5];
};

/* ---- reading ---- */

static bool read_byte(signet_span *in, uint8_t *byte_out)
{
    if (in->len == 0)
        return false;
    *byte_out = in->ptr[0];
    *in = signet_span_from(*in, 1);
    return true;
}

static bool read_number(signet_span *in, uint32_t *number_out)
{
    uint32_t number = 0;
    uint8_t byte;

    for (unsigned shift = 0; shift < 28; shift += 7) {
        if (!read_byte(in, &byte))
            return false;
        number |= (uint32_t)(byte & 127) << shift;
        if (byte < 128) {
            *number_out = number;
            return true;
        }
    }
    return false;
}

/* The counts of one alphabet; those of shorter runs are sums over the first symbols. */
static enum signet_err read_counts(signet_span *in, struct counts *counts)
{
    uint32_t value = 0, entries = 0;
    uint8_t byte = 0;

    for (unsigned shift = 0; shift < 32; shift += 8) {
        if (!read_byte(in, &byte))
            return SIGNET_ERR_FORMAT;
        entries |= (uint32_t)byte << shift;
    }
    for (; entries > 0; entries--) {
        uint32_t distance, count;

        if (!read_number(in, &distance) || !read_number(in, &count))
            return SIGNET_ERR_FORMAT;
        value += distance;
        if (value >= MODEL_RUNS)
            return SIGNET_ERR_FORMAT;
        counts->four[value] = count;
        counts->three[value & 0x7fff] += count;
        counts->two[value & 0x3ff] += count;
        counts->one[value & 0x1f] += count;
    }
    return SIGNET_OK;
}

/* ---- probabilities ---- */

/* The chance of each symbol after one context, from its counts and those after a shorter one. */
static void interpolate(
    const uint32_t *counts, const float *shorter, unsigned symbols, float *chances)
{
    double total = 0, kinds = 0;

    for (unsigned symbol = 0; symbol < symbols; symbol++) {
        total += counts[symbol];
        kinds += counts[symbol] > 0;
    }
    for (unsigned symbol = 0; symbol < symbols; symbol++) {
        double own = counts[symbol] == 0 ? 0 : counts[symbol] - DISCOUNT;

        chances[symbol] = total == 0
                              ? shorter[symbol]
                              : (float)((own + DISCOUNT * kinds * (double)shorter[symbol]) / total);
    }
}

static void find_chances(const struct counts *counts, unsigned symbols, struct chances *chances)
{
    double total = 0;

    for (unsigned symbol = 0; symbol < symbols; symbol++)
        total += counts->one[symbol];
    for (unsigned symbol = 0; symbol < symbols; symbol++)
        chances->one[symbol] = (float)(counts->one[symbol] / total);
    for (size_t context = 0; context < 1 << 5; context++)
        interpolate(&counts->two[context << 5], chances->one, symbols, &chances->two[context << 5]);
    for (size_t context = 0; context < 1 << 10; context++)
        interpolate(&counts->three[context << 5], &chances->two[(context & 0x1f) << 5], symbols,
            &chances->three[context << 5]);
    for (size_t context = 0; context < CONTEXTS; context++)
        interpolate(&counts->four[context << 5], &chances->three[(context & 0x3ff) << 5], symbols,
            &chances->four[context << 5]);
}

static uint8_t cost_of(float chance)
{
    if (chance <= 0)
        return COST_MAX;
    return (uint8_t)lround(fmin(-CIPHER_COST_UNIT * log2((double)chance), COST_MAX));
}

/*
 * The chances as costs. Before a text stands MODEL_START three times: runs that begin so were not
 * counted, and the interpolation falls back to what is known (after a space, with words).
 */
static void find_costs(
    const struct chances *chances, unsigned symbols, struct cipher_model_table *table)
{
    for (size_t run = 0; run < MODEL_RUNS; run++)
        table->cost[run] = (run & 31) < symbols ? cost_of(chances->four[run]) : COST_MAX;
    for (size_t run = 0; run < 1 << 10; run++)
        table->pair_cost[run] = (run & 31) < symbols ? cost_of(chances->two[run]) : COST_MAX;
    for (size_t symbol = 0; symbol < CIPHER_SYMBOLS; symbol++)
        table->single_cost[symbol] = symbol < symbols ? cost_of(chances->one[symbol]) : COST_MAX;
}

static enum signet_err make_table(
    signet_span *in, unsigned symbols, struct cipher_model_table *table)
{
    struct counts *counts = calloc(1, sizeof(*counts));
    struct chances *chances = calloc(1, sizeof(*chances));
    enum signet_err err = SIGNET_ERR_NOMEM;

    if (counts != NULL && chances != NULL && (err = read_counts(in, counts)) == SIGNET_OK) {
        find_chances(counts, symbols, chances);
        find_costs(chances, symbols, table);
    }
    free(counts);
    free(chances);
    return err;
}

static double chance_of(uint8_t cost)
{
    return exp2(-(double)cost / CIPHER_COST_UNIT);
}

/*
 * A text begins with a word. Of letters alone only the table with words knows how they begin: its
 * costs are taken for the first two letters. After a word of one letter the next one begins.
 */
static void begin_with_a_word(struct cipher_model *model)
{
    const uint32_t start = MODEL_START << 10 | MODEL_START << 5 | MODEL_START;
    const uint8_t *words = model->words.cost;
    uint8_t *letters = model->letters.cost;

    for (uint32_t first = 0; first < CIPHER_LETTERS; first++) {
        uint32_t second = ((start << 5 | first) << 5) & (MODEL_RUNS - 1);
        double is_over = chance_of(words[second | MODEL_START]);

        letters[start << 5 | first] = words[start << 5 | first];
        for (uint32_t letter = 0; letter < CIPHER_LETTERS; letter++)
            letters[second | letter] =
                cost_of((float)(chance_of(words[second | letter]) +
                                is_over * chance_of(words[start << 5 | letter])));
    }
}

enum signet_err cipher_model_new(struct cipher_model **model_out)
{
    static const char magic[] = {'S', 'G', 'N', 'L', 1};
    signet_span in = signet_span_of(cipher_model_data, cipher_model_data_len);
    struct cipher_model *model = NULL;
    enum signet_err err;

    if (in.len < sizeof(magic) || memcmp(in.ptr, magic, sizeof(magic)) != 0)
        return SIGNET_ERR_FORMAT;
    in = signet_span_from(in, sizeof(magic));
    model = calloc(1, sizeof(*model));
    if (model == NULL)
        return SIGNET_ERR_NOMEM;
    err = make_table(&in, CIPHER_LETTERS, &model->letters);
    if (err == SIGNET_OK)
        err = make_table(&in, CIPHER_SYMBOLS, &model->words);
    if (err == SIGNET_OK && in.len > 0)
        err = SIGNET_ERR_FORMAT;
    if (err != SIGNET_OK) {
        cipher_model_free(model);
        return err;
    }
    begin_with_a_word(model);
    *model_out = model;
    return SIGNET_OK;
}

void cipher_model_free(struct cipher_model *model)
{
    free(model);
}

uint32_t model_cost(const struct cipher_model_table *table, const uint8_t *symbols, size_t count)
{
    uint32_t run = MODEL_CONTEXT, cost = 0;

    for (size_t i = 0; i < count; i++) {
        run = (run << 5 | symbols[i]) & (MODEL_RUNS - 1);
        cost += table->cost[run];
    }
    return cost;
}
