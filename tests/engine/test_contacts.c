/* Who others are, by which names we call them, and what their cards say. docs/protocol.md, section 3. */
#include "tests/support/txn_rig.h"

static struct contact_slot *add(
    struct txn_rig *rig, struct party *party, enum contact_state state, const char *name)
{
    struct contact_slot *slot = txn_rig_contact(rig, party, name);

    slot->contact.state = state;
    CHECK_OK(contacts_save(&rig->t, slot));
    txn_rig_commit(rig);
    return slot;
}

static void a_contact_is_found_by_address_name_and_fingerprint(void **state)
{
    char fingerprint[SIGNET_ID_GROUPS_SIZE];
    struct contact_slot *slot;
    struct signet_id address;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 640);
    (void)add(&rig, &rig.bob, CONTACT_UNVERIFIED, "bob");
    txn_rig_restart(&rig);
    CHECK_OK(contacts_resolve(&rig.t, "bob", &address));
    CHECK_OK(contacts_load(&rig.t, &address, &slot));
    CHECK(slot->contact.state == CONTACT_UNVERIFIED && slot->contact.fetched_at == PARTY_NOW);
    assert_string_equal(slot->contact.name, "bob");
    signet_id_groups(&address, fingerprint);
    CHECK_OK(contacts_resolve(&rig.t, fingerprint, &address));
    CHECK(signet_id_equal(&address, &slot->contact.address));
    CHECK_ERR(contacts_resolve(&rig.t, "carol", &address), SIGNET_ERR_UNKNOWN);
    CHECK_ERR(contacts_resolve(&rig.t, "no name!", &address), SIGNET_ERR_UNKNOWN);
    txn_rig_close(&rig);
}

/* Who looks a contact up without an output must not swallow what the person has to know. */
static void damage_is_told_once_by_whoever_can_tell_it(void **state)
{
    struct contact_slot *slot;
    struct signet_id bob;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 641);
    bob = add(&rig, &rig.bob, CONTACT_CONFIRMED, "bob")->contact.address;
    txn_rig_restart(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_CONTACT) == 1);
    CHECK_ERR(contacts_peek(&rig.t, &bob, &slot), SIGNET_ERR_AUTH);
    CHECK(txn_rig_count(&rig, EVENT_NOTE) == 0);
    CHECK_OK(contacts_tell_damage(&rig.t));
    CHECK(txn_rig_count(&rig, EVENT_NOTE) == 1);
    CHECK_ERR(contacts_load(&rig.t, &bob, &slot), SIGNET_ERR_UNKNOWN);
    CHECK_OK(contacts_tell_damage(&rig.t));
    CHECK(txn_rig_count(&rig, EVENT_NOTE) == 1);
    txn_rig_restart(&rig); /* another process tells it again */
    CHECK_ERR(contacts_load(&rig.t, &bob, &slot), SIGNET_ERR_UNKNOWN);
    CHECK(txn_rig_count(&rig, EVENT_NOTE) == 1);
    txn_rig_close(&rig);
}

static void a_damaged_name_is_found_in_its_contact(void **state)
{
    struct signet_id bob, address;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 642);
    bob = add(&rig, &rig.bob, CONTACT_UNVERIFIED, "bob")->contact.address;
    CHECK(memory_records_damage(rig.records, RECORD_NAME) == 1);
    CHECK_OK(contacts_load_name(&rig.t, "bob", &address));
    CHECK(signet_id_equal(&address, &bob));
    txn_rig_close(&rig);
}

/* A name is local: it stays with whom it was first given to, who is now in doubt. */
static void a_name_that_another_has_puts_that_one_in_doubt(void **state)
{
    struct contact_slot *bob, *carol_slot;
    struct signet_id address;
    struct party carol;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 643);
    carol = party_new(rig.library, CAROL);
    bob = add(&rig, &rig.bob, CONTACT_CONFIRMED, "bob");
    carol_slot = add(&rig, &carol, CONTACT_UNVERIFIED, "carol");
    CHECK_OK(contacts_give_name(&rig.t, carol_slot, "bob"));
    CHECK(bob->contact.has_changed);
    CHECK(signet_id_equal(&bob->contact.changed_to, &carol_slot->contact.address));
    assert_string_equal(carol_slot->contact.name, "carol");
    CHECK_OK(contacts_load_name(&rig.t, "bob", &address));
    CHECK(signet_id_equal(&address, &bob->contact.address));
    CHECK(signet_id_equal(&txn_rig_event(&rig, EVENT_CONTACT)->address, &address));
    party_free(&carol);
    txn_rig_close(&rig);
}

