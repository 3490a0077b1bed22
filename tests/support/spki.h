/*
 * Public RSA keys in DER, written by hand: good ones and every kind of bad one.
 * Encodes exactly what it is given, sensible or not.
 */
#ifndef TESTS_SPKI_H
#define TESTS_SPKI_H

#include <signet/buffer.h>

/* The fields of a SubjectPublicKeyInfo for RSA (RFC 3279, section 2.3.1). */
struct spki_parts {
    signet_span algorithm; /* the contents of AlgorithmIdentifier */
    signet_span modulus;   /* the contents of INTEGER n: the leading zero too */
    signet_span exponent;  /* the contents of INTEGER e */
};

/* { rsaEncryption, NULL } */
signet_span spki_rsa_encryption(void);

/* Append one DER element. Ends the process when out of memory. */
void der_put(struct signet_buf *out, uint8_t tag, signet_span contents);

/* The key; free with signet_buf_free. */
struct signet_buf spki_build(const struct spki_parts *parts);

#endif
