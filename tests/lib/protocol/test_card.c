/* protocol: cards; docs/protocol.md, sections 1 and 3. */
#include "tests/support/unit.h"

#include "tests/support/flip.h"
#include "tests/support/forge.h"
#include "tests/support/forge_crypto.h"
#include "tests/support/key_pool.h"
#include "tests/support/parties.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* alice's keys, and the lists that her cards are made of. */
struct fixture {
    struct seeded_library seeded;
    struct signet_library *library;
    struct party alice, bob;
    struct crypto_rsa_private *identity, *next, *other;
    struct forged_list list;      /* version 1 */
    struct forged_list successor; /* version 2, of the next identity key */
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.seeded = seeded_library_new(61)};

    f.library = f.seeded.library;
    f.alice = party_new(f.library, ALICE);
    f.bob = party_new(f.library, BOB);
    f.identity = party_key(f.library, ALICE, PARTY_IDENTITY);
    f.next = party_key(f.library, ALICE, PARTY_NEXT_IDENTITY);
    f.other = party_key(f.library, BOB, PARTY_NEXT_IDENTITY);
    f.list = forge_list(&f.alice);
    f.successor = f.list;
    f.successor.signer = f.list.next_identity;
    f.successor.generation = 1;
    f.successor.version = 2;
    f.successor.has_previous = true;
    f.successor.previous = *signet_card_list(party_card(&f.alice));
    f.successor.next_identity = *crypto_rsa_public_fingerprint(crypto_rsa_private_public(f.other));
    return f;
}

static void fixture_free(struct fixture *f)
{
    crypto_rsa_private_free(f->identity);
    crypto_rsa_private_free(f->next);
    crypto_rsa_private_free(f->other);
    party_free(&f->alice);
    party_free(&f->bob);
    seeded_library_free(&f->seeded);
}

/* Why a card of one link with that list is refused; OK where it is not. */
static enum signet_err read_one(const struct fixture *f, const struct forged_list *list)
{
    struct forged_link link = {.identity = f->identity, .list = list};
    struct signet_card *card = NULL;
    enum signet_err err = forge_card(f->library, &link, 1, &card);

    CHECK((card != NULL) == (err == SIGNET_OK));
    signet_card_free(card);
    return err;
}

static struct signet_card *card_one(const struct fixture *f, const struct forged_list *list)
{
    struct forged_link link = {.identity = f->identity, .list = list};
    struct signet_card *card = NULL;

    CHECK_OK(forge_card(f->library, &link, 1, &card));
    return card;
}

static enum signet_err read_two(const struct fixture *f, const struct forged_list *first,
    const struct forged_list *second, struct signet_card **card_out)
{
    struct forged_link links[] = {
        {.identity = f->identity, .list = first}, {.identity = f->next, .list = second}};

    return forge_card(f->library, links, 2, card_out);
}

/* The list that follows `list` in its generation. */
static struct forged_list after(const struct fixture *f, const struct forged_list *list)
{
    struct forged_list next = *list;

    next.version++;
    next.has_previous = true;
    next.previous = forge_list_id(f->library, list);
    return next;
}

static void a_card_says_what_its_list_says(void **state)
{
    struct fixture f = fixture_new();
    const struct signet_card *own = party_card(&f.alice);
    struct signet_card *card = NULL, *shared;

    (void)state;
    CHECK_OK(signet_card_read(f.library, signet_card_bytes(own), &card));
    shared = signet_card_share(card);
    signet_card_free(card);
    CHECK(signet_span_equal(signet_card_bytes(shared), signet_card_bytes(own)));
    CHECK(signet_id_equal(signet_card_address(shared), &f.list.signer));
    CHECK(signet_card_version(shared) == 1 && signet_card_generation(shared) == 0);
    CHECK(signet_card_identity_bits(shared) == 2048);
    CHECK(signet_card_issued_at(shared) == PARTY_NOW);
    CHECK(signet_card_not_after(shared) == PARTY_NOW + 90 * DAY_MS);
    CHECK(signet_card_device_count(shared) == 1);
    CHECK(signet_id_equal(signet_card_device(shared, 0), signet_account_device(f.alice.account)));
    CHECK(signet_card_has_device(shared, signet_account_device(f.alice.account)));
    CHECK(!signet_card_has_device(shared, signet_account_device(f.bob.account)));
    signet_card_free(shared);
    fixture_free(&f);
}