static void a_name_stays_taken_by_a_contact_that_is_damaged(void **state)
{
    struct contact_slot *slot;
    struct signet_id bob, address;
    struct signet_card *card = NULL;
    struct party carol;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 644);
    carol = party_new(rig.library, CAROL);
    bob = add(&rig, &rig.bob, CONTACT_CONFIRMED, "bob")->contact.address;
    txn_rig_restart(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_CONTACT) == 1);
    CHECK_OK(signet_card_read(rig.library, signet_card_bytes(party_card(&carol)), &card));
    CHECK_OK(contacts_add(&rig.t, card, CONTACT_NEW, &slot));
    signet_card_free(card);
    CHECK_OK(contacts_give_name(&rig.t, slot, "bob"));
    CHECK(slot->contact.name[0] == '\0');
    CHECK_OK(contacts_load_name(&rig.t, "bob", &address));
    CHECK(signet_id_equal(&address, &bob));
    party_free(&carol);
    txn_rig_close(&rig);
}

static void a_device_that_left_the_card_is_told(void **state)
{
    struct signet_card *two, *one;
    struct contact_slot *slot;
    struct outcome outcome;
    struct txn_rig rig;
    size_t removed = 0;

    (void)state;
    txn_rig_open(&rig, 645);
    slot = add(&rig, &rig.bob, CONTACT_UNVERIFIED, "bob");
    two = card_of(&rig.bob, 5, 2);
    CHECK_OK(contacts_update_card(&rig.t, slot, two));
    CHECK(rig.t.first_outcome == NULL);
    slot->contact.is_expired = true;
    one = card_of(&rig.bob, 7, 1);
    CHECK_OK(contacts_update_card(&rig.t, slot, one));
    outcome = txn_rig_outcome(&rig, OUTCOME_DEVICE_REMOVED);
    CHECK(signet_id_equal(&outcome.address, &slot->contact.address));
    for (size_t i = 0; i < signet_card_device_count(two); i++) {
        if (!signet_card_has_device(one, signet_card_device(two, i))) {
            CHECK(signet_id_equal(&outcome.device, signet_card_device(two, i)));
            removed++;
        }
    }
    CHECK(removed == 1 && rig.t.first_outcome == NULL);
    CHECK(!slot->contact.is_expired && slot->contact.list_count == 3);
    CHECK(signet_card_version(slot->contact.card) == 7);
    signet_card_free(one);
    signet_card_free(two);
    txn_rig_close(&rig);
}

static void an_older_card_changes_nothing(void **state)
{
    struct signet_card *newer, *older;
    struct contact_slot *slot;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 646);
    slot = add(&rig, &rig.bob, CONTACT_UNVERIFIED, "bob");
    newer = card_of(&rig.bob, 6, 1);
    older = card_of(&rig.bob, 5, 0);
    CHECK_OK(contacts_update_card(&rig.t, slot, newer));
    CHECK_ERR(contacts_update_card(&rig.t, slot, older), SIGNET_ERR_ROLLBACK);
    CHECK(signet_card_version(slot->contact.card) == 6 && !slot->contact.has_forked);
    CHECK(rig.t.first_outcome == NULL);
    signet_card_free(newer);
    signet_card_free(older);
    txn_rig_close(&rig);
}

static void a_second_list_for_one_place_is_noted_as_a_fork(void **state)
{
    struct signet_card *other;
    struct contact_slot *slot;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 647);
    slot = add(&rig, &rig.bob, CONTACT_CONFIRMED, "bob");
    other = card_of(&rig.bob, 1, 1);
    CHECK_ERR(contacts_update_card(&rig.t, slot, other), SIGNET_ERR_FORK);
    CHECK(slot->contact.has_forked && rig.t.first_outcome == NULL);
    CHECK(signet_id_equal(&slot->contact.forked_list, signet_card_list(other)));
    CHECK(signet_card_device_count(slot->contact.card) == 1);
    txn_rig_commit(&rig);
    txn_rig_restart(&rig);
    CHECK_OK(contacts_load(&rig.t, signet_card_address(other), &slot));
    CHECK(slot->contact.has_forked); /* until a person decides */
    CHECK_OK(contacts_accept(&rig.t, signet_card_address(other)));
    CHECK(!slot->contact.has_forked);
    signet_card_free(other);
    txn_rig_close(&rig);
}

/* Bob's name has gone over to carol, who has none; `also`: another contact's, too. */
static void change(struct contact_slot *from, const struct contact_slot *to)
{
    from->contact.has_changed = true;
    from->contact.changed_to = to->contact.address;
}

