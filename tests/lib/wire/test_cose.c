/* wire: COSE_Sign1 in exactly two profiles; protocol.md section 2, RFC 9052, RFC 9942. */
#include "tests/support/unit.h"

#include "base/hex.h"
#include "wire/cose.h"

#define TYP       "application/signet-entry+cbor"
#define OTHER_TYP "application/signet-login+cbor"

/* What a COSE_Sign1 is put together from; hexadecimal, each part with its own CBOR heads. */
struct parts {
    const char *opening;     /* tag and array */
    const char *protected_;  /* the map inside the byte string */
    const char *unprotected; /* a whole item */
    const char *payload;     /* a whole item */
    const char *signature;   /* a whole item */
    const char *closing;     /* what follows */
};

/* {1: -37, 16: TYP}, and the same with 395: 1. */
#define TYP_HEX "781d6170706c69636174696f6e2f7369676e65742d656e7472792b63626f72"
#define SINGLE  "a201382410" TYP_HEX
#define BATCH   "a301382410" TYP_HEX "19018b01"
#define HASH    "58201111111111111111111111111111111111111111111111111111111111111111"
/* {396: {-1: [<<[2, 1, [HASH]]>>]}} */
#define PROOFS "a119018ca12081582683020181" HASH

static const struct parts single = {"d284", SINGLE, "a0", "43616263", "43736967", ""};
static const struct parts batch = {"d284", BATCH, PROOFS, "f6", "43736967", ""};

static struct signet_buf assemble(const struct parts *parts)
{
    struct signet_buf buf = {0}, header = {0};
    struct wire_writer w;

    CHECK_OK(hex_decode(parts->protected_, &header));
    CHECK_OK(hex_decode(parts->opening, &buf));
    w = wire_writer(&buf);
    wire_put_bytes(&w, signet_buf_span(&header));
    CHECK_OK(wire_writer_finish(&w));
    CHECK_OK(hex_decode(parts->unprotected, &buf));
    CHECK_OK(hex_decode(parts->payload, &buf));
    CHECK_OK(hex_decode(parts->signature, &buf));
    CHECK_OK(hex_decode(parts->closing, &buf));
    signet_buf_free(&header);
    return buf;
}

/* Read, and see that a refusal leaves the result alone. */
static enum signet_err read_parts(const struct parts *parts)
{
    static const uint8_t mark;
    struct signet_buf buf = assemble(parts);
    struct cose_sign1 out = {.signature = {&mark, 1}};
    enum signet_err err = cose_sign1_read(signet_buf_span(&buf), TYP, &out);

    CHECK((out.signature.ptr != &mark) == (err == SIGNET_OK));
    signet_buf_free(&buf);
    return err;
}

#define REFUSED(base, field, text, wanted)                                                         \
    do {                                                                                           \
        struct parts parts_ = (base);                                                              \
        parts_.field = (text);                                                                     \
        CHECK_ERR(read_parts(&parts_), (wanted));                                                  \
    } while (0)

static void single_is_written_and_read_back(void **state)
{
    struct signet_buf written = {0}, expected = assemble(&single), header = {0};
    struct cose_sign1 sign1;

    (void)state;
    CHECK_OK(cose_sign1_write(TYP, signet_span_str("abc"), signet_span_str("sig"), &written));
    CHECK(signet_span_equal(signet_buf_span(&written), signet_buf_span(&expected)));
    CHECK_OK(cose_sign1_read(signet_buf_span(&written), TYP, &sign1));
    CHECK(sign1.profile == COSE_SINGLE && sign1.proof.len == 0);
    CHECK_SPAN(sign1.payload, "abc");
    CHECK_SPAN(sign1.signature, "sig");
    CHECK_OK(cose_protected_write(COSE_SINGLE, TYP, &header));
    CHECK(signet_span_equal(sign1.protected_header, signet_buf_span(&header)));
    signet_buf_free(&header);
    signet_buf_free(&expected);
    signet_buf_free(&written);
}

