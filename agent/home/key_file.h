/*
 * The files that hold a home's keys.
 *
 * key         64 hexadecimal digits and a line feed
 * key.sealed  "SIGNETK1" || log2 N of scrypt, one byte || salt, 16 bytes || sealed store key:
 *             AES-256-GCM with key || nonce = scrypt(passphrase, salt) (r = 8, p = 1), and all
 *             bytes before it as associated data
 * *.key       PEM (RFC 7468), "PRIVATE KEY"
 */
#ifndef AGENT_HOME_KEY_FILE_H
#define AGENT_HOME_KEY_FILE_H

#include "agent/store/store.h"

enum { KEY_SEALED_LOG2_N_MAX = 18 }; /* a planted file must not eat the memory */

/* Append the contents of a key file. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err key_plain_write(
    const struct store_key *key, struct signet_buf *out);
/* Errors: FORMAT, NOMEM; *key_out is unchanged then. */
SIGNET_MUST_USE enum signet_err key_plain_read(signet_span file, struct store_key *key_out);

/* Seal with a passphrase (half a second, 128 MiB) and append. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err key_sealed_write(struct signet_library *library,
    signet_span passphrase, const struct store_key *key, struct signet_buf *out);
/*
 * Errors: AUTH (wrong passphrase or damaged, wherever the damage is), NOMEM, CRYPTO; *key_out is
 * unchanged then.
 */
SIGNET_MUST_USE enum signet_err key_sealed_read(struct signet_library *library,
    signet_span passphrase, signet_span file, struct store_key *key_out);

/* Append PKCS#8 DER as PEM. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err key_pem_write(signet_span pkcs8, struct signet_buf *out);

#endif
