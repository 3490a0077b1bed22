/* protocol: session set-up; docs/protocol.md, section 5. */
#include "tests/support/unit.h"

#include "crypto/hash.h"
#include "protocol/handshake.h"
#include "protocol/init_block.h"
#include "tests/support/flip.h"
#include "tests/support/parties.h"

struct fixture {
    struct seeded_library seeded;
    struct party alice, bob, carol;
    struct signet_one_time one_time;
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.seeded = seeded_library_new(31)};

    f.alice = party_new(f.seeded.library, ALICE);
    f.bob = party_new(f.seeded.library, BOB);
    f.carol = party_new(f.seeded.library, CAROL);
    party_publish(&f.bob, 1);
    f.one_time = party_one_time(&f.bob, 3);
    return f;
}

static void fixture_free(struct fixture *f)
{
    party_free(&f->alice);
    party_free(&f->bob);
    party_free(&f->carol);
    seeded_library_free(&f->seeded);
}

/* alice's init data for bob; one_time may be NULL. */
static struct signet_buf initiate(
    const struct fixture *f, const struct signet_one_time *one_time, struct handshake_sent *sent)
{
    struct signet_session_peer peer = {party_card(&f->bob), f->bob.bundle, one_time};
    struct signet_buf init = {0};

    CHECK_OK(handshake_initiate(f->alice.account, &peer, sent, &init));
    CHECK(sent->sealed.ptr == NULL);
    return init;
}

/* An envelope around init data, with nothing else in it that matters; spans borrow from `out`. */
static enum signet_err read_init(
    signet_span init, struct signet_buf *out, struct envelope_init *init_out)
{
    static const uint8_t filler[ENVELOPE_HEADER_LEN];
    struct envelope e;
    struct wire_writer w;
    enum signet_err err;

    CHECK_OK(envelope_begin(signet_span_of(filler, 8), signet_span_of(filler, 16), init, out));
    CHECK_OK(signet_buf_append(out, signet_span_of(filler, sizeof(filler))));
    w = wire_writer(out);
    wire_put_bytes(&w, signet_span_of(filler, 16));
    CHECK_OK(wire_writer_finish(&w));
    err = envelope_read(signet_buf_span(out), &e);
    if (err == SIGNET_OK)
        *init_out = e.init;
    return err;
}

static enum signet_err accept_as(
    const struct party *who, signet_span init_bytes, struct handshake_received *received)
{
    struct signet_session_own own = {who->account, who->secrets};
    struct signet_buf envelope = {0};
    struct envelope_init init;
    enum signet_err err = read_init(init_bytes, &envelope, &init);

    if (err == SIGNET_OK)
        err = handshake_accept(&own, &init, received);
    signet_buf_free(&envelope);
    return err;
}

static void check_agreed(const struct fixture *f, const struct signet_one_time *one_time)
{
    struct handshake_received received = {.card = NULL};
    struct handshake_sent sent = {.sealed = {0}};
    struct signet_buf init = initiate(f, one_time, &sent);

    CHECK_OK(accept_as(&f->bob, signet_buf_span(&init), &received));
    assert_memory_equal(&sent.keys, &received.keys, sizeof(sent.keys));
    CHECK(signet_id_equal(&sent.transcript, &received.transcript));
    CHECK(
        signet_id_equal(signet_card_list(received.card), signet_card_list(party_card(&f->alice))));
    CHECK(signet_id_equal(&received.device, signet_account_device(f->alice.account)));
    CHECK(signet_id_equal(&received.responder.device, signet_account_device(f->bob.account)));
    signet_card_free(received.card);
    signet_buf_free(&init);
}

/* docs/protocol.md, section 5: both come to the same keys, with and without a one-time prekey. */
static void both_sides_agree(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    check_agreed(&f, &f.one_time);
    check_agreed(&f, NULL);
    fixture_free(&f);
}

