/*
 * A malicious peer's public keys: X25519 points of low order at every place where one is taken, and
 * RSA keys that are not what they seem. docs/protocol.md, sections 1, 5 and 6.
 */
#include "tests/support/unit.h"

#include "base/hex.h"
#include "tests/support/flip.h"
#include "tests/support/forge.h"
#include "tests/support/forge_session.h"
#include "tests/support/spki.h"

/* RFC 7748, section 6.1; https://cr.yp.to/ecdh.html#validate lists the points of low order. */
static const char *const low_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};
enum { LOW_ORDER_COUNT = 2 * sizeof(low_order) / sizeof(low_order[0]) };

/* Each of them with and without the bit that X25519 ignores. */
static struct crypto_dh_public low_order_point(size_t i)
{
    struct signet_buf bytes = {0};
    struct crypto_dh_public point;

    CHECK_OK(hex_decode(low_order[i / 2], &bytes));
    memcpy(point.k, bytes.ptr, sizeof(point.k));
    point.k[31] |= (uint8_t)(i % 2 << 7);
    signet_buf_free(&bytes);
    return point;
}

/* mallory's bundle with other X25519 keys in it, as she may sign them. */
static void publish_changed(struct party *mallory, const struct forged_bundle *fields)
{
    struct signet_buf cose = forge_bundle_bytes(forge_device_key(mallory->account), fields);
    struct signet_bundle *bundle = NULL;

    CHECK_OK(
        signet_bundle_read(mallory->library, signet_buf_span(&cose), party_card(mallory), &bundle));
    signet_bundle_free(mallory->bundle);
    mallory->bundle = bundle;
    signet_buf_free(&cose);
}

static enum signet_err initiate(
    const struct party *from, const struct party *to, const struct signet_one_time *one_time)
{
    struct signet_session_peer peer = {party_card(to), to->bundle, one_time};
    struct signet_session *session = NULL;
    enum signet_err err =
        signet_session_initiate(from->library, from->account, &peer, PARTY_NOW, &session);

    CHECK((session != NULL) == (err == SIGNET_OK));
    signet_session_free(session);
    return err;
}

/* All-zero Diffie-Hellman (vodozemac, 2026): RFC 7748, section 6.1; docs/protocol.md, section 5. */
static void low_order_prekeys_are_refused(void **state)
{
    struct seeded_library seeded = seeded_library_new(241);
    struct party alice = party_new(seeded.library, ALICE);
    struct party mallory = party_new(seeded.library, MALLORY);
    struct signet_one_time one_time;
    struct forged_bundle fields;

    (void)state;
    party_publish(&mallory, 1);
    CHECK_OK(initiate(&alice, &mallory, NULL));
    for (size_t i = 0; i < LOW_ORDER_COUNT; i++) {
        struct crypto_dh_public point = low_order_point(i);

        party_publish(&mallory, i + 2);
        fields = forge_bundle(mallory.bundle);
        fields.oaep_key = crypto_rsa_private_public(forge_see_secrets(mallory.secrets).oaep_key);
        fields.one_time_count = 1;
        fields.one_time_root =
            forge_one_time_root(seeded.library, signet_span_of(point.k, sizeof(point.k)));
        publish_changed(&mallory, &fields);
        CHECK_OK(signet_one_time_prove(
            seeded.library, signet_span_of(point.k, sizeof(point.k)), 0, &one_time));
        CHECK_ERR(initiate(&alice, &mallory, &one_time), SIGNET_ERR_KEY);
        CHECK_OK(initiate(&alice, &mallory, NULL));
        fields.signed_prekey = point;
        publish_changed(&mallory, &fields);
        CHECK_ERR(initiate(&alice, &mallory, NULL), SIGNET_ERR_KEY);
    }
    party_free(&alice);
    party_free(&mallory);
    seeded_library_free(&seeded);
}

