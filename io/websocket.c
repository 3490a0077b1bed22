/* WebSocket framing: RFC 6455, section 5. */
#include "io/websocket.h"

#include <string.h>

#include "base/utf8.h"

enum {
    FIN = 0x80,
    RSV = 0x70,
    OPCODE = 0x0f,
    MASKED = 0x80,
    LEN = 0x7f,
    LEN_16 = 126,       /* the length follows in two bytes */
    LEN_64 = 127,       /* in eight */
    FRAME_HEAD_LEN = 4, /* what ws_frame_begin leaves room for, besides the mask */
    CODE_NOT_UTF8 = 1007,
};

struct head {
    enum ws_opcode opcode;
    bool is_final;
    size_t len; /* of the head */
    size_t payload_len;
    uint8_t mask[WS_MASK_LEN]; /* zero where the frame has none */
};

void ws_init(struct ws_codec *codec, enum ws_role role, size_t message_max)
{
    *codec = (struct ws_codec){.role = role, .message_max = message_max};
}

void ws_free(struct ws_codec *codec)
{
    signet_buf_free(&codec->joined);
}

static enum ws_event end(struct ws_codec *codec, enum ws_event event, uint16_t code)
{
    codec->is_ended = true;
    codec->code = code;
    signet_buf_free(&codec->joined);
    return event;
}

/* Section 5.3. The same both ways. */
static void apply_mask(uint8_t *bytes, size_t len, const uint8_t mask[WS_MASK_LEN])
{
    uint64_t wide, word;
    size_t i = 0;

    memcpy(&wide, mask, WS_MASK_LEN);
    memcpy((uint8_t *)&wide + WS_MASK_LEN, mask, WS_MASK_LEN);
    for (; len - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        word ^= wide;
        memcpy(bytes + i, &word, sizeof(word));
    }
    for (; i < len; i++)
        bytes[i] ^= mask[i % WS_MASK_LEN];
}

/* ---- reading ---- */

/* May a frame of this kind come now? Returns the close code to refuse it with, or 0. */
static uint16_t check_first_byte(const struct ws_codec *codec, uint8_t byte)
{
    bool is_final = (byte & FIN) != 0;

    if ((byte & RSV) != 0)
        return WS_CODE_PROTOCOL;
    switch (byte & OPCODE) {
    case WS_OP_CONTINUATION:
        if (codec->fragment_count == 0)
            return WS_CODE_PROTOCOL;
        return codec->fragment_count < WS_FRAGMENTS_MAX ? 0 : WS_CODE_TOO_BIG;
    case WS_OP_TEXT: return WS_CODE_TYPE;
    case WS_OP_BINARY: return codec->fragment_count == 0 ? 0 : WS_CODE_PROTOCOL;
    case WS_OP_CLOSE:
    case WS_OP_PING:
    case WS_OP_PONG: return is_final ? 0 : WS_CODE_PROTOCOL;
    default: return WS_CODE_PROTOCOL;
    }
}

/* The length field in its shortest form; `bytes` begins with the second byte of the frame. */
static bool read_len(const uint8_t *bytes, size_t extra, uint64_t *len_out)
{
    uint64_t len = 0;

    if (extra == 0) {
        *len_out = bytes[0] & LEN;
        return true;
    }
    for (size_t i = 1; i <= extra; i++)
        len = len << 8 | bytes[i];
    *len_out = len;
    return extra == 2 ? len >= LEN_16 : len > UINT16_MAX && len >> 63 == 0;
}

static bool is_control(enum ws_opcode opcode)
{
    return opcode >= WS_OP_CLOSE;
}

/* Is the payload of a length that we take? Returns the close code to refuse it with, or 0. */
static uint16_t check_len(const struct ws_codec *codec, enum ws_opcode opcode, uint64_t len)
{
    if (is_control(opcode))
        return len <= WS_CONTROL_MAX ? 0 : WS_CODE_PROTOCOL;
    if (codec->joined.len > codec->message_max || len > codec->message_max - codec->joined.len)
        return WS_CODE_TOO_BIG;
    return 0;
}

/* WS_MESSAGE: the head is read; WS_NEED_MORE; WS_ERROR. Errors are found at the earliest byte. */
static enum ws_event read_head(struct ws_codec *codec, signet_span in, struct head *head)
{
    uint64_t payload_len;
    bool is_masked;
    size_t extra = 0;
    uint16_t code;