static void batch_is_read_with_its_proof(void **state)
{
    struct signet_buf buf = assemble(&batch), header = {0};
    struct cose_sign1 sign1;

    (void)state;
    CHECK_OK(cose_sign1_read(signet_buf_span(&buf), TYP, &sign1));
    CHECK(sign1.profile == COSE_BATCH && sign1.payload.len == 0);
    CHECK(sign1.proof.len == 0x26 && sign1.proof.ptr[0] == 0x83);
    CHECK_SPAN(sign1.signature, "sig");
    CHECK_OK(cose_protected_write(COSE_BATCH, TYP, &header));
    CHECK(signet_span_equal(sign1.protected_header, signet_buf_span(&header)));
    signet_buf_free(&header);
    signet_buf_free(&buf);
}

/* RFC 9052, section 4.4: Sig_structure. */
static void to_be_signed_is_the_sig_structure(void **state)
{
    struct signet_buf expected = {0}, got = {0};

    (void)state;
    CHECK_OK(hex_decode("846a5369676e61747572653142a0f64043616263", &expected));
    CHECK_OK(cose_to_be_signed(signet_span_of("\xa0\xf6", 2), signet_span_str("abc"), &got));
    CHECK(signet_span_equal(signet_buf_span(&expected), signet_buf_span(&got)));
    signet_buf_free(&expected);
    signet_buf_free(&got);
}

/* Threema: one object's signature taken for another's. */
static void another_typ_is_another_purpose(void **state)
{
    struct signet_buf buf = assemble(&single);
    struct cose_sign1 sign1;

    (void)state;
    CHECK_ERR(cose_sign1_read(signet_buf_span(&buf), OTHER_TYP, &sign1), SIGNET_ERR_PURPOSE);
    CHECK_ERR(cose_sign1_read(signet_buf_span(&buf), TYP "x", &sign1), SIGNET_ERR_PURPOSE);
    CHECK_ERR(cose_sign1_read(signet_buf_span(&buf), "", &sign1), SIGNET_ERR_PURPOSE);
    signet_buf_free(&buf);
    buf = assemble(&batch);
    CHECK_ERR(cose_sign1_read(signet_buf_span(&buf), OTHER_TYP, &sign1), SIGNET_ERR_PURPOSE);
    signet_buf_free(&buf);
}

/* RFC 8725, section 2.1, for COSE: the algorithm is protected, and one. */
static void another_algorithm_or_place_of_it_is_refused(void **state)
{
    struct parts moved = single;

    (void)state;
    REFUSED(single, protected_, "a2012610" TYP_HEX, SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "a201382510" TYP_HEX, SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "a201182410" TYP_HEX, SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "a20165505332353610" TYP_HEX, SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "a110" TYP_HEX, SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "", SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "a0", SIGNET_ERR_PROFILE);
    REFUSED(single, unprotected, "a1013824", SIGNET_ERR_PROFILE);
    moved.protected_ = "a110" TYP_HEX;
    moved.unprotected = "a1013824";
    CHECK_ERR(read_parts(&moved), SIGNET_ERR_PROFILE);
    moved.protected_ = "";
    CHECK_ERR(read_parts(&moved), SIGNET_ERR_PROFILE);
}

/* RFC 9052, section 3.1: crit must be understood; here, no other label is. */
static void unknown_labels_and_crit_are_refused(void **state)
{
    (void)state;
    REFUSED(single, protected_, "a3013824028118ff10" TYP_HEX, SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "a301382402810110" TYP_HEX, SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "a3013824030010" TYP_HEX, SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "a301382410" TYP_HEX "616100", SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "a20138241012", SIGNET_ERR_PROFILE);
    REFUSED(single, protected_, "a1013824", SIGNET_ERR_PROFILE);
    REFUSED(single, unprotected, "a104423131", SIGNET_ERR_PROFILE);
    REFUSED(single, unprotected, "a1028101", SIGNET_ERR_PROFILE);
    REFUSED(single, unprotected, "a110" TYP_HEX, SIGNET_ERR_PROFILE);
}

