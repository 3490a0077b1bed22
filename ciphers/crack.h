/*
 * Cryptanalysis: the key of a text, from the text alone, supposing that it is English.
 *
 * Nothing here reads a clock: how long a search goes on depends on the text and the seed only, so
 * the same seed gives the same answer. A caller that wants to stop earlier says so when it is told
 * of the progress.
 */
#ifndef CIPHERS_CRACK_H
#define CIPHERS_CRACK_H

#include "ciphers/cipher.h"
#include "ciphers/model.h"

enum {
    CRACK_TOP_MAX = 20,
    CRACK_LETTERS_MIN = 4,   /* fewer are refused */
    CRACK_VIGENERE_MAX = 20, /* the longest period that is tried */
    CRACK_COLUMNS_EXACT = 8, /* up to here every order of columns is tried */
    CRACK_COLUMNS_MAX = 30,  /* the most columns that are tried */
};

/* Scores, in bits a letter: English prose (-2.6 to -3.4), and its letters in no order. */
#define CRACK_SCORE_ENGLISH (-3.0)
#define CRACK_SCORE_CHANCE  (-8.0)

struct crack_candidate {
    struct cipher_key key;
    double score;      /* bits a letter, negative; see CRACK_SCORE_ENGLISH */
    double evidence;   /* bits by which this key explains the text better than chance does */
    double confidence; /* 0..1: that nine letters of ten of this plaintext are right */
};

struct crack_result {
    struct crack_candidate candidates[CRACK_TOP_MAX]; /* the best first */
    size_t count;
    size_t letters;   /* of the text */
    double needed;    /* letters from which on there is one answer: the unicity distance */
    uint64_t tries;   /* keys that were scored */
    bool was_stopped; /* by on_progress: the best so far */
};

struct crack_options {
    uint64_t seed;
    /* Told from time to time; false stops the search. NULL: never. The confidences are not set. */
    bool (*on_progress)(void *ctx, enum cipher_kind kind, const struct crack_result *so_far);
    void *ctx;
};

/* What can be read off a text before any key is tried. */
struct crack_statistics {
    size_t letters;
    double coincidence;        /* that two of its letters are the same: English 0.066, even 0.038 */
    double english;            /* bits a letter it costs with the letters' frequencies in English */
    double period_coincidence; /* the same within the columns of `period` */
    size_t period;             /* 1..CRACK_VIGENERE_MAX, the one that stands out most; 1: none */
    enum cipher_kind likely;   /* the family they speak for */
};

/*
 * Find the key of a text of this cipher. There is at least one candidate after OK.
 * Errors: ARGUMENT (fewer than CRACK_LETTERS_MIN letters), NOMEM.
 */
SIGNET_MUST_USE enum signet_err crack(const struct cipher_model *model, enum cipher_kind kind,
    signet_span text, const struct crack_options *options, struct crack_result *result_out);

/*
 * The same for an unknown cipher: those that the statistics speak for are tried first, and the
 * rest while the answer is not sure. The candidates are of all ciphers that were tried.
 */
SIGNET_MUST_USE enum signet_err crack_unknown(const struct cipher_model *model, signet_span text,
    const struct crack_options *options, struct crack_result *result_out);

/* Errors: ARGUMENT (fewer than CRACK_LETTERS_MIN letters), NOMEM. */
SIGNET_MUST_USE enum signet_err crack_measure(
    const struct cipher_model *model, signet_span text, struct crack_statistics *statistics_out);

/*
 * From how many letters on a text has one answer: the bits of the key over what English, as the
 * model knows it, leaves unsaid in each letter (Shannon 1949, unicity distance).
 */
double crack_unicity(const struct cipher_key *key);

#endif
