/*
 * A malicious relay or network that has every envelope, and hands them over as it likes:
 * docs/protocol.md, sections 5 and 6.
 */
#include "tests/support/unit.h"

#include "tests/support/flip.h"
#include "tests/support/parties.h"
#include "wire/envelope.h"

/* An envelope put together from parts of others. */
struct splice {
    signet_span tag, salt, init, header, body;
};

/* The parts of an envelope; `init` is empty where there is none. */
static struct splice parts_of(signet_span envelope, struct signet_buf *init)
{
    struct splice parts;
    struct envelope e;

    CHECK_OK(envelope_read(envelope, &e));
    if (e.has_init)
        CHECK_OK(envelope_init_write(&e.init, init));
    parts = (struct splice){e.tag, e.salt, signet_buf_span(init), e.header, e.body};
    return parts;
}

static struct signet_buf assemble(const struct splice *parts)
{
    struct signet_buf bytes = {0};
    struct wire_writer w;

    CHECK_OK(envelope_begin(parts->tag, parts->salt, parts->init, &bytes));
    CHECK_OK(signet_buf_append(&bytes, parts->header));
    w = wire_writer(&bytes);
    wire_put_bytes(&w, parts->body);
    CHECK_OK(wire_writer_finish(&w));
    return bytes;
}

/* One of the parts, to be replaced by that of another envelope. */
static signet_span *part(struct splice *parts, size_t which)
{
    signet_span *const all[] = {
        &parts->tag, &parts->salt, &parts->init, &parts->header, &parts->body};

    return all[which];
}

/* "More is Less" (Roesler, Mainka, Schwenk, EuroS&P 2018): replays. */
static void a_replayed_envelope_is_refused(void **state)
{
    struct pair p = pair_new(201);
    signet_span m[4];

    (void)state;
    m[0] = pair_seal(&p, ALICE, "0");
    m[1] = pair_seal(&p, ALICE, "1");
    CHECK_OPENS(&p, BOB, m[0], "0");
    CHECK_OPENS(&p, BOB, m[1], "1");
    m[2] = pair_seal(&p, BOB, "2");
    CHECK_OPENS(&p, ALICE, m[2], "2");
    m[3] = pair_seal(&p, ALICE, "3");
    CHECK_OPENS(&p, BOB, m[3], "3");
    for (int i = 0; i < 4; i++) {
        CHECK(pair_refusal(&p, BOB, m[i]) != SIGNET_OK);
        CHECK(pair_refusal(&p, ALICE, m[i]) != SIGNET_OK);
    }
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "4"), "4");
    pair_free(&p);
}

/* Where the one-time key is gone, its first message starts no second session; the engine knows it by
 * its transcript besides (attack_replay). */
static void a_spent_one_time_key_starts_no_session(void **state)
{
    struct pair p = pair_new(202);
    struct signet_session *again = NULL;
    signet_span first = pair_seal(&p, ALICE, "once");

    (void)state;
    CHECK_OPENS(&p, BOB, first, "once");
    signet_bundle_secrets_forget(p.party[BOB].secrets, 7);
    CHECK_ERR(party_accept(&p.party[BOB], first, &again), SIGNET_ERR_UNKNOWN);
    CHECK(again == NULL);
    pair_free(&p);
}

/* Reflection: Double Ratchet, section 4: the header keys of both directions differ. */
static void a_message_reflected_to_its_author_is_refused(void **state)
{
    struct pair p = pair_new(203);
    signet_span first = pair_seal(&p, ALICE, "first"), later;
    struct signet_session *own = NULL;

    (void)state;
    CHECK_ERR(pair_refusal(&p, ALICE, first), SIGNET_ERR_UNKNOWN);
    party_publish(&p.party[ALICE], 1);
    CHECK_ERR(party_accept(&p.party[ALICE], first, &own), SIGNET_ERR_UNKNOWN);
    CHECK_OPENS(&p, BOB, first, "first");
    CHECK_OPENS(&p, ALICE, pair_seal(&p, BOB, "answer"), "answer");
    later = pair_seal(&p, ALICE, "later");
    CHECK_ERR(pair_refusal(&p, ALICE, later), SIGNET_ERR_UNKNOWN);
    CHECK_OPENS(&p, BOB, later, "later");
    pair_free(&p);
}

/* Delay and reorder as one likes: each message opens once, and none is lost. */
static void reordered_messages_each_open_once(void **state)
{
    struct pair p = pair_established(204);
    signet_span m[16];

    (void)state;
    for (size_t i = 0; i < 16; i++)
        m[i] = pair_seal(&p, ALICE, "message");
    for (size_t i = 0; i < 16; i++)
        CHECK_OPENS(&p, BOB, m[i * 7 % 16], "message");
    for (size_t i = 0; i < 16; i++)
        CHECK_ERR(pair_refusal(&p, BOB, m[i]), SIGNET_ERR_REPLAY);
    pair_free(&p);
}