static void headers_of_one_profile_do_not_serve_the_other(void **state)
{
    (void)state;
    REFUSED(single, protected_, BATCH, SIGNET_ERR_PROFILE);
    REFUSED(single, unprotected, PROOFS, SIGNET_ERR_PROFILE);
    REFUSED(single, payload, "f6", SIGNET_ERR_PROFILE);
    REFUSED(batch, protected_, SINGLE, SIGNET_ERR_PROFILE);
    REFUSED(batch, protected_, "a301382410" TYP_HEX "19018b02", SIGNET_ERR_PROFILE);
    REFUSED(batch, unprotected, "a0", SIGNET_ERR_PROFILE);
    REFUSED(batch, payload, "40", SIGNET_ERR_PROFILE);
}

static void another_tag_or_shape_is_no_cose_sign1(void **state)
{
    (void)state;
    REFUSED(single, opening, "84", SIGNET_ERR_FORMAT);
    REFUSED(single, opening, "d184", SIGNET_ERR_FORMAT);
    REFUSED(single, opening, "d86284", SIGNET_ERR_FORMAT);
    REFUSED(single, opening, "d2d284", SIGNET_ERR_FORMAT);
    REFUSED(single, opening, "d9d9f7d284", SIGNET_ERR_FORMAT);
    REFUSED(single, opening, "d285", SIGNET_ERR_FORMAT);
    REFUSED(single, opening, "d283", SIGNET_ERR_FORMAT);
    REFUSED(single, unprotected, "80", SIGNET_ERR_FORMAT);
    REFUSED(single, unprotected, "f6", SIGNET_ERR_FORMAT);
    REFUSED(single, unprotected, "40", SIGNET_ERR_FORMAT);
    REFUSED(single, payload, "63616263", SIGNET_ERR_FORMAT);
    REFUSED(single, signature, "63616263", SIGNET_ERR_FORMAT);
    REFUSED(single, signature, "f6", SIGNET_ERR_FORMAT);
    REFUSED(single, signature, "40", SIGNET_ERR_FORMAT);
    REFUSED(single, protected_, "80", SIGNET_ERR_FORMAT);
    REFUSED(single, protected_, "f6", SIGNET_ERR_FORMAT);
    REFUSED(single, closing, "00", SIGNET_ERR_FORMAT);
    REFUSED(single, closing, "f6", SIGNET_ERR_FORMAT);
}

/* RFC 8949, section 4.2.1, inside and outside of the protected header. */
static void non_canonical_cbor_is_refused_wherever_it_is(void **state)
{
    (void)state;
    REFUSED(single, opening, "d81284", SIGNET_ERR_FORMAT);
    REFUSED(single, opening, "d29804", SIGNET_ERR_FORMAT);
    REFUSED(single, opening, "d29f", SIGNET_ERR_FORMAT);
    REFUSED(single, protected_, "a210" TYP_HEX "013824", SIGNET_ERR_FORMAT);
    REFUSED(single, protected_, "a301382401382410" TYP_HEX, SIGNET_ERR_FORMAT);
    REFUSED(single, protected_, "b80201382410" TYP_HEX, SIGNET_ERR_FORMAT);
    REFUSED(single, protected_, "bf01382410" TYP_HEX "ff", SIGNET_ERR_FORMAT);
    REFUSED(single, protected_, "a20139002410" TYP_HEX, SIGNET_ERR_FORMAT);
    REFUSED(single, protected_, "a2180138241810" TYP_HEX, SIGNET_ERR_FORMAT);
    REFUSED(single, protected_, SINGLE "00", SIGNET_ERR_FORMAT);
    REFUSED(single, protected_, "a201382410", SIGNET_ERR_FORMAT);
    REFUSED(single, unprotected, "b800", SIGNET_ERR_FORMAT);
    REFUSED(single, unprotected, "bfff", SIGNET_ERR_FORMAT);
    REFUSED(single, unprotected, "a101f4", SIGNET_ERR_FORMAT);
    REFUSED(single, payload, "5803616263", SIGNET_ERR_FORMAT);
    REFUSED(single, payload, "5f43616263ff", SIGNET_ERR_FORMAT);
    REFUSED(single, signature, "5803736967", SIGNET_ERR_FORMAT);
}

