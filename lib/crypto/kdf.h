/* Keys from secrets: HKDF-SHA-256 (RFC 5869), scrypt (RFC 7914). */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include <signet/library.h>
#include <signet/span.h>

enum {
    CRYPTO_PRK_LEN = 32,
    CRYPTO_EXPAND_MAX = 255 * 32, /* RFC 5869, section 2.3 */
    CRYPTO_SCRYPT_LOG2_N = 17,    /* what new stores use, and the floor for old ones */
    CRYPTO_SCRYPT_LOG2_N_MAX = 22,
    CRYPTO_SCRYPT_SALT_LEN = 16,
};

struct crypto_prk {
    uint8_t k[CRYPTO_PRK_LEN];
};

/* RFC 5869, section 2.2. An empty salt is 32 zeros. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err crypto_hkdf_extract(struct signet_library *library,
    signet_span salt, signet_span secret, struct crypto_prk *prk_out);

/* A place that a derivation fills: exactly `len` bytes. */
struct crypto_out {
    void *ptr;
    size_t len;
};

/*
 * RFC 5869, section 2.3, with info = label || context; fills out (1..CRYPTO_EXPAND_MAX bytes).
 * Errors: ARGUMENT, NOMEM, CRYPTO; `out` is zeroed then.
 */
SIGNET_MUST_USE enum signet_err crypto_hkdf_expand(struct signet_library *library,
    const struct crypto_prk *prk, signet_span label, signet_span context, struct crypto_out out);

/*
 * scrypt with r = 8, p = 1, N = 2^log2_n. The floor and ceiling on N are enforced here, so that a
 * damaged or planted store can neither weaken a passphrase nor exhaust memory.
 * Errors: ARGUMENT (log2_n outside CRYPTO_SCRYPT_LOG2_N..CRYPTO_SCRYPT_LOG2_N_MAX), NOMEM, CRYPTO.
 */
SIGNET_MUST_USE enum signet_err crypto_scrypt(struct signet_library *library,
    signet_span passphrase, signet_span salt, unsigned log2_n, struct crypto_out out);

#endif
