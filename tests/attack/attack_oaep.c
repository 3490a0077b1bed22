/*
 * Bleichenbacher (CRYPTO 1998) and Manger (CRYPTO 2001): whoever can send first messages learns from
 * nothing whether an OAEP ciphertext was well formed. docs/protocol.md, section 5.
 *
 * What is compared here is what a program can see. Time is not measured.
 */
#include "tests/support/unit.h"

#include <openssl/err.h>

#include "tests/support/flip.h"
#include "tests/support/forge_account.h"
#include "tests/support/forge_session.h"

enum { MODULUS_AT = 33, MODULUS_LEN = 256 }; /* in the SubjectPublicKeyInfo of 2048 bits */

struct fixture {
    struct seeded_library seeded;
    struct party bob, mallory;
    struct forged_init init;
    struct signet_buf good; /* a ciphertext of another secret */
};

static struct fixture fixture_new(void)
{
    static const struct crypto_oaep_secret other = {.k = {1}};
    struct fixture f = {.seeded = seeded_library_new(261)};

    f.bob = party_new(f.seeded.library, BOB);
    f.mallory = party_new(f.seeded.library, MALLORY);
    party_publish(&f.bob, 1);
    f.init = forge_init(&f.mallory, &f.bob);
    CHECK_OK(forge_refusal(&f.bob, &f.init, NULL));
    CHECK_OK(crypto_rsa_wrap(forge_bundle(f.bob.bundle).oaep_key, &other, &f.good));
    return f;
}

static void fixture_free(struct fixture *f)
{
    party_free(&f->bob);
    party_free(&f->mallory);
    signet_buf_free(&f->good);
    seeded_library_free(&f->seeded);
}

/* bob's refusal of a message with that ciphertext; OpenSSL says nothing more. */
static enum signet_err refusal(struct fixture *f, signet_span oaep)
{
    enum signet_err err;

    f->init.has_oaep = true;
    f->init.oaep = oaep;
    err = forge_refusal(&f->bob, &f->init, NULL);
    CHECK(ERR_peek_error() == 0);
    return err;
}

/* The modulus of bob's decryption key plus `more`, big-endian. */
static void modulus_plus(const struct fixture *f, int more, uint8_t out[MODULUS_LEN])
{
    int carry = more;

    memcpy(out, crypto_rsa_public_spki(forge_bundle(f->bob.bundle).oaep_key).ptr + MODULUS_AT,
        MODULUS_LEN);
    for (size_t i = MODULUS_LEN; i-- > 0 && carry != 0;) {
        int sum = out[i] + carry;

        out[i] = (uint8_t)sum;
        carry = sum < 0 ? -1 : sum > 255 ? 1 : 0;
    }
}

/* A wrong secret in good padding, and padding broken in every way, all end as a wrong tag. */
static void broken_padding_looks_like_a_wrong_tag(void **state)
{
    struct fixture f = fixture_new();
    uint8_t number[MODULUS_LEN] = {0};

    (void)state;
    CHECK_ERR(refusal(&f, signet_buf_span(&f.good)), SIGNET_ERR_AUTH);
    for (size_t i = MODULUS_LEN / 8; i < MODULUS_LEN; i += 16) {
        struct signet_buf bad = flipped(signet_buf_span(&f.good), i);

        CHECK_ERR(refusal(&f, signet_buf_span(&bad)), SIGNET_ERR_AUTH);
        signet_buf_free(&bad);
    }
    CHECK_ERR(refusal(&f, signet_span_of(number, MODULUS_LEN)), SIGNET_ERR_AUTH);
    number[MODULUS_LEN - 1] = 1; /* 1 decrypts to 1: the first byte is zero, as Manger asks */
    CHECK_ERR(refusal(&f, signet_span_of(number, MODULUS_LEN)), SIGNET_ERR_AUTH);
    modulus_plus(&f, -1, number); /* n - 1 to itself: the first byte is not */
    CHECK_ERR(refusal(&f, signet_span_of(number, MODULUS_LEN)), SIGNET_ERR_AUTH);
    fixture_free(&f);
}

/* Length and size are public facts, and are named before any decryption. */
static void length_and_size_are_public(void **state)
{
    struct fixture f = fixture_new();
    uint8_t number[MODULUS_LEN + 1] = {0};

    (void)state;
    CHECK_ERR(refusal(&f, signet_span_of(number, MODULUS_LEN - 1)), SIGNET_ERR_FORMAT);
    CHECK_ERR(refusal(&f, signet_span_of(number, MODULUS_LEN + 1)), SIGNET_ERR_FORMAT);
    CHECK_ERR(refusal(&f, signet_span_of(number, 1)), SIGNET_ERR_FORMAT);
    modulus_plus(&f, 0, number);
    CHECK_ERR(refusal(&f, signet_span_of(number, MODULUS_LEN)), SIGNET_ERR_FORMAT);
    modulus_plus(&f, 1, number);
    CHECK_ERR(refusal(&f, signet_span_of(number, MODULUS_LEN)), SIGNET_ERR_FORMAT);
    memset(number, 0xff, MODULUS_LEN);
    CHECK_ERR(refusal(&f, signet_span_of(number, MODULUS_LEN)), SIGNET_ERR_FORMAT);
    fixture_free(&f);
}

/* Implicit rejection: the same ciphertext gives the same secret each time, and one that nobody
 * without the reject key can predict. */
static void a_rejected_secret_is_fixed_and_not_predictable(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf bad = flipped(signet_buf_span(&f.good), 200);
    struct crypto_reject_key other = {.k = {1}};
    struct seen_secrets bobs = forge_see_secrets(f.bob.secrets);
    struct crypto_oaep_secret one, again, third;

    (void)state;
    CHECK_OK(crypto_rsa_unwrap(bobs.oaep_key, bobs.reject, signet_buf_span(&bad), &one));
    CHECK_OK(crypto_rsa_unwrap(bobs.oaep_key, bobs.reject, signet_buf_span(&bad), &again));
    CHECK_OK(crypto_rsa_unwrap(bobs.oaep_key, &other, signet_buf_span(&bad), &third));
    assert_memory_equal(&one, &again, sizeof(one));
    assert_memory_not_equal(&one, &third, sizeof(one));
    signet_buf_free(&bad);
    fixture_free(&f);
}

/* A first message whose tag is wrong and one whose padding is: the same to see. */
static void a_wrong_tag_is_refused_alike(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf message = forge_first_message(&f.bob, &f.init, NULL);
    struct signet_session *session = NULL;
    struct envelope e;

    (void)state;
    CHECK_OK(envelope_read(signet_buf_span(&message), &e));
    message.ptr[(size_t)(e.init.sealed.ptr - message.ptr) + e.init.sealed.len - 1] ^= 1;
    CHECK_ERR(party_accept(&f.bob, signet_buf_span(&message), &session), SIGNET_ERR_AUTH);
    CHECK(session == NULL && ERR_peek_error() == 0);
    signet_buf_free(&message);
    fixture_free(&f);
}

TEST_FILE(attack_oaep)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_padding_looks_like_a_wrong_tag),
        cmocka_unit_test(length_and_size_are_public),
        cmocka_unit_test(a_rejected_secret_is_fixed_and_not_predictable),
        cmocka_unit_test(a_wrong_tag_is_refused_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
