/*
 * RSA: signatures (PSS) and encryption of a secret (OAEP), RFC 8017; SHA-256, MGF1-SHA-256.
 *
 * A public key is accepted only as a SubjectPublicKeyInfo in its one DER encoding, with algorithm
 * rsaEncryption, 2048, 3072 or 4096 bits and e = 65537. Its fingerprint is SHA-256 of those bytes.
 */
#ifndef CRYPTO_RSA_H
#define CRYPTO_RSA_H

#include <signet/buffer.h>
#include <signet/id.h>
#include <signet/library.h>

enum {
    CRYPTO_RSA_BITS_DEFAULT = 3072,
    CRYPTO_RSA_SPKI_MAX = 550,      /* bytes; 4096 bits */
    CRYPTO_RSA_SPKI_3072 = 422,     /* bytes; 3072 bits */
    CRYPTO_RSA_SIGNATURE_MAX = 512, /* bytes; 4096 bits */
    CRYPTO_RSA_PRIVATE_MAX = 2400,  /* bytes; PKCS#8 of 4096 bits */
    CRYPTO_PSS_SALT_LEN = 32,
    CRYPTO_OAEP_SECRET_LEN = 32, /* the only plaintext that signet wraps */
};

struct crypto_rsa_public;
struct crypto_rsa_private;

/* ---- public keys ---- */

/*
 * Errors: KEY (another algorithm, size, exponent or encoding, trailing bytes, a modulus that fails
 * EVP_PKEY_public_check), NOMEM, CRYPTO. Cheap checks come first: the 10 ms check of the modulus
 * runs once per fingerprint and library (a bounded cache).
 */
SIGNET_MUST_USE enum signet_err crypto_rsa_public_read(
    struct signet_library *library, signet_span spki, struct crypto_rsa_public **key_out);
/* As crypto_rsa_public_read, without the check of the modulus: for a key that was read once and has
 * been kept since where nobody else writes; or before crypto_rsa_public_check. */
SIGNET_MUST_USE enum signet_err crypto_rsa_public_read_known(
    struct signet_library *library, signet_span spki, struct crypto_rsa_public **key_out);
/* That check. Errors: KEY, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err crypto_rsa_public_check(const struct crypto_rsa_public *key);
/* One more owner of the same key. Never NULL for a key that is not NULL. */
struct crypto_rsa_public *crypto_rsa_public_share(struct crypto_rsa_public *key);
/* NULL is fine. */
void crypto_rsa_public_free(struct crypto_rsa_public *key);
signet_span crypto_rsa_public_spki(const struct crypto_rsa_public *key);
const struct signet_id *crypto_rsa_public_fingerprint(const struct crypto_rsa_public *key);
/* Bytes of a signature or ciphertext: 256, 384 or 512. */
size_t crypto_rsa_public_size(const struct crypto_rsa_public *key);

/* ---- private keys ---- */

/* bits is 2048, 3072 or 4096. Takes half a second at 3072. Errors: ARGUMENT, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err crypto_rsa_generate(
    struct signet_library *library, unsigned bits, struct crypto_rsa_private **key_out);
/* From unencrypted PKCS#8 DER as crypto_rsa_private_write gives it.
 * Errors: KEY (as for public keys; private and public part do not fit), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err crypto_rsa_private_read(
    struct signet_library *library, signet_span pkcs8, struct crypto_rsa_private **key_out);
/* Append unencrypted PKCS#8 DER: only for places that are sealed. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err crypto_rsa_private_write(
    const struct crypto_rsa_private *key, struct signet_buf *out);
/* NULL is fine; wipes. */
void crypto_rsa_private_free(struct crypto_rsa_private *key);
/* Borrowed from the private key. */
struct crypto_rsa_public *crypto_rsa_private_public(const struct crypto_rsa_private *key);

/* ---- PSS ---- */

/* Append the signature over `message` (hashed here), salt 32. It is verified before it is given
 * out: a fault in the CRT computation would reveal the key. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err crypto_rsa_sign(
    const struct crypto_rsa_private *key, signet_span message, struct signet_buf *out);
/* Errors: AUTH (also: wrong length), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err crypto_rsa_verify(
    const struct crypto_rsa_public *key, signet_span message, signet_span signature);

/* ---- OAEP ---- */

struct crypto_oaep_secret {
    uint8_t k[CRYPTO_OAEP_SECRET_LEN];
};
/* Random, kept with the decryption key; see crypto_rsa_unwrap. */
struct crypto_reject_key {
    uint8_t k[32];
};

/* Append the ciphertext (as long as the modulus), label empty. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err crypto_rsa_wrap(const struct crypto_rsa_public *key,
    const struct crypto_oaep_secret *secret, struct signet_buf *out);

/*
 * The secret in the ciphertext or, where the padding does not hold or the plaintext is not 32
 * bytes, HMAC-SHA256(reject key, ciphertext): chosen in constant time, so that nobody can tell
 * (implicit rejection; RFC 8017, section 7.1.2, note; Manger, CRYPTO 2001).
 * Errors: FORMAT (wrong length, or not below the modulus: public facts), NOMEM, CRYPTO.
 */
SIGNET_MUST_USE enum signet_err crypto_rsa_unwrap(const struct crypto_rsa_private *key,
    const struct crypto_reject_key *reject, signet_span ciphertext,
    struct crypto_oaep_secret *secret_out);

#endif
