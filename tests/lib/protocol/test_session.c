/* protocol: sessions; docs/protocol.md, sections 5 and 6. */
#include "tests/support/unit.h"

#include <stdlib.h>

#include "tests/support/flip.h"
#include "tests/support/parties.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static bool has_init(const struct pair *p, signet_span envelope)
{
    struct signet_envelope_view view;

    CHECK_OK(signet_envelope_view(p->library, envelope, &view));
    return view.has_init;
}

static void two_people_talk(void **state)
{
    struct pair p = pair_new(41);

    (void)state;
    CHECK(!signet_session_is_answered(p.session[ALICE]));
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "hello bob"), "hello bob");
    CHECK_OPENS(&p, ALICE, pair_seal(&p, BOB, "hello alice"), "hello alice");
    CHECK(signet_session_is_answered(p.session[ALICE]));
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, ""), "");
    CHECK(signet_id_equal(signet_session_peer_address(p.session[BOB]),
        signet_account_address(p.party[ALICE].account)));
    CHECK(signet_id_equal(
        signet_session_peer_device(p.session[ALICE]), signet_account_device(p.party[BOB].account)));
    CHECK(signet_id_equal(
        signet_session_transcript(p.session[ALICE]), signet_session_transcript(p.session[BOB])));
    CHECK(signet_session_is_initiator(p.session[ALICE]));
    CHECK(!signet_session_is_initiator(p.session[BOB]));
    CHECK(signet_session_peer_card(p.session[BOB]) != NULL);
    pair_free(&p);
}

/* docs/protocol.md, section 5: init data accompanies every message until the first answer opens. */
static void init_data_accompanies_until_answered(void **state)
{
    struct pair p = pair_new(42);
    struct signet_envelope_view view;
    signet_span lost, second, answer;

    (void)state;
    lost = pair_seal(&p, ALICE, "lost");
    second = pair_seal(&p, ALICE, "second");
    CHECK(has_init(&p, lost) && has_init(&p, second));
    CHECK_OK(signet_envelope_view(p.library, second, &view));
    CHECK(signet_id_equal(&view.transcript, signet_session_transcript(p.session[ALICE])));
    CHECK(signet_id_equal(&view.bundle, signet_bundle_id(p.party[BOB].bundle)));
    CHECK(view.has_one_time && view.one_time == 7);
    /* The first message may be lost or late: the session starts with the second. */
    CHECK_OPENS(&p, BOB, second, "second");
    answer = pair_seal(&p, BOB, "answer");
    CHECK(!has_init(&p, answer));
    CHECK(has_init(&p, pair_seal(&p, ALICE, "not answered yet")));
    CHECK_OPENS(&p, ALICE, answer, "answer");
    CHECK(!has_init(&p, pair_seal(&p, ALICE, "answered")));
    CHECK_OPENS(&p, BOB, lost, "lost");
    pair_free(&p);
}

/* docs/protocol.md, section 5: at most one session comes of a T1; its messages go to that one. */
static void messages_with_init_data_open_in_the_session_they_started(void **state)
{
    struct pair p = pair_new(43);
    signet_span one = pair_seal(&p, ALICE, "one"), two = pair_seal(&p, ALICE, "two");

    (void)state;
    CHECK_OPENS(&p, BOB, one, "one");
    CHECK_ERR(pair_refusal(&p, BOB, one), SIGNET_ERR_REPLAY);
    CHECK_OPENS(&p, BOB, two, "two");
    CHECK_ERR(pair_refusal(&p, BOB, two), SIGNET_ERR_REPLAY);
    pair_free(&p);
}

