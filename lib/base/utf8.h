/* UTF-8 as RFC 3629 defines it: no surrogates, nothing beyond U+10FFFF, shortest form only. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <signet/span.h>

bool utf8_is_valid(signet_span text);

/*
 * Decode the character at the start of a span that is not empty. Returns its length in bytes and
 * sets *code_point, or returns 0 where the bytes there are not valid.
 */
size_t utf8_decode(signet_span text, uint32_t *code_point);

#endif