/* The same for the initiator's ephemeral key. */
static void low_order_ephemeral_keys_are_refused(void **state)
{
    struct seeded_library seeded = seeded_library_new(242);
    struct party bob = party_new(seeded.library, BOB);
    struct party mallory = party_new(seeded.library, MALLORY);
    struct forged_init init;

    (void)state;
    party_publish(&bob, 1);
    init = forge_init(&mallory, &bob);
    CHECK_OK(forge_refusal(&bob, &init, NULL));
    init.has_ephemeral = true;
    for (size_t i = 0; i < LOW_ORDER_COUNT; i++) {
        init.ephemeral = low_order_point(i);
        CHECK_ERR(forge_refusal(&bob, &init, NULL), SIGNET_ERR_KEY);
    }
    party_free(&bob);
    party_free(&mallory);
    seeded_library_free(&seeded);
}

/* Whether every such ratchet key in alice's next message is refused, and bob's state stays. */
static void check_ratchet_keys(struct pair *p)
{
    struct forged_message message = forge_message(p->session[ALICE]);
    struct signet_buf before = pair_state(p, BOB), after, envelope;

    for (size_t i = 0; i < LOW_ORDER_COUNT; i++) {
        message.header.ratchet_key = low_order_point(i);
        envelope = forge_envelope(p->session[ALICE], &message, "bad");
        CHECK_ERR(pair_refusal(p, BOB, signet_buf_span(&envelope)), SIGNET_ERR_KEY);
        after = pair_state(p, BOB);
        CHECK(signet_span_equal(signet_buf_span(&before), signet_buf_span(&after)));
        signet_buf_free(&after);
        signet_buf_free(&envelope);
    }
    signet_buf_free(&before);
}

/* The same for the ratchet keys in headers, in the first chain and in a later one. */
static void low_order_ratchet_keys_are_refused(void **state)
{
    struct pair p = pair_new(243);
    signet_span first = pair_seal(&p, ALICE, "first");

    (void)state;
    CHECK_OK(party_accept(&p.party[BOB], first, &p.session[BOB]));
    check_ratchet_keys(&p);
    CHECK_OPENS(&p, BOB, first, "first");
    CHECK_OPENS(&p, ALICE, pair_seal(&p, BOB, "answer"), "answer");
    check_ratchet_keys(&p);
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "go on"), "go on");
    pair_free(&p);
}

/* A card of mallory's whose one device key is that; the identity key too where `as_identity`. */
static enum signet_err read_with_key(
    const struct party *mallory, signet_span spki, bool as_identity)
{
    const struct crypto_rsa_private *identity = forge_identity_key(mallory->account);
    struct forged_list list = forge_list(mallory);
    struct signet_buf payload = {0}, cose, bytes = {0};
    struct wire_writer w = wire_writer(&payload);
    struct signet_card *card = NULL;
    enum signet_err err;

    wire_put_array(&w, 9);
    wire_put_id(&w, &list.signer);
    wire_put_id(&w, &list.address);
    wire_put_uint(&w, 0);
    wire_put_uint(&w, 1);
    wire_put_null(&w);
    wire_put_uint(&w, list.issued_at);
    wire_put_uint(&w, list.not_after);
    wire_put_id(&w, &list.next_identity);
    wire_put_array(&w, 1);
    wire_put_array(&w, 2);
    wire_put_bytes(&w, spki);
    wire_put_uint(&w, 1);
    CHECK_OK(wire_writer_finish(&w));
    cose = forge_signed(identity, TYP_DEVICE_LIST, signet_buf_span(&payload));
    w = wire_writer(&bytes);
    wire_put_array(&w, 1);
    wire_put_array(&w, 2);
    wire_put_bytes(
        &w, as_identity ? spki : crypto_rsa_public_spki(crypto_rsa_private_public(identity)));
    wire_put_bytes(&w, signet_buf_span(&cose));
    CHECK_OK(wire_writer_finish(&w));
    err = signet_card_read(mallory->library, signet_buf_span(&bytes), &card);
    signet_card_free(card);
    signet_buf_free(&payload);
    signet_buf_free(&cose);
    signet_buf_free(&bytes);
    return err;
}

