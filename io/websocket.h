/*
 * WebSocket framing (RFC 6455, section 5), binary messages only, without extensions. Bytes in,
 * bytes out: no socket, no clock, no randomness.
 */
#ifndef IO_WEBSOCKET_H
#define IO_WEBSOCKET_H

#include <signet/buffer.h>

enum {
    WS_CONTROL_MAX = 125,   /* payload of ping, pong and close: section 5.5 */
    WS_FRAGMENTS_MAX = 128, /* frames of one message */
    WS_HEAD_MAX = 14,
    WS_MASK_LEN = 4,
};

/* Our side of the connection. */
enum ws_role { WS_SERVER, WS_CLIENT };

enum ws_opcode {
    WS_OP_CONTINUATION = 0,
    WS_OP_TEXT = 1,
    WS_OP_BINARY = 2,
    WS_OP_CLOSE = 8,
    WS_OP_PING = 9,
    WS_OP_PONG = 10,
};

/* Section 7.4.1. */
enum ws_close_code {
    WS_CODE_NORMAL = 1000,
    WS_CODE_GOING_AWAY = 1001,
    WS_CODE_PROTOCOL = 1002,
    WS_CODE_TYPE = 1003, /* text; we speak binary */
    WS_CODE_NONE = 1005, /* a close frame without a code; never sent */
    WS_CODE_POLICY = 1008,
    WS_CODE_TOO_BIG = 1009,
    WS_CODE_INTERNAL = 1011,
    WS_CODE_TRY_LATER = 1013,
};

enum ws_event {
    WS_NEED_MORE,
    WS_MESSAGE, /* one complete binary message */
    WS_PING,    /* answer with a pong of the same payload */
    WS_PONG,
    WS_CLOSE, /* codec->code says why; answer with a close frame */
    WS_ERROR, /* codec->code is the close code to send; nothing more is read */
};

struct ws_codec {
    size_t message_max;       /* largest message accepted; may be changed at any time */
    struct signet_buf joined; /* fragments so far, at most message_max */
    enum ws_role role;
    uint16_t code;           /* after WS_CLOSE and WS_ERROR */
    uint16_t fragment_count; /* frames of the message begun; 0: none begun */
    bool is_joined_given;    /* `joined` was handed out as a message */
    bool is_ended;           /* after WS_CLOSE and WS_ERROR */
};

void ws_init(struct ws_codec *codec, enum ws_role role, size_t message_max);
/* The codec can be freed at any time, more than once. */
void ws_free(struct ws_codec *codec);

/*
 * Read the next event from in->ptr + *position, and move *position behind what was read.
 *
 * Payloads are unmasked in place, so `in` changes; a message that came in one frame is a part of
 * `in`, a fragmented one of the codec. *payload_out is valid until the next call, and while `in` is
 * untouched. Call until WS_NEED_MORE, then consume *position bytes of `in` at once. What is left is
 * part of one frame, and never longer than message_max + WS_HEAD_MAX: an oversized length is an
 * error as soon as it is seen, and nothing is allocated for it. After WS_CLOSE and WS_ERROR every
 * further call gives WS_ERROR.
 */
SIGNET_MUST_USE enum ws_event ws_next(
    struct ws_codec *codec, struct signet_buf *in, size_t *position, signet_span *payload_out);

/*
 * Append one whole frame.
 *
 * mask  a fresh random key where we are the client (section 5.3); NULL where we are the server.
 *
 * Errors: ARGUMENT (a control frame over WS_CONTROL_MAX), NOMEM.
 */
SIGNET_MUST_USE enum signet_err ws_write(struct signet_buf *out, enum ws_opcode opcode,
    signet_span payload, const uint8_t mask[WS_MASK_LEN]);
SIGNET_MUST_USE enum signet_err ws_write_close(
    struct signet_buf *out, uint16_t code, const uint8_t mask[WS_MASK_LEN]);

/*
 * A binary frame whose payload is appended to `out` between begin and end; end writes the head.
 * Payloads of 126..65535 bytes are not moved by that.
 */
struct ws_frame {
    size_t start;  /* of the head, in `out` */
    size_t offset; /* of the payload, in `out` */
    bool is_masked;
    uint8_t mask[WS_MASK_LEN];
};

/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err ws_frame_begin(
    struct ws_frame *frame, struct signet_buf *out, const uint8_t mask[WS_MASK_LEN]);
/* An empty payload takes the frame back. Errors: NOMEM (only over 65535 bytes; nothing changed). */
SIGNET_MUST_USE enum signet_err ws_frame_end(struct ws_frame *frame, struct signet_buf *out);

#endif
