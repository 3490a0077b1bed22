/* Public RSA keys in DER, written by hand. */
#include "tests/support/spki.h"

#include <stdlib.h>

static void append(struct signet_buf *out, signet_span bytes)
{
    if (signet_buf_append(out, bytes) != SIGNET_OK)
        abort();
}

signet_span spki_rsa_encryption(void)
{
    static const uint8_t algorithm[] = {
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

    return signet_span_of(algorithm, sizeof(algorithm));
}

void der_put(struct signet_buf *out, uint8_t tag, signet_span contents)
{
    uint8_t head[4] = {tag};
    size_t len;

    if (contents.len < 0x80) {
        head[1] = (uint8_t)contents.len;
        len = 2;
    } else if (contents.len < 0x100) {
        head[1] = 0x81;
        head[2] = (uint8_t)contents.len;
        len = 3;
    } else {
        head[1] = 0x82;
        head[2] = (uint8_t)(contents.len >> 8);
        head[3] = (uint8_t)contents.len;
        len = 4;
    }
    append(out, signet_span_of(head, len));
    append(out, contents);
}

struct signet_buf spki_build(const struct spki_parts *parts)
{
    static const uint8_t no_unused_bits[1];
    struct signet_buf numbers = {0};
    struct signet_buf bits = {0};
    struct signet_buf body = {0};
    struct signet_buf key = {0};

    der_put(&numbers, 0x02, parts->modulus);
    der_put(&numbers, 0x02, parts->exponent);
    append(&bits, signet_span_of(no_unused_bits, 1));
    der_put(&bits, 0x30, signet_buf_span(&numbers));
    der_put(&body, 0x30, parts->algorithm);
    der_put(&body, 0x03, signet_buf_span(&bits));
    der_put(&key, 0x30, signet_buf_span(&body));
    signet_buf_free(&numbers);
    signet_buf_free(&bits);
    signet_buf_free(&body);
    return key;
}