static void accepting_an_identity_hands_the_name_over(void **state)
{
    struct contact_slot *bob, *other;
    struct signet_card *card = NULL;
    struct signet_id address;
    struct party carol;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 648);
    carol = party_new(rig.library, CAROL);
    CHECK_OK(signet_card_read(rig.library, signet_card_bytes(party_card(&carol)), &card));
    bob = add(&rig, &rig.bob, CONTACT_CONFIRMED, "bob");
    CHECK_OK(contacts_add(&rig.t, card, CONTACT_NEW, &other));
    signet_card_free(card);
    change(bob, other);
    CHECK_OK(contacts_save(&rig.t, bob));
    txn_rig_commit(&rig);
    CHECK_OK(contacts_accept(&rig.t, &other->contact.address));
    assert_string_equal(other->contact.name, "bob");
    CHECK(bob->contact.name[0] == '\0' && !bob->contact.has_changed);
    /* What was known of the one says nothing about the other. */
    CHECK(other->contact.state == CONTACT_UNVERIFIED && bob->contact.state == CONTACT_CONFIRMED);
    CHECK_OK(contacts_load_name(&rig.t, "bob", &address));
    CHECK(signet_id_equal(&address, &other->contact.address));
    party_free(&carol);
    txn_rig_close(&rig);
}

static void several_names_that_went_over_are_not_chosen_from(void **state)
{
    struct contact_slot *bob, *carol_slot, *other;
    struct party carol, mallory;
    struct signet_card *card = NULL;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 649);
    carol = party_new(rig.library, CAROL);
    mallory = party_new(rig.library, MALLORY);
    CHECK_OK(signet_card_read(rig.library, signet_card_bytes(party_card(&mallory)), &card));
    bob = add(&rig, &rig.bob, CONTACT_CONFIRMED, "bob");
    carol_slot = add(&rig, &carol, CONTACT_CONFIRMED, "carol");
    CHECK_OK(contacts_add(&rig.t, card, CONTACT_NEW, &other));
    signet_card_free(card);
    change(bob, other);
    change(carol_slot, other);
    CHECK_OK(contacts_save(&rig.t, bob));
    CHECK_OK(contacts_save(&rig.t, carol_slot));
    txn_rig_commit(&rig);
    CHECK_ERR(contacts_accept(&rig.t, &other->contact.address), SIGNET_ERR_STATE);
    CHECK(other->contact.state == CONTACT_NEW && other->contact.name[0] == '\0');
    CHECK(bob->contact.has_changed && carol_slot->contact.has_changed);
    party_free(&carol);
    party_free(&mallory);
    txn_rig_close(&rig);
}

static void confirming_is_kept(void **state)
{
    struct contact_slot *slot;
    struct signet_id bob, nobody = id_of(9);
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 650);
    bob = add(&rig, &rig.bob, CONTACT_UNVERIFIED, "bob")->contact.address;
    CHECK_ERR(contacts_confirm(&rig.t, &nobody), SIGNET_ERR_UNKNOWN);
    CHECK_OK(contacts_confirm(&rig.t, &bob));
    txn_rig_commit(&rig);
    txn_rig_restart(&rig);
    CHECK_OK(contacts_load(&rig.t, &bob, &slot));
    CHECK(slot->contact.state == CONTACT_CONFIRMED);
    slot->is_asking = true;
    contacts_disconnected(&rig.contacts);
    CHECK(!slot->is_asking);
    txn_rig_close(&rig);
}

TEST_FILE(contacts)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_contact_is_found_by_address_name_and_fingerprint),
        cmocka_unit_test(damage_is_told_once_by_whoever_can_tell_it),
        cmocka_unit_test(a_damaged_name_is_found_in_its_contact),
        cmocka_unit_test(a_name_that_another_has_puts_that_one_in_doubt),
        cmocka_unit_test(a_name_stays_taken_by_a_contact_that_is_damaged),
        cmocka_unit_test(a_device_that_left_the_card_is_told),
        cmocka_unit_test(an_older_card_changes_nothing),
        cmocka_unit_test(a_second_list_for_one_place_is_noted_as_a_fork),
        cmocka_unit_test(accepting_an_identity_hands_the_name_over),
        cmocka_unit_test(several_names_that_went_over_are_not_chosen_from),
        cmocka_unit_test(confirming_is_kept),
    };

    return cmocka_run_group_tests_name("contacts", tests, NULL, NULL);
}