/* RFC 9942, section 5.2: one proof, [tree-size, leaf-index, [+ hash]] in a byte string. */
static void anything_but_one_inclusion_proof_is_refused(void **state)
{
#define VDP                                                                                        \
    "a1"                                                                                           \
    "19018c"
    (void)state;
    REFUSED(batch, unprotected, "a119018da1208143820201", SIGNET_ERR_PROFILE);
    REFUSED(batch, unprotected, VDP "a1218143830201", SIGNET_ERR_PROFILE);
    REFUSED(batch, unprotected, VDP "a12080", SIGNET_ERR_PROFILE);
    REFUSED(batch, unprotected, VDP "a1208241804180", SIGNET_ERR_PROFILE);
    REFUSED(batch, unprotected, VDP "a1208180", SIGNET_ERR_PROFILE);
    REFUSED(batch, unprotected, VDP "a2208140218140", SIGNET_ERR_PROFILE);
    REFUSED(batch, unprotected, VDP "a1208140", SIGNET_ERR_FORMAT);
    REFUSED(batch, unprotected, VDP "a120814483020180", SIGNET_ERR_FORMAT);
    REFUSED(batch, unprotected, VDP "a1208143820201", SIGNET_ERR_FORMAT);
    REFUSED(batch, unprotected, VDP "a1208146830201814100", SIGNET_ERR_FORMAT);
    REFUSED(batch, unprotected, VDP "a1208158278318020181" HASH, SIGNET_ERR_FORMAT);
    REFUSED(batch, unprotected, VDP "a12081582783020181" HASH "00", SIGNET_ERR_FORMAT);
    REFUSED(batch, unprotected, VDP "a120814483020189", SIGNET_ERR_LIMIT);
#undef VDP
}

static void every_truncation_and_every_trailing_byte_is_refused(void **state)
{
    const struct parts *const both[] = {&single, &batch};
    struct cose_sign1 sign1;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct signet_buf buf = assemble(both[i]);

        for (size_t len = 0; len < buf.len; len++)
            CHECK_ERR(
                cose_sign1_read(signet_span_of(buf.ptr, len), TYP, &sign1), SIGNET_ERR_FORMAT);
        CHECK_OK(cose_sign1_read(signet_buf_span(&buf), TYP, &sign1));
        CHECK_OK(signet_buf_fill(&buf, 0xf6, 1));
        CHECK_ERR(cose_sign1_read(signet_buf_span(&buf), TYP, &sign1), SIGNET_ERR_FORMAT);
        signet_buf_free(&buf);
    }
}

/* Whatever is flipped, what is still accepted differs in payload, proof or signature alone. */
static void a_flipped_bit_never_passes_in_headers_and_heads(void **state)
{
    struct signet_buf buf = assemble(&single);
    struct cose_sign1 sign1;
    size_t accepted = 0;

    (void)state;
    for (size_t i = 0; i < buf.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            buf.ptr[i] = (uint8_t)(buf.ptr[i] ^ 1u << bit);
            accepted += cose_sign1_read(signet_buf_span(&buf), TYP, &sign1) == SIGNET_OK;
            buf.ptr[i] = (uint8_t)(buf.ptr[i] ^ 1u << bit);
        }
    }
    CHECK(accepted == 8 * (strlen("abc") + strlen("sig")));
    signet_buf_free(&buf);
}