/* docs/protocol.md, section 3: the whole card is signed, but the identity key, which is the name. */
static void every_byte_of_a_card_counts(void **state)
{
    struct fixture f = fixture_new();
    signet_span good = signet_card_bytes(party_card(&f.alice));

    (void)state;
    /* Where a modulus is changed the new one is checked, which takes its time: not every byte. */
    for (size_t i = 0; i < good.len; i += i < 40 ? 1 : 7) {
        struct signet_buf bad = flipped(good, i);
        struct signet_card *card = NULL;

        CHECK(signet_card_read(f.library, signet_buf_span(&bad), &card) != SIGNET_OK);
        CHECK(card == NULL);
        signet_buf_free(&bad);
    }
    for (size_t len = 0; len < good.len; len += 7) {
        struct signet_card *card = NULL;

        CHECK(signet_card_read(f.library, signet_span_of(good.ptr, len), &card) != SIGNET_OK);
    }
    fixture_free(&f);
}

#define LIST_REFUSED(change, wanted)                                                               \
    do {                                                                                           \
        struct forged_list list = f.list;                                                          \
        change;                                                                                    \
        CHECK_ERR(read_one(&f, &list), (wanted));                                                  \
    } while (0)

/* docs/protocol.md, section 3: what makes a card valid, one condition after the other. */
static void each_condition_of_validity_is_checked(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    CHECK_OK(read_one(&f, &f.list));
    LIST_REFUSED(list.signer.b[0] ^= 1, SIGNET_ERR_SIGNER);
    LIST_REFUSED(list.address.b[0] ^= 1, SIGNET_ERR_FORMAT);
    LIST_REFUSED(list.generation = 1, SIGNET_ERR_FORMAT);
    LIST_REFUSED(list.generation = SIGNET_CARD_GENERATIONS_MAX, SIGNET_ERR_LIMIT);
    LIST_REFUSED(list.version = 0, SIGNET_ERR_FORMAT);
    LIST_REFUSED(list.version = 2, SIGNET_ERR_FORMAT);
    LIST_REFUSED(list.has_previous = true, SIGNET_ERR_FORMAT);
    LIST_REFUSED(list.issued_at = SIGNET_TIME_MAX + 1, SIGNET_ERR_LIMIT);
    LIST_REFUSED(list.not_after = SIGNET_TIME_MAX + 1, SIGNET_ERR_LIMIT);
    LIST_REFUSED(list.not_after = list.issued_at - 1, SIGNET_ERR_FORMAT);
    LIST_REFUSED(list.not_after = list.issued_at + 90 * DAY_MS + 1, SIGNET_ERR_FORMAT);
    LIST_REFUSED(list.devices[0].since = 0, SIGNET_ERR_FORMAT);
    LIST_REFUSED(list.devices[0].since = 2, SIGNET_ERR_FORMAT);
    LIST_REFUSED(list.device_count = 0, SIGNET_ERR_FORMAT);
    fixture_free(&f);
}

/* docs/protocol.md, section 3: devices are ordered and distinct, and at most 16. */
static void devices_are_distinct_and_in_order(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list list = f.list;

    (void)state;
    list.device_count = 2;
    list.devices[1] = forge_list_of(party_card(&f.bob)).devices[0];
    if (signet_id_compare(&list.devices[0].id, &list.devices[1].id) > 0) {
        list.devices[0] = list.devices[1];
        list.devices[1] = f.list.devices[0];
    }
    CHECK_OK(read_one(&f, &list));
    list.devices[2] = list.devices[0];
    list.devices[0] = list.devices[1];
    list.devices[1] = list.devices[2];
    CHECK_ERR(read_one(&f, &list), SIGNET_ERR_FORMAT);
    list.devices[0] = list.devices[1];
    CHECK_ERR(read_one(&f, &list), SIGNET_ERR_FORMAT);
    for (size_t i = 0; i < SIGNET_CARD_DEVICES_MAX; i++)
        list.devices[i] = f.list.devices[0];
    list.device_count = SIGNET_CARD_DEVICES_MAX;
    CHECK_ERR(read_one(&f, &list), SIGNET_ERR_FORMAT);
    fixture_free(&f);
}

/* docs/protocol.md, section 3: each link beyond the first was announced by the one before. */
static void a_later_generation_must_be_announced(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list first = f.list, second = f.successor;
    struct signet_card *card = NULL;

    (void)state;
    CHECK_OK(read_two(&f, &first, &second, &card));
    CHECK(signet_card_generation(card) == 1 && signet_card_version(card) == 2);
    CHECK(signet_id_equal(signet_card_address(card), &f.list.signer));
    signet_card_free(card);
    first.next_identity.b[0] ^= 1;
    CHECK_ERR(read_two(&f, &first, &second, &card), SIGNET_ERR_SUCCESSION);
    first = f.list;
    second.version = 1;
    second.has_previous = false;
    CHECK_ERR(read_two(&f, &first, &second, &card), SIGNET_ERR_FORMAT);
    second = f.successor;
    second.address = second.signer;
    CHECK_ERR(read_two(&f, &first, &second, &card), SIGNET_ERR_FORMAT);
    second = f.successor;
    second.signer = f.list.signer;
    CHECK_ERR(read_two(&f, &first, &second, &card), SIGNET_ERR_SIGNER);
    second = f.successor;
    second.generation = 0;
    CHECK_ERR(read_two(&f, &first, &second, &card), SIGNET_ERR_FORMAT);
    fixture_free(&f);
}

