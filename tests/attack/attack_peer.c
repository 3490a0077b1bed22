/*
 * A malicious peer: one with an account, valid keys, and sessions of its own. docs/protocol.md,
 * sections 5 to 8.
 */
#include "tests/support/unit.h"

#include "crypto/hash.h"
#include "protocol/ratchet.h"
#include "tests/support/flip.h"
#include "tests/support/forge.h"
#include "tests/support/forge_session.h"

static size_t derivations; /* of keys of a chain */

/* -Wl,--wrap */
enum signet_err __real_crypto_hmac(
    struct signet_library *library, signet_span key, signet_span data, uint8_t out[CRYPTO_MAC_LEN]);
enum signet_err __wrap_crypto_hmac(
    struct signet_library *library, signet_span key, signet_span data, uint8_t out[CRYPTO_MAC_LEN]);

enum signet_err __wrap_crypto_hmac(
    struct signet_library *library, signet_span key, signet_span data, uint8_t out[CRYPTO_MAC_LEN])
{
    derivations++;
    return __real_crypto_hmac(library, key, data, out);
}

/* A counter of 2^31 must not buy 2^31 derivations: docs/protocol.md, section 6.1. */
static void a_flooded_counter_costs_nothing(void **state)
{
    static const uint32_t counters[][2] = {
        {0, 1u << 31}, {0, UINT32_MAX}, {1u << 31, 0}, {UINT32_MAX, 0}, {600, 600}};
    struct pair p = pair_established(245);
    struct forged_message message = forge_message(p.session[ALICE]);

    (void)state;
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        struct signet_buf before = pair_state(&p, BOB), after, envelope;

        message.header.previous_count = counters[i][0];
        message.header.number = counters[i][1];
        envelope = forge_envelope(p.session[ALICE], &message, "flood");
        derivations = 0;
        CHECK_ERR(pair_refusal(&p, BOB, signet_buf_span(&envelope)), SIGNET_ERR_LIMIT);
        CHECK(derivations == 0);
        after = pair_state(&p, BOB);
        CHECK(signet_span_equal(signet_buf_span(&before), signet_buf_span(&after)));
        CHECK(forge_skipped_count(p.session[BOB]) == 0);
        signet_buf_free(&before);
        signet_buf_free(&after);
        signet_buf_free(&envelope);
    }
    CHECK_OPENS(&p, BOB, pair_seal(&p, ALICE, "still here"), "still here");
    CHECK(derivations > 0);
    pair_free(&p);
}

/* Invisible salamanders (Dodis et al., CRYPTO 2018): GCM does not commit to its key, so the header
 * does; a body under any other key than the one committed to is refused, though its tag holds. */
static void a_message_that_commits_to_another_key_is_refused(void **state)
{
    struct pair p = pair_established(246);
    struct forged_message message = forge_message(p.session[ALICE]);
    struct signet_buf envelope = forge_envelope(p.session[ALICE], &message, "control");
    struct signet_session *copy = NULL;
    struct signet_buf content = {0};

    (void)state;
    CHECK_OK(signet_session_copy(p.session[BOB], &copy));
    CHECK_OK(signet_session_open(copy, signet_buf_span(&envelope), PARTY_NOW, &content));
    signet_session_free(copy);
    signet_buf_free(&envelope);
    for (size_t i = 0; i < COMMITMENT_LEN; i++) {
        message.header.commitment[i] ^= 1;
        envelope = forge_envelope(p.session[ALICE], &message, "two-faced");
        CHECK_ERR(pair_refusal(&p, BOB, signet_buf_span(&envelope)), SIGNET_ERR_AUTH);
        message.header.commitment[i] ^= 1;
        signet_buf_free(&envelope);
    }
    signet_buf_free(&content);
    pair_free(&p);
}

/* ---- entries ---- */

struct people {
    struct seeded_library seeded;
    struct signet_library *library;
    struct party alice, bob, mallory;
};

