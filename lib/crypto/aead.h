/* AES-256-GCM (NIST SP 800-38D), nonce 12 bytes, tag 16 bytes: both constants, never read from input. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <signet/buffer.h>
#include <signet/library.h>

enum { CRYPTO_AEAD_KEY_LEN = 32, CRYPTO_AEAD_NONCE_LEN = 12, CRYPTO_AEAD_TAG_LEN = 16 };

/* Derived together, used for exactly one message. */
struct crypto_aead_key {
    uint8_t key[CRYPTO_AEAD_KEY_LEN];
    uint8_t nonce[CRYPTO_AEAD_NONCE_LEN];
};

/* Append ciphertext || tag. `plaintext` must not lie inside `out`; `ad` may be what
 * is in it already, if room for the output was reserved before.
 * Errors: NOMEM, CRYPTO; `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err crypto_aead_seal(struct signet_library *library,
    const struct crypto_aead_key *key, signet_span ad, signet_span plaintext,
    struct signet_buf *out);

/*
 * Append the plaintext of ciphertext || tag. No byte of plaintext is visible in `out` before the
 * tag has been checked.
 * Errors: AUTH (also: shorter than a tag), NOMEM, CRYPTO; `out` is unchanged then.
 */
SIGNET_MUST_USE enum signet_err crypto_aead_open(struct signet_library *library,
    const struct crypto_aead_key *key, signet_span ad, signet_span sealed, struct signet_buf *out);

#endif