/* Keys that are not to be alike. */
static void no_two_sessions_share_a_key(void **state)
{
    struct fixture f = fixture_new();
    struct handshake_sent one = {.sealed = {0}}, two = {.sealed = {0}};
    struct signet_buf first = initiate(&f, &f.one_time, &one);
    struct signet_buf second = initiate(&f, &f.one_time, &two);

    (void)state;
    assert_memory_not_equal(one.keys.root, two.keys.root, 32);
    assert_memory_not_equal(one.keys.header_a, one.keys.header_b, 32);
    assert_memory_not_equal(one.keys.header_a, two.keys.header_a, 32);
    CHECK(!signet_id_equal(&one.transcript, &two.transcript));
    signet_buf_free(&first);
    signet_buf_free(&second);
    fixture_free(&f);
}

/* docs/protocol.md, section 5: T1 is SHA-256 of exactly these fields; T2 of T1 and six names. */
static void transcripts_are_those_of_the_specification(void **state)
{
    struct fixture f = fixture_new();
    struct handshake_sent sent = {.sealed = {0}};
    struct signet_buf init_bytes = initiate(&f, &f.one_time, &sent), envelope = {0}, cbor = {0};
    struct handshake_parties parties = {
        {{.b = {1}}, {.b = {2}}, {.b = {3}}}, {{.b = {4}}, {.b = {5}}, {.b = {6}}}};
    struct signet_id wanted, got;
    struct envelope_init init;
    struct wire_writer w = wire_writer(&cbor);

    (void)state;
    CHECK_OK(read_init(signet_buf_span(&init_bytes), &envelope, &init));
    wire_put_array(&w, 6);
    wire_put_uint(&w, SIGNET_SUITE_1);
    wire_put_id(&w, signet_bundle_id(f.bob.bundle));
    wire_put_uint(&w, 3);
    wire_put_bytes(&w, init.ephemeral);
    wire_put_bytes(&w, init.oaep);
    wire_put_null(&w);
    CHECK_OK(wire_writer_finish(&w));
    CHECK_OK(crypto_sha256_one(f.seeded.library, signet_buf_span(&cbor), &wanted));
    CHECK(signet_id_equal(&sent.transcript, &wanted));
    signet_buf_truncate(&cbor, 0);
    w = wire_writer(&cbor);
    wire_put_array(&w, 7);
    wire_put_id(&w, &sent.transcript);
    wire_put_id(&w, &parties.initiator.address);
    wire_put_id(&w, &parties.initiator.list);
    wire_put_id(&w, &parties.initiator.device);
    wire_put_id(&w, &parties.responder.address);
    wire_put_id(&w, &parties.responder.list);
    wire_put_id(&w, &parties.responder.device);
    CHECK_OK(wire_writer_finish(&w));
    CHECK_OK(crypto_sha256_one(f.seeded.library, signet_buf_span(&cbor), &wanted));
    CHECK_OK(handshake_transcript_parties(f.seeded.library, &sent.transcript, &parties, &got));
    CHECK(signet_id_equal(&got, &wanted));
    signet_buf_free(&init_bytes);
    signet_buf_free(&envelope);
    signet_buf_free(&cbor);
    fixture_free(&f);
}

/* The init data is covered to the byte: by T1, by the tag of `sealed`, or by its form. */
static void every_byte_of_the_init_data_counts(void **state)
{
    struct fixture f = fixture_new();
    struct handshake_sent sent = {.sealed = {0}};
    struct signet_buf init = initiate(&f, &f.one_time, &sent);

    (void)state;
    /* All of the small fields; of oaep and sealed every 13th byte, as it costs an RSA operation. */
    for (size_t i = 0; i < init.len; i += i < 80 ? 1 : 13) {
        struct signet_buf bad = flipped(signet_buf_span(&init), i);
        struct handshake_received received = {.card = NULL};

        CHECK(accept_as(&f.bob, signet_buf_span(&bad), &received) != SIGNET_OK);
        CHECK(received.card == NULL);
        signet_buf_free(&bad);
    }
    signet_buf_free(&init);
    fixture_free(&f);
}