/* docs/protocol.md, section 5: both may start at once; each of the two sessions works. */
static void sessions_of_both_at_once_work(void **state)
{
    struct pair p = pair_new(44);
    struct signet_session *hers = p.session[ALICE], *his;
    signet_span from_alice = pair_seal(&p, ALICE, "from alice"), from_bob;

    (void)state;
    party_publish(&p.party[ALICE], 1);
    his = party_initiate(&p.party[BOB], &p.party[ALICE], NULL);
    p.session[BOB] = his;
    from_bob = pair_seal(&p, BOB, "from bob");
    p.session[ALICE] = p.session[BOB] = NULL;
    CHECK_OPENS(&p, BOB, from_alice, "from alice");
    CHECK_OPENS(&p, ALICE, from_bob, "from bob");
    /* alice answers bob in his session, bob alice in hers. */
    CHECK_ERR(pair_refusal(&p, BOB, pair_seal(&p, ALICE, "x")), SIGNET_ERR_UNKNOWN);
    signet_session_free(p.session[BOB]);
    p.session[BOB] = his;
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "in his"), "in his");
    signet_session_free(hers);
    pair_free(&p);
}

/* docs/protocol.md, section 5: after 900 messages in a chain, or 24 h without an answer. */
static void a_session_wears_out(void **state)
{
    struct pair p = pair_established(45);
    struct pair unanswered = pair_new(46);
    uint64_t made = signet_session_created_at(unanswered.session[ALICE]);
    struct signet_buf envelope = {0};

    (void)state;
    CHECK(!signet_session_is_worn(unanswered.session[ALICE], made + DAY_MS - 1));
    CHECK(signet_session_is_worn(unanswered.session[ALICE], made + DAY_MS));
    CHECK(!signet_session_is_worn(unanswered.session[ALICE], 0)); /* a clock that went back */
    CHECK(!signet_session_is_worn(p.session[ALICE], made + 365 * DAY_MS));
    for (int i = 0; i < SIGNET_CHAIN_MESSAGES_MAX; i++) {
        CHECK(!signet_session_is_worn(p.session[ALICE], made));
        signet_buf_truncate(&envelope, 0);
        CHECK_OK(signet_session_seal(p.session[ALICE], signet_span_str("x"), &envelope));
    }
    CHECK(signet_session_is_worn(p.session[ALICE], made));
    /* Worn is advice; the end is where the peer could no longer follow. */
    for (int i = SIGNET_CHAIN_MESSAGES_MAX; i < SIGNET_SKIP_MAX; i++) {
        signet_buf_truncate(&envelope, 0);
        CHECK_OK(signet_session_seal(p.session[ALICE], signet_span_str("last"), &envelope));
    }
    CHECK_OPENS(&p, BOB, signet_buf_span(&envelope), "last");
    CHECK_ERR(
        signet_session_seal(p.session[ALICE], signet_span_str("x"), &envelope), SIGNET_ERR_LIMIT);
    CHECK_OPENS(&p, ALICE, pair_seal(&p, BOB, "go on"), "go on");
    CHECK(!signet_session_is_worn(p.session[ALICE], made));
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "I do"), "I do");
    signet_buf_free(&envelope);
    pair_free(&p);
    pair_free(&unanswered);
}

/* session.h: to try something that may have to be undone, work on a copy. */
static void a_copy_goes_its_own_way(void **state)
{
    struct pair p = pair_established(47);
    struct signet_buf before = pair_state(&p, BOB), after;
    struct signet_session *copy = NULL;
    signet_span message = pair_seal(&p, ALICE, "once"), next = pair_seal(&p, ALICE, "next");
    struct signet_buf content = {0};

    (void)state;
    CHECK_OK(signet_session_copy(p.session[BOB], &copy));
    CHECK_OK(signet_session_open(copy, next, PARTY_NOW, &content));
    CHECK_OK(signet_session_open(copy, message, PARTY_NOW, &content));
    CHECK_SPAN(signet_buf_span(&content), "nextonce");
    signet_session_free(copy);
    after = pair_state(&p, BOB);
    CHECK(signet_span_equal(signet_buf_span(&before), signet_buf_span(&after)));
    CHECK_OPENS(&p, BOB, message, "once");
    signet_buf_free(&before);
    signet_buf_free(&after);
    signet_buf_free(&content);
    pair_free(&p);
}

