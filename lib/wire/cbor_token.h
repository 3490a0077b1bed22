/* One token of canonical CBOR: what the reader (cbor_read.c) is made of; for nobody else. */
#ifndef WIRE_CBOR_TOKEN_H
#define WIRE_CBOR_TOKEN_H

#include "wire/cbor.h"

struct wire_token {
    enum wire_kind kind;
    uint64_t value;      /* integer, length, count or tag; of a negative integer: -1 - itself */
    const uint8_t *data; /* of a string; borrowed from the input */
};

/*
 * Read the token at the start of `in`: a whole string, but only the head of an array, map or tag.
 * Returns how many bytes it has, or 0: truncated, not canonical, or of a kind not spoken here.
 */
size_t wire_token_read(signet_span in, struct wire_token *token);

#endif
