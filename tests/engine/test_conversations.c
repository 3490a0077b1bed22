/* Who takes part in a conversation: today a pair of accounts. docs/protocol.md, section 7. */
#include "tests/support/txn_rig.h"

#include "engine/conversations.h"

static void both_sides_and_no_others_name_it_alike(void **state)
{
    struct signet_account *alice;
    struct signet_id from_alice, from_bob, with_carol;
    struct party carol;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 660);
    carol = party_new(rig.library, CAROL);
    alice = rig.own.account;
    CHECK_OK(conversation_id(&rig.t, signet_account_address(rig.bob.account), &from_alice));
    CHECK_OK(conversation_id(&rig.t, signet_account_address(carol.account), &with_carol));
    CHECK(!signet_id_equal(&from_alice, &with_carol));
    rig.own.account = rig.bob.account;
    CHECK_OK(conversation_id(&rig.t, signet_account_address(alice), &from_bob));
    CHECK(signet_id_equal(&from_alice, &from_bob));
    CHECK_OK(conversation_id(&rig.t, signet_account_address(carol.account), &from_bob));
    CHECK(!signet_id_equal(&with_carol, &from_bob));
    rig.own.account = alice;
    party_free(&carol);
    txn_rig_close(&rig);
}

static void nobody_talks_to_oneself(void **state)
{
    struct signet_id id = id_of(5), before = id;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 661);
    CHECK_ERR(conversation_id(&rig.t, own_address(&rig.t), &id), SIGNET_ERR_ARGUMENT);
    CHECK(signet_id_equal(&id, &before));
    txn_rig_close(&rig);
}

static void a_text_is_for_every_device_on_the_card_and_no_other(void **state)
{
    struct conversation conversation;
    struct contact_slot *slot;
    struct signet_card *card;
    struct signet_id id;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 662);
    slot = txn_rig_contact(&rig, &rig.bob, "bob");
    CHECK_OK(conversation_with(&rig.t, &slot->contact, &conversation));
    CHECK(conversation.recipient_count == 1);
    card = card_of(&rig.bob, 2, 2);
    CHECK_OK(contacts_update_card(&rig.t, slot, card));
    CHECK_OK(conversation_with(&rig.t, &slot->contact, &conversation));
    CHECK(conversation.recipient_count == 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK(signet_id_equal(&conversation.recipients[i].address, &slot->contact.address));
        CHECK(signet_id_equal(&conversation.recipients[i].device, signet_card_device(card, i)));
    }
    CHECK_OK(conversation_id(&rig.t, &slot->contact.address, &id));
    CHECK(signet_id_equal(&conversation.id, &id));
    signet_card_free(card);
    txn_rig_close(&rig);
}

TEST_FILE(conversations)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_and_no_others_name_it_alike),
        cmocka_unit_test(nobody_talks_to_oneself),
        cmocka_unit_test(a_text_is_for_every_device_on_the_card_and_no_other),
    };

    return cmocka_run_group_tests_name("conversations", tests, NULL, NULL);
}
