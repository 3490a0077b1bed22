/* Records and the heads of handshake messages: RFC 8446, sections 4 and 5.1. */
#include "io/tls_records.h"

#include <openssl/ssl3.h>

/* One byte more of a head. */
static bool take_head(struct tls_records *records, uint8_t byte)
{
    uint8_t *head = records->head;
    bool has_message;

    head[records->head_len++] = byte;
    has_message = head[0] == SSL3_RT_HANDSHAKE;
    if (head[0] < SSL3_RT_CHANGE_CIPHER_SPEC || head[0] > SSL3_RT_APPLICATION_DATA)
        return false;
    if (records->head_len < TLS_RECORD_HEAD_LEN + (has_message ? TLS_MESSAGE_HEAD_LEN : 0))
        return true;
    records->head_len = 0;
    records->left = (uint32_t)head[3] << 8 | head[4];
    if (!has_message)
        return true;
    records->left -= TLS_MESSAGE_HEAD_LEN; /* a record too short for that wraps, and is refused */
    return records->left == ((uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8]);
}

bool tls_records_take(struct tls_records *records, const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;

    while (len > 0) {
        size_t step = records->left < len ? records->left : len;

        if (step > 0) {
            records->left -= (uint32_t)step;
        } else {
            step = 1;
            if (!take_head(records, *byte))
                return false;
        }
        byte += step;
        len -= step;
    }
    return true;
}
