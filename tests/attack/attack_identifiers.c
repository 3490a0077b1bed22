/*
 * One thing taken for another: identifiers of other types, signatures for other purposes.
 * docs/protocol.md, section 2; Matrix (S&P 2023), section 4; Threema (USENIX Security 2023).
 */
#include "tests/support/unit.h"

#include "tests/support/forge.h"
#include "tests/support/forge_session.h"

/* Every identifier that alice, bob and a session of theirs have. */
enum { ID_COUNT = 14 };

struct fixture {
    struct seeded_library seeded;
    struct signet_library *library;
    struct party alice, bob;
    struct signet_id ids[ID_COUNT];
};

static void gather(struct fixture *f)
{
    const struct party *parties[] = {&f->alice, &f->bob};
    struct signet_session *session = party_initiate(&f->alice, &f->bob, NULL);
    struct signet_buf content = party_sign(&f->alice, &f->bob, "hello");
    struct signet_channel channel = party_channel(&f->bob, &f->alice);
    struct signet_entry entry;
    size_t n = 0;

    CHECK_OK(signet_entry_open(f->library, signet_buf_span(&content), &channel, &entry));
    for (size_t i = 0; i < 2; i++) {
        f->ids[n++] = *signet_account_address(parties[i]->account);
        f->ids[n++] = *signet_account_device(parties[i]->account);
        f->ids[n++] = *signet_card_list(party_card(parties[i]));
        f->ids[n++] = forge_list_of(party_card(parties[i])).next_identity;
    }
    f->ids[n++] = *signet_bundle_id(f->bob.bundle);
    f->ids[n++] = forge_bundle(f->bob.bundle).one_time_root;
    f->ids[n++] = *crypto_rsa_public_fingerprint(forge_bundle(f->bob.bundle).oaep_key);
    f->ids[n++] = *signet_session_transcript(session);
    f->ids[n++] = entry.id;
    f->ids[n++] = entry.conversation;
    CHECK(n == ID_COUNT);
    signet_session_free(session);
    signet_buf_free(&content);
}

static struct fixture fixture_new(void)
{
    struct fixture f = {.seeded = seeded_library_new(231)};

    f.library = f.seeded.library;
    f.alice = party_new(f.library, ALICE);
    f.bob = party_new(f.library, BOB);
    party_publish(&f.bob, 1);
    gather(&f);
    return f;
}

static void fixture_free(struct fixture *f)
{
    party_free(&f->alice);
    party_free(&f->bob);
    seeded_library_free(&f->seeded);
}

/* Put every other identifier in a place; `refusal` must not be OK but for the right one. */
#define SUBSTITUTE(place, refusal)                                                                 \
    do {                                                                                           \
        struct signet_id right_ = *(place);                                                        \
        CHECK_OK(refusal);                                                                         \
        for (size_t i_ = 0; i_ < ID_COUNT; i_++) {                                                 \
            if (signet_id_equal(&f.ids[i_], &right_))                                              \
                continue;                                                                          \
            *(place) = f.ids[i_];                                                                  \
            CHECK((refusal) != SIGNET_OK);                                                         \
        }                                                                                          \
        *(place) = right_;                                                                         \
    } while (0)

static enum signet_err entry_refusal(const struct fixture *f, const struct forged_entry *e)
{
    struct signet_buf content =
        forge_content(f->library, e, forge_device_key(f->alice.account), TYP_ENTRY);
    struct signet_channel channel = party_channel(&f->bob, &f->alice);
    struct signet_entry entry;
    enum signet_err err =
        signet_entry_open(f->library, signet_buf_span(&content), &channel, &entry);

    signet_buf_free(&content);
    return err;
}

/* docs/protocol.md, section 8, step 6: every identifier in an entry has its one meaning. */
static void no_identifier_in_an_entry_can_be_another(void **state)
{
    struct fixture f = fixture_new();
    struct forged_entry e = forge_entry(&f.alice, &f.bob, "hello");

    (void)state;
    SUBSTITUTE(&e.conversation, entry_refusal(&f, &e));
    SUBSTITUTE(&e.to[0], entry_refusal(&f, &e));
    SUBSTITUTE(&e.to_list[0], entry_refusal(&f, &e));
    SUBSTITUTE(&e.device, entry_refusal(&f, &e));
    SUBSTITUTE(&e.address, entry_refusal(&f, &e));
    SUBSTITUTE(&e.list, entry_refusal(&f, &e));
    fixture_free(&f);
}

static enum signet_err card_refusal(const struct fixture *f, const struct forged_list *list)
{
    struct forged_link link = {.identity = forge_identity_key(f->bob.account), .list = list};
    struct signet_card *card = NULL;
    enum signet_err err = forge_card(f->library, &link, 1, &card);

    signet_card_free(card);
    return err;
}

/* docs/protocol.md, section 3. */
static void no_identifier_in_a_device_list_can_be_another(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list list = forge_list(&f.bob);

    (void)state;
    SUBSTITUTE(&list.signer, card_refusal(&f, &list));
    SUBSTITUTE(&list.address, card_refusal(&f, &list));
    fixture_free(&f);
}

