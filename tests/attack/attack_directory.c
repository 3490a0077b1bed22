/*
 * A malicious directory: docs/protocol.md, sections 3 and 4. Matrix, "Practically-exploitable
 * cryptographic vulnerabilities" (S&P 2023), is what happens where a server is believed.
 */
#include "tests/support/unit.h"

#include "tests/support/flip.h"
#include "tests/support/forge.h"
#include "tests/support/parties.h"
#include "wire/envelope.h"

struct fixture {
    struct seeded_library seeded;
    struct signet_library *library;
    struct party alice, bob, mallory;
    struct crypto_rsa_private *identity, *next; /* bob's, as a thief may hold one of them */
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.seeded = seeded_library_new(221)};

    f.library = f.seeded.library;
    f.alice = party_new(f.library, ALICE);
    f.bob = party_new(f.library, BOB);
    f.mallory = party_new(f.library, MALLORY);
    party_publish(&f.bob, 1);
    party_publish(&f.mallory, 1);
    f.identity = party_key(f.library, BOB, PARTY_IDENTITY);
    f.next = party_key(f.library, BOB, PARTY_NEXT_IDENTITY);
    return f;
}

static void fixture_free(struct fixture *f)
{
    party_free(&f->alice);
    party_free(&f->bob);
    party_free(&f->mallory);
    crypto_rsa_private_free(f->identity);
    crypto_rsa_private_free(f->next);
    seeded_library_free(&f->seeded);
}

/* What a contact of bob's who knows his card makes of another one. */
static enum signet_err verdict(const struct fixture *f, const struct forged_link *links,
    size_t count, const struct signet_card *known)
{
    struct signet_card *card = NULL;
    enum signet_err err = forge_card(f->library, links, count, &card);

    if (err == SIGNET_OK)
        err = signet_card_follows(known, card);
    signet_card_free(card);
    return err;
}

/* bob's list with mallory's device on it, as the next version. */
static struct forged_list list_with_mallory(const struct fixture *f)
{
    struct forged_list list = forge_list(&f->bob);
    struct forged_device added = forge_list_of(party_card(&f->mallory)).devices[0];
    size_t place = signet_id_compare(&added.id, &list.devices[0].id) > 0 ? 1 : 0;

    list.devices[1] = list.devices[0];
    list.devices[place] = added;
    list.device_count = 2;
    list.version = 2;
    list.has_previous = true;
    list.previous = *signet_card_list(party_card(&f->bob));
    return list;
}

/* Matrix (S&P 2023), section 3: the server adds a device of its own. */
static void server_cannot_add_a_device(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list list = list_with_mallory(&f);
    const struct crypto_rsa_private *const signers[] = {forge_identity_key(f.mallory.account),
        forge_device_key(f.mallory.account), forge_device_key(f.bob.account), f.next};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct forged_link link = {.identity = f.identity, .list = &list, .signer = signers[i]};

        CHECK_ERR(verdict(&f, &link, 1, party_card(&f.bob)), SIGNET_ERR_AUTH);
    }
    CHECK_OK(verdict(&f, &(struct forged_link){.identity = f.identity, .list = &list}, 1,
        party_card(&f.bob))); /* bob himself can */
    fixture_free(&f);
}

/* The list of one account is none of another's, whoever signs. */
static void a_list_signed_by_another_identity_is_refused(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list list = list_with_mallory(&f);
    struct forged_link link = {.identity = forge_identity_key(f.mallory.account), .list = &list};

    (void)state;
    CHECK_ERR(verdict(&f, &link, 1, party_card(&f.bob)), SIGNET_ERR_SIGNER);
    list.signer = *signet_account_address(f.mallory.account);
    CHECK_ERR(verdict(&f, &link, 1, party_card(&f.bob)), SIGNET_ERR_FORMAT);
    list.address = list.signer;
    CHECK_ERR(verdict(&f, &link, 1, party_card(&f.bob)), SIGNET_ERR_CHANNEL);
    fixture_free(&f);
}

