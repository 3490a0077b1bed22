/* UTF-8 as RFC 3629 defines it. */
#include "base/utf8.h"

/* The length that the first byte announces, and its payload bits; 0: not a first byte. */
static size_t lead(uint8_t byte, uint32_t *bits)
{
    if (byte < 0x80) {
        *bits = byte;
        return 1;
    }
    if (byte >= 0xc2 && byte <= 0xdf) {
        *bits = byte & 0x1fu;
        return 2;
    }
    if (byte >= 0xe0 && byte <= 0xef) {
        *bits = byte & 0x0fu;
        return 3;
    }
    if (byte >= 0xf0 && byte <= 0xf4) {
        *bits = byte & 0x07u;
        return 4;
    }
    return 0;
}

size_t utf8_decode(signet_span text, uint32_t *code_point)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t value = 0;
    size_t len = lead(text.ptr[0], &value);

    if (len == 0 || len > text.len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((text.ptr[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text.ptr[i] & 0x3fu);
    }
    if (value < smallest[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code_point = value;
    return len;
}

bool utf8_is_valid(signet_span text)
{
    while (text.len > 0) {
        uint32_t code_point;
        size_t len = utf8_decode(text, &code_point);

        if (len == 0)
            return false;
        text.ptr += len;
        text.len -= len;
    }
    return true;
}
