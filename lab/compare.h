/*
 * One text through every classical cipher and through AES-256-GCM: what each makes of it, and what
 * that is worth. Everything is done, none of it told from books, but the time to break AES: that
 * is arithmetic.
 */
#ifndef LAB_COMPARE_H
#define LAB_COMPARE_H

#include <signet/library.h>

#include "ciphers/crack.h"

enum {
    LAB_TEXT_MAX = 16384, /* bytes that are compared */
    LAB_BARS_MAX = 32,
    LAB_AEAD = CIPHER_COUNT, /* the row of AES-256-GCM */
    LAB_ROWS = CIPHER_COUNT + 1,
    LAB_KEY_SIZE = 80,
    LAB_KNOWN_SIZE = 48,
    LAB_NONCE_LEN = 32, /* bytes of the two messages under one nonce */
};

struct lab_row {
    const char *name;
    char key[LAB_KEY_SIZE];       /* AES: the word "random" */
    struct signet_buf ciphertext; /* AES: bytes, with the tag at the end */
    size_t bars[LAB_BARS_MAX];    /* how often each letter A-Z is there; AES: eight bytes each */
    size_t bar_count;
    double coincidence;  /* that two letters are the same; AES: 0 */
    double entropy;      /* bits a letter, or a byte */
    double entropy_most; /* what so many of them could have */
    double key_bits;

    /* Breaking it. */
    bool is_broken; /* nine letters of ten are right; AES: never */
    double seconds;
    uint64_t tries;
    size_t letters;     /* of the text; AES: 0 */
    double needed;      /* letters, by the unicity distance */
    double per_second;  /* AES: keys that were tried in a second */
    double years_power; /* AES: the power of ten of the years for half of all keys */

    /* One letter of the plaintext is changed: letters of the ciphertext that change; AES: bits,
     * under a fresh nonce, and bytes of text and of tag under the same one. */
    size_t changed, changeable, changed_same_nonce, changed_tag;
    char known[LAB_KNOWN_SIZE]; /* what who knows the plaintext learns of the key */
    bool is_refused;            /* one bit of the ciphertext is flipped: does anybody notice */
    size_t wrong;               /* letters that are wrong then */
};

/* Two messages under one nonce. */
struct lab_nonce {
    uint8_t plain[2][LAB_NONCE_LEN];
    uint8_t cipher[2][LAB_NONCE_LEN];
    uint8_t sum[LAB_NONCE_LEN];     /* of the ciphertexts: that of the plaintexts, too */
    uint8_t guessed[LAB_NONCE_LEN]; /* the second, from the sum and the first */
};

struct lab_comparison {
    signet_span text; /* borrowed; has a letter */
    size_t letters;
    size_t bars[LAB_BARS_MAX]; /* of the plaintext */
    double coincidence;
    struct lab_row rows[LAB_ROWS];
    struct lab_nonce nonce;
};

/* The key with which the row of a cipher is made. */
struct cipher_key lab_sample_key(enum cipher_kind kind);

/* Errors: NOMEM, CRYPTO, FORMAT. Free in any case. Zero-initialise. */
SIGNET_MUST_USE enum signet_err lab_compare(
    struct signet_library *library, signet_span text, struct lab_comparison *comparison);
void lab_comparison_free(struct lab_comparison *comparison);

/* The row of AES-256-GCM and the lesson on the nonce. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err lab_compare_aead(
    struct signet_library *library, struct lab_comparison *comparison);

/* Append it for people, at most 80 columns wide, without the last line feed. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err lab_show(
    const struct lab_comparison *comparison, bool explain, struct signet_buf *out);
/* Append what --explain adds. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err lab_show_lessons(
    const struct lab_comparison *comparison, struct signet_buf *out);
/* Append it as one JSON document. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err lab_write_json(
    const struct lab_comparison *comparison, struct signet_buf *out);

#endif