static struct people people_new(void)
{
    struct people people = {.seeded = seeded_library_new(247)};

    people.library = people.seeded.library;
    people.alice = party_new(people.library, ALICE);
    people.bob = party_new(people.library, BOB);
    people.mallory = party_new(people.library, MALLORY);
    party_publish(&people.bob, 1);
    return people;
}

static void people_free(struct people *people)
{
    party_free(&people->alice);
    party_free(&people->bob);
    party_free(&people->mallory);
    seeded_library_free(&people->seeded);
}

/* What `to` makes of content in a session with `from`. */
static enum signet_err receive(
    const struct party *to, const struct party *from, const struct signet_buf *content)
{
    struct signet_channel channel = party_channel(to, from);
    struct signet_entry entry;

    return signet_entry_open(to->library, signet_buf_span(content), &channel, &entry);
}

/* Davis, "Defective Sign & Encrypt" (USENIX 2001): bob passes on to carol what alice wrote to him. */
static void a_signed_entry_cannot_be_forwarded(void **state)
{
    struct people people = people_new();
    struct party carol = party_new(people.library, CAROL);
    struct signet_buf content = party_sign(&people.alice, &people.bob, "I owe you 100");

    (void)state;
    CHECK_OK(receive(&people.bob, &people.alice, &content));
    CHECK_ERR(receive(&carol, &people.bob, &content), SIGNET_ERR_SIGNER);
    CHECK_ERR(receive(&carol, &people.alice, &content), SIGNET_ERR_CHANNEL);
    /* Nor sent back to its author as if bob had written it. */
    CHECK_ERR(receive(&people.alice, &people.bob, &content), SIGNET_ERR_SIGNER);
    signet_buf_free(&content);
    party_free(&carol);
    people_free(&people);
}

/* Zoom (Isobe, Ito, 2021): an insider signs another's message as its own, or its own as another's. */
static void an_insider_cannot_sign_for_another(void **state)
{
    struct people people = people_new();
    struct forged_entry entry = forge_entry(&people.alice, &people.bob, "alice's words");
    const struct crypto_rsa_private *hers = forge_device_key(people.mallory.account);
    struct signet_buf content;

    (void)state;
    content = forge_content(people.library, &entry, hers, TYP_ENTRY);
    CHECK_ERR(receive(&people.bob, &people.alice, &content), SIGNET_ERR_AUTH);
    CHECK_ERR(receive(&people.bob, &people.mallory, &content), SIGNET_ERR_SIGNER);
    signet_buf_free(&content);
    entry.device = *signet_account_device(people.mallory.account);
    content = forge_content(people.library, &entry, hers, TYP_ENTRY);
    CHECK_ERR(receive(&people.bob, &people.alice, &content), SIGNET_ERR_SIGNER);
    CHECK_ERR(receive(&people.bob, &people.mallory, &content), SIGNET_ERR_CHANNEL);
    signet_buf_free(&content);
    /* alice's account, as far as it goes, in a conversation of mallory's. */
    entry = forge_entry(&people.mallory, &people.bob, "mallory's words");
    entry.address = *signet_account_address(people.alice.account);
    entry.list = *signet_card_list(party_card(&people.alice));
    content = forge_content(people.library, &entry, hers, TYP_ENTRY);
    CHECK_ERR(receive(&people.bob, &people.mallory, &content), SIGNET_ERR_CHANNEL);
    signet_buf_free(&content);
    people_free(&people);
}

/* Garman et al., "Dancing on the Lip of the Volcano" (USENIX Security 2016): iMessage's signature
 * could be stripped and replaced. */