static enum signet_err bundle_refusal(const struct fixture *f, const struct forged_bundle *fields)
{
    struct signet_buf cose = forge_bundle_bytes(forge_device_key(f->bob.account), fields);
    struct signet_bundle *bundle = NULL;
    enum signet_err err;

    err = signet_bundle_read(f->library, signet_buf_span(&cose), party_card(&f->bob), &bundle);
    signet_bundle_free(bundle);
    signet_buf_free(&cose);
    return err;
}

/* docs/protocol.md, section 4. */
static void no_identifier_in_a_bundle_can_be_another(void **state)
{
    struct fixture f = fixture_new();
    struct forged_bundle fields = forge_bundle(f.bob.bundle);

    (void)state;
    SUBSTITUTE(&fields.device, bundle_refusal(&f, &fields));
    SUBSTITUTE(&fields.address, bundle_refusal(&f, &fields));
    fixture_free(&f);
}

/* docs/protocol.md, section 5: each name in the block, in the proof, and in what T2 is signed of. */
static void no_identifier_in_a_first_message_can_be_another(void **state)
{
    struct fixture f = fixture_new();
    struct forged_init init = forge_init(&f.alice, &f.bob);
    struct handshake_parties sign = init.parties;

    (void)state;
    SUBSTITUTE(&init.parties.responder.address, forge_refusal(&f.bob, &init, NULL));
    SUBSTITUTE(&init.parties.responder.list, forge_refusal(&f.bob, &init, NULL));
    SUBSTITUTE(&init.parties.responder.device, forge_refusal(&f.bob, &init, NULL));
    SUBSTITUTE(&init.signer, forge_refusal(&f.bob, &init, NULL));
    SUBSTITUTE(&init.transcript, forge_refusal(&f.bob, &init, NULL));
    SUBSTITUTE(&sign.initiator.address, forge_refusal(&f.bob, &init, &sign));
    SUBSTITUTE(&sign.initiator.list, forge_refusal(&f.bob, &init, &sign));
    SUBSTITUTE(&sign.initiator.device, forge_refusal(&f.bob, &init, &sign));
    SUBSTITUTE(&sign.responder.address, forge_refusal(&f.bob, &init, &sign));
    SUBSTITUTE(&sign.responder.list, forge_refusal(&f.bob, &init, &sign));
    SUBSTITUTE(&sign.responder.device, forge_refusal(&f.bob, &init, &sign));
    fixture_free(&f);
}

/* ---- purposes ---- */

enum place { DEVICE_LIST, BUNDLE, HANDSHAKE, ENTRY, REGISTRATION, LOGIN, PLACES };
static const char *const typs[PLACES] = {
    TYP_DEVICE_LIST, TYP_BUNDLE, TYP_HANDSHAKE, TYP_ENTRY, TYP_REGISTRATION, TYP_LOGIN};

static const struct signet_hop hop = {.origin = {(const uint8_t *)"relay", 5}};
static const uint8_t salt[32] = {42}; /* that of forge_entry */

/* What alice really signs in each place, as payload. */
static struct signet_buf genuine_payload(const struct fixture *f, enum place place)
{
    struct forged_entry entry = forge_entry(&f->alice, &f->bob, "hello");
    struct forged_list list = forge_list(&f->alice);
    struct forged_bundle bundle = forge_bundle(f->bob.bundle);
    struct signet_buf payload = {0}, cose = {0};
    signet_span inside;
    struct wire_writer w = wire_writer(&payload);

    if (place == ENTRY)
        return forge_entry_bytes(f->library, &entry);
    if (place == DEVICE_LIST)
        return forge_list_payload(&list);
    bundle.device = *signet_account_device(f->alice.account);
    bundle.address = *signet_account_address(f->alice.account);
    if (place == BUNDLE)
        return forge_bundle_payload(&bundle);
    if (place == HANDSHAKE) { /* good for its form: T2 depends on the rest of the message */
        wire_put_array(&w, 2);
        wire_put_id(&w, signet_account_device(f->alice.account));
        wire_put_id(&w, &f->ids[0]);
        CHECK_OK(wire_writer_finish(&w));
    }
    if (place == REGISTRATION)
        CHECK_OK(signet_registration_sign(f->alice.account, signet_span_str("alice"), &hop, &cose));
    if (place == LOGIN)
        CHECK_OK(signet_login_sign(f->alice.account, &hop, &cose));
    if (cose.len > 0) {
        CHECK_OK(signed_peek(signet_buf_span(&cose), typs[place], &inside));
        CHECK_OK(signet_buf_append(&payload, inside));
    }
    signet_buf_free(&cose);
    return payload;
}

static const struct crypto_rsa_private *key_of(const struct fixture *f, enum place place)
{
    bool is_identity = place == DEVICE_LIST || place == REGISTRATION;

    return is_identity ? forge_identity_key(f->alice.account) : forge_device_key(f->alice.account);
}

static enum signet_err use_as_list(const struct fixture *f, signet_span cose)
{
    struct signet_buf bytes = {0};
    struct wire_writer w = wire_writer(&bytes);
    struct signet_card *card = NULL;
    enum signet_err err;

