/* The candidates, the statistics and the searches, as the files of crack share them. */
#ifndef CIPHERS_CRACK_INTERNAL_H
#define CIPHERS_CRACK_INTERNAL_H

#include "ciphers/search.h"

/* ---- crack_confidence.c: the candidates ---- */

/* The first `count` letters of the plaintext under a key, as many as are scored at most. */
void search_read(
    const struct search *search, const struct cipher_key *key, uint8_t *plain, size_t count);

/*
 * Keep a key, if it is among the best. Of two that read alike the likelier is kept.
 * view         how the text was looked at
 * cost         of its symbols with this key, in CIPHER_COST_UNIT
 * letter_cost  of the letters alone
 */
void search_offer(struct search *search, const struct cipher_key *key, const struct view *view,
    uint32_t cost, uint32_t letter_cost);

/* The same by whichever view speaks more for the key. */
void search_try(struct search *search, const struct cipher_key *key);

/* Whether the best key found is beyond doubt. */
bool search_is_sure(const struct search *search);

/* Set the confidences of all candidates. */
void search_conclude(struct search *search);

/* ---- crack_statistics.c ---- */

/*
 * The bits that symbols cost if they are drawn one by one from a bag of which nothing is known
 * (a Dirichlet prior, Krichevsky and Trofimov 1981).
 */
double noise_bits(const size_t *counts, size_t kinds);

/* The bits of the letters as if they came in no order, but as often as in English. */
double single_bits(const struct cipher_model *model, const uint8_t *letters, size_t count);

/* What crack_measure does, of letters. */
void measure_letters(const struct cipher_model *model, const uint8_t *letters, size_t count,
    struct crack_statistics *statistics_out);

/* ---- the searches; each offers what it finds ---- */

void crack_caesar(struct search *search);
void crack_affine(struct search *search);
void crack_railfence(struct search *search);
void crack_monoalphabetic(struct search *search);
enum signet_err crack_vigenere(struct search *search);
void crack_columnar(struct search *search);

#endif