static void a_signature_is_neither_stripped_nor_replaced(void **state)
{
    struct people people = people_new();
    struct forged_entry entry = forge_entry(&people.alice, &people.bob, "words");
    struct signet_buf payload = forge_entry_bytes(people.library, &entry);
    struct signet_buf good =
        forge_signed(forge_device_key(people.alice.account), TYP_ENTRY, signet_buf_span(&payload));
    struct signet_buf hers = forge_signed(
        forge_device_key(people.mallory.account), TYP_ENTRY, signet_buf_span(&payload));
    signet_span salt = signet_span_of(entry.salt, sizeof(entry.salt));
    struct signet_buf zero = copy_of(signet_buf_span(&good)), bare = {0}, content;
    const struct signet_buf *cose[] = {&payload, &hers, &zero, &bare};

    (void)state;
    memset(zero.ptr + zero.len - 256, 0, 256);
    /* The COSE_Sign1 with an empty string for its signature: its head is the last three bytes. */
    CHECK_OK(signet_buf_append(&bare, signet_span_of(good.ptr, good.len - 259)));
    CHECK_OK(signet_buf_fill(&bare, 0x40, 1));
    for (size_t i = 0; i < 4; i++) {
        content = forge_content_with(signet_buf_span(cose[i]), salt, entry.body);
        CHECK_ERR(receive(&people.bob, &people.alice, &content),
            i == 0 || i == 3 ? SIGNET_ERR_FORMAT : SIGNET_ERR_AUTH);
        signet_buf_free(&content);
    }
    content = forge_content_with(signet_buf_span(&good), salt, entry.body);
    CHECK_OK(receive(&people.bob, &people.alice, &content));
    signet_buf_free(&content);
    signet_buf_free(&payload);
    signet_buf_free(&good);
    signet_buf_free(&hers);
    signet_buf_free(&zero);
    signet_buf_free(&bare);
    people_free(&people);
}

/* ---- who begins a session ---- */

/* Unknown key share and key-compromise impersonation: a card proves nothing without its device's
 * signature over this very session (docs/protocol.md, section 5). */
static void nobody_begins_a_session_as_another(void **state)
{
    struct people people = people_new();
    struct forged_init init = forge_init(&people.alice, &people.bob), other;
    struct signet_buf payload = {0}, proof;
    struct wire_writer w = wire_writer(&payload);

    (void)state;
    /* alice's card, mallory's device: named as such, or as alice's. */
    init.device = forge_device_key(people.mallory.account);
    CHECK_ERR(forge_refusal(&people.bob, &init, NULL), SIGNET_ERR_AUTH);
    init.signer = *signet_account_device(people.mallory.account);
    CHECK_ERR(forge_refusal(&people.bob, &init, NULL), SIGNET_ERR_SIGNER);
    /* A proof of alice's from a session that she did begin. */
    wire_put_array(&w, 2);
    wire_put_id(&w, signet_account_device(people.alice.account));
    wire_put_id(&w, signet_account_address(people.alice.account));
    CHECK_OK(wire_writer_finish(&w));
    proof = forge_signed(
        forge_device_key(people.alice.account), TYP_HANDSHAKE, signet_buf_span(&payload));
    other = forge_init(&people.alice, &people.bob);
    other.proof = signet_buf_span(&proof);
    CHECK_ERR(forge_refusal(&people.bob, &other, NULL), SIGNET_ERR_CHANNEL);
    /* mallory cannot hand on a session that alice began with her. */
    init = forge_init(&people.alice, &people.mallory);
    CHECK_ERR(forge_refusal(&people.bob, &init, NULL), SIGNET_ERR_CHANNEL);
    signet_buf_free(&payload);
    signet_buf_free(&proof);
    people_free(&people);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flooded_counter_costs_nothing),
        cmocka_unit_test(a_message_that_commits_to_another_key_is_refused),
        cmocka_unit_test(a_signed_entry_cannot_be_forwarded),
        cmocka_unit_test(an_insider_cannot_sign_for_another),
        cmocka_unit_test(a_signature_is_neither_stripped_nor_replaced),
        cmocka_unit_test(nobody_begins_a_session_as_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
