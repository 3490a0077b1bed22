/* Bytes as hexadecimal text. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <signet/buffer.h>

/* Write 2 * bytes.len lower-case digits and a terminating zero to `text`. */
void hex_encode(signet_span bytes, char *text);

/* Append the bytes that `text` spells. Errors: FORMAT (odd length, another character), NOMEM. */
SIGNET_MUST_USE enum signet_err hex_decode(const char *text, struct signet_buf *out);

#endif
