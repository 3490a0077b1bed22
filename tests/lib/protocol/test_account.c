/* protocol: accounts as their owner holds them; docs/protocol.md, section 3. */
#include "tests/support/unit.h"

#include "crypto/rsa.h"
#include "tests/support/flip.h"
#include "tests/support/forge_account.h"
#include "tests/support/parties.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static struct signet_buf encoded(const struct signet_account *account)
{
    struct signet_buf bytes = {0};

    CHECK_OK(signet_account_encode(account, &bytes));
    return bytes;
}

/* docs/protocol.md, section 3: the first list. */
static void a_new_account_has_a_card_others_can_read(void **state)
{
    struct seeded_library seeded = seeded_library_new(71);
    struct signet_next_identity next = {.pkcs8 = {0}};
    struct signet_account *account = NULL;
    struct signet_card *card = NULL;

    (void)state;
    CHECK_ERR(signet_account_create(seeded.library, 1024, PARTY_NOW, &account, &next),
        SIGNET_ERR_ARGUMENT);
    CHECK(account == NULL && next.pkcs8.ptr == NULL);
    CHECK_OK(signet_account_create(seeded.library, 2048, PARTY_NOW, &account, &next));
    CHECK_OK(
        signet_card_read(seeded.library, signet_card_bytes(signet_account_card(account)), &card));
    CHECK(signet_id_equal(signet_card_address(card), signet_account_address(account)));
    CHECK(signet_card_has_device(card, signet_account_device(account)));
    CHECK(signet_card_identity_bits(card) == 2048);
    CHECK(signet_account_issued_list(account, signet_card_list(card)));
    CHECK(!signet_account_issued_list(account, signet_card_address(card)));
    signet_card_free(card);
    signet_account_free(account);
    signet_buf_free(&next.pkcs8);
    seeded_library_free(&seeded);
}

/* docs/protocol.md, section 3: version, previous, and 90 days more. */
static void a_renewed_list_follows_the_one_before(void **state)
{
    struct seeded_library seeded = seeded_library_new(72);
    struct party alice = party_new(seeded.library, ALICE);
    struct signet_card *old = NULL;
    struct signet_id old_list = *signet_card_list(party_card(&alice));
    const struct signet_card *card;

    (void)state;
    CHECK_OK(signet_card_read(seeded.library, signet_card_bytes(party_card(&alice)), &old));
    CHECK_ERR(signet_account_renew(alice.account, PARTY_NOW - 1), SIGNET_ERR_STATE);
    CHECK_ERR(signet_account_renew(alice.account, SIGNET_TIME_MAX - 90 * DAY_MS + 1),
        SIGNET_ERR_ARGUMENT);
    CHECK_ERR(signet_account_renew(alice.account, UINT64_MAX), SIGNET_ERR_ARGUMENT);
    CHECK(signet_id_equal(signet_card_list(party_card(&alice)), &old_list));
    CHECK_OK(signet_account_renew(alice.account, PARTY_NOW + DAY_MS));
    card = party_card(&alice);
    CHECK_OK(signet_card_follows(old, card));
    CHECK_ERR(signet_card_follows(card, old), SIGNET_ERR_ROLLBACK);
    CHECK(signet_card_version(card) == 2);
    CHECK(signet_card_not_after(card) == PARTY_NOW + 91 * DAY_MS);
    CHECK(signet_account_issued_list(alice.account, &old_list));
    CHECK(signet_account_issued_list(alice.account, signet_card_list(card)));
    signet_card_free(old);
    party_free(&alice);
    seeded_library_free(&seeded);
}

/* account.h: the newest lists are kept, the oldest forgotten. */
static void the_oldest_own_list_is_forgotten_at_last(void **state)
{
    struct seeded_library seeded = seeded_library_new(73);
    struct party alice = party_new(seeded.library, ALICE);
    struct signet_id first = *signet_card_list(party_card(&alice)), second;

    (void)state;
    CHECK_OK(signet_account_renew(alice.account, PARTY_NOW + 1));
    second = *signet_card_list(party_card(&alice));
    for (uint64_t i = 2; i < forge_account_lists_max(); i++)
        CHECK_OK(signet_account_renew(alice.account, PARTY_NOW + i));
    CHECK(signet_account_issued_list(alice.account, &first));
    CHECK_OK(signet_account_renew(alice.account, PARTY_NOW + 1000));
    CHECK(!signet_account_issued_list(alice.account, &first));
    CHECK(signet_account_issued_list(alice.account, &second));
    CHECK(signet_account_issued_list(alice.account, signet_card_list(party_card(&alice))));
    party_free(&alice);
    seeded_library_free(&seeded);
}