static void check_key_refused(const struct party *mallory, struct spki_parts parts)
{
    struct signet_buf spki = spki_build(&parts);
    enum signet_err wanted = spki.len > CRYPTO_RSA_SPKI_MAX ? SIGNET_ERR_LIMIT : SIGNET_ERR_KEY;

    CHECK_ERR(read_with_key(mallory, signet_buf_span(&spki), false), wanted);
    CHECK_ERR(read_with_key(mallory, signet_buf_span(&spki), true), wanted);
    signet_buf_free(&spki);
}

/* Its form is right: an identity key's signature is looked at before its modulus, which costs more. */
static void check_modulus_refused(const struct party *mallory, const struct spki_parts *parts)
{
    struct signet_buf spki = spki_build(parts);

    CHECK_ERR(read_with_key(mallory, signet_buf_span(&spki), false), SIGNET_ERR_KEY);
    CHECK_ERR(read_with_key(mallory, signet_buf_span(&spki), true), SIGNET_ERR_AUTH);
    signet_buf_free(&spki);
}

/* docs/protocol.md, section 1: one encoding, three sizes, one exponent. */
static void tricks_with_keys_in_cards_are_refused(void **state)
{
    static const char *const exponents[] = {
        "\x01", "\x03", "\x11", "\x02", "\x01\x00\x00", "\x01\x00\x03", "\x81\x00\x01"};
    static const size_t exponent_lens[] = {1, 1, 1, 1, 3, 3, 3};
    static const size_t sizes[] = {64, 128, 255, 257, 320, 2048};
    struct seeded_library seeded = seeded_library_new(248);
    struct party party = party_new(seeded.library, MALLORY);
    const struct party *mallory = &party;
    signet_span good =
        crypto_rsa_public_spki(crypto_rsa_private_public(forge_device_key(mallory->account)));
    struct spki_parts parts = {.algorithm = spki_rsa_encryption(),
        .modulus = signet_span_of(good.ptr + 32, 257),
        .exponent = signet_span_of("\x01\x00\x01", 3)};
    struct spki_parts changed;
    uint8_t modulus[2049];
    struct signet_buf longer = copy_of(good);

    (void)state;
    memset(modulus, 0xd1, sizeof(modulus));
    modulus[0] = 0;
    CHECK_OK(read_with_key(mallory, good, false));
    for (size_t i = 0; i < 7; i++) {
        changed = parts;
        changed.exponent = signet_span_of(exponents[i], exponent_lens[i]);
        check_key_refused(mallory, changed);
    }
    for (size_t i = 0; i < 6; i++) {
        changed = parts;
        changed.modulus = signet_span_of(modulus, sizes[i] + 1);
        check_key_refused(mallory, changed);
    }
    changed = parts; /* without NULL */
    changed.algorithm.len -= 2;
    check_key_refused(mallory, changed);
    changed = parts; /* a negative modulus */
    changed.modulus = signet_span_from(parts.modulus, 1);
    check_key_refused(mallory, changed);
    changed.modulus = signet_span_of(modulus, 257); /* divisible by 209: no RSA modulus */
    check_modulus_refused(mallory, &changed);
    modulus[256] = 0xd0; /* even: OpenSSL does not get as far as to judge a signature under it */
    check_key_refused(mallory, changed);
    CHECK_OK(signet_buf_fill(&longer, 0, 1));
    CHECK_ERR(read_with_key(mallory, signet_buf_span(&longer), false), SIGNET_ERR_KEY);
    signet_buf_free(&longer);
    party_free(&party);
    seeded_library_free(&seeded);
}

TEST_FILE(attack_keys)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(low_order_prekeys_are_refused),
        cmocka_unit_test(low_order_ephemeral_keys_are_refused),
        cmocka_unit_test(low_order_ratchet_keys_are_refused),
        cmocka_unit_test(tricks_with_keys_in_cards_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
