/*
 * OAEP decryption that says whether the padding held. Inside lib/crypto only, and for the test
 * vectors: everyone else takes crypto_rsa_unwrap, which does not tell.
 */
#ifndef CRYPTO_OAEP_H
#define CRYPTO_OAEP_H

#include "crypto/rsa.h"

/*
 * Append the plaintext of any length. *held says whether the padding held; where it did not,
 * nothing is appended.
 * Errors: FORMAT (wrong length, or not below the modulus), NOMEM, CRYPTO.
 */
SIGNET_MUST_USE enum signet_err oaep_decrypt(const struct crypto_rsa_private *key,
    signet_span ciphertext, struct signet_buf *out, bool *held);

#endif