/* docs/protocol.md, section 3: only the announced key may follow, and it announces another. */
static void the_announced_key_takes_over(void **state)
{
    struct seeded_library seeded = seeded_library_new(74);
    struct party alice = party_new(seeded.library, ALICE);
    struct crypto_rsa_private *key = party_key(seeded.library, ALICE, PARTY_NEXT_IDENTITY);
    struct crypto_rsa_private *wrong = party_key(seeded.library, BOB, PARTY_NEXT_IDENTITY);
    struct signet_next_identity next = {.pkcs8 = {0}};
    struct signet_buf pkcs8 = {0}, wrong_pkcs8 = {0}, before, after;
    struct signet_card *old = NULL;

    (void)state;
    CHECK_OK(crypto_rsa_private_write(key, &pkcs8));
    CHECK_OK(crypto_rsa_private_write(wrong, &wrong_pkcs8));
    CHECK_OK(signet_card_read(seeded.library, signet_card_bytes(party_card(&alice)), &old));
    before = encoded(alice.account);
    CHECK_ERR(
        signet_account_succeed(alice.account, signet_buf_span(&wrong_pkcs8), PARTY_NOW + 1, &next),
        SIGNET_ERR_SUCCESSION);
    CHECK_ERR(signet_account_succeed(alice.account, signet_span_str("junk"), PARTY_NOW + 1, &next),
        SIGNET_ERR_KEY);
    after = encoded(alice.account);
    CHECK(signet_span_equal(signet_buf_span(&before), signet_buf_span(&after)));
    CHECK_OK(signet_account_succeed(alice.account, signet_buf_span(&pkcs8), PARTY_NOW + 1, &next));
    CHECK_OK(signet_card_follows(old, party_card(&alice)));
    CHECK(signet_card_generation(party_card(&alice)) == 1);
    CHECK(signet_id_equal(signet_card_address(old), signet_account_address(alice.account)));
    /* And the one after that. */
    CHECK_OK(signet_account_renew(alice.account, PARTY_NOW + 2));
    signet_buf_free(&pkcs8);
    pkcs8 = next.pkcs8;
    next.pkcs8 = (struct signet_buf){0};
    CHECK_OK(signet_account_succeed(alice.account, signet_buf_span(&pkcs8), PARTY_NOW + 3, &next));
    CHECK_OK(signet_card_follows(old, party_card(&alice)));
    CHECK(signet_card_generation(party_card(&alice)) == 2);
    signet_card_free(old);
    signet_buf_free(&next.pkcs8);
    signet_buf_free(&pkcs8);
    signet_buf_free(&wrong_pkcs8);
    signet_buf_free(&before);
    signet_buf_free(&after);
    crypto_rsa_private_free(key);
    crypto_rsa_private_free(wrong);
    party_free(&alice);
    seeded_library_free(&seeded);
}

/* account.h: the encoded form is the whole account. */
static void an_account_is_read_back_whole(void **state)
{
    struct seeded_library seeded = seeded_library_new(75);
    struct party alice = party_new(seeded.library, ALICE);
    struct signet_id first = *signet_card_list(party_card(&alice));
    struct signet_account *again = NULL;
    struct signet_buf bytes, twice;

    (void)state;
    CHECK_OK(signet_account_renew(alice.account, PARTY_NOW + 1));
    bytes = encoded(alice.account);
    CHECK_OK(signet_account_decode(seeded.library, signet_buf_span(&bytes), &again));
    twice = encoded(again);
    CHECK(signet_span_equal(signet_buf_span(&bytes), signet_buf_span(&twice)));
    CHECK(signet_account_issued_list(again, &first));
    CHECK_OK(signet_account_renew(again, PARTY_NOW + 2));
    CHECK(signet_card_version(signet_account_card(again)) == 3);
    signet_account_free(again);
    signet_buf_free(&bytes);
    signet_buf_free(&twice);
    party_free(&alice);
    seeded_library_free(&seeded);
}

/* MEGA (S&P 2023): a changed private key is refused before it is used. */
static void a_damaged_form_is_refused(void **state)
{
    struct seeded_library seeded = seeded_library_new(76);
    struct party alice = party_new(seeded.library, ALICE);
    struct signet_account *again = NULL;
    struct signet_buf bytes = encoded(alice.account);

    (void)state;
    for (size_t i = 0; i < bytes.len; i += 31) {
        struct signet_buf bad = flipped(signet_buf_span(&bytes), i);

        CHECK(signet_account_decode(seeded.library, signet_buf_span(&bad), &again) != SIGNET_OK);
        CHECK(signet_account_decode(seeded.library, signet_span_of(bytes.ptr, i), &again) !=
              SIGNET_OK);
        signet_buf_free(&bad);
    }
    CHECK(again == NULL);
    /* The last bytes are the id of the present list: an account must know its own. */
    bytes.ptr[bytes.len - 1] ^= 1;
    CHECK_ERR(
        signet_account_decode(seeded.library, signet_buf_span(&bytes), &again), SIGNET_ERR_FORMAT);
    signet_buf_free(&bytes);
    party_free(&alice);
    seeded_library_free(&seeded);
}

/* The keys must be those that the card names. */
static void keys_of_another_account_are_refused(void **state)
{
    struct seeded_library seeded = seeded_library_new(77);
    struct party alice = party_new(seeded.library, ALICE), bob = party_new(seeded.library, BOB);
    struct crypto_rsa_private *(*const replace[])(struct signet_account *,
        struct crypto_rsa_private *) = {forge_replace_identity_key, forge_replace_device_key};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct crypto_rsa_private *bobs = replace[i](bob.account, NULL);
        struct crypto_rsa_private *kept = replace[i](alice.account, bobs);
        struct signet_account *again = NULL;
        struct signet_buf mixed;

        mixed = encoded(alice.account);
        (void)replace[i](alice.account, kept);
        (void)replace[i](bob.account, bobs);
        CHECK_ERR(signet_account_decode(seeded.library, signet_buf_span(&mixed), &again),
            SIGNET_ERR_FORMAT);
        signet_buf_free(&mixed);
    }
    party_free(&alice);
    party_free(&bob);
    seeded_library_free(&seeded);
}

TEST_FILE(account)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_account_has_a_card_others_can_read),
        cmocka_unit_test(a_renewed_list_follows_the_one_before),
        cmocka_unit_test(the_oldest_own_list_is_forgotten_at_last),
        cmocka_unit_test(the_announced_key_takes_over),
        cmocka_unit_test(an_account_is_read_back_whole),
        cmocka_unit_test(a_damaged_form_is_refused),
        cmocka_unit_test(keys_of_another_account_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