/* docs/protocol.md, section 1: clocks are trusted to 24 hours. */
static void time_is_checked_with_a_day_of_tolerance(void **state)
{
    struct fixture f = fixture_new();
    const struct signet_card *card = party_card(&f.alice);
    uint64_t not_after = signet_card_not_after(card);

    (void)state;
    CHECK_OK(signet_card_check_time(card, PARTY_NOW));
    CHECK_OK(signet_card_check_time(card, PARTY_NOW - DAY_MS));
    CHECK_ERR(signet_card_check_time(card, PARTY_NOW - DAY_MS - 1), SIGNET_ERR_NOT_YET);
    CHECK_OK(signet_card_check_time(card, not_after + DAY_MS));
    CHECK_ERR(signet_card_check_time(card, not_after + DAY_MS + 1), SIGNET_ERR_EXPIRED);
    CHECK_ERR(signet_card_check_time(card, 0), SIGNET_ERR_NOT_YET);
    fixture_free(&f);
}

/* Whether a card with `newer` may stand where one with `older` stood; both of one generation. */
static enum signet_err follows(
    const struct fixture *f, const struct forged_list *older, const struct forged_list *newer)
{
    struct signet_card *before = card_one(f, older), *now = card_one(f, newer);
    enum signet_err err = signet_card_follows(before, now);

    signet_card_free(before);
    signet_card_free(now);
    return err;
}

/* docs/protocol.md, section 3: the table of verdicts, its rows within a generation. */
static void lists_follow_within_a_generation(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list second = after(&f, &f.list), third = after(&f, &second), other;

    (void)state;
    CHECK_OK(follows(&f, &f.list, &f.list));
    CHECK_OK(follows(&f, &f.list, &second));
    CHECK_OK(follows(&f, &f.list, &third)); /* some may be skipped */
    CHECK_ERR(follows(&f, &second, &f.list), SIGNET_ERR_ROLLBACK);
    other = second;
    other.not_after--;
    CHECK_ERR(follows(&f, &second, &other), SIGNET_ERR_FORK);
    other = second;
    other.previous.b[0] ^= 1;
    CHECK_ERR(follows(&f, &f.list, &other), SIGNET_ERR_FORK);
    other = second;
    other.next_identity.b[0] ^= 1;
    CHECK_ERR(follows(&f, &f.list, &other), SIGNET_ERR_FORK);
    other = third;
    other.next_identity.b[0] ^= 1;
    CHECK_ERR(follows(&f, &f.list, &other), SIGNET_ERR_FORK);
    CHECK_ERR(signet_card_follows(party_card(&f.alice), party_card(&f.bob)), SIGNET_ERR_CHANNEL);
    fixture_free(&f);
}

/* docs/protocol.md, section 3: the rows about a higher or lower generation. */
static void only_the_announced_key_succeeds(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list second = after(&f, &f.list), third = after(&f, &second), stray = f.list;
    struct signet_card *old = card_one(&f, &f.list), *later = card_one(&f, &third);
    struct signet_card *unaware, *succeeded = NULL;

    (void)state;
    CHECK_OK(read_two(&f, &f.list, &f.successor, &succeeded));
    CHECK_OK(signet_card_follows(old, succeeded));
    /* It voids later lists of the old key, whatever their version. */
    CHECK_OK(signet_card_follows(later, succeeded));
    CHECK_ERR(signet_card_follows(succeeded, later), SIGNET_ERR_ROLLBACK);
    CHECK_ERR(signet_card_follows(succeeded, old), SIGNET_ERR_ROLLBACK);
    CHECK_OK(signet_card_follows(succeeded, succeeded));
    /* Whoever knows another announcement refuses, whatever the newer card says was announced. */
    stray.next_identity.b[5] ^= 1;
    unaware = card_one(&f, &stray);
    CHECK_ERR(signet_card_follows(unaware, succeeded), SIGNET_ERR_SUCCESSION);
    signet_card_free(old);
    signet_card_free(later);
    signet_card_free(unaware);
    signet_card_free(succeeded);
    fixture_free(&f);
}

/* docs/protocol.md, section 3: a device's key has 2048 or 3072 bits, an identity key up to 4096. */
static void a_device_key_of_4096_bits_is_refused(void **state)
{
    struct fixture f = fixture_new();
    struct crypto_rsa_private *large = key_pool_take(f.library, 4096, 0);
    struct crypto_rsa_public *key = crypto_rsa_private_public(large);
    struct forged_list list = f.list;

    (void)state;
    list.devices[0] = (struct forged_device){*crypto_rsa_public_fingerprint(key), key, 1};
    CHECK_ERR(read_one(&f, &list), SIGNET_ERR_KEY);
    list = f.list;
    list.signer = list.address = *crypto_rsa_public_fingerprint(key);
    crypto_rsa_private_free(f.identity);
    f.identity = large;
    CHECK_OK(read_one(&f, &list));
    fixture_free(&f);
}

