/* What can be read off a text before any key is tried. */
#include <math.h>

#include "ciphers/crack_internal.h"
#include "ciphers/letters.h"

enum { COUNTED = 50000 /* letters; more say nothing new */ };
static const double EVEN = 1 / (double)CIPHER_LETTERS;
static const double ENGLISH = 0.065; /* that two letters are the same, in prose */
static const double SPREAD = 0.068;  /* its deviation, times the root of the letters (measured) */
static const double BETWEEN = 4.45;  /* bits: English letters, letters of a shuffled alphabet */

double noise_bits(const size_t *counts, size_t kinds)
{
    double half = 0.5, total = 0, nats = -lgamma(half * (double)kinds);

    for (size_t i = 0; i < kinds; i++) {
        total += (double)counts[i];
        nats -= lgamma((double)counts[i] + half) - lgamma(half);
    }
    return (nats + lgamma(total + half * (double)kinds)) / log(2.0);
}

double single_bits(const struct cipher_model *model, const uint8_t *letters, size_t count)
{
    uint64_t cost = 0;

    for (size_t i = 0; i < count; i++)
        cost += model->letters.single_cost[letters[i]];
    return (double)cost / CIPHER_COST_UNIT;
}

/* Whether two letters are the same in fewer cases than in English, by more than chance explains. */
static bool is_too_even(double found, size_t count)
{
    return ENGLISH - found > 2 * SPREAD / sqrt((double)count);
}

/* The chance that two letters of a column are the same, over all columns of a period. */
static double coincidence(const uint8_t *letters, size_t count, size_t period, double *pairs_out)
{
    double same = 0, pairs = 0;

    for (size_t column = 0; column < period; column++) {
        double counts[CIPHER_LETTERS] = {0}, in_column = 0;

        for (size_t i = column; i < count; i += period) {
            same += counts[letters[i]];
            pairs += in_column;
            counts[letters[i]]++;
            in_column++;
        }
    }
    *pairs_out = pairs;
    return pairs == 0 ? 0 : same / pairs;
}

void measure_letters(const struct cipher_model *model, const uint8_t *letters, size_t count,
    struct crack_statistics *statistics_out)
{
    struct crack_statistics statistics = {.letters = count, .period = 1};
    size_t counted = count < COUNTED ? count : COUNTED;
    double best = 0, pairs;

    statistics.coincidence = coincidence(letters, counted, 1, &pairs);
    statistics.english = single_bits(model, letters, counted) / (double)counted;
    for (size_t period = 1; period <= CRACK_VIGENERE_MAX && 2 * period <= counted; period++) {
        double found = coincidence(letters, counted, period, &pairs);
        /* By how many deviations it stands out; chance spreads with the root of the pairs. */
        double stands_out = (found - EVEN) * sqrt(pairs);

        if (stands_out > best) {
            best = stands_out;
            statistics.period = period;
            statistics.period_coincidence = found;
        }
    }
    if (statistics.period > 1 && is_too_even(statistics.coincidence, counted))
        statistics.likely = CIPHER_VIGENERE;
    else
        statistics.likely = statistics.english < BETWEEN ? CIPHER_COLUMNAR : CIPHER_MONOALPHABETIC;
    *statistics_out = statistics;
}

enum signet_err crack_measure(
    const struct cipher_model *model, signet_span text, struct crack_statistics *statistics_out)
{
    struct signet_buf letters = {0};
    enum signet_err err = letters_collect(text, &letters);

    if (err == SIGNET_OK && letters.len < CRACK_LETTERS_MIN)
        err = SIGNET_ERR_ARGUMENT;
    if (err == SIGNET_OK)
        measure_letters(model, letters.ptr, letters.len, statistics_out);
    signet_buf_free(&letters);
    return err;
}
