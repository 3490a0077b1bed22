/* protocol: proofs to a relay; docs/protocol.md, section 9. */
#include "tests/support/unit.h"

#include "tests/support/flip.h"
#include "tests/support/forge_account.h"
#include "tests/support/parties.h"

struct fixture {
    struct seeded_library seeded;
    struct party alice, bob;
    struct signet_hop hop;
    struct signet_buf registration, login;
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.seeded = seeded_library_new(101)};

    f.alice = party_new(f.seeded.library, ALICE);
    f.bob = party_new(f.seeded.library, BOB);
    f.hop = (struct signet_hop){.pin = {.b = {1}},
        .origin = signet_span_str("relay.example"),
        .server_nonce = {2},
        .client_nonce = {3},
        .exporter = {4}};
    CHECK_OK(signet_registration_sign(
        f.alice.account, signet_span_str("alice"), &f.hop, &f.registration));
    CHECK_OK(signet_login_sign(f.alice.account, &f.hop, &f.login));
    return f;
}

static void fixture_free(struct fixture *f)
{
    party_free(&f->alice);
    party_free(&f->bob);
    signet_buf_free(&f->registration);
    signet_buf_free(&f->login);
    seeded_library_free(&f->seeded);
}

static enum signet_err verify_registration(const struct fixture *f, signet_span proof)
{
    return signet_registration_verify(
        proof, party_card(&f->alice), signet_span_str("alice"), &f->hop);
}

static enum signet_err verify_login(const struct fixture *f, signet_span proof)
{
    return signet_login_verify(proof, party_card(&f->alice), &f->hop);
}

static void proofs_hold_on_the_connection_they_were_made_for(void **state)
{
    struct fixture f = fixture_new();
    struct signet_login_claim claim;

    (void)state;
    CHECK_OK(verify_registration(&f, signet_buf_span(&f.registration)));
    CHECK_OK(verify_login(&f, signet_buf_span(&f.login)));
    CHECK_OK(signet_login_read(signet_buf_span(&f.login), &claim));
    CHECK(signet_id_equal(&claim.address, signet_account_address(f.alice.account)));
    CHECK(signet_id_equal(&claim.device, signet_account_device(f.alice.account)));
    CHECK(signet_id_equal(&claim.list, signet_card_list(party_card(&f.alice))));
    fixture_free(&f);
}

/* login.h: a device whose list is newer than the relay's logs in, to publish it. */
static void a_login_may_name_a_newer_list(void **state)
{
    struct fixture f = fixture_new();
    struct signet_card *old = NULL;
    struct signet_buf proof = {0};

    (void)state;
    CHECK_OK(signet_card_read(f.seeded.library, signet_card_bytes(party_card(&f.alice)), &old));
    CHECK_OK(signet_account_renew(f.alice.account, PARTY_NOW + 1));
    CHECK_OK(signet_login_sign(f.alice.account, &f.hop, &proof));
    CHECK_OK(signet_login_verify(signet_buf_span(&proof), old, &f.hop));
    /* Registering, the card comes along: both must say the same. */
    signet_buf_truncate(&proof, 0);
    CHECK_OK(signet_registration_sign(f.alice.account, signet_span_str("alice"), &f.hop, &proof));
    CHECK_ERR(
        signet_registration_verify(signet_buf_span(&proof), old, signet_span_str("alice"), &f.hop),
        SIGNET_ERR_CHANNEL);
    signet_buf_free(&proof);
    signet_card_free(old);
    fixture_free(&f);
}

/* docs/protocol.md, section 9: the proof is signed to the byte. */
static void every_byte_of_a_proof_counts(void **state)
{
    struct fixture f = fixture_new();
    const signet_span proofs[] = {signet_buf_span(&f.registration), signet_buf_span(&f.login)};

    (void)state;
    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; i < proofs[p].len; i++) {
            struct signet_buf bad = flipped(proofs[p], i);

            CHECK(verify_registration(&f, signet_buf_span(&bad)) != SIGNET_OK);
            CHECK(verify_login(&f, signet_buf_span(&bad)) != SIGNET_OK);
            CHECK(verify_login(&f, signet_span_of(proofs[p].ptr, i)) != SIGNET_OK);
            signet_buf_free(&bad);
        }
    }
    fixture_free(&f);
}

/* login.h: what a relay stored verified gives the same verdicts without being verified again. */
static void a_stored_card_serves_as_one_that_was_just_read(void **state)
{
    struct fixture f = fixture_new();
    signet_span card = signet_card_bytes(party_card(&f.alice));
    signet_span proof = signet_buf_span(&f.login);
    struct signet_library *library = f.seeded.library;

    (void)state;
    CHECK_OK(signet_login_verify_stored(library, proof, card, &f.hop));
    for (size_t i = 0; i < proof.len; i++) {
        struct signet_buf bad = flipped(proof, i);

        CHECK(
            signet_login_verify_stored(library, signet_buf_span(&bad), card, &f.hop) != SIGNET_OK);
        signet_buf_free(&bad);
    }
    CHECK_ERR(
        signet_login_verify_stored(library, proof, signet_card_bytes(party_card(&f.bob)), &f.hop),
        SIGNET_ERR_CHANNEL);
    for (size_t len = 0; len < card.len; len++)
        CHECK(signet_login_verify_stored(library, proof, signet_span_of(card.ptr, len), &f.hop) !=
              SIGNET_OK);
    f.hop.exporter[0] ^= 1;
    CHECK_ERR(signet_login_verify_stored(library, proof, card, &f.hop), SIGNET_ERR_CHANNEL);
    fixture_free(&f);
}