/* All combinations of the parts of two envelopes; only the two themselves may open. */
static void check_splices(struct pair *p, signet_span one, signet_span other)
{
    struct signet_buf init[2] = {{0}};
    struct splice parts[2] = {parts_of(one, &init[0]), parts_of(other, &init[1])};

    for (unsigned pattern = 1; pattern < 31; pattern++) {
        struct splice mixed = parts[0];
        struct signet_buf bytes;

        for (size_t i = 0; i < 5; i++)
            *part(&mixed, i) = *part(&parts[pattern >> i & 1], i);
        bytes = assemble(&mixed);
        if (!signet_span_equal(signet_buf_span(&bytes), one) &&
            !signet_span_equal(signet_buf_span(&bytes), other))
            CHECK(pair_refusal(p, BOB, signet_buf_span(&bytes)) != SIGNET_OK);
        signet_buf_free(&bytes);
    }
    signet_buf_free(&init[0]);
    signet_buf_free(&init[1]);
}

/* docs/protocol.md, section 6: header and body each cover all that is before them. */
static void parts_of_two_messages_do_not_mix(void **state)
{
    struct pair p = pair_established(205);
    signet_span one = pair_seal(&p, ALICE, "pay bob 1"), two = pair_seal(&p, ALICE, "pay bob 9");

    (void)state;
    check_splices(&p, one, two);
    CHECK_OPENS(&p, BOB, two, "pay bob 9");
    CHECK_OPENS(&p, BOB, one, "pay bob 1");
    pair_free(&p);
}

/* The same before the answer, while init data is in front. */
static void parts_of_first_messages_do_not_mix(void **state)
{
    struct pair p = pair_new(206);
    signet_span one = pair_seal(&p, ALICE, "one"), two = pair_seal(&p, ALICE, "two");

    (void)state;
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "first"), "first");
    check_splices(&p, one, two);
    CHECK_OPENS(&p, BOB, one, "one");
    CHECK_OPENS(&p, BOB, two, "two");
    pair_free(&p);
}

/* docs/protocol.md, section 5: T1 ties init data to its session; nothing of another is accepted,
 * neither by a known session nor as a new one. */
static void parts_of_two_sessions_do_not_mix(void **state)
{
    struct pair p = pair_new(207);
    struct signet_session *hers = p.session[ALICE];
    signet_span one = pair_seal(&p, ALICE, "one"), two;

    (void)state;
    p.session[ALICE] = party_initiate(&p.party[ALICE], &p.party[BOB], NULL);
    two = pair_seal(&p, ALICE, "two");
    check_splices(&p, one, two); /* bob has no session: each is a first message */
    CHECK(p.session[BOB] == NULL);
    CHECK_OPENS(&p, BOB, one, "one");
    check_splices(&p, one, two);
    CHECK_ERR(pair_refusal(&p, BOB, two), SIGNET_ERR_UNKNOWN);
    signet_session_free(hers);
    pair_free(&p);
}

/* Init data cannot be taken off or put on. */
static void init_data_is_neither_stripped_nor_added(void **state)
{
    struct pair p = pair_new(208);
    signet_span first = pair_seal(&p, ALICE, "first"), later;
    struct signet_buf init = {0}, none = {0}, bytes;
    struct splice parts = parts_of(first, &init), bare;

    (void)state;
    bare = parts;
    bare.init = signet_span_of(NULL, 0);
    bytes = assemble(&bare);
    CHECK(pair_refusal(&p, BOB, signet_buf_span(&bytes)) != SIGNET_OK);
    CHECK_OPENS(&p, BOB, first, "first");
    CHECK_OPENS(&p, ALICE, pair_seal(&p, BOB, "answer"), "answer");
    CHECK(pair_refusal(&p, BOB, signet_buf_span(&bytes)) != SIGNET_OK);
    signet_buf_free(&bytes);
    later = pair_seal(&p, ALICE, "later");
    bare = parts_of(later, &none);
    bare.init = parts.init;
    bytes = assemble(&bare);
    CHECK_ERR(pair_refusal(&p, BOB, signet_buf_span(&bytes)), SIGNET_ERR_AUTH);
    CHECK_OPENS(&p, BOB, later, "later");
    signet_buf_free(&bytes);
    signet_buf_free(&init);
    pair_free(&p);
}

