/*
 * Classical ciphers, for learning: none of them protects anything today.
 *
 * They work on the letters A-Z and a-z; every other byte passes through unchanged, at its place.
 * The substitution family (Caesar, affine, monoalphabetic, Vigenere) replaces each letter and
 * keeps its case. The transposition family (columnar, rail fence) moves the letters among the
 * places of letters: spaces, punctuation, digits and the pattern of capitals stay where they are.
 */
#ifndef CIPHERS_CIPHER_H
#define CIPHERS_CIPHER_H

#include <signet/buffer.h>

enum cipher_kind {
    CIPHER_CAESAR,
    CIPHER_AFFINE,
    CIPHER_MONOALPHABETIC,
    CIPHER_VIGENERE,
    CIPHER_COLUMNAR,
    CIPHER_RAILFENCE,
    CIPHER_COUNT,
};

enum {
    CIPHER_LETTERS = 26,
    CIPHER_PERIOD_MAX = 64,  /* letters of a Vigenere key */
    CIPHER_COLUMNS_MAX = 64, /* of one columnar transposition */
    CIPHER_RAILS_MAX = 1000,
    CIPHER_KEY_TEXT_SIZE = 512, /* the longest key as text, with its terminating zero */
    CIPHER_PROBLEM_SIZE = 160,
};

/* One columnar transposition. */
struct cipher_columns {
    uint8_t count;                    /* 0: none */
    uint8_t rank[CIPHER_COLUMNS_MAX]; /* of each column from the left: when it is read, from 0 */
};

/* A valid key; plain data, copied freely. */
struct cipher_key {
    enum cipher_kind kind;
    union {
        uint8_t shift; /* Caesar: 0..25 */
        struct {
            uint8_t factor, shift; /* affine: x becomes factor * x + shift */
        } affine;
        uint8_t alphabet[CIPHER_LETTERS]; /* monoalphabetic: what A, B, C... become, 0..25 */
        struct {
            uint8_t period;
            uint8_t shifts[CIPHER_PERIOD_MAX];
        } vigenere;
        struct cipher_columns columns[2]; /* columnar; the second is for a double one */
        uint16_t rails;                   /* rail fence: 2 or more */
    } as;
};

enum cipher_direction { CIPHER_ENCRYPT, CIPHER_DECRYPT };

/* "caesar", and so on. */
const char *cipher_name(enum cipher_kind kind);
/* What a key of it looks like, in a few words with an example. */
const char *cipher_key_form(enum cipher_kind kind);
bool cipher_find(const char *name, enum cipher_kind *kind_out);
bool cipher_is_transposition(enum cipher_kind kind);

/*
 * Read a key.
 * problem  what is wrong with it, a clause for people; only after FORMAT
 * Errors: FORMAT; *key_out is unchanged then.
 */
SIGNET_MUST_USE enum signet_err cipher_key_parse(enum cipher_kind kind, const char *text,
    struct cipher_key *key_out, char problem[CIPHER_PROBLEM_SIZE]);

/* The key as cipher_key_parse reads it. */
void cipher_key_text(const struct cipher_key *key, char text[CIPHER_KEY_TEXT_SIZE]);

/* The logarithm to base 2 of how many keys there are of this key's form (its period, columns). */
double cipher_key_bits(const struct cipher_key *key);

/*
 * A text on its way through a cipher, in as many pieces as it comes. Substitution gives each piece
 * back at once and holds nothing; transposition holds all of it until the end.
 */
struct cipher_stream {
    uint8_t table[CIPHER_PERIOD_MAX][CIPHER_LETTERS];
    size_t period, place;
    struct cipher_key key;
    enum cipher_direction direction;
    struct signet_buf held; /* transposition only */
};

/* The key is copied. End with cipher_stream_finish or cipher_stream_free. */
void cipher_stream_init(
    struct cipher_stream *stream, const struct cipher_key *key, enum cipher_direction direction);

/* Take a piece and append what can be given of it. Errors: NOMEM; the stream is of no use then. */
SIGNET_MUST_USE enum signet_err cipher_stream_update(
    struct cipher_stream *stream, signet_span piece, struct signet_buf *out);

/* Append the rest, and free the stream. Errors: NOMEM; `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err cipher_stream_finish(
    struct cipher_stream *stream, struct signet_buf *out);

void cipher_stream_free(struct cipher_stream *stream);

/* A whole text at once. Errors: NOMEM; `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err cipher_apply(const struct cipher_key *key,
    enum cipher_direction direction, signet_span text, struct signet_buf *out);

#endif
