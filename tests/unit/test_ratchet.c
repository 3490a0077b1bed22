/*
 * protocol: the ratchet; docs/protocol.md section 6.1; Signal, "The Double Ratchet Algorithm",
 * revision 1, section 4.
 *
 * A message here is an envelope whose body says nothing. Its header's commitment is the message key
 * itself, so that the receiver's key can be compared with the sender's.
 */
#include "tests/support/unit.h"

#include "protocol/ratchet.h"
#include "tests/support/flip.h"
#include "tests/support/seeded_library.h"

enum { A, B };
#define NOW    UINT64_C(1800000000000)
#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct sides {
    struct seeded_library seeded;
    struct ratchet *ratchet[2];
};

static struct sides sides_new(uint64_t seed)
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

static void sides_free(struct sides *s)
{
    ratchet_free(s->ratchet[A]);
    ratchet_free(s->ratchet[B]);
    seeded_library_free(&s->seeded);
}

/* A message with the header changed to that PN and N: what a peer with the keys could send. */
static struct signet_buf seal_as(
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
static struct signet_buf sent_by(struct sides *s, int side)
{
    struct ratchet_sending sending;
    struct signet_buf envelope;

    CHECK_OK(ratchet_sending(s->ratchet[side], &sending));
    envelope = seal_as(s, &sending, sending.header.previous_count, sending.header.number);
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
static enum signet_err receive_at(
    struct sides *s, int side, const struct signet_buf *bytes, uint64_t now_ms)
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

static enum signet_err receive(struct sides *s, int side, struct signet_buf *bytes)
{
    return receive_at(s, side, bytes, NOW);
}

static void deliver(struct sides *s, int from)
{
    struct signet_buf envelope = sent_by(s, from);

    CHECK_OK(receive(s, 1 - from, &envelope));
    signet_buf_free(&envelope);
}

static void lose(struct sides *s, int from, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct signet_buf envelope = sent_by(s, from);

        signet_buf_free(&envelope);
    }
}

/* Section 4.4: RatchetInitBobHE has no sending chain. */
static void a_responder_receives_before_it_sends(void **state)
{
    struct sides s = sides_new(1);
    struct ratchet_sending sending;

    (void)state;
    CHECK_ERR(ratchet_sending(s.ratchet[B], &sending), SIGNET_ERR_STATE);
    deliver(&s, A);
    deliver(&s, B);
    sides_free(&s);
}

/* Section 3.5; 1000 messages, each side in turn, and chains of every length up to 3. */
static void a_long_talk_keeps_no_keys(void **state)
{
    struct sides s = sides_new(2);

    (void)state;
    for (int i = 0; i < 1000; i++)
        deliver(&s, i % 7 % 3 == 0 ? A : (i == 1 || i % 2 == 1) ? B : A);
    CHECK(ratchet_skipped_count(s.ratchet[A]) == 0 && ratchet_skipped_count(s.ratchet[B]) == 0);
    sides_free(&s);
}

/* Section 2.6: out-of-order messages; a key is deleted when used. */
static void late_messages_open_exactly_once(void **state)
{
    struct sides s = sides_new(3);
    struct signet_buf m[6];

    (void)state;
    for (size_t i = 0; i < 6; i++)
        m[i] = sent_by(&s, A);
    CHECK_OK(receive(&s, B, &m[4]));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 4);
    CHECK_OK(receive(&s, B, &m[1]));
    CHECK_OK(receive(&s, B, &m[5]));
    CHECK_OK(receive(&s, B, &m[0]));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 2);
    for (size_t i = 0; i < 6; i++) {
        if (i != 2 && i != 3)
            CHECK_ERR(receive(&s, B, &m[i]), SIGNET_ERR_REPLAY);
    }
    CHECK_OK(receive(&s, B, &m[3]));
    CHECK_OK(receive(&s, B, &m[2]));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 0);
    for (size_t i = 0; i < 6; i++) {
        CHECK_ERR(receive(&s, B, &m[i]), SIGNET_ERR_REPLAY);
        signet_buf_free(&m[i]);
    }
    sides_free(&s);
}

/* Section 4.5: keys of the chain before are skipped up to PN, and found by their own header key. */
static void messages_of_an_earlier_chain_open_late(void **state)
{
    struct sides s = sides_new(4);
    struct signet_buf early[2], other;

    (void)state;
    deliver(&s, A);
    early[0] = sent_by(&s, A);
    early[1] = sent_by(&s, A);
    deliver(&s, B);
    other = sent_by(&s, A);
    deliver(&s, A);
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 3);
    CHECK_OK(receive(&s, B, &early[1]));
    CHECK_OK(receive(&s, B, &other));
    CHECK_ERR(receive(&s, B, &early[1]), SIGNET_ERR_REPLAY);
    CHECK_OK(receive(&s, B, &early[0]));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 0);
    /* The chain is forgotten with its last key, and its tag with it. */
    CHECK_ERR(receive(&s, B, &early[0]), SIGNET_ERR_UNKNOWN);
    signet_buf_free(&early[0]);
    signet_buf_free(&early[1]);
    signet_buf_free(&other);
    sides_free(&s);
}