static void nothing_is_written_that_would_not_be_read(void **state)
{
    static const uint8_t zeros[COSE_PAYLOAD_MAX + 1];
    signet_span sig = signet_span_of(zeros, COSE_SIGNATURE_MAX);
    struct signet_buf out = {0};
    struct cose_sign1 sign1;
    char typ[COSE_TYP_MAX + 2];

    (void)state;
    memset(typ, 'a', sizeof(typ));
    typ[COSE_TYP_MAX + 1] = 0;
    CHECK_ERR(cose_sign1_write(typ, sig, sig, &out), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(cose_sign1_write(TYP, signet_span_of(zeros, sizeof(zeros)), sig, &out),
        SIGNET_ERR_ARGUMENT);
    CHECK_ERR(cose_sign1_write(TYP, sig, signet_span_of(zeros, COSE_SIGNATURE_MAX + 1), &out),
        SIGNET_ERR_ARGUMENT);
    CHECK_ERR(cose_sign1_write(TYP, sig, signet_span_of(NULL, 0), &out), SIGNET_ERR_ARGUMENT);
    CHECK(out.len == 0);
    typ[COSE_TYP_MAX] = 0;
    CHECK_OK(cose_sign1_write(typ, signet_span_of(zeros, COSE_PAYLOAD_MAX), sig, &out));
    CHECK_OK(cose_sign1_read(signet_buf_span(&out), typ, &sign1));
    CHECK(sign1.payload.len == COSE_PAYLOAD_MAX && sign1.signature.len == COSE_SIGNATURE_MAX);
    signet_buf_free(&out);
}

/* The same ceilings at the reader, which is who needs them. */
static void parts_beyond_their_ceilings_are_refused(void **state)
{
    const struct {
        size_t typ_len, payload_len, signature_len;
        enum signet_err wanted;
    } cases[] = {{1, COSE_PAYLOAD_MAX, COSE_SIGNATURE_MAX, SIGNET_ERR_PURPOSE},
        {COSE_TYP_MAX + 1, 1, 1, SIGNET_ERR_LIMIT}, {1, COSE_PAYLOAD_MAX + 1, 1, SIGNET_ERR_LIMIT},
        {1, 1, COSE_SIGNATURE_MAX + 1, SIGNET_ERR_LIMIT}, {2000, 1, 1, SIGNET_ERR_LIMIT}};
    static const uint8_t zeros[COSE_PAYLOAD_MAX + 1];
    struct cose_sign1 sign1;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct signet_buf header = {0}, buf = {0};
        struct wire_writer w = wire_writer(&header);

        wire_put_map(&w, 2);
        wire_put_uint(&w, COSE_HEADER_ALG);
        wire_put_negative(&w, COSE_ALG_PS256);
        wire_put_uint(&w, COSE_HEADER_TYP);
        wire_put_text(&w, signet_span_of(zeros, cases[i].typ_len));
        CHECK_OK(wire_writer_finish(&w));
        w = wire_writer(&buf);
        wire_put_tag(&w, COSE_TAG_SIGN1);
        wire_put_array(&w, 4);
        wire_put_bytes(&w, signet_buf_span(&header));
        wire_put_map(&w, 0);
        wire_put_bytes(&w, signet_span_of(zeros, cases[i].payload_len));
        wire_put_bytes(&w, signet_span_of(zeros, cases[i].signature_len));
        CHECK_OK(wire_writer_finish(&w));
        CHECK_ERR(cose_sign1_read(signet_buf_span(&buf), TYP, &sign1), cases[i].wanted);
        signet_buf_free(&header);
        signet_buf_free(&buf);
    }
}

TEST_FILE(cose)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_is_written_and_read_back),
        cmocka_unit_test(batch_is_read_with_its_proof),
        cmocka_unit_test(to_be_signed_is_the_sig_structure),
        cmocka_unit_test(another_typ_is_another_purpose),
        cmocka_unit_test(another_algorithm_or_place_of_it_is_refused),
        cmocka_unit_test(unknown_labels_and_crit_are_refused),
        cmocka_unit_test(headers_of_one_profile_do_not_serve_the_other),
        cmocka_unit_test(another_tag_or_shape_is_no_cose_sign1),
        cmocka_unit_test(non_canonical_cbor_is_refused_wherever_it_is),
        cmocka_unit_test(anything_but_one_inclusion_proof_is_refused),
        cmocka_unit_test(every_truncation_and_every_trailing_byte_is_refused),
        cmocka_unit_test(a_flipped_bit_never_passes_in_headers_and_heads),
        cmocka_unit_test(nothing_is_written_that_would_not_be_read),
        cmocka_unit_test(parts_beyond_their_ceilings_are_refused),
    };

    return cmocka_run_group_tests_name("cose", tests, NULL, NULL);
}
