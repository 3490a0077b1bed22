/* The 26 letters among the bytes of a text. */
#ifndef CIPHERS_LETTERS_H
#define CIPHERS_LETTERS_H

#include <signet/buffer.h>

#include "ciphers/cipher.h"

/* 0..25 for a letter of either case, CIPHER_LETTERS for every other byte. */
static inline uint8_t letter_of(uint8_t byte)
{
    uint8_t upper = byte & 0xdf;

    return upper >= 'A' && upper <= 'Z' ? (uint8_t)(upper - 'A') : CIPHER_LETTERS;
}

/* A letter in the case of the byte that stands, or stood, at its place. */
static inline uint8_t letter_like(uint8_t letter, uint8_t place)
{
    return (uint8_t)(('A' + letter) | (place & 0x20));
}

/* a modulo 26, never negative. */
static inline uint8_t letter_mod(int a)
{
    int rest = a % CIPHER_LETTERS;

    return (uint8_t)(rest < 0 ? rest + CIPHER_LETTERS : rest);
}

/* How many letters a text has. */
size_t letters_count(signet_span text);

/* Append each letter as a byte 0..25, and nothing else. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err letters_collect(signet_span text, struct signet_buf *out);

/* The same with a byte CIPHER_LETTERS between two words; apostrophes part no words. */
SIGNET_MUST_USE enum signet_err letters_and_spaces(signet_span text, struct signet_buf *out);

#endif
