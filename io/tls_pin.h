/* Pins, for the two files of io/ that hold OpenSSL's objects. */
#ifndef IO_TLS_PIN_H
#define IO_TLS_PIN_H

#include <openssl/x509.h>

#include <signet/error.h>
#include <signet/id.h>

/* SHA-256 of the SubjectPublicKeyInfo in DER. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err tls_pin_of_certificate(
    const X509 *certificate, struct signet_id *pin_out);
SIGNET_MUST_USE enum signet_err tls_pin_of_key(const EVP_PKEY *key, struct signet_id *pin_out);

#endif
