/*
 * COSE_Sign1 (RFC 9052, sections 4.2 and 4.4) in signet's two profiles: protocol.md, section 2.
 *
 * Which profile is meant shows in the payload, null or not; the headers must then be exactly the
 * maps of that profile. So there is no header to interpret, to prefer or to ignore.
 */
#include "wire/cose.h"

enum { HEADER_MAX = 1024 }; /* bytes of either header, of whatever profile */

/* ---- reading ---- */

/* One canonical map and nothing after it: what separates another profile from no COSE at all. */
static enum signet_err check_map(signet_span bytes)
{
    struct wire_reader r = wire_reader(bytes);

    if (wire_peek(&r) != WIRE_MAP)
        return SIGNET_ERR_FORMAT;
    wire_get_item(&r, HEADER_MAX);
    return wire_reader_finish(&r);
}

/* How reading a header ended whose map check_map has accepted: canonical, so of another profile. */
static enum signet_err header_finish(const struct wire_reader *r)
{
    enum signet_err err = wire_reader_finish(r);

    return err == SIGNET_ERR_FORMAT ? SIGNET_ERR_PROFILE : err;
}

static enum signet_err read_protected(
    signet_span header, enum cose_profile profile, signet_span *typ)
{
    struct wire_reader r = wire_reader(header);
    enum signet_err err;

    /* RFC 9052, section 3: an empty string stands for the empty map. No algorithm, then. */
    if (header.len == 0)
        return SIGNET_ERR_PROFILE;
    if ((err = check_map(header)) != SIGNET_OK)
        return err;
    wire_expect_map(&r, profile == COSE_BATCH ? 3 : 2);
    wire_expect_uint(&r, COSE_HEADER_ALG);
    wire_expect_negative(&r, COSE_ALG_PS256);
    wire_expect_uint(&r, COSE_HEADER_TYP);
    *typ = wire_get_text(&r, 0, COSE_TYP_MAX);
    if (profile == COSE_BATCH) {
        wire_expect_uint(&r, COSE_HEADER_VDS);
        wire_expect_uint(&r, COSE_VDS_RFC9162_SHA256);
    }
    return header_finish(&r);
}

/* RFC 9942, section 5.2: [tree-size, leaf-index, [+ hash]]. Its meaning is for who verifies it. */
static enum signet_err check_proof(signet_span proof)
{
    struct wire_reader r = wire_reader(proof);
    size_t hash_count;

    wire_expect_array(&r, 3);
    wire_get_uint(&r, UINT64_MAX);
    wire_get_uint(&r, UINT64_MAX);
    hash_count = wire_get_array(&r, 1, COSE_PATH_MAX);
    for (size_t i = 0; i < hash_count; i++) {
        struct signet_id hash;

        wire_get_id(&r, &hash);
    }
    return wire_reader_finish(&r);
}

static enum signet_err read_unprotected(
    signet_span header, enum cose_profile profile, signet_span *proof)
{
    struct wire_reader r = wire_reader(header);
    enum signet_err err;

    if ((err = check_map(header)) != SIGNET_OK)
        return err;
    *proof = signet_span_of(NULL, 0);
    if (profile == COSE_SINGLE) {
        wire_expect_map(&r, 0);
        return header_finish(&r);
    }
    wire_expect_map(&r, 1);
    wire_expect_uint(&r, COSE_HEADER_VDP);
    wire_expect_map(&r, 1);
    wire_expect_negative(&r, COSE_PROOF_INCLUSION);
    wire_expect_array(&r, 1);
    *proof = wire_get_bytes(&r, 0, HEADER_MAX);
    if ((err = header_finish(&r)) != SIGNET_OK)
        return err;
    return check_proof(*proof);
}

enum signet_err cose_sign1_read(signet_span in, const char *typ, struct cose_sign1 *out)
{
    struct wire_reader r = wire_reader(in);
    struct cose_sign1 sign1 = {.profile = COSE_SINGLE};
    signet_span unprotected, typ_read;
    enum signet_err err;

    wire_expect_tag(&r, COSE_TAG_SIGN1);
    wire_expect_array(&r, 4);
    sign1.protected_header = wire_get_bytes(&r, 0, HEADER_MAX);
    unprotected = wire_get_item(&r, HEADER_MAX);
    if (wire_get_null(&r))
        sign1.profile = COSE_BATCH;
    else
        sign1.payload = wire_get_bytes(&r, 0, COSE_PAYLOAD_MAX);
    sign1.signature = wire_get_bytes(&r, 1, COSE_SIGNATURE_MAX);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    err = read_protected(sign1.protected_header, sign1.profile, &typ_read);
    if (err != SIGNET_OK)
        return err;
    err = read_unprotected(unprotected, sign1.profile, &sign1.proof);
    if (err != SIGNET_OK)
        return err;
    if (!signet_span_equal(typ_read, signet_span_str(typ)))
        return SIGNET_ERR_PURPOSE;
    *out = sign1;
    return SIGNET_OK;
}

/* ---- writing ---- */

enum signet_err cose_protected_write(
    enum cose_profile profile, const char *typ, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);
    signet_span text = signet_span_str(typ);

    if (text.len > COSE_TYP_MAX)
        return SIGNET_ERR_ARGUMENT;
    wire_put_map(&w, profile == COSE_BATCH ? 3 : 2);
    wire_put_uint(&w, COSE_HEADER_ALG);
    wire_put_negative(&w, COSE_ALG_PS256);
    wire_put_uint(&w, COSE_HEADER_TYP);
    wire_put_text(&w, text);
    if (profile == COSE_BATCH) {
        wire_put_uint(&w, COSE_HEADER_VDS);
        wire_put_uint(&w, COSE_VDS_RFC9162_SHA256);
    }
    return wire_writer_finish(&w);
}

enum signet_err cose_sign1_write(
    const char *typ, signet_span payload, signet_span signature, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);
    struct signet_buf header = {0};
    enum signet_err err;

    if (payload.len > COSE_PAYLOAD_MAX || signature.len == 0 || signature.len > COSE_SIGNATURE_MAX)
        return SIGNET_ERR_ARGUMENT;
    if ((err = cose_protected_write(COSE_SINGLE, typ, &header)) != SIGNET_OK)
        goto out;
    wire_put_tag(&w, COSE_TAG_SIGN1);
    wire_put_array(&w, 4);
    wire_put_bytes(&w, signet_buf_span(&header));
    wire_put_map(&w, 0);
    wire_put_bytes(&w, payload);
    wire_put_bytes(&w, signature);
    err = wire_writer_finish(&w);
out:
    signet_buf_free(&header);
    return err;
}

enum signet_err cose_to_be_signed(
    signet_span protected_header, signet_span payload, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 4);
    wire_put_text(&w, signet_span_str("Signature1"));
    wire_put_bytes(&w, protected_header);
    wire_put_bytes(&w, signet_span_of(NULL, 0)); /* external_aad */
    wire_put_bytes(&w, payload);
    return wire_writer_finish(&w);
}
