/* Padding that hides lengths: docs/protocol.md, section 6.2. */
#include "protocol/padding.h"

/* The number of the highest bit; value is not 0. */
static unsigned floor_log2(size_t value)
{
    unsigned bits = 0;

    while (value >>= 1)
        bits++;
    return bits;
}

size_t padded_len(size_t len)
{
    size_t wanted = len + 1 < PADDED_MIN ? PADDED_MIN : len + 1;
    unsigned exponent = floor_log2(wanted);
    unsigned kept = floor_log2(exponent) + 1;
    size_t mask = ((size_t)1 << (exponent - kept)) - 1;

    return (wanted + mask) & ~mask;
}

enum signet_err padding_add(signet_span content, struct signet_buf *out)
{
    size_t len = padded_len(content.len);
    enum signet_err err;

    if ((err = signet_buf_reserve(out, len)) != SIGNET_OK)
        return err;
    if ((err = signet_buf_append(out, content)) != SIGNET_OK)
        return err;
    if ((err = signet_buf_fill(out, 0x80, 1)) != SIGNET_OK)
        return err;
    return signet_buf_fill(out, 0, len - content.len - 1);
}

enum signet_err padding_strip(signet_span padded, signet_span *content_out)
{
    size_t len = padded.len;

    while (len > 0 && padded.ptr[len - 1] == 0)
        len--;
    if (len == 0 || padded.ptr[len - 1] != 0x80 || padded_len(len - 1) != padded.len)
        return SIGNET_ERR_FORMAT;
    *content_out = signet_span_of(padded.ptr, len - 1);
    return SIGNET_OK;
}
