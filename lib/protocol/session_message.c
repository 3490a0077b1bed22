/* Sealing and opening in a session, and its secret form: docs/protocol.md, section 6. */
#include <signet/session.h>

#include <string.h>

#include "crypto/secret.h"
#include "protocol/padding.h"
#include "protocol/session_internal.h"
#include "wire/envelope.h"

enum { FORMAT_VERSION = 1, FIELDS = 10, RATCHET_MAX = 262144 };

/* The prefix up to the header's ciphertext: version, tag, salt, init data. */
static enum signet_err begin(const struct signet_session *session,
    const struct header_key *header_key, signet_span salt, struct signet_buf *out)
{
    struct signet_tag tag;
    enum signet_err err = header_key_tag(session->library, header_key, &tag);

    if (err != SIGNET_OK)
        return err;
    return envelope_begin(
        signet_span_of(tag.b, sizeof(tag.b)), salt, signet_buf_span(&session->init), out);
}

/* The body: its head, then its ciphertext with all before it as associated data. */
static enum signet_err seal_body(struct signet_library *library, const struct crypto_aead_key *key,
    signet_span content, struct signet_buf *out)
{
    struct signet_buf padded = {0};
    struct wire_writer w;
    enum signet_err err;

    if ((err = padding_add(content, &padded)) != SIGNET_OK)
        goto out;
    w = wire_writer(out);
    wire_put_bytes_head(&w, padded.len + CRYPTO_AEAD_TAG_LEN);
    if ((err = wire_writer_finish(&w)) != SIGNET_OK)
        goto out;
    /* Room first: the associated data must not move while it is read. */
    if ((err = signet_buf_reserve(out, padded.len + CRYPTO_AEAD_TAG_LEN)) != SIGNET_OK)
        goto out;
    err = crypto_aead_seal(library, key, signet_buf_span(out), signet_buf_span(&padded), out);
out:
    signet_buf_free(&padded);
    return err;
}

/* One envelope with what the ratchet gave for it. */
static enum signet_err seal_with(const struct signet_session *session,
    struct ratchet_sending *sending, signet_span content, struct signet_buf *out)
{
    uint8_t salt_bytes[ENVELOPE_SALT_LEN];
    signet_span salt = signet_span_of(salt_bytes, sizeof(salt_bytes));
    struct header_seal header = {&sending->header_key, &sending->header, salt};
    struct body_keys keys;
    enum signet_err err;

    err = crypto_random_public(session->library, salt_bytes, sizeof(salt_bytes));
    if (err != SIGNET_OK)
        return err;
    err = body_keys_derive(session->library, &sending->message_key, salt, &keys);
    if (err != SIGNET_OK)
        return err;
    memcpy(sending->header.commitment, keys.commitment, COMMITMENT_LEN);
    if ((err = begin(session, &sending->header_key, salt, out)) != SIGNET_OK)
        goto out;
    if ((err = header_seal(session->library, &header, out)) != SIGNET_OK)
        goto out;
    if ((err = seal_body(session->library, &keys.aead, content, out)) != SIGNET_OK)
        goto out;
    if (out->len > SIGNET_ENVELOPE_MAX)
        err = SIGNET_ERR_LIMIT;
out:
    crypto_wipe(&keys, sizeof(keys));
    return err;
}

enum signet_err signet_session_seal(
    struct signet_session *session, signet_span content, struct signet_buf *envelope_out)
{
    struct ratchet_sending sending;
    struct signet_buf envelope = {0}; /* starts at 0: the associated data is all before */
    enum signet_err err;

    if (content.len > SIGNET_ENVELOPE_MAX)
        return SIGNET_ERR_LIMIT;
    if ((err = ratchet_sending(session->ratchet, &sending)) != SIGNET_OK)
        return err;
    if ((err = seal_with(session, &sending, content, &envelope)) != SIGNET_OK)
        goto out;
    if ((err = signet_buf_reserve(envelope_out, envelope.len)) != SIGNET_OK)
        goto out;
    if ((err = ratchet_sent(session->ratchet)) != SIGNET_OK)
        goto out;
    err = signet_buf_append(envelope_out, signet_buf_span(&envelope)); /* reserved */
out:
    crypto_wipe(&sending, sizeof(sending));
    signet_buf_free(&envelope);
    return err;
}