/* An unsigned list, or one whose signature was taken from another. */
static void an_unsigned_list_is_refused(void **state)
{
    struct fixture f = fixture_new();
    signet_span card = signet_card_bytes(party_card(&f.bob));
    struct signet_buf bad = copy_of(card);
    struct signet_card *read = NULL;

    (void)state;
    memset(bad.ptr + bad.len - 256, 0, 256);
    CHECK_ERR(signet_card_read(f.library, signet_buf_span(&bad), &read), SIGNET_ERR_AUTH);
    memcpy(bad.ptr + bad.len - 256, f.bob.bundle_bytes.ptr + f.bob.bundle_bytes.len - 256, 256);
    CHECK_ERR(signet_card_read(f.library, signet_buf_span(&bad), &read), SIGNET_ERR_AUTH);
    CHECK(read == NULL);
    signet_buf_free(&bad);
    fixture_free(&f);
}

/* docs/protocol.md, section 3: an older list is no answer, however genuine. */
static void a_list_rolled_back_is_refused(void **state)
{
    struct fixture f = fixture_new();
    struct signet_card *old = NULL;

    (void)state;
    CHECK_OK(signet_card_read(f.library, signet_card_bytes(party_card(&f.bob)), &old));
    CHECK_OK(signet_account_renew(f.bob.account, PARTY_NOW + 1));
    CHECK_ERR(signet_card_follows(party_card(&f.bob), old), SIGNET_ERR_ROLLBACK);
    signet_card_free(old);
    fixture_free(&f);
}

/* Two lists for one place: what is shown to some is not what is shown to others. */
static void forked_lists_are_refused(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list with = list_with_mallory(&f), without = forge_list(&f.bob), third;
    struct forged_link link = {.identity = f.identity, .list = &without};
    struct signet_card *known = NULL;

    (void)state;
    without.version = 2;
    without.has_previous = true;
    without.previous = with.previous;
    CHECK_OK(forge_card(f.library, &link, 1, &known));
    link.list = &with;
    CHECK_ERR(verdict(&f, &link, 1, known), SIGNET_ERR_FORK);
    /* Nor is the branch joined again one version later. */
    third = without;
    third.version = 3;
    third.previous = forge_list_id(f.library, &with);
    link.list = &third;
    CHECK_ERR(verdict(&f, &link, 1, known), SIGNET_ERR_FORK);
    signet_card_free(known);
    fixture_free(&f);
}

/* docs/protocol.md, section 3: the announcement changes only by the key that was announced, so the
 * thief of an identity key cannot make a key of his own its successor. */
static void a_thief_of_the_identity_key_does_not_succeed(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list first = forge_list(&f.bob), second = list_with_mallory(&f);
    struct forged_link links[2] = {{.identity = f.identity, .list = &first},
        {.identity = forge_identity_key(f.mallory.account), .list = &second}};

    (void)state;
    second.next_identity = *signet_account_address(f.mallory.account);
    links[0].list = &second;
    CHECK_ERR(verdict(&f, links, 1, party_card(&f.bob)), SIGNET_ERR_FORK);
    second.version = 7; /* some versions later neither */
    CHECK_ERR(verdict(&f, links, 1, party_card(&f.bob)), SIGNET_ERR_FORK);
    /* He announces himself in a first list that bob's contacts have not seen, and follows. */
    first.next_identity = *signet_account_address(f.mallory.account);
    second.signer = first.next_identity;
    second.generation = 1;
    links[0].list = &first;
    CHECK_ERR(verdict(&f, links, 2, party_card(&f.bob)), SIGNET_ERR_SUCCESSION);
    fixture_free(&f);
}

/* And where he did use the stolen key, the true successor voids all of it. */
static void the_true_successor_voids_the_thiefs_lists(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list first = forge_list(&f.bob), stolen = list_with_mallory(&f), next = first;
    struct forged_link link = {.identity = f.identity, .list = &stolen};
    struct forged_link links[2] = {
        {.identity = f.identity, .list = &first}, {.identity = f.next, .list = &next}};
    struct signet_card *known = NULL, *succeeded = NULL;

    (void)state;
    stolen.version = 99;
    CHECK_OK(forge_card(f.library, &link, 1, &known));
    CHECK_OK(signet_card_follows(party_card(&f.bob), known));
    next.signer = first.next_identity;
    next.generation = 1;
    next.version = 2;
    next.has_previous = true;
    next.previous = stolen.previous;
    CHECK_OK(forge_card(f.library, links, 2, &succeeded));
    CHECK_OK(signet_card_follows(known, succeeded));
    CHECK_ERR(signet_card_follows(succeeded, known), SIGNET_ERR_ROLLBACK);
    CHECK(!signet_card_has_device(succeeded, signet_account_device(f.mallory.account)));
    signet_card_free(known);
    signet_card_free(succeeded);
    fixture_free(&f);
}

