/*
 * The records that a client sends during the handshake, looked at before OpenSSL sees them.
 *
 * OpenSSL makes room for as much as a handshake message claims to be long, and zeroes it, and lets
 * a ClientHello claim 128 KiB. In the clear a client sends one ClientHello, or a second one when it
 * is asked to; all clients known to us send it as one record, for which there is room already. So
 * a handshake message in the clear has to fill its record, and no claim costs memory.
 */
#ifndef IO_TLS_RECORDS_H
#define IO_TLS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TLS_RECORD_HEAD_LEN = 5, TLS_MESSAGE_HEAD_LEN = 4 };

/* All zero at first. */
struct tls_records {
    uint32_t left;    /* of the present record: to be passed over */
    uint8_t head_len; /* what has come of the next one's head, and of the message in it */
    uint8_t head[TLS_RECORD_HEAD_LEN + TLS_MESSAGE_HEAD_LEN];
};

/* The next bytes received, in pieces of any length. False: a message does not fill its record, or
 * this is no record at all. */
bool tls_records_take(struct tls_records *records, const void *bytes, size_t len);

#endif