/* The body under the key that the header committed to. */
static enum signet_err open_body(const struct signet_session *session,
    const struct envelope *envelope, const struct ratchet_received *received,
    struct signet_buf *content_out)
{
    struct signet_buf padded = {0};
    struct body_keys keys;
    signet_span content;
    enum signet_err err;

    err = body_keys_derive(session->library, &received->message_key, envelope->salt, &keys);
    if (err != SIGNET_OK)
        return err;
    /* GCM does not commit to its key: one ciphertext can open under two (invisible salamanders).
     * The header's commitment rules the second one out, before anything is decrypted. */
    err = SIGNET_ERR_AUTH;
    if (!crypto_equal(signet_span_of(keys.commitment, COMMITMENT_LEN),
            signet_span_of(received->header.commitment, COMMITMENT_LEN)))
        goto out;
    err =
        crypto_aead_open(session->library, &keys.aead, envelope->body_ad, envelope->body, &padded);
    if (err != SIGNET_OK)
        goto out;
    if ((err = padding_strip(signet_buf_span(&padded), &content)) != SIGNET_OK)
        goto out;
    err = signet_buf_append(content_out, content);
out:
    crypto_wipe(&keys, sizeof(keys));
    signet_buf_free(&padded);
    return err;
}

enum signet_err signet_session_open(struct signet_session *session, signet_span envelope,
    uint64_t now_ms, struct signet_buf *content_out)
{
    struct ratchet_received received = {0};
    struct ratchet *copy = NULL;
    struct envelope e;
    enum signet_err err;

    if ((err = envelope_read(envelope, &e)) != SIGNET_OK)
        return err;
    if ((err = ratchet_copy(session->ratchet, &copy)) != SIGNET_OK)
        return err;
    if ((err = ratchet_receive(copy, &e, now_ms, &received)) != SIGNET_OK)
        goto out;
    if ((err = open_body(session, &e, &received, content_out)) != SIGNET_OK)
        goto out;
    ratchet_free(session->ratchet);
    session->ratchet = copy;
    copy = NULL;
    session->received_at = now_ms > 0 ? now_ms : 1;
    signet_buf_free(&session->init); /* answered: the init data has arrived */
out:
    ratchet_free(copy);
    crypto_wipe(&received, sizeof(received));
    return err;
}

enum signet_err signet_session_encode(const struct signet_session *session, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);
    struct signet_buf ratchet = {0};
    enum signet_err err;

    w.err = ratchet_encode(session->ratchet, &ratchet);
    wire_put_array(&w, FIELDS);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_uint(&w, session->is_initiator);
    wire_put_id(&w, &session->transcript);
    wire_put_id(&w, &session->peer_address);
    wire_put_id(&w, &session->peer_device);
    wire_put_id(&w, &session->peer_list);
    wire_put_uint(&w, session->created_at);
    wire_put_uint(&w, session->received_at);
    wire_put_bytes(&w, signet_buf_span(&session->init));
    wire_put_bytes(&w, signet_buf_span(&ratchet));
    err = wire_writer_finish(&w);
    signet_buf_free(&ratchet);
    return err;
}

enum signet_err signet_session_decode(
    struct signet_library *library, signet_span encoded, struct signet_session **session_out)
{
    struct wire_reader r = wire_reader(encoded);
    struct signet_session *session = crypto_secret_alloc(sizeof(*session));
    signet_span init, ratchet;
    enum signet_err err;

    if (session == NULL)
        return SIGNET_ERR_NOMEM;
    session->library = library;
    wire_expect_array(&r, FIELDS);
    wire_expect_uint(&r, FORMAT_VERSION);
    session->is_initiator = wire_get_uint(&r, 1) == 1;
    wire_get_id(&r, &session->transcript);
    wire_get_id(&r, &session->peer_address);
    wire_get_id(&r, &session->peer_device);
    wire_get_id(&r, &session->peer_list);
    session->created_at = wire_get_uint(&r, UINT64_MAX);
    session->received_at = wire_get_uint(&r, UINT64_MAX);
    init = wire_get_bytes(&r, 0, SIGNET_ENVELOPE_MAX);
    ratchet = wire_get_bytes(&r, 1, RATCHET_MAX);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        goto out;
    if ((err = signet_buf_append(&session->init, init)) != SIGNET_OK)
        goto out;
    if ((err = ratchet_decode(library, ratchet, &session->ratchet)) != SIGNET_OK)
        goto out;
    *session_out = session;
    session = NULL;
out:
    signet_session_free(session);
    return err;
}