static enum signet_err read_bundle(
    const struct fixture *f, signet_span bytes, const struct party *of)
{
    struct signet_bundle *bundle = NULL;
    enum signet_err err = signet_bundle_read(f->library, bytes, party_card(of), &bundle);

    signet_bundle_free(bundle);
    return err;
}

/* A bundle is its device's, and nobody's besides. */
static void a_bundle_of_another_device_is_refused(void **state)
{
    struct fixture f = fixture_new();
    struct forged_bundle fields = forge_bundle(f.mallory.bundle);
    const struct crypto_rsa_private *device = forge_device_key(f.mallory.account);
    struct signet_buf forged;

    (void)state;
    CHECK_ERR(
        read_bundle(&f, signet_buf_span(&f.mallory.bundle_bytes), &f.bob), SIGNET_ERR_CHANNEL);
    fields.address = *signet_account_address(f.bob.account);
    forged = forge_bundle_bytes(device, &fields);
    CHECK_ERR(read_bundle(&f, signet_buf_span(&forged), &f.bob), SIGNET_ERR_SIGNER);
    signet_buf_free(&forged);
    fields.device = *signet_account_device(f.bob.account);
    forged = forge_bundle_bytes(device, &fields);
    CHECK_ERR(read_bundle(&f, signet_buf_span(&forged), &f.bob), SIGNET_ERR_AUTH);
    signet_buf_free(&forged);
    forged = forge_bundle_bytes(f.identity, &fields);
    CHECK_ERR(read_bundle(&f, signet_buf_span(&forged), &f.bob), SIGNET_ERR_AUTH);
    signet_buf_free(&forged);
    fixture_free(&f);
}

/* What a contact needs to refuse an older bundle, or another of the same version. */
static void another_bundle_shows_by_version_or_id(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf old_bytes = copy_of(signet_buf_span(&f.bob.bundle_bytes));
    struct signet_bundle *old = NULL;

    (void)state;
    party_publish(&f.bob, 2);
    CHECK_OK(signet_bundle_read(f.library, signet_buf_span(&old_bytes), party_card(&f.bob), &old));
    CHECK(signet_bundle_version(old) < signet_bundle_version(f.bob.bundle));
    CHECK(!signet_id_equal(signet_bundle_id(old), signet_bundle_id(f.bob.bundle)));
    signet_bundle_free(old);
    /* Another bundle of the same version has another id. */
    party_publish(&f.bob, 1);
    CHECK_OK(signet_bundle_read(f.library, signet_buf_span(&old_bytes), party_card(&f.bob), &old));
    CHECK(signet_bundle_version(old) == signet_bundle_version(f.bob.bundle));
    CHECK(!signet_id_equal(signet_bundle_id(old), signet_bundle_id(f.bob.bundle)));
    signet_bundle_free(old);
    signet_buf_free(&old_bytes);
    fixture_free(&f);
}

/* A device that was taken off the list is sealed to no more. */
static void a_bundle_of_a_removed_device_is_refused(void **state)
{
    struct fixture f = fixture_new();
    struct forged_list list = forge_list(&f.bob);
    struct forged_link link = {.identity = f.identity, .list = &list};
    struct signet_card *card = NULL;
    struct signet_session *session = NULL;
    struct signet_bundle *bundle = NULL;
    struct signet_session_peer peer;

    (void)state;
    list.devices[0] = forge_list_of(party_card(&f.mallory)).devices[0];
    list.version = 2;
    list.has_previous = true;
    CHECK_OK(forge_card(f.library, &link, 1, &card));
    CHECK_ERR(signet_bundle_read(f.library, signet_buf_span(&f.bob.bundle_bytes), card, &bundle),
        SIGNET_ERR_SIGNER);
    peer = (struct signet_session_peer){card, f.bob.bundle, NULL};
    CHECK_ERR(signet_session_initiate(f.library, f.alice.account, &peer, PARTY_NOW, &session),
        SIGNET_ERR_CHANNEL);
    CHECK(session == NULL && bundle == NULL);
    signet_card_free(card);
    fixture_free(&f);
}