    if (in.len < 1)
        return WS_NEED_MORE;
    if ((code = check_first_byte(codec, in.ptr[0])) != 0)
        return end(codec, WS_ERROR, code);
    if (in.len < 2)
        return WS_NEED_MORE;
    /* Section 5.1: a client masks every frame, a server none. */
    is_masked = (in.ptr[1] & MASKED) != 0;
    if (is_masked != (codec->role == WS_SERVER))
        return end(codec, WS_ERROR, WS_CODE_PROTOCOL);
    if ((in.ptr[1] & LEN) >= LEN_16)
        extra = (in.ptr[1] & LEN) == LEN_16 ? 2 : 8;
    if (in.len < 2 + extra)
        return WS_NEED_MORE;
    if (!read_len(in.ptr + 1, extra, &payload_len))
        return end(codec, WS_ERROR, WS_CODE_PROTOCOL);
    head->opcode = (enum ws_opcode)(in.ptr[0] & OPCODE);
    if ((code = check_len(codec, head->opcode, payload_len)) != 0)
        return end(codec, WS_ERROR, code);
    head->len = 2 + extra + (is_masked ? WS_MASK_LEN : 0);
    if (in.len < head->len)
        return WS_NEED_MORE;
    head->is_final = (in.ptr[0] & FIN) != 0;
    head->payload_len = (size_t)payload_len;
    memset(head->mask, 0, sizeof(head->mask));
    if (is_masked)
        memcpy(head->mask, in.ptr + 2 + extra, sizeof(head->mask));
    return WS_MESSAGE;
}

/* Section 7.4: the codes that may be sent. */
static bool is_close_code(unsigned code)
{
    return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
           (code >= 3000 && code <= 4999);
}

/* Section 5.5.1. */
static enum ws_event take_close(struct ws_codec *codec, signet_span payload)
{
    unsigned code;

    if (payload.len == 0)
        return end(codec, WS_CLOSE, WS_CODE_NONE);
    if (payload.len == 1)
        return end(codec, WS_ERROR, WS_CODE_PROTOCOL);
    code = (unsigned)payload.ptr[0] << 8 | payload.ptr[1];
    if (!is_close_code(code))
        return end(codec, WS_ERROR, WS_CODE_PROTOCOL);
    if (!utf8_is_valid(signet_span_from(payload, 2)))
        return end(codec, WS_ERROR, CODE_NOT_UTF8);
    return end(codec, WS_CLOSE, (uint16_t)code);
}

/* Section 5.4. WS_NEED_MORE: the message goes on with another frame. */
static enum ws_event take_data(
    struct ws_codec *codec, const struct head *head, signet_span payload, signet_span *payload_out)
{
    if (head->is_final && codec->fragment_count == 0) {
        *payload_out = payload;
        return WS_MESSAGE;
    }
    if (signet_buf_append(&codec->joined, payload) != SIGNET_OK)
        return end(codec, WS_ERROR, WS_CODE_INTERNAL);
    codec->fragment_count++;
    if (!head->is_final)
        return WS_NEED_MORE;
    *payload_out = signet_buf_span(&codec->joined);
    codec->is_joined_given = true;
    codec->fragment_count = 0;
    return WS_MESSAGE;
}

static enum ws_event take_frame(
    struct ws_codec *codec, const struct head *head, signet_span payload, signet_span *payload_out)
{
    switch (head->opcode) {
    case WS_OP_CLOSE: return take_close(codec, payload);
    case WS_OP_PING: *payload_out = payload; return WS_PING;
    case WS_OP_PONG: *payload_out = payload; return WS_PONG;
    default: return take_data(codec, head, payload, payload_out);
    }
}

enum ws_event ws_next(
    struct ws_codec *codec, struct signet_buf *in, size_t *position, signet_span *payload_out)
{
    *payload_out = signet_span_of(NULL, 0);
    if (codec->is_ended)
        return WS_ERROR;
    if (codec->is_joined_given) {
        signet_buf_free(&codec->joined);
        codec->is_joined_given = false;
    }
    for (;;) {
        struct head head;
        uint8_t *payload;
        enum ws_event event =
            read_head(codec, signet_span_from(signet_buf_span(in), *position), &head);

        if (event != WS_MESSAGE)
            return event;
        if (in->len - *position - head.len < head.payload_len)
            return WS_NEED_MORE;
        payload = in->ptr + *position + head.len;
        if (codec->role == WS_SERVER)
            apply_mask(payload, head.payload_len, head.mask);
        *position += head.len + head.payload_len;
        event = take_frame(codec, &head, signet_span_of(payload, head.payload_len), payload_out);
        if (event != WS_NEED_MORE)
            return event;
    }
}