/* docs/protocol.md, section 6.1: refused before any key is derived, to the message. */
static void a_flooded_counter_is_refused_before_deriving(void **state)
{
    static const uint32_t beyond[] = {SIGNET_SKIP_MAX + 2, UINT32_MAX / 2 + 1, UINT32_MAX};
    struct sides s = sides_new(5);
    struct ratchet_sending sending;
    uint64_t drawn;

    (void)state;
    deliver(&s, A);
    CHECK_OK(ratchet_sending(s.ratchet[A], &sending));
    drawn = seeded_library_drawn(&s.seeded);
    for (size_t i = 0; i < 3; i++) {
        struct signet_buf flood = seal_as(&s, &sending, 0, beyond[i]);
        struct ratchet *copy = NULL;
        struct ratchet_received received;
        struct envelope envelope;

        CHECK_ERR(receive(&s, B, &flood), SIGNET_ERR_LIMIT);
        CHECK_OK(envelope_read(signet_buf_span(&flood), &envelope));
        CHECK_OK(ratchet_copy(s.ratchet[B], &copy));
        CHECK_ERR(ratchet_receive(copy, &envelope, NOW, &received), SIGNET_ERR_LIMIT);
        CHECK(ratchet_skipped_count(copy) == 0);
        ratchet_free(copy);
        signet_buf_free(&flood);
    }
    CHECK(seeded_library_drawn(&s.seeded) == drawn);
    lose(&s, A, SIGNET_CHAIN_MESSAGES_MAX);
    deliver(&s, A);
    CHECK(ratchet_skipped_count(s.ratchet[B]) == SIGNET_CHAIN_MESSAGES_MAX);
    sides_free(&s);
}

/* The same for the counters of a new chain, N and PN, which count together. */
static void a_new_chain_cannot_flood_either(void **state)
{
    static const uint32_t refused[][2] = {{0, SIGNET_SKIP_MAX + 1}, {SIGNET_SKIP_MAX + 2, 0},
        {501, 501}, {UINT32_MAX, 0}, {0, UINT32_MAX}, {UINT32_MAX, UINT32_MAX}};
    struct sides s = sides_new(6);
    struct ratchet_sending sending;
    uint64_t drawn;

    (void)state;
    deliver(&s, A);
    deliver(&s, B);
    CHECK_OK(ratchet_sending(s.ratchet[A], &sending));
    drawn = seeded_library_drawn(&s.seeded);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct signet_buf flood = seal_as(&s, &sending, refused[i][0], refused[i][1]);

        CHECK_ERR(receive(&s, B, &flood), SIGNET_ERR_LIMIT);
        signet_buf_free(&flood);
    }
    CHECK(seeded_library_drawn(&s.seeded) == drawn); /* no ratchet step of our own either */
    deliver(&s, A);
    sides_free(&s);
}

/* docs/protocol.md, section 6.1: exactly 1,000 skipped is still accepted. */
static void a_message_exactly_as_far_ahead_as_allowed_opens(void **state)
{
    struct sides s = sides_new(7);
    struct ratchet_sending sending;
    struct signet_buf last;

    (void)state;
    lose(&s, A, SIGNET_SKIP_MAX - 1);
    last = sent_by(&s, A);
    /* Nobody may send what nobody may read. */
    CHECK_ERR(ratchet_sending(s.ratchet[A], &sending), SIGNET_ERR_LIMIT);
    CHECK(ratchet_sent_count(s.ratchet[A]) == SIGNET_SKIP_MAX);
    CHECK_OK(receive(&s, B, &last));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == SIGNET_SKIP_MAX - 1);
    signet_buf_free(&last);
    sides_free(&s);
}

/* A chain in which the first message is late; both sides move on to the next one. */
static struct signet_buf chain_with_late_message(struct sides *s)
{
    struct signet_buf late = sent_by(s, A);

    deliver(s, A);
    deliver(s, B);
    return late;
}

