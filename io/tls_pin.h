/* Pins and PEM, for the two files of io/ that hold OpenSSL's objects. */
#ifndef IO_TLS_PIN_H
#define IO_TLS_PIN_H

#include <openssl/x509.h>

#include <signet/error.h>
#include <signet/id.h>

/* SHA-256 of the SubjectPublicKeyInfo in DER. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err tls_pin_of_certificate(
    const X509 *certificate, struct signet_id *pin_out);
SIGNET_MUST_USE enum signet_err tls_pin_of_key(const EVP_PKEY *key, struct signet_id *pin_out);

/* A pem_password_cb: a key file with a passphrase is refused; nobody is asked on the terminal. */
int tls_no_passphrase(char *text, int size, int is_write, void *arg);

#endif
