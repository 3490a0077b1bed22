/* Two ratchets that talk to one another. */
#include "tests/support/sides.h"

#include "tests/support/unit.h"

struct sides sides_new(uint64_t seed)
{
    struct sides s = {.seeded = seeded_library_new(seed)};
    struct handshake_keys keys;
    struct crypto_dh_pair prekey;

    memset(keys.root, 1, sizeof(keys.root));
    memset(keys.header_a, 2, sizeof(keys.header_a));
    memset(keys.header_b, 3, sizeof(keys.header_b));
    CHECK_OK(crypto_dh_generate(s.seeded.library, &prekey));
    CHECK_OK(ratchet_new_initiator(s.seeded.library, &keys, &prekey.public_key, &s.ratchet[A]));
    CHECK_OK(ratchet_new_responder(s.seeded.library, &keys, &prekey, &s.ratchet[B]));
    return s;
}

void sides_free(struct sides *s)
{
    ratchet_free(s->ratchet[A]);
    ratchet_free(s->ratchet[B]);
    seeded_library_free(&s->seeded);
}

/* A message with the header changed to that PN and N: what a peer with the keys could send. */
struct signet_buf sides_seal_as(
    struct sides *s, const struct ratchet_sending *sending, uint32_t previous, uint32_t number)
{
    static const uint8_t salt_bytes[ENVELOPE_SALT_LEN];
    signet_span salt = signet_span_of(salt_bytes, sizeof(salt_bytes));
    struct message_header header = sending->header;
    struct header_seal seal = {&sending->header_key, &header, salt};
    struct signet_buf envelope = {0};
    struct signet_tag tag;
    struct wire_writer w;

    header.previous_count = previous;
    header.number = number;
    memcpy(header.commitment, sending->message_key.k, sizeof(header.commitment));
    CHECK_OK(header_key_tag(s->seeded.library, &sending->header_key, &tag));
    CHECK_OK(envelope_begin(
        signet_span_of(tag.b, sizeof(tag.b)), salt, signet_span_of(NULL, 0), &envelope));
    CHECK_OK(header_seal(s->seeded.library, &seal, &envelope));
    w = wire_writer(&envelope);
    wire_put_bytes(&w, signet_span_str("body"));
    CHECK_OK(wire_writer_finish(&w));
    return envelope;
}

/* The next message of that side. */
struct signet_buf sides_send(struct sides *s, enum side side)
{
    struct ratchet_sending sending;
    struct signet_buf envelope;

    CHECK_OK(ratchet_sending(s->ratchet[side], &sending));
    envelope = sides_seal_as(s, &sending, sending.header.previous_count, sending.header.number);
    CHECK_OK(ratchet_sent(s->ratchet[side]));
    return envelope;
}

static struct signet_buf encoded(const struct ratchet *ratchet)
{
    struct signet_buf bytes = {0};

    CHECK_OK(ratchet_encode(ratchet, &bytes));
    return bytes;
}

/* Receive as a session does: on a copy, kept where all held and the key is the sender's. */
enum signet_err sides_receive_at(
    struct sides *s, enum side side, const struct signet_buf *bytes, uint64_t now_ms)
{
    struct signet_buf before = encoded(s->ratchet[side]), after;
    struct ratchet_received received = {.header = {.number = 0}};
    struct ratchet *copy = NULL;
    struct envelope envelope;
    enum signet_err err;

    CHECK_OK(envelope_read(signet_buf_span(bytes), &envelope));
    CHECK_OK(ratchet_copy(s->ratchet[side], &copy));
    err = ratchet_receive(copy, &envelope, now_ms, &received);
    after = encoded(s->ratchet[side]);
    CHECK(signet_span_equal(signet_buf_span(&before), signet_buf_span(&after)));
    if (err == SIGNET_OK) {
        assert_memory_equal(received.message_key.k, received.header.commitment, 32);
        ratchet_free(s->ratchet[side]);
        s->ratchet[side] = copy;
        copy = NULL;
    }
    ratchet_free(copy);
    signet_buf_free(&before);
    signet_buf_free(&after);
    return err;
}

enum signet_err sides_receive(struct sides *s, enum side side, const struct signet_buf *bytes)
{
    return sides_receive_at(s, side, bytes, SIDES_NOW);
}

void sides_deliver(struct sides *s, enum side from)
{
    struct signet_buf envelope = sides_send(s, from);

    CHECK_OK(sides_receive(s, 1 - from, &envelope));
    signet_buf_free(&envelope);
}

void sides_lose(struct sides *s, enum side from, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct signet_buf envelope = sides_send(s, from);

        signet_buf_free(&envelope);
    }
}