/* session.h: a copy has the init data, too. */
static void a_copy_of_an_unanswered_session_still_starts_one(void **state)
{
    struct pair p = pair_new(48);
    struct signet_session *copy = NULL;

    (void)state;
    CHECK_OK(signet_session_copy(p.session[ALICE], &copy));
    signet_session_free(p.session[ALICE]);
    p.session[ALICE] = copy;
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "hello"), "hello");
    CHECK_OK(signet_session_copy(p.session[BOB], &copy));
    CHECK(signet_session_peer_card(copy) == signet_session_peer_card(p.session[BOB]));
    signet_session_free(copy);
    pair_free(&p);
}

/* session.h: the encoded form is the whole state, before and after the answer. */
static void a_session_goes_on_from_its_encoded_form(void **state)
{
    struct pair p = pair_new(49);
    signet_span late;

    (void)state;
    pair_reload(&p, ALICE);
    late = pair_seal(&p, ALICE, "late");
    pair_reload(&p, ALICE);
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "two"), "two");
    pair_reload(&p, BOB);
    CHECK(signet_session_is_answered(p.session[BOB]));
    CHECK(signet_session_received_at(p.session[BOB]) == PARTY_NOW);
    CHECK(signet_session_peer_card(p.session[BOB]) == NULL);
    CHECK(signet_id_equal(
        signet_session_transcript(p.session[ALICE]), signet_session_transcript(p.session[BOB])));
    CHECK(signet_id_equal(
        signet_session_peer_list(p.session[BOB]), signet_card_list(party_card(&p.party[ALICE]))));
    CHECK_OPENS(&p, ALICE, pair_seal(&p, BOB, "answer"), "answer");
    pair_reload(&p, ALICE);
    CHECK_OPENS(&p, BOB, late, "late");
    pair_reload(&p, BOB);
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "three"), "three");
    pair_free(&p);
}

static void a_damaged_form_is_refused(void **state)
{
    struct pair p = pair_established(50);
    struct signet_buf bytes = pair_state(&p, BOB);
    struct signet_session *decoded = NULL;

    (void)state;
    for (size_t len = 0; len < bytes.len; len++)
        CHECK(signet_session_decode(p.library, signet_span_of(bytes.ptr, len), &decoded) !=
              SIGNET_OK);
    CHECK_OK(signet_buf_fill(&bytes, 0, 1));
    CHECK_ERR(
        signet_session_decode(p.library, signet_buf_span(&bytes), &decoded), SIGNET_ERR_FORMAT);
    CHECK(decoded == NULL);
    signet_buf_free(&bytes);
    pair_free(&p);
}

/* docs/protocol.md, section 6: nothing of an envelope can be changed, and nothing that was changed
 * changes the session. */
static void every_byte_of_an_envelope_is_covered(void **state)
{
    struct pair p = pair_established(51);
    signet_span good = pair_seal(&p, ALICE, "untouched");
    struct signet_buf before = pair_state(&p, BOB), after;

    (void)state;
    for (size_t i = 0; i < good.len; i++) {
        struct signet_buf bad = flipped(good, i);

        CHECK(pair_refusal(&p, BOB, signet_buf_span(&bad)) != SIGNET_OK);
        signet_buf_free(&bad);
    }
    for (size_t len = 0; len < good.len; len++)
        CHECK(pair_refusal(&p, BOB, signet_span_of(good.ptr, len)) != SIGNET_OK);
    after = pair_state(&p, BOB);
    CHECK(signet_span_equal(signet_buf_span(&before), signet_buf_span(&after)));
    CHECK_OPENS(&p, BOB, good, "untouched");
    signet_buf_free(&before);
    signet_buf_free(&after);
    pair_free(&p);
}

/* The init data is associated data: a known session refuses a message in which it was changed. */
static void every_byte_of_a_first_message_is_covered(void **state)
{
    struct pair p = pair_new(52);
    signet_span good, second;

    (void)state;
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "first"), "first");
    good = pair_seal(&p, ALICE, "again");
    second = pair_seal(&p, ALICE, "second");
    for (size_t i = 0; i < good.len; i++) {
        struct signet_buf bad = flipped(good, i);

        CHECK(pair_refusal(&p, BOB, signet_buf_span(&bad)) != SIGNET_OK);
        signet_buf_free(&bad);
    }
    CHECK_OPENS(&p, BOB, second, "second");
    CHECK_OPENS(&p, BOB, good, "again");
    pair_free(&p);
}

