/*
 * COSE_Sign1, protocol.md section 2: what is accepted is one of the two profiles to the byte, so
 * writing its parts again gives the same bytes.
 */
#include "fuzz/fuzz.h"

#include "wire/cose.h"

static const char typ[] = "application/signet-entry+cbor";

static void write_batch(const struct cose_sign1 *sign1, signet_span header, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_tag(&w, COSE_TAG_SIGN1);
    wire_put_array(&w, 4);
    wire_put_bytes(&w, header);
    wire_put_map(&w, 1);
    wire_put_uint(&w, COSE_HEADER_VDP);
    wire_put_map(&w, 1);
    wire_put_negative(&w, COSE_PROOF_INCLUSION);
    wire_put_array(&w, 1);
    wire_put_bytes(&w, sign1->proof);
    wire_put_null(&w);
    wire_put_bytes(&w, sign1->signature);
    FUZZ_REQUIRE(wire_writer_finish(&w) == SIGNET_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    signet_span in = signet_span_of(data, size);
    struct signet_buf header = {0}, again = {0};
    struct cose_sign1 sign1;

    if (cose_sign1_read(in, typ, &sign1) != SIGNET_OK)
        return 0;
    FUZZ_REQUIRE(cose_protected_write(sign1.profile, typ, &header) == SIGNET_OK);
    FUZZ_REQUIRE(signet_span_equal(signet_buf_span(&header), sign1.protected_header));
    if (sign1.profile == COSE_BATCH)
        write_batch(&sign1, signet_buf_span(&header), &again);
    else
        FUZZ_REQUIRE(cose_sign1_write(typ, sign1.payload, sign1.signature, &again) == SIGNET_OK);
    FUZZ_REQUIRE(signet_span_equal(signet_buf_span(&again), in));
    signet_buf_free(&header);
    signet_buf_free(&again);
    return 0;
}
