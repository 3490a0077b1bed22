/* What the relay's answers about accounts are worth. docs/protocol.md, section 3. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/directory/lookup.h"
#include "engine/txn/refusal.h"
#include "tests/support/flip.h"

/* The question that was asked last; off the list, to be freed. */
static struct request *asked(struct txn_rig *rig, enum request_type type)
{
    struct request *request = rig->requests.first;

    CHECK(request != NULL && request->type == type);
    return requests_take(&rig->requests, request->req);
}

static enum signet_err found_card(
    struct txn_rig *rig, struct request *request, const struct signet_card *card, const char *name)
{
    struct relay_message message = {
        .type = RELAY_ACCOUNT, .name = signet_span_str(name), .card = signet_card_bytes(card)};
    enum signet_err err = lookup_found(&rig->t, request, &message);

    free(request);
    return err;
}

static enum signet_err found(
    struct txn_rig *rig, struct request *request, const struct party *party, const char *name)
{
    return found_card(rig, request, party_card(party), name);
}

static struct request *ask_name(struct txn_rig *rig, const char *name)
{
    CHECK_OK(lookup_name(&rig->t, name));
    return asked(rig, REQUEST_FIND_NAME);
}

static struct request *ask_contact(struct txn_rig *rig, struct contact_slot *slot)
{
    CHECK_OK(lookup_contact(&rig->t, slot));
    CHECK(slot->is_asking);
    return asked(rig, REQUEST_FIND_CONTACT);
}

static struct request *ask_address(struct txn_rig *rig, const struct party *party)
{
    CHECK_OK(lookup_address(&rig->t, signet_account_address(party->account)));
    return asked(rig, REQUEST_FIND_ADDRESS);
}

static enum signet_err load(
    struct txn_rig *rig, const struct party *party, struct contact_slot **slot)
{
    return contacts_load(&rig->t, signet_account_address(party->account), slot);
}

static void check_failed(struct txn_rig *rig, const struct signet_id *address, const char *name,
    enum engine_problem problem)
{
    struct outcome outcome = txn_rig_outcome(rig, OUTCOME_FAILED);

    CHECK(outcome.problem == problem && outcome.is_by_name == (address == NULL));
    CHECK(address == NULL || signet_id_equal(&outcome.address, address));
    assert_string_equal(outcome.name, address == NULL ? name : "");
    CHECK(rig->t.first_outcome == NULL);
}

static void a_contact_is_asked_for_by_its_name_where_it_has_one(void **state)
{
    struct relay_message message;
    struct contact_slot *slot;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 760);
    slot = txn_rig_contact(&rig, &rig.bob, "bob");
    free(ask_contact(&rig, slot));
    slot->contact.name[0] = '\0';
    free(ask_contact(&rig, slot));
    free(ask_address(&rig, &rig.bob));
    free(ask_name(&rig, "carol"));
    message = txn_rig_message(&rig, 0);
    CHECK(message.type == RELAY_FIND);
    CHECK_SPAN(message.name, "bob");
    for (size_t i = 1; i <= 2; i++) {
        message = txn_rig_message(&rig, i);
        CHECK(message.name.len == 0 && signet_id_equal(&message.id, &slot->contact.address));
    }
    CHECK_SPAN(txn_rig_message(&rig, 3).name, "carol");
    txn_rig_close(&rig);
}

static void a_name_is_trusted_once_and_local_from_then_on(void **state)
{
    struct contact_slot *slot;
    struct signet_id address;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 761);
    CHECK_OK(found(&rig, ask_name(&rig, "bob"), &rig.bob, "bob"));
    CHECK(rig.t.first_outcome == NULL);
    CHECK_OK(load(&rig, &rig.bob, &slot));
    CHECK(slot->contact.state == CONTACT_UNVERIFIED && slot->contact.fetched_at == PARTY_NOW);
    CHECK_OK(contacts_load_name(&rig.t, "bob", &address));
    CHECK(signet_id_equal(&address, &slot->contact.address));
    CHECK(txn_rig_count(&rig, EVENT_CONTACT) == 1);
    txn_rig_close(&rig);
}

static void a_card_that_does_not_verify_is_refused(void **state)
{
    struct signet_buf bytes;
    struct relay_message message = {.type = RELAY_ACCOUNT, .name = signet_span_str("bob")};
    struct request *request;
    struct contact_slot *slot;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 762);
    bytes = copy_of(signet_card_bytes(party_card(&rig.bob)));
    bytes.ptr[bytes.len - 1] ^= 1;
    message.card = signet_buf_span(&bytes);
    request = ask_name(&rig, "bob");
    CHECK_OK(lookup_found(&rig.t, request, &message));
    check_failed(&rig, NULL, "bob", PROBLEM_CARD);
    free(request);
    slot = txn_rig_contact(&rig, &rig.bob, "bob");
    request = ask_contact(&rig, slot);
    CHECK_OK(lookup_found(&rig.t, request, &message));
    check_failed(&rig, &slot->contact.address, NULL, PROBLEM_CARD);
    CHECK(!slot->is_asking);
    message.name = signet_span_str("no name!");
    CHECK_ERR(lookup_found(&rig.t, request, &message), SIGNET_ERR_FORMAT);
    free(request);
    signet_buf_free(&bytes);
    txn_rig_close(&rig);
}