/* A device that is not on the stored card does not log in, whatever its proof says. */
static void a_device_that_is_not_on_the_stored_card_is_refused(void **state)
{
    struct fixture f = fixture_new();
    struct forged_account keys = {
        .identity = party_key(f.seeded.library, ALICE, PARTY_IDENTITY),
        .device = party_key(f.seeded.library, MALLORY, PARTY_DEVICE),
    };
    struct signet_account *other;
    struct signet_buf proof = {0};

    (void)state;
    other = forge_account(f.seeded.library, &keys, PARTY_NOW);
    CHECK_OK(signet_login_sign(other, &f.hop, &proof));
    CHECK_ERR(signet_login_verify_stored(f.seeded.library, signet_buf_span(&proof),
                  signet_card_bytes(party_card(&f.alice)), &f.hop),
        SIGNET_ERR_SIGNER);
    CHECK_OK(signet_login_verify_stored(f.seeded.library, signet_buf_span(&proof),
        signet_card_bytes(signet_account_card(other)), &f.hop));
    signet_buf_free(&proof);
    signet_account_free(other);
    fixture_free(&f);
}

/* A proof of alice's is not bob's, and the other way round. */
static void a_proof_of_another_account_is_refused(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    CHECK_ERR(signet_login_verify(signet_buf_span(&f.login), party_card(&f.bob), &f.hop),
        SIGNET_ERR_CHANNEL);
    CHECK_ERR(signet_registration_verify(signet_buf_span(&f.registration), party_card(&f.bob),
                  signet_span_str("alice"), &f.hop),
        SIGNET_ERR_AUTH);
    CHECK_ERR(signet_registration_verify(signet_buf_span(&f.registration), party_card(&f.alice),
                  signet_span_str("alicf"), &f.hop),
        SIGNET_ERR_CHANNEL);
    fixture_free(&f);
}

/* docs/protocol.md, section 9: [a-z0-9][a-z0-9._-]{0,31} */
static void names_are_of_the_form_allowed(void **state)
{
    static const char *const good[] = {
        "a", "0", "alice", "a.b-c_d", "a..", "operator", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const bad[] = {"", "A", ".a", "-a", "_a", "a b", "a/b", "a\n", "\xc3\xa4",
        "al\xd1\x96x", "abcdefghijklmnopqrstuvwxyz0123456"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CHECK(signet_name_is_valid(signet_span_str(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!signet_name_is_valid(signet_span_str(bad[i])));
    CHECK(!signet_name_is_valid(signet_span_of("a\0b", 3)));
}

/* login.h: nothing is signed that no relay would accept. */
static void what_no_relay_accepts_is_not_signed(void **state)
{
    struct fixture f = fixture_new();
    static const char *const origins[] = {"", "\xff"};
    char longest[SIGNET_ORIGIN_MAX + 2];
    struct signet_buf proof = {0};

    (void)state;
    CHECK_ERR(signet_registration_sign(f.alice.account, signet_span_str("Alice"), &f.hop, &proof),
        SIGNET_ERR_ARGUMENT);
    for (size_t i = 0; i < 3; i++) {
        memset(longest, 'o', sizeof(longest));
        f.hop.origin =
            i < 2 ? signet_span_str(origins[i]) : signet_span_of(longest, SIGNET_ORIGIN_MAX + 1);
        CHECK_ERR(signet_login_sign(f.alice.account, &f.hop, &proof), SIGNET_ERR_ARGUMENT);
        CHECK_ERR(
            signet_registration_sign(f.alice.account, signet_span_str("alice"), &f.hop, &proof),
            SIGNET_ERR_ARGUMENT);
    }
    CHECK(proof.len == 0);
    f.hop.origin.len = SIGNET_ORIGIN_MAX;
    CHECK_OK(signet_login_sign(f.alice.account, &f.hop, &proof));
    CHECK_OK(verify_login(&f, signet_buf_span(&proof)));
    signet_buf_free(&proof);
    fixture_free(&f);
}

TEST_FILE(login)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proofs_hold_on_the_connection_they_were_made_for),
        cmocka_unit_test(a_login_may_name_a_newer_list),
        cmocka_unit_test(every_byte_of_a_proof_counts),
        cmocka_unit_test(a_stored_card_serves_as_one_that_was_just_read),
        cmocka_unit_test(a_device_that_is_not_on_the_stored_card_is_refused),
        cmocka_unit_test(a_proof_of_another_account_is_refused),
        cmocka_unit_test(names_are_of_the_form_allowed),
        cmocka_unit_test(what_no_relay_accepts_is_not_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
