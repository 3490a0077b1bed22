/*
 * COSE_Sign1 (RFC 9052, section 4.2) in signet's two profiles, both PS256 (RFC 8230):
 *   Single  protected {1: -37, 16: typ},          unprotected {},                    payload bytes
 *   Batch   protected {1: -37, 16: typ, 395: 1},  unprotected {396: {-1: [proof]}},  payload null
 * tag 18, external_aad empty. This file codes bytes; it holds no key and verifies nothing.
 */
#ifndef WIRE_COSE_H
#define WIRE_COSE_H

#include "wire/cbor.h"

enum {
    COSE_TAG_SIGN1 = 18,
    COSE_ALG_PS256 = -37,
    COSE_HEADER_ALG = 1,
    COSE_HEADER_TYP = 16,  /* RFC 9596 */
    COSE_HEADER_VDS = 395, /* RFC 9942: verifiable data structure */
    COSE_HEADER_VDP = 396, /* RFC 9942: its proofs */
    COSE_VDS_RFC9162_SHA256 = 1,
    COSE_PROOF_INCLUSION = -1,
    COSE_TYP_MAX = 64,        /* bytes */
    COSE_SIGNATURE_MAX = 512, /* bytes */
    COSE_PAYLOAD_MAX = 16384, /* bytes; the largest is a device list */
    COSE_PATH_MAX = 8,        /* hashes of a proof: a batch of 256 */
};

enum cose_profile { COSE_SINGLE, COSE_BATCH };

/* Spans borrow from the bytes read. */
struct cose_sign1 {
    enum cose_profile profile;
    signet_span protected_header; /* as bytes, inside its bstr */
    signet_span payload;          /* empty in a batch: the root is computed from the proof */
    signet_span proof;            /* batch: CBOR [size, index, [1..8 hashes]]; else empty */
    signet_span signature;
};

/*
 * Read a COSE_Sign1 whose typ must be `typ`.
 * Errors: FORMAT (not canonical, tag missing, trailing bytes, no inclusion proof), PROFILE (a
 * COSE_Sign1 with headers of neither profile: algorithm elsewhere or another one, unknown labels,
 * crit, headers of one profile with the payload of the other), PURPOSE (another typ), LIMIT.
 * *out is unchanged then.
 */
SIGNET_MUST_USE enum signet_err cose_sign1_read(
    signet_span in, const char *typ, struct cose_sign1 *out);

/* Append a COSE_Sign1 of profile Single. Errors: ARGUMENT (cose_sign1_read would refuse it: no
 * signature, a part beyond its ceiling), NOMEM; `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err cose_sign1_write(
    const char *typ, signet_span payload, signet_span signature, struct signet_buf *out);

/* Append the protected header's bytes of a profile. Errors: ARGUMENT (typ too long), NOMEM;
 * `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err cose_protected_write(
    enum cose_profile profile, const char *typ, struct signet_buf *out);

/* Append the Sig_structure (RFC 9052, section 4.4): what is signed. Errors: NOMEM;
 * `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err cose_to_be_signed(
    signet_span protected_header, signet_span payload, struct signet_buf *out);

#endif