static void a_name_stands_for_nobody_it_cannot_belong_to(void **state)
{
    struct contact_slot *slot;
    struct signet_id address;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 763);
    /* An answer about another name. */
    CHECK_OK(found(&rig, ask_name(&rig, "bob"), &rig.bob, "carol"));
    check_failed(&rig, NULL, "bob", PROBLEM_CARD);
    CHECK_ERR(load(&rig, &rig.bob, &slot), SIGNET_ERR_UNKNOWN);
    /* Ourselves. */
    CHECK_OK(found(&rig, ask_name(&rig, "bob"), &rig.alice, "bob"));
    check_failed(&rig, NULL, "bob", PROBLEM_SELF);
    /* A contact that has a name of its own: an account has one. */
    (void)txn_rig_contact(&rig, &rig.bob, "robert");
    CHECK_OK(found(&rig, ask_name(&rig, "bob"), &rig.bob, "bob"));
    check_failed(&rig, NULL, "bob", PROBLEM_CARD);
    CHECK_ERR(contacts_load_name(&rig.t, "bob", &address), SIGNET_ERR_UNKNOWN);
    txn_rig_close(&rig);
}

static void a_contacts_newer_card_is_taken_over(void **state)
{
    struct contact_slot *slot;
    struct signet_card *card;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 764);
    slot = txn_rig_contact(&rig, &rig.bob, "bob");
    slot->contact.fetched_at = 0;
    card = card_of(&rig.bob, 5, 1);
    CHECK_OK(found_card(&rig, ask_contact(&rig, slot), card, "bob"));
    CHECK(signet_card_version(slot->contact.card) == 5 && !slot->is_asking);
    CHECK(slot->contact.fetched_at == PARTY_NOW && rig.t.first_outcome == NULL);
    signet_card_free(card);
    /* The one of before, and another of the same version. */
    CHECK_OK(found(&rig, ask_contact(&rig, slot), &rig.bob, "bob"));
    check_failed(&rig, &slot->contact.address, NULL, PROBLEM_ROLLBACK);
    card = card_of(&rig.bob, 5, 2);
    CHECK_OK(found_card(&rig, ask_contact(&rig, slot), card, "bob"));
    check_failed(&rig, &slot->contact.address, NULL, PROBLEM_LIST);
    CHECK(slot->contact.has_forked && signet_card_device_count(slot->contact.card) == 2);
    signet_card_free(card);
    txn_rig_close(&rig);
}

static void a_name_that_went_over_puts_the_contact_in_doubt(void **state)
{
    struct contact_slot *slot, *other;
    struct party carol;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 765);
    carol = party_new(rig.library, CAROL);
    slot = txn_rig_contact(&rig, &rig.bob, "bob");
    CHECK_OK(found(&rig, ask_contact(&rig, slot), &carol, "bob"));
    CHECK(slot->contact.has_changed && !slot->is_asking && rig.t.first_outcome == NULL);
    CHECK(signet_id_equal(&slot->contact.changed_to, signet_account_address(carol.account)));
    CHECK(signet_id_equal(signet_card_address(slot->contact.card), &slot->contact.address));
    CHECK_OK(load(&rig, &carol, &other));
    CHECK(other->contact.state == CONTACT_NEW && other->contact.name[0] == '\0');
    party_free(&carol);
    txn_rig_close(&rig);
}

static void a_contact_does_not_become_somebody_who_is_known(void **state)
{
    struct contact_slot *slot;
    struct party carol, mallory;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 766);
    carol = party_new(rig.library, CAROL);
    mallory = party_new(rig.library, MALLORY);
    slot = txn_rig_contact(&rig, &rig.bob, "bob");
    (void)txn_rig_contact(&rig, &carol, "carol");
    CHECK_OK(found(&rig, ask_contact(&rig, slot), &carol, "bob"));
    check_failed(&rig, &slot->contact.address, NULL, PROBLEM_CARD);
    CHECK_OK(found(&rig, ask_contact(&rig, slot), &rig.alice, "bob"));
    check_failed(&rig, &slot->contact.address, NULL, PROBLEM_CARD);
    slot->contact.name[0] = '\0'; /* asked for by address, which cannot change */
    CHECK_OK(found(&rig, ask_contact(&rig, slot), &mallory, "bob"));
    check_failed(&rig, &slot->contact.address, NULL, PROBLEM_CARD);
    CHECK(!slot->contact.has_changed);
    party_free(&carol);
    party_free(&mallory);
    txn_rig_close(&rig);
}