    wire_put_array(&w, 1);
    wire_put_array(&w, 2);
    wire_put_bytes(&w,
        crypto_rsa_public_spki(crypto_rsa_private_public(forge_identity_key(f->alice.account))));
    wire_put_bytes(&w, cose);
    CHECK_OK(wire_writer_finish(&w));
    err = signet_card_read(f->library, signet_buf_span(&bytes), &card);
    signet_card_free(card);
    signet_buf_free(&bytes);
    return err;
}

static enum signet_err use_as_entry(const struct fixture *f, signet_span cose)
{
    struct signet_buf content =
        forge_content_with(cose, signet_span_of(salt, sizeof(salt)), signet_span_str("hello"));
    struct signet_channel channel = party_channel(&f->bob, &f->alice);
    struct signet_entry entry;
    enum signet_err err =
        signet_entry_open(f->library, signet_buf_span(&content), &channel, &entry);

    signet_buf_free(&content);
    return err;
}

static enum signet_err use_as_bundle(const struct fixture *f, signet_span cose)
{
    struct signet_bundle *bundle = NULL;
    enum signet_err err = signet_bundle_read(f->library, cose, party_card(&f->alice), &bundle);

    signet_bundle_free(bundle);
    return err;
}

static enum signet_err use_as_handshake(const struct fixture *f, signet_span cose)
{
    struct forged_init init = forge_init(&f->alice, &f->bob);

    init.proof = cose;
    return forge_refusal(&f->bob, &init, NULL);
}

static enum signet_err use(const struct fixture *f, enum place place, signet_span cose)
{
    const struct signet_card *card = party_card(&f->alice);

    switch (place) {
    case DEVICE_LIST: return use_as_list(f, cose);
    case BUNDLE: return use_as_bundle(f, cose);
    case HANDSHAKE: return use_as_handshake(f, cose);
    case ENTRY: return use_as_entry(f, cose);
    case REGISTRATION:
        return signet_registration_verify(cose, card, signet_span_str("alice"), &hop);
    case LOGIN: return signet_login_verify(cose, card, &hop);
    default: return SIGNET_ERR_ARGUMENT;
    }
}

/* A proof of form and signature is right for its place, though T2 is not. */
static enum signet_err expected(enum place used, enum place typ)
{
    if (used != typ)
        return SIGNET_ERR_PURPOSE;
    return used == HANDSHAKE ? SIGNET_ERR_CHANNEL : SIGNET_OK;
}

/* docs/protocol.md, section 2: what was signed for one place is refused in each other, all pairs. */
static void a_signature_serves_in_its_own_place_only(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    for (enum place made = 0; made < PLACES; made++) {
        struct signet_buf payload = genuine_payload(&f, made);
        struct signet_buf cose =
            forge_signed(key_of(&f, made), typs[made], signet_buf_span(&payload));

        for (enum place used = 0; used < PLACES; used++)
            CHECK_ERR(use(&f, used, signet_buf_span(&cose)), expected(used, made));
        signet_buf_free(&payload);
        signet_buf_free(&cose);
    }
    fixture_free(&f);
}

/* Even the right payload, signed by the right key, counts for nothing with another typ. */
static void the_right_payload_with_another_typ_is_refused(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    for (enum place used = 0; used < PLACES; used++) {
        struct signet_buf payload = genuine_payload(&f, used);

        for (enum place typ = 0; typ < PLACES; typ++) {
            struct signet_buf cose =
                forge_signed(key_of(&f, used), typs[typ], signet_buf_span(&payload));

            CHECK_ERR(use(&f, used, signet_buf_span(&cose)), expected(used, typ));
            signet_buf_free(&cose);
        }
        signet_buf_free(&payload);
    }
    fixture_free(&f);
}

/* And with the right typ by the account's other key: identity and device are no substitutes. */
static void the_accounts_other_key_is_refused(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    for (enum place used = 0; used < PLACES; used++) {
        bool is_identity = key_of(&f, used) == forge_identity_key(f.alice.account);
        const struct crypto_rsa_private *other =
            is_identity ? forge_device_key(f.alice.account) : forge_identity_key(f.alice.account);
        struct signet_buf payload = genuine_payload(&f, used);
        struct signet_buf cose = forge_signed(other, typs[used], signet_buf_span(&payload));

        CHECK_ERR(use(&f, used, signet_buf_span(&cose)), SIGNET_ERR_AUTH);
        signet_buf_free(&payload);
        signet_buf_free(&cose);
    }
    fixture_free(&f);
}

TEST_FILE(attack_identifiers)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_identifier_in_an_entry_can_be_another),
        cmocka_unit_test(no_identifier_in_a_device_list_can_be_another),
        cmocka_unit_test(no_identifier_in_a_bundle_can_be_another),
        cmocka_unit_test(no_identifier_in_a_first_message_can_be_another),
        cmocka_unit_test(a_signature_serves_in_its_own_place_only),
        cmocka_unit_test(the_right_payload_with_another_typ_is_refused),
        cmocka_unit_test(the_accounts_other_key_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
