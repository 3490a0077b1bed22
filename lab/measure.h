/* What is counted and timed of a text and of what a cipher makes of it. */
#ifndef LAB_MEASURE_H
#define LAB_MEASURE_H

#include <signet/buffer.h>

#include "ciphers/letters.h"

/* Add to `counts` how often each letter A-Z is there. */
void lab_count_letters(signet_span text, size_t counts[CIPHER_LETTERS]);

/* The chance that two of the letters counted are the same. */
double lab_coincidence(const size_t counts[CIPHER_LETTERS]);

/* Bits a symbol, from how often each is there. */
double lab_entropy(const size_t *counts, size_t kinds);

/* Places at which two texts of one length differ. */
size_t lab_differing(signet_span a, signet_span b);

/* Append the text with the letter in its middle changed for the next. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err lab_change_letter(signet_span text, struct signet_buf *out);

/* A clock that only goes on. */
double lab_seconds(void);

#endif