/* ---- writing ---- */

static size_t head_len(size_t payload_len, bool is_masked)
{
    size_t mask_len = is_masked ? WS_MASK_LEN : 0;

    if (payload_len < LEN_16)
        return 2 + mask_len;
    return (payload_len <= UINT16_MAX ? 4 : 10) + mask_len;
}

/* Write the head of a final frame to `at`, head_len bytes. */
static void put_head(uint8_t *at, enum ws_opcode opcode, size_t payload_len, const uint8_t *mask)
{
    size_t extra = head_len(payload_len, false) - 2;

    at[0] = (uint8_t)(FIN | opcode);
    at[1] = (uint8_t)(extra == 0 ? payload_len : extra == 2 ? LEN_16 : LEN_64);
    for (size_t i = 0; i < extra; i++)
        at[2 + i] = (uint8_t)((uint64_t)payload_len >> 8 * (extra - 1 - i));
    if (mask != NULL) {
        at[1] |= MASKED;
        memcpy(at + 2 + extra, mask, WS_MASK_LEN);
    }
}

enum signet_err ws_write(struct signet_buf *out, enum ws_opcode opcode, signet_span payload,
    const uint8_t mask[WS_MASK_LEN])
{
    size_t start = out->len;
    size_t len = head_len(payload.len, mask != NULL);
    enum signet_err err;

    if (is_control(opcode) && payload.len > WS_CONTROL_MAX)
        return SIGNET_ERR_ARGUMENT;
    if (payload.len > SIZE_MAX - len)
        return SIGNET_ERR_NOMEM;
    if ((err = signet_buf_reserve(out, len + payload.len)) != SIGNET_OK)
        return err;
    put_head(out->ptr + start, opcode, payload.len, mask);
    out->len += len;
    if ((err = signet_buf_append(out, payload)) != SIGNET_OK) {
        signet_buf_truncate(out, start);
        return err;
    }
    if (mask != NULL)
        apply_mask(out->ptr + start + len, payload.len, mask);
    return SIGNET_OK;
}

enum signet_err ws_write_close(
    struct signet_buf *out, uint16_t code, const uint8_t mask[WS_MASK_LEN])
{
    const uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};

    /* Section 7.4.1: this value stands for the absence of a code. */
    if (code == WS_CODE_NONE)
        return ws_write(out, WS_OP_CLOSE, signet_span_of(NULL, 0), mask);
    return ws_write(out, WS_OP_CLOSE, signet_span_of(payload, sizeof(payload)), mask);
}

enum signet_err ws_frame_begin(
    struct ws_frame *frame, struct signet_buf *out, const uint8_t mask[WS_MASK_LEN])
{
    size_t start = out->len;
    enum signet_err err;

    err = signet_buf_fill(out, 0, FRAME_HEAD_LEN + (mask != NULL ? WS_MASK_LEN : 0));
    if (err != SIGNET_OK)
        return err;
    *frame = (struct ws_frame){.start = start, .offset = out->len, .is_masked = mask != NULL};
    if (mask != NULL)
        memcpy(frame->mask, mask, sizeof(frame->mask));
    return SIGNET_OK;
}

enum signet_err ws_frame_end(struct ws_frame *frame, struct signet_buf *out)
{
    size_t payload_len = out->len - frame->offset;
    size_t len = head_len(payload_len, frame->is_masked);
    size_t offset = frame->start + len;
    enum signet_err err;

    if (payload_len == 0) {
        signet_buf_truncate(out, frame->start);
        return SIGNET_OK;
    }
    if (offset > frame->offset &&
        (err = signet_buf_reserve(out, offset - frame->offset)) != SIGNET_OK)
        return err;
    if (frame->is_masked)
        apply_mask(out->ptr + frame->offset, payload_len, frame->mask);
    if (offset != frame->offset)
        memmove(out->ptr + offset, out->ptr + frame->offset, payload_len);
    if (offset < frame->offset)
        signet_buf_truncate(out, offset + payload_len);
    out->len = offset + payload_len;
    put_head(
        out->ptr + frame->start, WS_OP_BINARY, payload_len, frame->is_masked ? frame->mask : NULL);
    return SIGNET_OK;
}
