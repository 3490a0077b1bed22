/* A search for the key of a text: what it looks at, and when it stops. It knows no cipher. */
#ifndef CIPHERS_SEARCH_H
#define CIPHERS_SEARCH_H

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

/*
 * Whether simulated annealing takes a step that makes things worse by `worse` at a temperature,
 * both in CIPHER_COST_UNIT: with the chance exp(-worse / temperature).
 */
bool search_accepts(struct search *search, uint32_t worse, double temperature);

#endif