/* docs/protocol.md, section 5: what names a bundle or one-time key that is gone is `unknown`. */
static void init_data_for_keys_that_are_gone_is_unknown(void **state)
{
    struct fixture f = fixture_new();
    struct handshake_sent sent = {.sealed = {0}};
    struct handshake_received received = {.card = NULL};
    struct signet_buf init = initiate(&f, &f.one_time, &sent);

    (void)state;
    signet_bundle_secrets_forget(f.bob.secrets, 4);
    CHECK_OK(accept_as(&f.bob, signet_buf_span(&init), &received));
    signet_card_free(received.card);
    signet_bundle_secrets_forget(f.bob.secrets, 3);
    CHECK_ERR(accept_as(&f.bob, signet_buf_span(&init), &received), SIGNET_ERR_UNKNOWN);
    party_publish(&f.bob, 2);
    CHECK_ERR(accept_as(&f.bob, signet_buf_span(&init), &received), SIGNET_ERR_UNKNOWN);
    signet_buf_free(&init);
    fixture_free(&f);
}

/* docs/protocol.md, section 5: the responder fields are compared; who has the keys is not enough. */
static void init_data_for_another_account_is_refused(void **state)
{
    struct fixture f = fixture_new();
    struct handshake_sent sent = {.sealed = {0}};
    struct handshake_received received = {.card = NULL};
    struct signet_buf init = initiate(&f, &f.one_time, &sent);
    struct party confused = f.carol;

    (void)state;
    confused.secrets = f.bob.secrets;
    CHECK_ERR(accept_as(&confused, signet_buf_span(&init), &received), SIGNET_ERR_CHANNEL);
    signet_buf_free(&init);
    fixture_free(&f);
}

/* docs/protocol.md, section 5: one of its own list ids: an older one will do. */
static void the_responder_may_have_renewed_its_list(void **state)
{
    struct fixture f = fixture_new();
    struct handshake_sent sent = {.sealed = {0}};
    struct handshake_received received = {.card = NULL};
    struct signet_buf init = initiate(&f, NULL, &sent);

    (void)state;
    CHECK_OK(signet_account_renew(f.bob.account, PARTY_NOW + 1000));
    CHECK_OK(accept_as(&f.bob, signet_buf_span(&init), &received));
    assert_memory_equal(&sent.keys, &received.keys, sizeof(sent.keys));
    signet_card_free(received.card);
    signet_buf_free(&init);
    fixture_free(&f);
}

/* session.h: a bundle of another account, and a one-time prekey that is not the bundle's. */
static void the_initiator_checks_what_it_was_given(void **state)
{
    struct fixture f = fixture_new();
    struct signet_session_peer peer = {party_card(&f.carol), f.bob.bundle, &f.one_time};
    struct signet_session *session = NULL;

    (void)state;
    CHECK_ERR(
        signet_session_initiate(f.seeded.library, f.alice.account, &peer, PARTY_NOW, &session),
        SIGNET_ERR_CHANNEL);
    peer.card = party_card(&f.bob);
    f.one_time.index++;
    CHECK_ERR(
        signet_session_initiate(f.seeded.library, f.alice.account, &peer, PARTY_NOW, &session),
        SIGNET_ERR_AUTH);
    f.one_time.index--;
    f.one_time.key[0] ^= 1;
    CHECK_ERR(
        signet_session_initiate(f.seeded.library, f.alice.account, &peer, PARTY_NOW, &session),
        SIGNET_ERR_AUTH);
    CHECK(session == NULL);
    fixture_free(&f);
}

TEST_FILE(handshake)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_agree),
        cmocka_unit_test(no_two_sessions_share_a_key),
        cmocka_unit_test(transcripts_are_those_of_the_specification),
        cmocka_unit_test(every_byte_of_the_init_data_counts),
        cmocka_unit_test(init_data_for_keys_that_are_gone_is_unknown),
        cmocka_unit_test(init_data_for_another_account_is_refused),
        cmocka_unit_test(the_responder_may_have_renewed_its_list),
        cmocka_unit_test(the_initiator_checks_what_it_was_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
