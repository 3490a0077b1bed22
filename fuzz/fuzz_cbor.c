/*
 * Canonical CBOR, protocol.md section 1: a value has one encoding, so what is accepted must come
 * out the same when it is written again.
 */
#include "fuzz/fuzz.h"

#include "wire/cbor_token.h"

static void put_token(struct wire_writer *w, const struct wire_token *token)
{
    signet_span string = signet_span_of(token->data, (size_t)token->value);

    switch (token->kind) {
    case WIRE_UINT: wire_put_uint(w, token->value); break;
    case WIRE_NEGATIVE: wire_put_negative(w, -1 - (int64_t)token->value); break;
    case WIRE_BYTES: wire_put_bytes(w, string); break;
    case WIRE_TEXT: wire_put_text(w, string); break;
    case WIRE_ARRAY: wire_put_array(w, (size_t)token->value); break;
    case WIRE_MAP: wire_put_map(w, (size_t)token->value); break;
    case WIRE_TAG: wire_put_tag(w, token->value); break;
    case WIRE_NULL: wire_put_null(w); break;
    default: abort();
    }
}

static void check_same_when_rewritten(signet_span item)
{
    struct signet_buf again = {0};
    struct wire_writer w = wire_writer(&again);
    struct wire_token token;

    for (size_t at = 0; at < item.len;) {
        size_t len = wire_token_read(signet_span_from(item, at), &token);

        FUZZ_REQUIRE(len > 0);
        put_token(&w, &token);
        at += len;
    }
    FUZZ_REQUIRE(wire_writer_finish(&w) == SIGNET_OK);
    FUZZ_REQUIRE(signet_span_equal(signet_buf_span(&again), item));
    signet_buf_free(&again);
}

/* The typed calls, led by peek: never further than the input, and stopped by the first error. */
static void walk(signet_span in)
{
    struct wire_reader r = wire_reader(in);
    struct signet_id id;

    while (wire_peek(&r) != WIRE_END) {
        size_t left = r.in.len;

        switch (wire_peek(&r)) {
        case WIRE_UINT: FUZZ_REQUIRE(wire_get_uint(&r, UINT32_MAX) <= UINT32_MAX); break;
        case WIRE_NEGATIVE: FUZZ_REQUIRE(wire_get_negative(&r) < 0 || r.err != SIGNET_OK); break;
        case WIRE_BYTES:
            if (left % 2 == 0)
                wire_get_id(&r, &id);
            else
                FUZZ_REQUIRE(wire_get_bytes(&r, 1, 64).len <= 64);
            break;
        case WIRE_TEXT: FUZZ_REQUIRE(wire_get_text(&r, 0, 64).len <= 64); break;
        case WIRE_ARRAY: FUZZ_REQUIRE(wire_get_array(&r, 0, SIZE_MAX) <= in.len); break;
        case WIRE_NULL: FUZZ_REQUIRE(wire_get_null(&r)); break;
        case WIRE_OTHER:
            FUZZ_REQUIRE(wire_get_item(&r, SIZE_MAX).len == 0 && r.err != SIGNET_OK);
            break;
        default: FUZZ_REQUIRE(wire_get_item(&r, 64).len <= 64); break;
        }
        FUZZ_REQUIRE(r.in.len < left);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    signet_span in = signet_span_of(data, size);
    struct wire_reader r = wire_reader(in);
    signet_span item = wire_get_item(&r, size);

    if (r.err == SIGNET_OK)
        check_same_when_rewritten(item);
    else
        FUZZ_REQUIRE(item.len == 0 && wire_peek(&r) == WIRE_END);
    walk(in);
    return 0;
}