/* Wire's redirected ciphertexts: an envelope for bob's device is none for carol's. */
static void an_envelope_redirected_to_another_device_is_refused(void **state)
{
    struct pair p = pair_new(209);
    struct party carol = party_new(p.library, CAROL);
    struct signet_session *hers = NULL, *with_carol;
    struct signet_buf content = {0}, hello = {0};
    signet_span first = pair_seal(&p, ALICE, "for bob"), later;

    (void)state;
    party_publish(&carol, 1);
    CHECK_ERR(party_accept(&carol, first, &hers), SIGNET_ERR_UNKNOWN);
    with_carol = party_initiate(&p.party[ALICE], &carol, NULL);
    CHECK_OK(signet_session_seal(with_carol, signet_span_str("for carol"), &hello));
    CHECK_OK(party_accept(&carol, signet_buf_span(&hello), &hers));
    CHECK_OK(signet_session_open(hers, signet_buf_span(&hello), PARTY_NOW, &content));
    CHECK_ERR(signet_session_open(hers, first, PARTY_NOW, &content), SIGNET_ERR_UNKNOWN);
    CHECK_OPENS(&p, BOB, first, "for bob");
    CHECK_OPENS(&p, ALICE, pair_seal(&p, BOB, "answer"), "answer");
    later = pair_seal(&p, ALICE, "later");
    CHECK_ERR(signet_session_open(hers, later, PARTY_NOW, &content), SIGNET_ERR_UNKNOWN);
    CHECK_ERR(pair_refusal(&p, BOB, signet_buf_span(&hello)), SIGNET_ERR_UNKNOWN);
    CHECK_SPAN(signet_buf_span(&content), "for carol");
    signet_session_free(hers);
    signet_session_free(with_carol);
    signet_buf_free(&content);
    signet_buf_free(&hello);
    party_free(&carol);
    pair_free(&p);
}

/* The tag finds a session and proves nothing: with the tag of another chain nothing opens. */
static void a_swapped_tag_is_refused(void **state)
{
    struct pair p = pair_established(210);
    signet_span envelope = pair_seal(&p, ALICE, "hello");
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX];
    struct signet_buf init = {0}, bytes;
    struct splice parts = parts_of(envelope, &init);
    size_t count = 0;

    (void)state;
    CHECK_OK(signet_session_tags(p.session[BOB], tags, &count));
    CHECK(count >= 2);
    for (size_t i = 0; i < count; i++) {
        signet_span tag = signet_span_of(tags[i].b, sizeof(tags[i].b));

        if (signet_span_equal(tag, parts.tag))
            continue;
        parts.tag = tag;
        bytes = assemble(&parts);
        CHECK_ERR(pair_refusal(&p, BOB, signet_buf_span(&bytes)), SIGNET_ERR_AUTH);
        signet_buf_free(&bytes);
        parts = parts_of(envelope, &init);
    }
    CHECK_OPENS(&p, BOB, envelope, "hello");
    pair_free(&p);
}

/* EFAIL (USENIX Security 2018): not a byte of content before the last tag has held. */
static void nothing_is_released_before_the_last_tag(void **state)
{
    struct pair p = pair_established(211);
    signet_span good = pair_seal(&p, ALICE, "secret");
    struct signet_buf bad = flipped(good, good.len - 1), content = {0};

    (void)state;
    CHECK_OK(signet_buf_append(&content, signet_span_str("before")));
    CHECK_ERR(pair_open(&p, BOB, signet_buf_span(&bad), &content), SIGNET_ERR_AUTH);
    CHECK_SPAN(signet_buf_span(&content), "before");
    signet_buf_free(&bad);
    signet_buf_free(&content);
    pair_free(&p);
}

/* Sealing the same text twice shows nothing of it: fresh key, salt and header each time. */
static void equal_messages_do_not_look_equal(void **state)
{
    struct pair p = pair_established(212);
    struct envelope one, two;

    (void)state;
    CHECK_OK(envelope_read(pair_seal(&p, ALICE, "yes"), &one));
    CHECK_OK(envelope_read(pair_seal(&p, ALICE, "yes"), &two));
    CHECK(signet_span_equal(one.tag, two.tag));
    CHECK(!signet_span_equal(one.salt, two.salt));
    CHECK(!signet_span_equal(one.header, two.header));
    CHECK(!signet_span_equal(one.body, two.body));
    pair_free(&p);
}

TEST_FILE(attack_envelope)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replayed_envelope_is_refused),
        cmocka_unit_test(a_spent_one_time_key_starts_no_session),
        cmocka_unit_test(a_message_reflected_to_its_author_is_refused),
        cmocka_unit_test(reordered_messages_each_open_once),
        cmocka_unit_test(parts_of_two_messages_do_not_mix),
        cmocka_unit_test(parts_of_first_messages_do_not_mix),
        cmocka_unit_test(parts_of_two_sessions_do_not_mix),
        cmocka_unit_test(init_data_is_neither_stripped_nor_added),
        cmocka_unit_test(an_envelope_redirected_to_another_device_is_refused),
        cmocka_unit_test(a_swapped_tag_is_refused),
        cmocka_unit_test(nothing_is_released_before_the_last_tag),
        cmocka_unit_test(equal_messages_do_not_look_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
