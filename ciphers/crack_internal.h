/* What the searches of the different ciphers share. */
#ifndef CIPHERS_CRACK_INTERNAL_H
#define CIPHERS_CRACK_INTERNAL_H

#include "ciphers/crack.h"
#include "ciphers/random.h"

enum {
    CRACK_SAMPLE = 2000, /* letters of the plaintext that are scored: more say nothing new */
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
    const uint8_t *words; /* the same with symbol 26 between words; NULL: no spaces to go by */
    size_t word_count;    /* symbols of `words` */
    size_t scored;        /* letters that are scored: count, or CRACK_SAMPLE */
    double noise;         /* bits that the scored letters cost if they mean nothing */
    uint64_t told;        /* tries at the last progress */
};

/* Count tries; false: the search is to stop. */
bool search_goes_on(struct search *search, uint64_t tries);

/*
 * Keep a key, if it is new and among the best.
 * noise, cost  of the same symbols: bits if they mean nothing; in CIPHER_COST_UNIT with this key
 * letter_cost  of the letters alone
 */
void search_offer(struct search *search, const struct cipher_key *key, double noise, uint32_t cost,
    uint32_t letter_cost);

/* Whether the best key found is beyond doubt. */
bool search_is_sure(const struct search *search);

/*
 * The bits that symbols cost if they are drawn one by one from a bag of which nothing is known
 * (a Dirichlet prior, Krichevsky and Trofimov 1981).
 */
double noise_bits(const uint8_t *symbols, size_t count, size_t kinds);

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