/* session.h: session and output are as before after an error; docs/protocol.md, section 10. */
static void sealing_too_much_changes_nothing(void **state)
{
    struct pair p = pair_established(53);
    struct signet_buf before = pair_state(&p, ALICE), after, content = {0}, envelope = {0};
    static const size_t refused[] = {97000, SIGNET_ENVELOPE_MAX, SIGNET_ENVELOPE_MAX + 1};

    (void)state;
    CHECK_OK(signet_buf_fill(&content, 'x', SIGNET_ENVELOPE_MAX + 1));
    for (size_t i = 0; i < 3; i++) {
        CHECK_ERR(signet_session_seal(
                      p.session[ALICE], signet_span_of(content.ptr, refused[i]), &envelope),
            SIGNET_ERR_LIMIT);
        CHECK(envelope.len == 0);
    }
    CHECK_ERR(
        signet_session_seal(p.session[ALICE], signet_span_of(content.ptr, SIZE_MAX), &envelope),
        SIGNET_ERR_LIMIT);
    after = pair_state(&p, ALICE);
    CHECK(signet_span_equal(signet_buf_span(&before), signet_buf_span(&after)));
    CHECK_OK(signet_session_seal(p.session[ALICE], signet_span_of(content.ptr, 95000), &envelope));
    CHECK(envelope.len <= SIGNET_ENVELOPE_MAX);
    signet_buf_free(&before);
    signet_buf_free(&after);
    signet_buf_free(&content);
    signet_buf_free(&envelope);
    pair_free(&p);
}

/* docs/protocol.md, section 6.2: what is seen of a short message is not its length. */
static void short_messages_look_alike(void **state)
{
    struct pair p = pair_established(54);
    char text[201] = "";
    size_t len = pair_seal(&p, ALICE, "").len;

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        text[i] = 'a';
        CHECK(pair_seal(&p, ALICE, text).len == len);
    }
    pair_free(&p);
}

/* Output is appended: what stands there already stays. */
static void output_is_appended(void **state)
{
    struct pair p = pair_established(55);
    struct signet_buf envelope = {0}, content = {0};

    (void)state;
    CHECK_OK(signet_buf_append(&envelope, signet_span_str("before")));
    CHECK_OK(signet_buf_append(&content, signet_span_str("before ")));
    CHECK_OK(signet_session_seal(p.session[ALICE], signet_span_str("after"), &envelope));
    CHECK_SPAN(signet_span_of(envelope.ptr, 6), "before");
    CHECK_OK(pair_open(&p, BOB, signet_span_from(signet_buf_span(&envelope), 6), &content));
    CHECK_SPAN(signet_buf_span(&content), "before after");
    signet_buf_free(&envelope);
    signet_buf_free(&content);
    pair_free(&p);
}

TEST_FILE(session)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_people_talk),
        cmocka_unit_test(init_data_accompanies_until_answered),
        cmocka_unit_test(messages_with_init_data_open_in_the_session_they_started),
        cmocka_unit_test(sessions_of_both_at_once_work),
        cmocka_unit_test(a_session_wears_out),
        cmocka_unit_test(a_copy_goes_its_own_way),
        cmocka_unit_test(a_copy_of_an_unanswered_session_still_starts_one),
        cmocka_unit_test(a_session_goes_on_from_its_encoded_form),
        cmocka_unit_test(a_damaged_form_is_refused),
        cmocka_unit_test(every_byte_of_an_envelope_is_covered),
        cmocka_unit_test(every_byte_of_a_first_message_is_covered),
        cmocka_unit_test(sealing_too_much_changes_nothing),
        cmocka_unit_test(short_messages_look_alike),
        cmocka_unit_test(output_is_appended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
