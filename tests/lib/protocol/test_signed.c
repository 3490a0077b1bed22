/* protocol: signed objects; docs/protocol.md, section 2. */
#include "tests/support/unit.h"

#include "protocol/signed.h"
#include "tests/support/flip.h"
#include "tests/support/parties.h"
#include "wire/cose.h"

static const char *const typs[] = {
    TYP_DEVICE_LIST, TYP_BUNDLE, TYP_HANDSHAKE, TYP_ENTRY, TYP_REGISTRATION, TYP_LOGIN};
enum { TYP_COUNT = sizeof(typs) / sizeof(typs[0]) };

struct fixture {
    struct seeded_library seeded;
    struct crypto_rsa_private *key, *other;
    struct signet_buf cose;
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.seeded = seeded_library_new(21)};

    f.key = party_key(f.seeded.library, ALICE, PARTY_DEVICE);
    f.other = party_key(f.seeded.library, BOB, PARTY_DEVICE);
    CHECK_OK(signed_make(f.key, TYP_ENTRY, signet_span_str("payload"), &f.cose));
    return f;
}

static void fixture_free(struct fixture *f)
{
    crypto_rsa_private_free(f->key);
    crypto_rsa_private_free(f->other);
    signet_buf_free(&f->cose);
    seeded_library_free(&f->seeded);
}

static enum signet_err open_with(
    const struct crypto_rsa_private *key, const char *typ, const struct signet_buf *cose)
{
    signet_span payload = signet_span_str("untouched");
    enum signet_err err =
        signed_open(crypto_rsa_private_public(key), typ, signet_buf_span(cose), &payload);

    CHECK_SPAN(payload, err == SIGNET_OK ? "payload" : "untouched");
    return err;
}

static void what_is_signed_opens_under_its_key_only(void **state)
{
    struct fixture f = fixture_new();
    signet_span payload;

    (void)state;
    CHECK_OK(open_with(f.key, TYP_ENTRY, &f.cose));
    CHECK_ERR(open_with(f.other, TYP_ENTRY, &f.cose), SIGNET_ERR_AUTH);
    CHECK_OK(signed_peek(signet_buf_span(&f.cose), TYP_ENTRY, &payload));
    CHECK_SPAN(payload, "payload");
    fixture_free(&f);
}

/* docs/protocol.md, section 2: each typ is refused in each other place, all pairs. */
static void no_purpose_serves_as_another(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    for (size_t made = 0; made < TYP_COUNT; made++) {
        struct signet_buf cose = {0};

        CHECK_OK(signed_make(f.key, typs[made], signet_span_str("payload"), &cose));
        for (size_t used = 0; used < TYP_COUNT; used++)
            CHECK_ERR(
                open_with(f.key, typs[used], &cose), used == made ? SIGNET_OK : SIGNET_ERR_PURPOSE);
        signet_buf_free(&cose);
    }
    fixture_free(&f);
}

/* RFC 9052, section 4.4: headers and payload are signed, and there is nothing besides. */
static void every_byte_is_covered(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    for (size_t i = 0; i < f.cose.len; i++) {
        struct signet_buf bad = flipped(signet_buf_span(&f.cose), i);
        enum signet_err err = open_with(f.key, TYP_ENTRY, &bad);

        CHECK(err == SIGNET_ERR_AUTH || err == SIGNET_ERR_FORMAT || err == SIGNET_ERR_PROFILE ||
              err == SIGNET_ERR_PURPOSE || err == SIGNET_ERR_LIMIT);
        signet_buf_free(&bad);
    }
    fixture_free(&f);
}

/* docs/protocol.md, section 2: version 1 does not accept Batch. */
static void a_batch_is_refused(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf batch = {0}, header = {0}, proof = {0};
    struct signet_id hash = {.b = {1}};
    signet_span payload;
    struct wire_writer w = wire_writer(&proof);

    (void)state;
    wire_put_array(&w, 3);
    wire_put_uint(&w, 2);
    wire_put_uint(&w, 0);
    wire_put_array(&w, 1);
    wire_put_id(&w, &hash);
    CHECK_OK(wire_writer_finish(&w));
    CHECK_OK(cose_protected_write(COSE_BATCH, TYP_ENTRY, &header));
    w = wire_writer(&batch);
    wire_put_tag(&w, COSE_TAG_SIGN1);
    wire_put_array(&w, 4);
    wire_put_bytes(&w, signet_buf_span(&header));
    wire_put_map(&w, 1);
    wire_put_uint(&w, COSE_HEADER_VDP);
    wire_put_map(&w, 1);
    wire_put_negative(&w, COSE_PROOF_INCLUSION);
    wire_put_array(&w, 1);
    wire_put_bytes(&w, signet_buf_span(&proof));
    wire_put_null(&w);
    wire_put_bytes(&w, signet_span_str("signature"));
    CHECK_OK(wire_writer_finish(&w));
    CHECK_ERR(open_with(f.key, TYP_ENTRY, &batch), SIGNET_ERR_PROFILE);
    CHECK_ERR(signed_peek(signet_buf_span(&batch), TYP_ENTRY, &payload), SIGNET_ERR_PROFILE);
    signet_buf_free(&batch);
    signet_buf_free(&header);
    signet_buf_free(&proof);
    fixture_free(&f);
}

/* PSS is random (RFC 8017, section 9.1): the COSE bytes name nothing, the payload does. */
static void two_signatures_over_the_same_differ_and_hold(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf again = {0};

    (void)state;
    CHECK_OK(signed_make(f.key, TYP_ENTRY, signet_span_str("payload"), &again));
    CHECK(!signet_span_equal(signet_buf_span(&again), signet_buf_span(&f.cose)));
    CHECK_OK(open_with(f.key, TYP_ENTRY, &again));
    signet_buf_free(&again);
    fixture_free(&f);
}

TEST_FILE(signed)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_opens_under_its_key_only),
        cmocka_unit_test(no_purpose_serves_as_another),
        cmocka_unit_test(every_byte_is_covered),
        cmocka_unit_test(a_batch_is_refused),
        cmocka_unit_test(two_signatures_over_the_same_differ_and_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
