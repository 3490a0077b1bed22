/* An entry's fields as bytes: shared by entry_sign.c and entry_open.c. docs/protocol.md, section 7. */
#ifndef PROTOCOL_ENTRY_INTERNAL_H
#define PROTOCOL_ENTRY_INTERNAL_H

#include <signet/entry.h>

enum {
    ENTRY_FIELDS = 11,
    ENTRY_TO_MAX = 64,
    ENTRY_MAX = 8192, /* bytes */
    ENTRY_SALT_LEN = 32,
    CONTENT_FIELDS = 5,
};

/* SHA-256("signet content" || salt || body). Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err entry_content_hash(struct signet_library *library,
    const uint8_t salt[ENTRY_SALT_LEN], signet_span body, struct signet_id *hash_out);

/* SHA-256(0x00 || entry). Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err entry_hash(
    struct signet_library *library, signet_span entry, struct signet_id *id_out);

/* Whether a kind is spoken, and a body fits it. */
bool entry_body_is_valid(uint64_t kind, signet_span body);

#endif
