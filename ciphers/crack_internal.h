/* What the searches of the different ciphers share. */
#ifndef CIPHERS_CRACK_INTERNAL_H
#define CIPHERS_CRACK_INTERNAL_H

#include "ciphers/crack.h"
#include "ciphers/random.h"

enum {
    CRACK_SAMPLE = 2000, /* letters of the plaintext that are scored: more say nothing new */
};

/* One way of looking at the letters that are scored: by themselves, or with spaces. */
struct view {
    const struct cipher_model_table *table;
    const uint8_t *symbols; /* letters, and symbol 26 between words; NULL: no spaces to go by */
    size_t count;
    double noise; /* bits that they cost if they mean nothing */
};

/* A text on its way to being solved. */
struct search {
    const struct cipher_model *model;
    const struct crack_options *options;
    struct crack_result *result;
    struct random random;
    enum cipher_kind kind;
    bool is_unknown;        /* nobody said which cipher it is */
    const uint8_t *letters; /* all of them */
    size_t count;
    size_t scored;   /* letters that are scored: count, or CRACK_SAMPLE */
    size_t distinct; /* different letters among those */
    struct view by_letters, by_words;
    double
        clear; /* of a monoalphabetic key: the chance that nine letters of ten stay as they are */
    uint64_t told; /* tries at the last progress */
};

/* Count tries; false: the search is to stop. */
bool search_goes_on(struct search *search, uint64_t tries);

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

/*
 * Whether simulated annealing takes a step that makes things worse by `worse` at a temperature,
 * both in CIPHER_COST_UNIT: with the chance exp(-worse / temperature).
 */
bool search_accepts(struct search *search, uint32_t worse, double temperature);

/* The searches; each offers what it finds. */
void crack_caesar(struct search *search);
void crack_affine(struct search *search);
void crack_railfence(struct search *search);
void crack_monoalphabetic(struct search *search);
enum signet_err crack_vigenere(struct search *search);
void crack_columnar(struct search *search);

#endif
