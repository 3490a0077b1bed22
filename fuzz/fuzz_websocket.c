/*
 * io/websocket against anything. The first byte chooses the role and where the input is cut, so
 * that what a codec makes of bytes cannot depend on how they arrive.
 */
#include <string.h>

#include "fuzz/fuzz.h"

#include "io/websocket.h"

enum { MESSAGE_MAX = 4096 };

struct seen {
    struct signet_buf events; /* one letter and the payload of each */
    enum ws_event last;
    uint16_t code;
};

static void drain(struct ws_codec *codec, struct signet_buf *in, struct seen *seen)
{
    size_t position = 0;
    signet_span payload;

    while ((seen->last = ws_next(codec, in, &position, &payload)) != WS_NEED_MORE) {
        FUZZ_REQUIRE(position <= in->len && payload.len <= MESSAGE_MAX);
        FUZZ_REQUIRE(signet_buf_fill(&seen->events, (uint8_t)('0' + seen->last), 1) == SIGNET_OK);
        FUZZ_REQUIRE(signet_buf_append(&seen->events, payload) == SIGNET_OK);
        if (seen->last == WS_CLOSE || seen->last == WS_ERROR)
            break;
    }
    seen->code = codec->code;
    signet_buf_consume(in, position);
    if (seen->last == WS_NEED_MORE)
        FUZZ_REQUIRE(in->len <= MESSAGE_MAX + WS_HEAD_MAX && codec->joined.len <= MESSAGE_MAX);
}

static void run(enum ws_role role, signet_span bytes, size_t step, struct seen *seen)
{
    struct signet_buf in = {0};
    struct ws_codec codec;

    memset(seen, 0, sizeof(*seen));
    ws_init(&codec, role, MESSAGE_MAX);
    while (bytes.len > 0 && seen->last != WS_CLOSE && seen->last != WS_ERROR) {
        size_t len = bytes.len < step ? bytes.len : step;

        FUZZ_REQUIRE(signet_buf_append(&in, signet_span_of(bytes.ptr, len)) == SIGNET_OK);
        bytes = signet_span_from(bytes, len);
        drain(&codec, &in, seen);
    }
    ws_free(&codec);
    signet_buf_free(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole, pieces;
    signet_span bytes;
    enum ws_role role;

    if (size < 1)
        return 0;
    role = (data[0] & 1) != 0 ? WS_SERVER : WS_CLIENT;
    bytes = signet_span_of(data + 1, size - 1);
    run(role, bytes, SIZE_MAX, &whole);
    run(role, bytes, 1u + (data[0] >> 1), &pieces);
    FUZZ_REQUIRE(whole.last == pieces.last && whole.code == pieces.code);
    FUZZ_REQUIRE(
        signet_span_equal(signet_buf_span(&whole.events), signet_buf_span(&pieces.events)));
    signet_buf_free(&whole.events);
    signet_buf_free(&pieces.events);
    return 0;
}
