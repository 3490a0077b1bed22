/*
 * A relay or a machine in the middle that uses a proof of login again elsewhere: docs/protocol.md,
 * section 9; the relays of a mesh must not be able to log in for one another's users.
 */
#include "tests/support/unit.h"

#include "tests/support/parties.h"

struct fixture {
    struct seeded_library seeded;
    struct party alice, mallory;
    struct signet_hop hop;
    struct signet_buf registration, login;
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.seeded = seeded_library_new(251)};

    f.alice = party_new(f.seeded.library, ALICE);
    f.mallory = party_new(f.seeded.library, MALLORY);
    f.hop = (struct signet_hop){.pin = {.b = {1}}, .origin = signet_span_str("relay.example")};
    memset(f.hop.server_nonce, 2, sizeof(f.hop.server_nonce));
    memset(f.hop.client_nonce, 3, sizeof(f.hop.client_nonce));
    memset(f.hop.exporter, 4, sizeof(f.hop.exporter));
    CHECK_OK(signet_registration_sign(
        f.alice.account, signet_span_str("alice"), &f.hop, &f.registration));
    CHECK_OK(signet_login_sign(f.alice.account, &f.hop, &f.login));
    return f;
}

static void fixture_free(struct fixture *f)
{
    party_free(&f->alice);
    party_free(&f->mallory);
    signet_buf_free(&f->registration);
    signet_buf_free(&f->login);
    seeded_library_free(&f->seeded);
}

/* Both proofs, on a connection that is not theirs. */
static void check_refused(const struct fixture *f, const struct signet_hop *hop)
{
    const struct signet_card *card = party_card(&f->alice);

    CHECK_ERR(signet_login_verify(signet_buf_span(&f->login), card, hop), SIGNET_ERR_CHANNEL);
    CHECK_ERR(signet_registration_verify(
                  signet_buf_span(&f->registration), card, signet_span_str("alice"), hop),
        SIGNET_ERR_CHANNEL);
}

/* A relay hands the proof to another one: its pinned key and its name are signed. */
static void a_proof_is_refused_by_another_relay(void **state)
{
    static const char *const origins[] = {
        "relay.example.", "relay.exampl", "Relay.example", "other.example", ""};
    struct fixture f = fixture_new();
    struct signet_hop hop = f.hop;

    (void)state;
    for (size_t i = 0; i < sizeof(hop.pin.b); i++) {
        hop.pin.b[i] ^= 0x80;
        check_refused(&f, &hop);
        hop.pin.b[i] ^= 0x80;
    }
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        hop.origin = signet_span_str(origins[i]);
        check_refused(&f, &hop);
    }
    fixture_free(&f);
}

/* A proof is good for one challenge: the server's nonce is signed. */
static void a_proof_is_refused_for_another_challenge(void **state)
{
    struct fixture f = fixture_new();
    struct signet_hop hop = f.hop;

    (void)state;
    for (size_t i = 0; i < sizeof(hop.server_nonce); i++) {
        hop.server_nonce[i] ^= 1;
        check_refused(&f, &hop);
        hop.server_nonce[i] ^= 1;
    }
    fixture_free(&f);
}

/* RFC 9266: whoever sits between two TLS connections and passes challenge and proof on has two
 * different exporters. */
static void a_proof_is_refused_on_another_tls_connection(void **state)
{
    struct fixture f = fixture_new();
    struct signet_hop hop = f.hop;

    (void)state;
    for (size_t i = 0; i < sizeof(hop.exporter); i++) {
        hop.exporter[i] ^= 1;
        check_refused(&f, &hop);
        hop.exporter[i] ^= 1;
    }
    /* Fields that change places are others, too. */
    memcpy(hop.exporter, f.hop.server_nonce, sizeof(hop.exporter));
    memcpy(hop.server_nonce, f.hop.exporter, sizeof(hop.server_nonce));
    check_refused(&f, &hop);
    fixture_free(&f);
}

/* Each proof in the other's place: docs/protocol.md, section 2. */
static void registration_and_login_do_not_stand_for_one_another(void **state)
{
    struct fixture f = fixture_new();
    const struct signet_card *card = party_card(&f.alice);
    struct signet_login_claim claim;

    (void)state;
    CHECK_ERR(
        signet_login_verify(signet_buf_span(&f.registration), card, &f.hop), SIGNET_ERR_PURPOSE);
    CHECK_ERR(signet_login_read(signet_buf_span(&f.registration), &claim), SIGNET_ERR_PURPOSE);
    CHECK_ERR(signet_registration_verify(
                  signet_buf_span(&f.login), card, signet_span_str("alice"), &f.hop),
        SIGNET_ERR_PURPOSE);
    fixture_free(&f);
}

/* A name is registered by whom it is signed for, and no name besides. */
static void a_registration_gives_no_other_name_or_account(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf hers = {0};

    (void)state;
    CHECK_ERR(signet_registration_verify(signet_buf_span(&f.registration), party_card(&f.alice),
                  signet_span_str("operator"), &f.hop),
        SIGNET_ERR_CHANNEL);
    CHECK_OK(signet_registration_sign(f.mallory.account, signet_span_str("alice"), &f.hop, &hers));
    CHECK_ERR(signet_registration_verify(
                  signet_buf_span(&hers), party_card(&f.alice), signet_span_str("alice"), &f.hop),
        SIGNET_ERR_AUTH);
    signet_buf_truncate(&hers, 0);
    CHECK_OK(signet_login_sign(f.mallory.account, &f.hop, &hers));
    CHECK_ERR(signet_login_verify(signet_buf_span(&hers), party_card(&f.alice), &f.hop),
        SIGNET_ERR_CHANNEL);
    signet_buf_free(&hers);
    fixture_free(&f);
}

TEST_FILE(attack_login)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proof_is_refused_by_another_relay),
        cmocka_unit_test(a_proof_is_refused_for_another_challenge),
        cmocka_unit_test(a_proof_is_refused_on_another_tls_connection),
        cmocka_unit_test(registration_and_login_do_not_stand_for_one_another),
        cmocka_unit_test(a_registration_gives_no_other_name_or_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
