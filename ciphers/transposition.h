/*
 * Where the letters of a transposed text come from.
 *
 * Columnar: the plaintext is written in rows under the key; the columns are read from top to
 * bottom, in the order of their ranks. The last row may be short: nothing is filled up. Rail fence:
 * the plaintext goes down and up over the rails in a zigzag; then rail after rail is read.
 */
#ifndef CIPHERS_TRANSPOSITION_H
#define CIPHERS_TRANSPOSITION_H

#include <signet/buffer.h>

#include "ciphers/cipher.h"

/* Append `letters` in their new order. Errors: NOMEM; `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err transposition_apply(const struct cipher_key *key,
    enum cipher_direction direction, signet_span letters, struct signet_buf *out);

/*
 * For each column, from the left, the place in the ciphertext of its first letter.
 * len  letters in all
 */
void transposition_starts(
    const struct cipher_columns *columns, size_t len, size_t starts[CIPHER_COLUMNS_MAX]);

/* The next order in the dictionary's sense; false after the last. */
bool transposition_next_order(struct cipher_columns *columns);

/* For each rail, from the top, the same; rails >= 2. */
void transposition_rail_starts(size_t rails, size_t len, size_t starts[CIPHER_RAILS_MAX]);

/* The place in the ciphertext of the plaintext letter at `place`, with the starts from above. */
size_t transposition_rail_place(size_t rails, const size_t *starts, size_t place);

#endif
