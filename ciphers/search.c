/* A search for the key of a text: whether it goes on, and how many letters it needs. */
#include "ciphers/search.h"

#include <math.h>

/* Bits a letter. */
static const double ENGLISH_BITS = 3.1;  /* prose of other authors under the model (bench) */
static const double SINGLES_BITS = 4.17; /* English letters in no order */

enum { TOLD_LETTERS = 1 << 20 /* are scored between two words about the progress */ };

double crack_unicity(const struct cipher_key *key)
{
    double chance = cipher_is_transposition(key->kind) ? SINGLES_BITS : log2(CIPHER_LETTERS);

    return cipher_key_bits(key) / (chance - ENGLISH_BITS);
}

bool search_goes_on(struct search *search, uint64_t tries)
{
    struct crack_result *result = search->result;

    result->tries += tries;
    if (!result->was_stopped && (result->tries - search->told) * search->scored >= TOLD_LETTERS) {
        search->told = result->tries;
        result->was_stopped =
            search->options->on_progress != NULL &&
            !search->options->on_progress(search->options->ctx, search->kind, result);
    }
    return !result->was_stopped;
}

bool search_accepts(struct search *search, uint32_t worse, double temperature)
{
    return exp(-(double)worse / temperature) * 4294967296.0 > random_next(&search->random);
}
