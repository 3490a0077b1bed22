/* Lines of the history as records. */
#include "engine/history/message.h"

#include <string.h>

#include "wire/cbor.h"

enum { FORMAT_VERSION = 1, FIELDS = 19, SIGNED_MAX = 16384 };

enum signet_err message_encode(const struct message *m, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, FIELDS);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_uint(&w, m->is_outgoing);
    wire_put_uint(&w, (uint64_t)m->verdict);
    wire_put_id(&w, &m->id);
    wire_put_id(&w, &m->conversation);
    wire_put_id(&w, &m->address);
    wire_put_id(&w, &m->peer);
    wire_put_id(&w, &m->device);
    wire_put_uint(&w, m->sequence);
    wire_put_uint(&w, m->sent_at);
    wire_put_uint(&w, m->received_at);
    wire_put_uint(&w, m->accepted_at);
    wire_put_uint(&w, m->kind);
    wire_put_uint(&w, m->suite);
    wire_put_uint(&w, m->missing);
    wire_put_bytes(&w, signet_buf_span(&m->text));
    wire_put_bytes(&w, signet_buf_span(&m->signed_bytes));
    wire_put_bytes(&w, signet_span_of(m->salt, sizeof(m->salt)));
    wire_put_null(&w); /* kept for what a further kind of message needs */
    return wire_writer_finish(&w);
}

enum signet_err message_decode(signet_span value, struct message *message_out)
{
    struct wire_reader r = wire_reader(value);
    struct message m = {0};
    signet_span text, signed_bytes, salt;
    enum signet_err err;

    wire_expect_array(&r, FIELDS);
    wire_expect_uint(&r, FORMAT_VERSION);
    m.is_outgoing = wire_get_uint(&r, 1) == 1;
    m.verdict = (enum verdict)wire_get_uint(&r, VERDICT_UNSUPPORTED);
    wire_get_id(&r, &m.id);
    wire_get_id(&r, &m.conversation);
    wire_get_id(&r, &m.address);
    wire_get_id(&r, &m.peer);
    wire_get_id(&r, &m.device);
    m.sequence = wire_get_uint(&r, UINT64_MAX);
    m.sent_at = wire_get_uint(&r, UINT64_MAX);
    m.received_at = wire_get_uint(&r, UINT64_MAX);
    m.accepted_at = wire_get_uint(&r, UINT64_MAX);
    m.kind = wire_get_uint(&r, UINT16_MAX);
    m.suite = wire_get_uint(&r, UINT16_MAX);
    m.missing = wire_get_uint(&r, UINT64_MAX);
    text = wire_get_bytes(&r, 0, SIGNET_TEXT_MAX);
    signed_bytes = wire_get_bytes(&r, 0, SIGNED_MAX);
    salt = wire_get_bytes(&r, sizeof(m.salt), sizeof(m.salt));
    if (!wire_get_null(&r))
        wire_reader_fail(&r, SIGNET_ERR_FORMAT);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    memcpy(m.salt, salt.ptr, sizeof(m.salt));
    if ((err = signet_buf_append(&m.text, text)) == SIGNET_OK)
        err = signet_buf_append(&m.signed_bytes, signed_bytes);
    if (err != SIGNET_OK) {
        message_clear(&m);
        return err;
    }
    *message_out = m;
    return SIGNET_OK;
}

void message_clear(struct message *message)
{
    signet_buf_free(&message->text);
    signet_buf_free(&message->signed_bytes);
    memset(message, 0, sizeof(*message));
}