static void an_address_becomes_a_stranger_with_a_name(void **state)
{
    struct contact_slot *slot;
    struct outcome outcome;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 767);
    CHECK_OK(found(&rig, ask_address(&rig, &rig.bob), &rig.bob, "bob"));
    outcome = txn_rig_outcome(&rig, OUTCOME_KNOWN);
    CHECK_OK(load(&rig, &rig.bob, &slot));
    CHECK(outcome.is_new && signet_id_equal(&outcome.address, &slot->contact.address));
    CHECK(slot->contact.state == CONTACT_NEW && txn_rig_count(&rig, EVENT_CONTACT) == 1);
    assert_string_equal(slot->contact.name, "bob");
    CHECK_OK(found(&rig, ask_address(&rig, &rig.bob), &rig.bob, "robert"));
    CHECK(!txn_rig_outcome(&rig, OUTCOME_KNOWN).is_new);
    assert_string_equal(slot->contact.name, "bob"); /* it has one */
    txn_rig_close(&rig);
}

static void an_address_is_neither_another_nor_called_as_we_are(void **state)
{
    struct contact_slot *slot;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 768);
    CHECK_OK(found(&rig, ask_address(&rig, &rig.bob), &rig.alice, "bob"));
    check_failed(&rig, signet_account_address(rig.bob.account), NULL, PROBLEM_CARD);
    CHECK_ERR(load(&rig, &rig.bob, &slot), SIGNET_ERR_UNKNOWN);
    CHECK_OK(found(&rig, ask_address(&rig, &rig.bob), &rig.bob, "alice"));
    CHECK_OK(load(&rig, &rig.bob, &slot));
    CHECK(slot->contact.name[0] == '\0');
    txn_rig_close(&rig);
}

static void refuse(struct txn_rig *rig, struct request *request, uint64_t code)
{
    struct relay_message refusal = {.type = RELAY_REFUSED, .code = code, .retry_after_ms = 7000};

    CHECK_OK(lookup_not_found(&rig->t, request, &refusal));
    free(request);
}

static void who_is_not_found_is_unknown_gone_or_waited_for(void **state)
{
    const struct signet_id *bob;
    struct contact_slot *slot;
    struct outcome outcome;
    struct txn_rig rig;

    (void)state;
    txn_rig_open(&rig, 769);
    bob = signet_account_address(rig.bob.account);
    refuse(&rig, ask_name(&rig, "bob"), RELAY_CODE_UNKNOWN);
    check_failed(&rig, NULL, "bob", PROBLEM_UNKNOWN_NAME);
    refuse(&rig, ask_name(&rig, "bob"), RELAY_CODE_OFTEN); /* without an address: not kept */
    check_failed(&rig, NULL, "bob", PROBLEM_OFFLINE);
    refuse(&rig, ask_address(&rig, &rig.bob), RELAY_CODE_UNKNOWN);
    check_failed(&rig, bob, NULL, PROBLEM_UNKNOWN_NAME);
    slot = txn_rig_contact(&rig, &rig.bob, "bob");
    refuse(&rig, ask_contact(&rig, slot), RELAY_CODE_UNKNOWN);
    check_failed(&rig, bob, NULL, PROBLEM_GONE);
    CHECK(!slot->is_asking);
    refuse(&rig, ask_contact(&rig, slot), CODE_SILENT);
    outcome = txn_rig_outcome(&rig, OUTCOME_HELD);
    CHECK(outcome.problem == PROBLEM_SILENT && outcome.not_before == PARTY_NOW + 7000);
    CHECK(signet_id_equal(&outcome.address, bob) && !slot->is_asking);
    txn_rig_close(&rig);
}

TEST_FILE(lookup)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_contact_is_asked_for_by_its_name_where_it_has_one),
        cmocka_unit_test(a_name_is_trusted_once_and_local_from_then_on),
        cmocka_unit_test(a_card_that_does_not_verify_is_refused),
        cmocka_unit_test(a_name_stands_for_nobody_it_cannot_belong_to),
        cmocka_unit_test(a_contacts_newer_card_is_taken_over),
        cmocka_unit_test(a_name_that_went_over_puts_the_contact_in_doubt),
        cmocka_unit_test(a_contact_does_not_become_somebody_who_is_known),
        cmocka_unit_test(an_address_becomes_a_stranger_with_a_name),
        cmocka_unit_test(an_address_is_neither_another_nor_called_as_we_are),
        cmocka_unit_test(who_is_not_found_is_unknown_gone_or_waited_for),
    };

    return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
