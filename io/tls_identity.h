/* A server's TLS key and certificate as files, and the pins that name them. */
#ifndef IO_TLS_IDENTITY_H
#define IO_TLS_IDENTITY_H

#include <signet/error.h>
#include <signet/id.h>

/*
 * Make an ECDSA P-256 key and a self-signed certificate for `host` (a name or an address literal),
 * valid for ten years, and write both as PEM files: new, mode 0600, synced with their directory.
 * Clients look at the pin alone, so certificates of other makers do as well.
 * Errors: IO (with errno; EEXIST where a file is there already), ARGUMENT (host is not usable),
 * CRYPTO, NOMEM. After an error no file that the call created is left.
 */
SIGNET_MUST_USE enum signet_err tls_make_identity(const char *key_path,
    const char *certificate_path, const char *host, struct signet_id *pin_out);

/* The pin of a private key, or of the first certificate, in a PEM file.
 * Errors: IO (with errno), KEY (no such object in it), CRYPTO, NOMEM. */
SIGNET_MUST_USE enum signet_err tls_key_pin(const char *key_path, struct signet_id *pin_out);
SIGNET_MUST_USE enum signet_err tls_certificate_pin(
    const char *certificate_path, struct signet_id *pin_out);

#endif
