/* wire: the envelope as bytes; docs/protocol.md, sections 5 and 6. */
#include "tests/support/unit.h"

#include "tests/support/flip.h"
#include "wire/envelope.h"

static const uint8_t filler[ENVELOPE_MAX];

/* What an envelope is written from; the lengths are the ones to vary. */
struct parts {
    uint64_t version, suite;
    size_t tag_len, salt_len, ephemeral_len, oaep_len, sealed_len, header_len, body_len;
    bool has_init, has_one_time, has_kem;
    uint64_t one_time;
};

static const struct parts plain = {.version = 1,
    .suite = 1,
    .tag_len = 8,
    .salt_len = 16,
    .ephemeral_len = 32,
    .oaep_len = 384,
    .sealed_len = 2000,
    .header_len = 88,
    .body_len = 300};
static const struct parts first = {.version = 1,
    .suite = 1,
    .tag_len = 8,
    .salt_len = 16,
    .ephemeral_len = 32,
    .oaep_len = 384,
    .sealed_len = 2000,
    .header_len = 88,
    .body_len = 300,
    .has_init = true,
    .has_one_time = true,
    .one_time = 255};

static void put_init(struct wire_writer *w, const struct parts *parts)
{
    static const struct signet_id bundle = {.b = {7}};

    wire_put_array(w, 7);
    wire_put_uint(w, parts->suite);
    wire_put_id(w, &bundle);
    if (parts->has_one_time)
        wire_put_uint(w, parts->one_time);
    else
        wire_put_null(w);
    wire_put_bytes(w, signet_span_of(filler, parts->ephemeral_len));
    wire_put_bytes(w, signet_span_of(filler, parts->oaep_len));
    if (parts->has_kem)
        wire_put_bytes(w, signet_span_of(filler, 32));
    else
        wire_put_null(w);
    wire_put_bytes(w, signet_span_of(filler, parts->sealed_len));
}

static struct signet_buf assemble(const struct parts *parts)
{
    struct signet_buf bytes = {0};
    struct wire_writer w = wire_writer(&bytes);

    wire_put_array(&w, 6);
    wire_put_uint(&w, parts->version);
    wire_put_bytes(&w, signet_span_of(filler, parts->tag_len));
    wire_put_bytes(&w, signet_span_of(filler, parts->salt_len));
    if (parts->has_init)
        put_init(&w, parts);
    else
        wire_put_null(&w);
    wire_put_bytes(&w, signet_span_of(filler, parts->header_len));
    wire_put_bytes(&w, signet_span_of(filler, parts->body_len));
    CHECK_OK(wire_writer_finish(&w));
    return bytes;
}

/* Read, and see that a refusal leaves the result alone. */
static enum signet_err read_bytes(signet_span bytes)
{
    struct envelope e = {.tag = {filler, 77}};
    enum signet_err err = envelope_read(bytes, &e);

    CHECK((e.tag.len == 77) == (err != SIGNET_OK));
    return err;
}

static enum signet_err read_parts(const struct parts *parts)
{
    struct signet_buf bytes = assemble(parts);
    enum signet_err err = read_bytes(signet_buf_span(&bytes));

    signet_buf_free(&bytes);
    return err;
}

#define REFUSED(base, field, value, wanted)                                                        \
    do {                                                                                           \
        struct parts parts_ = (base);                                                              \
        parts_.field = (value);                                                                    \
        CHECK_ERR(read_parts(&parts_), (wanted));                                                  \
    } while (0)

/* docs/protocol.md, section 6: the CDDL, and what is associated data. */
static void fields_are_read_in_place(void **state)
{
    struct signet_buf bytes = assemble(&first);
    struct envelope e;

    (void)state;
    CHECK_OK(envelope_read(signet_buf_span(&bytes), &e));
    CHECK(e.has_init && e.init.has_one_time && e.init.one_time == 255 && e.init.bundle.b[0] == 7);
    CHECK(e.tag.len == 8 && e.salt.len == 16 && e.init.ephemeral.len == 32);
    CHECK(e.init.oaep.len == 384 && e.init.sealed.len == 2000);
    CHECK(e.header.len == 88 && e.body.len == 300);
    CHECK(e.header_ad.ptr == bytes.ptr && e.header_ad.ptr + e.header_ad.len == e.header.ptr);
    CHECK(e.body_ad.ptr == bytes.ptr && e.body_ad.ptr + e.body_ad.len == e.body.ptr);
    CHECK(e.body.ptr + e.body.len == bytes.ptr + bytes.len);
    signet_buf_free(&bytes);
    CHECK_OK(read_parts(&plain));
}