/* docs/protocol.md, section 6.1: at most 5 chains; the oldest goes, and nothing of the others. */
static void the_oldest_of_six_chains_is_given_up(void **state)
{
    struct sides s = sides_new(8);
    struct signet_buf late[SIGNET_CHAINS_MAX + 1];

    (void)state;
    for (size_t i = 0; i <= SIGNET_CHAINS_MAX; i++) {
        late[i] = chain_with_late_message(&s);
        CHECK(ratchet_skipped_count(s.ratchet[B]) ==
              (i < SIGNET_CHAINS_MAX ? i + 1 : SIGNET_CHAINS_MAX));
    }
    CHECK_ERR(receive(&s, B, &late[0]), SIGNET_ERR_UNKNOWN);
    for (size_t i = SIGNET_CHAINS_MAX; i > 0; i--)
        CHECK_OK(receive(&s, B, &late[i]));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 0);
    for (size_t i = 0; i <= SIGNET_CHAINS_MAX; i++)
        signet_buf_free(&late[i]);
    sides_free(&s);
}

/* The same where the oldest chain has many keys, and lies between those that stay. */
static void a_chain_is_given_up_with_all_its_keys(void **state)
{
    struct sides s = sides_new(9);
    struct signet_buf oldest, late[SIGNET_CHAINS_MAX];

    (void)state;
    oldest = sent_by(&s, A);
    lose(&s, A, 20);
    deliver(&s, A);
    deliver(&s, B);
    for (size_t i = 0; i < SIGNET_CHAINS_MAX; i++)
        late[i] = chain_with_late_message(&s);
    CHECK(ratchet_skipped_count(s.ratchet[B]) == SIGNET_CHAINS_MAX);
    CHECK_ERR(receive(&s, B, &oldest), SIGNET_ERR_UNKNOWN);
    for (size_t i = 0; i < SIGNET_CHAINS_MAX; i++) {
        CHECK_OK(receive(&s, B, &late[i]));
        signet_buf_free(&late[i]);
    }
    signet_buf_free(&oldest);
    sides_free(&s);
}

/* docs/protocol.md, section 6.1: at most 2,000 keys; the oldest go one by one. */
static void the_oldest_of_too_many_keys_are_given_up(void **state)
{
    struct sides s = sides_new(10);
    struct signet_buf first, second, third;

    (void)state;
    first = sent_by(&s, A);
    second = sent_by(&s, A);
    third = sent_by(&s, A);
    lose(&s, A, 897);
    deliver(&s, A); /* 900 skipped */
    deliver(&s, B);
    lose(&s, A, 900);
    deliver(&s, A); /* 1,800 */
    deliver(&s, B);
    lose(&s, A, 202);
    deliver(&s, A); /* two too many */
    CHECK(ratchet_skipped_count(s.ratchet[B]) == SIGNET_SKIPPED_KEYS_MAX);
    CHECK_ERR(receive(&s, B, &first), SIGNET_ERR_REPLAY);
    CHECK_ERR(receive(&s, B, &second), SIGNET_ERR_REPLAY);
    CHECK_OK(receive(&s, B, &third));
    signet_buf_free(&first);
    signet_buf_free(&second);
    signet_buf_free(&third);
    sides_free(&s);
}

/* docs/protocol.md, section 6.1: for 30 days. */
static void skipped_keys_are_forgotten_after_thirty_days(void **state)
{
    struct sides s = sides_new(11);
    struct signet_buf m[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        m[i] = sent_by(&s, A);
    CHECK_OK(receive_at(&s, B, &m[2], NOW));
    CHECK_OK(receive_at(&s, B, &m[1], NOW + 30 * DAY_MS));
    CHECK_ERR(receive_at(&s, B, &m[0], NOW + 30 * DAY_MS + 1), SIGNET_ERR_REPLAY);
    deliver(&s, A);
    for (size_t i = 0; i < 3; i++)
        signet_buf_free(&m[i]);
    sides_free(&s);
}

static void reload(struct sides *s, int side)
{
    struct signet_buf bytes = encoded(s->ratchet[side]), again;
    struct ratchet *decoded = NULL;

    CHECK_OK(ratchet_decode(s->seeded.library, signet_buf_span(&bytes), &decoded));
    again = encoded(decoded);
    CHECK(signet_span_equal(signet_buf_span(&bytes), signet_buf_span(&again)));
    ratchet_free(s->ratchet[side]);
    s->ratchet[side] = decoded;
    signet_buf_free(&bytes);
    signet_buf_free(&again);
}

/* ratchet.h: the secret form is the whole state, whenever it is taken. */
static void a_ratchet_goes_on_from_its_encoded_form(void **state)
{
    struct sides s = sides_new(12);
    struct signet_buf late;

    (void)state;
    reload(&s, A);
    reload(&s, B);
    late = sent_by(&s, A);
    lose(&s, A, 40);
    deliver(&s, A);
    for (int i = 0; i < 10; i++) {
        reload(&s, i % 2);
        reload(&s, 1 - i % 2);
        deliver(&s, 1 - i % 2);
    }
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 41);
    CHECK_OK(receive(&s, B, &late));
    signet_buf_free(&late);
    sides_free(&s);
}