/* docs/protocol.md, section 4: the relay hands out no one-time prekey of its own. */
static void one_time_prekeys_of_the_servers_own_are_refused(void **state)
{
    struct fixture f = fixture_new();
    struct signet_one_time good = party_one_time(&f.bob, 5), bad;
    struct signet_one_time hers = party_one_time(&f.mallory, 5);
    struct signet_session_peer peer = {party_card(&f.bob), f.bob.bundle, &bad};
    struct signet_session *session = NULL;

    (void)state;
    for (int which = 0; which < 4; which++) {
        bad = which == 0 ? hers : good;
        if (which == 1)
            memcpy(bad.key, hers.key, sizeof(bad.key)); /* her key in bob's place */
        if (which == 2)
            bad.index = 6; /* another's index: the key that is wiped would be another */
        if (which == 3)
            memcpy(bad.path, hers.path, sizeof(bad.path));
        CHECK_ERR(signet_session_initiate(f.library, f.alice.account, &peer, PARTY_NOW, &session),
            SIGNET_ERR_AUTH);
    }
    CHECK(session == NULL);
    fixture_free(&f);
}

/* docs/protocol.md, section 5: that there was no one-time prekey is part of T1: the relay can
 * withhold one, but neither strip it from a message nor name another. */
static void a_one_time_prekey_is_not_stripped_in_transit(void **state)
{
    struct fixture f = fixture_new();
    struct signet_one_time one_time = party_one_time(&f.bob, 5);
    struct signet_session *hers = party_initiate(&f.alice, &f.bob, &one_time), *his = NULL;
    struct signet_buf hello = {0}, init = {0}, changed = {0};
    struct envelope e;

    (void)state;
    CHECK_OK(signet_session_seal(hers, signet_span_str("hello"), &hello));
    for (int which = 0; which < 2; which++) {
        CHECK_OK(envelope_read(signet_buf_span(&hello), &e));
        e.init.has_one_time = which == 1;
        e.init.one_time = 6;
        CHECK_OK(envelope_init_write(&e.init, &init));
        CHECK_OK(envelope_begin(e.tag, e.salt, signet_buf_span(&init), &changed));
        CHECK_OK(signet_buf_append(&changed, e.header));
        CHECK_OK(signet_buf_append(&changed,
            signet_span_from(signet_buf_span(&hello), (size_t)(e.header.ptr + 88 - hello.ptr))));
        CHECK_ERR(party_accept(&f.bob, signet_buf_span(&changed), &his), SIGNET_ERR_AUTH);
        signet_buf_free(&init);
        signet_buf_free(&changed);
    }
    CHECK_OK(party_accept(&f.bob, signet_buf_span(&hello), &his));
    signet_session_free(hers);
    signet_session_free(his);
    signet_buf_free(&hello);
    fixture_free(&f);
}

TEST_FILE(attack_directory)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_cannot_add_a_device),
        cmocka_unit_test(a_list_signed_by_another_identity_is_refused),
        cmocka_unit_test(an_unsigned_list_is_refused),
        cmocka_unit_test(a_list_rolled_back_is_refused),
        cmocka_unit_test(forked_lists_are_refused),
        cmocka_unit_test(a_thief_of_the_identity_key_does_not_succeed),
        cmocka_unit_test(the_true_successor_voids_the_thiefs_lists),
        cmocka_unit_test(a_bundle_of_another_device_is_refused),
        cmocka_unit_test(another_bundle_shows_by_version_or_id),
        cmocka_unit_test(a_bundle_of_a_removed_device_is_refused),
        cmocka_unit_test(one_time_prekeys_of_the_servers_own_are_refused),
        cmocka_unit_test(a_one_time_prekey_is_not_stripped_in_transit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