/* What the library writes is what this file assembles by hand. */
static void writing_gives_the_same_bytes(void **state)
{
    struct signet_buf wanted = assemble(&first), init = {0}, written = {0}, head = {0};
    struct envelope e;
    struct wire_writer w;

    (void)state;
    CHECK_OK(envelope_read(signet_buf_span(&wanted), &e));
    CHECK_OK(envelope_init_write(&e.init, &init));
    CHECK_OK(envelope_begin(e.tag, e.salt, signet_buf_span(&init), &written));
    CHECK(signet_span_equal(signet_buf_span(&written), e.header_ad));
    CHECK_OK(signet_buf_append(&written, e.header));
    w = wire_writer(&written);
    wire_put_bytes(&w, e.body);
    CHECK_OK(wire_writer_finish(&w));
    CHECK(signet_span_equal(signet_buf_span(&written), signet_buf_span(&wanted)));
    /* T1 hashes all of the init data but what is sealed. */
    CHECK_OK(envelope_init_public(&e.init, &head));
    CHECK(head.ptr[0] == 0x86 && init.ptr[0] == 0x87);
    CHECK(signet_span_equal(
        signet_span_of(head.ptr + 1, head.len - 1), signet_span_of(init.ptr + 1, head.len - 1)));
    signet_buf_free(&wanted);
    signet_buf_free(&init);
    signet_buf_free(&written);
    signet_buf_free(&head);
}

/* docs/protocol.md, section 6: each length is a constant or has a ceiling. */
static void other_lengths_are_refused(void **state)
{
    (void)state;
    REFUSED(plain, tag_len, 7, SIGNET_ERR_FORMAT);
    REFUSED(plain, tag_len, 9, SIGNET_ERR_LIMIT);
    REFUSED(plain, salt_len, 15, SIGNET_ERR_FORMAT);
    REFUSED(plain, salt_len, 17, SIGNET_ERR_LIMIT);
    REFUSED(plain, header_len, 87, SIGNET_ERR_FORMAT);
    REFUSED(plain, header_len, 89, SIGNET_ERR_LIMIT);
    REFUSED(plain, body_len, 0, SIGNET_ERR_FORMAT);
    REFUSED(plain, body_len, ENVELOPE_MAX, SIGNET_ERR_LIMIT);
    REFUSED(first, ephemeral_len, 31, SIGNET_ERR_FORMAT);
    REFUSED(first, ephemeral_len, 33, SIGNET_ERR_LIMIT);
    REFUSED(first, oaep_len, 0, SIGNET_ERR_FORMAT);
    REFUSED(first, oaep_len, 513, SIGNET_ERR_LIMIT);
    REFUSED(first, sealed_len, 0, SIGNET_ERR_FORMAT);
    REFUSED(first, one_time, UINT16_MAX + 1, SIGNET_ERR_LIMIT);
}

/* docs/protocol.md, section 8: `unsupported`; the place of suite 2's KEM stays empty. */
static void other_versions_and_suites_are_named(void **state)
{
    (void)state;
    REFUSED(plain, version, 0, SIGNET_ERR_SUITE);
    REFUSED(plain, version, 2, SIGNET_ERR_SUITE);
    REFUSED(first, suite, 0, SIGNET_ERR_SUITE);
    REFUSED(first, suite, 2, SIGNET_ERR_SUITE);
    REFUSED(first, has_kem, true, SIGNET_ERR_FORMAT);
}

/* docs/protocol.md, section 1: one encoding and no other. */
static void truncated_or_longer_bytes_are_refused(void **state)
{
    struct signet_buf bytes = assemble(&first);

    (void)state;
    for (size_t len = 0; len < bytes.len; len++)
        CHECK(read_bytes(signet_span_of(bytes.ptr, len)) != SIGNET_OK);
    CHECK_OK(signet_buf_fill(&bytes, 0xf6, 1));
    CHECK_ERR(read_bytes(signet_buf_span(&bytes)), SIGNET_ERR_FORMAT);
    signet_buf_free(&bytes);
}

/* Every byte that is not content decides. */
static void every_head_matters(void **state)
{
    struct signet_buf bytes = assemble(&first);
    struct envelope whole;

    (void)state;
    CHECK_OK(envelope_read(signet_buf_span(&bytes), &whole));
    for (size_t i = 0; i < bytes.len; i++) {
        struct signet_buf bad = flipped(signet_buf_span(&bytes), i);
        struct envelope e;

        /* Accepted, the change is in a field, which has its place and length as before. */
        if (envelope_read(signet_buf_span(&bad), &e) == SIGNET_OK)
            CHECK(e.header.ptr - bad.ptr == whole.header.ptr - bytes.ptr &&
                  e.body.len == whole.body.len && e.init.oaep.len == whole.init.oaep.len &&
                  e.init.sealed.len == whole.init.sealed.len);
        signet_buf_free(&bad);
    }
    signet_buf_free(&bytes);
}

TEST_FILE(envelope)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_in_place),
        cmocka_unit_test(writing_gives_the_same_bytes),
        cmocka_unit_test(other_lengths_are_refused),
        cmocka_unit_test(other_versions_and_suites_are_named),
        cmocka_unit_test(truncated_or_longer_bytes_are_refused),
        cmocka_unit_test(every_head_matters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
