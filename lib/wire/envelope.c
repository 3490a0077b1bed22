/* The envelope as bytes: docs/protocol.md, sections 5 and 6. */
#include "wire/envelope.h"

enum { ENVELOPE_FIELDS = 6, INIT_FIELDS = 7, INIT_PUBLIC_FIELDS = 6 };

static void read_init(struct wire_reader *r, struct envelope_init *init)
{
    wire_expect_array(r, INIT_FIELDS);
    if (wire_get_uint(r, UINT16_MAX) != ENVELOPE_SUITE_1)
        wire_reader_fail(r, SIGNET_ERR_SUITE);
    wire_get_id(r, &init->bundle);
    init->has_one_time = !wire_get_null(r);
    if (init->has_one_time)
        init->one_time = (uint32_t)wire_get_uint(r, UINT16_MAX);
    init->ephemeral = wire_get_bytes(r, ENVELOPE_DH_LEN, ENVELOPE_DH_LEN);
    init->oaep = wire_get_bytes(r, 1, ENVELOPE_OAEP_MAX);
    if (!wire_get_null(r)) /* suite 2's place */
        wire_reader_fail(r, SIGNET_ERR_FORMAT);
    init->sealed = wire_get_bytes(r, 1, ENVELOPE_MAX);
}

enum signet_err envelope_read(signet_span in, struct envelope *out)
{
    struct wire_reader r = wire_reader(in);
    struct envelope e = {0};
    enum signet_err err;

    if (in.len > ENVELOPE_MAX)
        return SIGNET_ERR_LIMIT;
    wire_expect_array(&r, ENVELOPE_FIELDS);
    if (wire_get_uint(&r, UINT16_MAX) != ENVELOPE_VERSION)
        wire_reader_fail(&r, SIGNET_ERR_SUITE);
    e.tag = wire_get_bytes(&r, ENVELOPE_TAG_LEN, ENVELOPE_TAG_LEN);
    e.salt = wire_get_bytes(&r, ENVELOPE_SALT_LEN, ENVELOPE_SALT_LEN);
    e.has_init = !wire_get_null(&r);
    if (e.has_init)
        read_init(&r, &e.init);
    e.header = wire_get_bytes(&r, ENVELOPE_HEADER_LEN, ENVELOPE_HEADER_LEN);
    e.body = wire_get_bytes(&r, 1, ENVELOPE_MAX);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    e.header_ad = signet_span_of(in.ptr, (size_t)(e.header.ptr - in.ptr));
    e.body_ad = signet_span_of(in.ptr, (size_t)(e.body.ptr - in.ptr));
    *out = e;
    return SIGNET_OK;
}

/* The fields that init data and its public part have in common. */
static void put_public(struct wire_writer *w, const struct envelope_init *init)
{
    wire_put_uint(w, ENVELOPE_SUITE_1);
    wire_put_id(w, &init->bundle);
    if (init->has_one_time)
        wire_put_uint(w, init->one_time);
    else
        wire_put_null(w);
    wire_put_bytes(w, init->ephemeral);
    wire_put_bytes(w, init->oaep);
    wire_put_null(w);
}

enum signet_err envelope_init_write(const struct envelope_init *init, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, INIT_FIELDS);
    put_public(&w, init);
    wire_put_bytes(&w, init->sealed);
    return wire_writer_finish(&w);
}

enum signet_err envelope_init_public(const struct envelope_init *init, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, INIT_PUBLIC_FIELDS);
    put_public(&w, init);
    return wire_writer_finish(&w);
}

enum signet_err envelope_begin(
    signet_span tag, signet_span salt, signet_span init, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, ENVELOPE_FIELDS);
    wire_put_uint(&w, ENVELOPE_VERSION);
    wire_put_bytes(&w, tag);
    wire_put_bytes(&w, salt);
    if (init.len > 0)
        wire_put_encoded(&w, init);
    else
        wire_put_null(&w);
    wire_put_bytes_head(&w, ENVELOPE_HEADER_LEN);
    return wire_writer_finish(&w);
}