/* The costly check is made apart, in steps, and not for what is known. */
static void keys_are_checked_as_far_as_the_budget_goes(void **state)
{
    struct fixture f = fixture_new();
    struct crypto_rsa_public *bad = forge_key(f.library);
    struct forged_list list = f.list;
    const struct forged_link link = {.identity = f.identity, .list = &list};
    struct signet_card *card = NULL, *other = NULL;
    struct signet_buf bytes;
    size_t budget = 1, checked = 0;

    (void)state;
    list.devices[0] = (struct forged_device){*crypto_rsa_public_fingerprint(bad), bad, 1};
    bytes = forge_card_bytes(&link, 1);
    CHECK_ERR(signet_card_read(f.library, signet_buf_span(&bytes), &card), SIGNET_ERR_KEY);
    CHECK_OK(signet_card_read_unchecked(f.library, signet_buf_span(&bytes), &card));
    CHECK_OK(signet_card_read_stored(f.library, signet_buf_span(&bytes), &other));
    CHECK(signet_card_key_count(card) == 2);
    CHECK_OK(signet_card_check_keys(card, NULL, &budget, &checked));
    CHECK(budget == 0 && checked == 1); /* the identity key */
    CHECK_OK(signet_card_check_keys(card, NULL, &budget, &checked));
    CHECK(checked == 1);
    budget = 1;
    CHECK_ERR(signet_card_check_keys(card, NULL, &budget, &checked), SIGNET_ERR_KEY);
    checked = budget = 0;
    CHECK_OK(signet_card_check_keys(card, other, &budget, &checked));
    CHECK(checked == 2);
    signet_card_free(card);
    signet_card_free(other);
    crypto_rsa_public_free(bad);
    signet_buf_free(&bytes);
    fixture_free(&f);
}

/* docs/protocol.md, section 10. */
static void too_large_a_card_is_refused(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf large = {0};
    struct signet_card *card = NULL;

    (void)state;
    CHECK_OK(signet_buf_fill(&large, 0x81, SIGNET_CARD_MAX + 1));
    CHECK_ERR(signet_card_read(f.library, signet_buf_span(&large), &card), SIGNET_ERR_LIMIT);
    CHECK_ERR(signet_card_read(f.library, signet_span_of("\x80", 1), &card), SIGNET_ERR_FORMAT);
    CHECK(card == NULL);
    signet_buf_free(&large);
    fixture_free(&f);
}

/* What is kept sealed was verified once, and is not again. */
static void a_stored_card_is_read_without_checking_its_keys_again(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf bytes = copy_of(signet_card_bytes(party_card(&f.alice)));
    struct signet_library *library = NULL;
    struct signet_card *card = NULL;
    const struct signet_id *device = signet_account_device(f.alice.account);

    (void)state;
    CHECK_OK(signet_library_new(NULL, &library));
    CHECK_OK(signet_card_read_stored(library, signet_buf_span(&bytes), &card));
    CHECK(signet_id_equal(signet_card_list(card), signet_card_list(party_card(&f.alice))));
    CHECK(!forge_is_checked(library, signet_card_address(card)));
    CHECK(!forge_is_checked(library, device));
    signet_card_free(card);
    card = NULL;
    CHECK_OK(signet_card_read(library, signet_buf_span(&bytes), &card));
    CHECK(forge_is_checked(library, signet_card_address(card)));
    CHECK(forge_is_checked(library, device));
    signet_card_free(card);
    signet_library_free(library);
    signet_buf_free(&bytes);
    fixture_free(&f);
}

TEST_FILE(card)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_says_what_its_list_says),
        cmocka_unit_test(every_byte_of_a_card_counts),
        cmocka_unit_test(each_condition_of_validity_is_checked),
        cmocka_unit_test(devices_are_distinct_and_in_order),
        cmocka_unit_test(a_later_generation_must_be_announced),
        cmocka_unit_test(time_is_checked_with_a_day_of_tolerance),
        cmocka_unit_test(lists_follow_within_a_generation),
        cmocka_unit_test(only_the_announced_key_succeeds),
        cmocka_unit_test(a_device_key_of_4096_bits_is_refused),
        cmocka_unit_test(keys_are_checked_as_far_as_the_budget_goes),
        cmocka_unit_test(too_large_a_card_is_refused),
        cmocka_unit_test(a_stored_card_is_read_without_checking_its_keys_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