/* What a damaged store may hold: no byte changed and no length shortened leads out of bounds. */
static void a_damaged_form_is_refused_or_harmless(void **state)
{
    struct sides s = sides_new(13);
    struct signet_buf late = sent_by(&s, A), bytes;
    struct ratchet_received received;
    struct envelope envelope;

    (void)state;
    deliver(&s, A);
    bytes = encoded(s.ratchet[B]);
    CHECK_OK(envelope_read(signet_buf_span(&late), &envelope));
    for (size_t i = 0; i < bytes.len; i++) {
        struct signet_buf bad = flipped(signet_buf_span(&bytes), i);
        struct ratchet *decoded = NULL;

        CHECK(
            ratchet_decode(s.seeded.library, signet_span_of(bytes.ptr, i), &decoded) != SIGNET_OK);
        if (ratchet_decode(s.seeded.library, signet_buf_span(&bad), &decoded) == SIGNET_OK &&
            ratchet_receive(decoded, &envelope, NOW, &received) == SIGNET_OK)
            CHECK(ratchet_skipped_count(decoded) == 0);
        ratchet_free(decoded);
        signet_buf_free(&bad);
    }
    signet_buf_free(&bytes);
    signet_buf_free(&late);
    sides_free(&s);
}

static bool has_tag(const struct sides *s, int side, const struct signet_tag *tag)
{
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX];
    size_t count = 0;
    bool found = false;

    CHECK_OK(ratchet_tags(s->ratchet[side], tags, &count));
    for (size_t i = 0; i < count; i++) {
        found = found || memcmp(&tags[i], tag, sizeof(*tag)) == 0;
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(&tags[i], &tags[j], sizeof(tags[i]));
    }
    return found;
}

static struct signet_tag sending_tag(const struct sides *s, int side)
{
    struct ratchet_sending sending;
    struct signet_tag tag;

    CHECK_OK(ratchet_sending(s->ratchet[side], &sending));
    CHECK_OK(header_key_tag(s->seeded.library, &sending.header_key, &tag));
    return tag;
}

/* docs/protocol.md, section 6.1: the tag changes with each chain; the receiver knows the present
 * and the next one, and those of skipped messages. */
static void tags_rotate_with_the_chains(void **state)
{
    struct sides s = sides_new(14);
    struct signet_tag seen[8];

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        seen[i] = sending_tag(&s, A);
        CHECK(has_tag(&s, B, &seen[i]));
        CHECK(!has_tag(&s, A, &seen[i])); /* a reflected message finds no session */
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(&seen[i], &seen[j], sizeof(seen[i]));
        if (i == 2)
            lose(&s, A, 1);
        deliver(&s, A);
        CHECK(has_tag(&s, B, &seen[i]));
        deliver(&s, B);
    }
    CHECK(has_tag(&s, B, &seen[2]));  /* a message is missing there */
    CHECK(!has_tag(&s, B, &seen[5])); /* nothing is missing */
    sides_free(&s);
}

/* Section 4.1: without the header key nothing of a header can be changed. */
static void a_changed_header_is_refused(void **state)
{
    struct sides s = sides_new(15);
    struct signet_buf good = sent_by(&s, A);
    struct envelope e;

    (void)state;
    CHECK_OK(envelope_read(signet_buf_span(&good), &e));
    for (size_t i = 0; i < ENVELOPE_HEADER_LEN; i++) {
        struct signet_buf bad =
            flipped(signet_buf_span(&good), (size_t)(e.header.ptr - good.ptr) + i);

        CHECK_ERR(receive(&s, B, &bad), SIGNET_ERR_AUTH);
        signet_buf_free(&bad);
    }
    CHECK_OK(receive(&s, B, &good));
    signet_buf_free(&good);
    sides_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_responder_receives_before_it_sends),
        cmocka_unit_test(a_long_talk_keeps_no_keys),
        cmocka_unit_test(late_messages_open_exactly_once),
        cmocka_unit_test(messages_of_an_earlier_chain_open_late),
        cmocka_unit_test(a_flooded_counter_is_refused_before_deriving),
        cmocka_unit_test(a_new_chain_cannot_flood_either),
        cmocka_unit_test(a_message_exactly_as_far_ahead_as_allowed_opens),
        cmocka_unit_test(the_oldest_of_six_chains_is_given_up),
        cmocka_unit_test(a_chain_is_given_up_with_all_its_keys),
        cmocka_unit_test(the_oldest_of_too_many_keys_are_given_up),
        cmocka_unit_test(skipped_keys_are_forgotten_after_thirty_days),
        cmocka_unit_test(a_ratchet_goes_on_from_its_encoded_form),
        cmocka_unit_test(a_damaged_form_is_refused_or_harmless),
        cmocka_unit_test(tags_rotate_with_the_chains),
        cmocka_unit_test(a_changed_header_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
