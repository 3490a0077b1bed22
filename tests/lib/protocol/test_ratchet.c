/*
 * protocol: the ratchet; docs/protocol.md section 6.1; Signal, "The Double Ratchet Algorithm",
 * revision 1, section 4.
 */
#include "tests/support/unit.h"

#include "tests/support/flip.h"
#include "tests/support/sides.h"

static struct signet_buf encoded(const struct ratchet *ratchet)
{
    struct signet_buf bytes = {0};

    CHECK_OK(ratchet_encode(ratchet, &bytes));
    return bytes;
}

/* Section 4.4: RatchetInitBobHE has no sending chain. */
static void a_responder_receives_before_it_sends(void **state)
{
    struct sides s = sides_new(1);
    struct ratchet_sending sending;

    (void)state;
    CHECK_ERR(ratchet_sending(s.ratchet[B], &sending), SIGNET_ERR_STATE);
    sides_deliver(&s, A);
    sides_deliver(&s, B);
    sides_free(&s);
}

/* Section 3.5; 1000 messages, each side in turn, and chains of every length up to 3. */
static void a_long_talk_keeps_no_keys(void **state)
{
    struct sides s = sides_new(2);

    (void)state;
    for (int i = 0; i < 1000; i++)
        sides_deliver(&s, i % 7 % 3 == 0 ? A : (i == 1 || i % 2 == 1) ? B : A);
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
        m[i] = sides_send(&s, A);
    CHECK_OK(sides_receive(&s, B, &m[4]));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 4);
    CHECK_OK(sides_receive(&s, B, &m[1]));
    CHECK_OK(sides_receive(&s, B, &m[5]));
    CHECK_OK(sides_receive(&s, B, &m[0]));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 2);
    for (size_t i = 0; i < 6; i++) {
        if (i != 2 && i != 3)
            CHECK_ERR(sides_receive(&s, B, &m[i]), SIGNET_ERR_REPLAY);
    }
    CHECK_OK(sides_receive(&s, B, &m[3]));
    CHECK_OK(sides_receive(&s, B, &m[2]));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 0);
    for (size_t i = 0; i < 6; i++) {
        CHECK_ERR(sides_receive(&s, B, &m[i]), SIGNET_ERR_REPLAY);
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
    sides_deliver(&s, A);
    early[0] = sides_send(&s, A);
    early[1] = sides_send(&s, A);
    sides_deliver(&s, B);
    other = sides_send(&s, A);
    sides_deliver(&s, A);
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 3);
    CHECK_OK(sides_receive(&s, B, &early[1]));
    CHECK_OK(sides_receive(&s, B, &other));
    CHECK_ERR(sides_receive(&s, B, &early[1]), SIGNET_ERR_REPLAY);
    CHECK_OK(sides_receive(&s, B, &early[0]));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 0);
    /* The chain is forgotten with its last key, and its tag with it. */
    CHECK_ERR(sides_receive(&s, B, &early[0]), SIGNET_ERR_UNKNOWN);
    signet_buf_free(&early[0]);
    signet_buf_free(&early[1]);
    signet_buf_free(&other);
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
    late = sides_send(&s, A);
    sides_lose(&s, A, 40);
    sides_deliver(&s, A);
    for (int i = 0; i < 10; i++) {
        reload(&s, i % 2);
        reload(&s, 1 - i % 2);
        sides_deliver(&s, i % 2 == 0 ? B : A);
    }
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 41);
    CHECK_OK(sides_receive(&s, B, &late));
    signet_buf_free(&late);
    sides_free(&s);
}

/* What a damaged store may hold: no byte changed and no length shortened leads out of bounds. */
static void a_damaged_form_is_refused_or_harmless(void **state)
{
    struct sides s = sides_new(13);
    struct signet_buf late = sides_send(&s, A), bytes;
    struct ratchet_received received;
    struct envelope envelope;

    (void)state;
    sides_deliver(&s, A);
    bytes = encoded(s.ratchet[B]);
    CHECK_OK(envelope_read(signet_buf_span(&late), &envelope));
    for (size_t i = 0; i < bytes.len; i++) {
        struct signet_buf bad = flipped(signet_buf_span(&bytes), i);
        struct ratchet *decoded = NULL;

        CHECK(
            ratchet_decode(s.seeded.library, signet_span_of(bytes.ptr, i), &decoded) != SIGNET_OK);
        if (ratchet_decode(s.seeded.library, signet_buf_span(&bad), &decoded) == SIGNET_OK &&
            ratchet_receive(decoded, &envelope, SIDES_NOW, &received) == SIGNET_OK)
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
            sides_lose(&s, A, 1);
        sides_deliver(&s, A);
        CHECK(has_tag(&s, B, &seen[i]));
        sides_deliver(&s, B);
    }
    CHECK(has_tag(&s, B, &seen[2]));  /* a message is missing there */
    CHECK(!has_tag(&s, B, &seen[5])); /* nothing is missing */
    sides_free(&s);
}

/* Section 4.1: without the header key nothing of a header can be changed. */
static void a_changed_header_is_refused(void **state)
{
    struct sides s = sides_new(15);
    struct signet_buf good = sides_send(&s, A);
    struct envelope e;

    (void)state;
    CHECK_OK(envelope_read(signet_buf_span(&good), &e));
    for (size_t i = 0; i < ENVELOPE_HEADER_LEN; i++) {
        struct signet_buf bad =
            flipped(signet_buf_span(&good), (size_t)(e.header.ptr - good.ptr) + i);

        CHECK_ERR(sides_receive(&s, B, &bad), SIGNET_ERR_AUTH);
        signet_buf_free(&bad);
    }
    CHECK_OK(sides_receive(&s, B, &good));
    signet_buf_free(&good);
    sides_free(&s);
}

TEST_FILE(ratchet)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_responder_receives_before_it_sends),
        cmocka_unit_test(a_long_talk_keeps_no_keys),
        cmocka_unit_test(late_messages_open_exactly_once),
        cmocka_unit_test(messages_of_an_earlier_chain_open_late),
        cmocka_unit_test(a_ratchet_goes_on_from_its_encoded_form),
        cmocka_unit_test(a_damaged_form_is_refused_or_harmless),
        cmocka_unit_test(tags_rotate_with_the_chains),
        cmocka_unit_test(a_changed_header_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
