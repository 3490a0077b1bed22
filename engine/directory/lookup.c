/* Asking the relay for cards, and what its answers are worth: docs/protocol.md, section 3. */
#include "engine/directory/lookup.h"

#include <string.h>

#include "engine/account.h"
#include "engine/history/verdict.h"
#include "engine/txn/refusal.h"

/* Ask for a name (id NULL) or for an address. */
static enum signet_err find(struct txn *t, enum request_type type, const char *name,
    const struct signet_id *id, struct request **request_out)
{
    struct relay_message message = {.type = RELAY_FIND};

    if (id != NULL)
        message.id = *id;
    else
        message.name = signet_span_str(name);
    return requests_ask(t, type, &message, request_out);
}

enum signet_err lookup_name(struct txn *t, const char *name)
{
    struct request *request;
    enum signet_err err = find(t, REQUEST_FIND_NAME, name, NULL, &request);

    if (err == SIGNET_OK)
        memcpy(request->name, name, strlen(name));
    return err;
}

enum signet_err lookup_contact(struct txn *t, struct contact_slot *slot)
{
    const struct contact *contact = &slot->contact;
    bool by_name = contact->name[0] != '\0';
    struct request *request;
    enum signet_err err;

    /* By name, so that a name that went over to another identity is noticed. */
    err =
        find(t, REQUEST_FIND_CONTACT, contact->name, by_name ? NULL : &contact->address, &request);
    if (err != SIGNET_OK)
        return err;
    request->address = contact->address;
    memcpy(request->name, contact->name, sizeof(request->name));
    slot->is_asking = true;
    return SIGNET_OK;
}

enum signet_err lookup_address(struct txn *t, const struct signet_id *address)
{
    struct request *request;
    enum signet_err err = find(t, REQUEST_FIND_ADDRESS, NULL, address, &request);

    if (err == SIGNET_OK)
        request->address = *address;
    return err;
}

static enum signet_err explain_card(struct txn *t, const struct signet_card *card, const char *what)
{
    char fingerprint[SIGNET_ID_SHORT_SIZE];

    signet_id_short(signet_card_address(card), fingerprint);
    return txn_explain(t, "authentication", what, "RSA-PSS, SHA-256",
        "identity key RSA-%u, fingerprint %s; its signature over the device list version %llu "
        "(%zu device%s) holds",
        signet_card_identity_bits(card), fingerprint, (unsigned long long)signet_card_version(card),
        signet_card_device_count(card), signet_card_device_count(card) == 1 ? "" : "s");
}

/* Why a card does not follow the one that is known. */
static enum engine_problem problem_of(enum signet_err err)
{
    switch (err) {
    case SIGNET_ERR_SUCCESSION: return PROBLEM_IDENTITY;
    case SIGNET_ERR_ROLLBACK: return PROBLEM_ROLLBACK;
    default: return PROBLEM_LIST;
    }
}

/* A name resolved for the first time: trusted once, from then on local. */
static enum signet_err found_name(
    struct txn *t, const struct request *request, struct signet_card *card)
{
    const struct signet_id *address = signet_card_address(card);
    struct contact_slot *slot;
    enum signet_err err = contacts_load(t, address, &slot);

    if (signet_id_equal(address, own_address(t)))
        return outcome_failed(t, NULL, request->name, PROBLEM_SELF);
    if (err == SIGNET_OK) {
        /* An account has one name: the relay passes a contact off as somebody else. */
        if (slot->contact.name[0] != '\0' && strcmp(slot->contact.name, request->name) != 0)
            return outcome_failed(t, NULL, request->name, PROBLEM_CARD);
        err = contacts_update_card(t, slot, card);
        if (err != SIGNET_OK && verdict_exists(err))
            return outcome_failed(t, NULL, request->name, problem_of(err));
    } else if (err == SIGNET_ERR_UNKNOWN) {
        err = contacts_add(t, card, CONTACT_UNVERIFIED, &slot);
    }
    if (err != SIGNET_OK)
        return err;
    slot->contact.fetched_at = t->now_ms;
    return contacts_give_name(t, slot, request->name);
}

/* The name of a contact now belongs to somebody else, as the relay says. */
static enum signet_err changed_identity(struct txn *t, const struct request *request,
    struct contact_slot *slot, struct signet_card *card)
{
    const struct signet_id *address = signet_card_address(card);
    struct contact_slot *other;
    enum signet_err err;

    /* An address cannot change, and we are nobody's successor. */
    if (request->name[0] == '\0' || signet_id_equal(address, own_address(t)))
        return outcome_failed(t, &slot->contact.address, NULL, PROBLEM_CARD);
    err = contacts_load(t, address, &other);
    /* Nor is somebody who has a name: the relay passes one contact off as another. */
    if (err == SIGNET_OK && other->contact.name[0] != '\0')
        return outcome_failed(t, &slot->contact.address, NULL, PROBLEM_CARD);
    if (err == SIGNET_ERR_UNKNOWN)
        err = contacts_add(t, card, CONTACT_NEW, &other);
    if (err != SIGNET_OK)
        return err;
    slot->contact.has_changed = true;
    slot->contact.changed_to = *address;
    return contacts_save(t, slot);
}

static enum signet_err found_contact(
    struct txn *t, const struct request *request, struct signet_card *card)
{
    struct contact_slot *slot;
    enum signet_err err = contacts_load(t, &request->address, &slot);

    if (err != SIGNET_OK)
        return err;
    slot->is_asking = false;
    if (!signet_id_equal(signet_card_address(card), &slot->contact.address))
        return changed_identity(t, request, slot, card);
    err = contacts_update_card(t, slot, card);
    if (err != SIGNET_OK && verdict_exists(err))
        return outcome_failed(t, &slot->contact.address, NULL, problem_of(err));
    if (err != SIGNET_OK)
        return err;
    slot->contact.fetched_at = t->now_ms;
    return contacts_save(t, slot);
}

/* What the relay gave as a card does not verify, or is of somebody else. */
static enum signet_err bad_card(struct txn *t, const struct request *request)
{
    struct contact_slot *slot;

    if (request->type == REQUEST_FIND_NAME)
        return outcome_failed(t, NULL, request->name, PROBLEM_CARD);
    if (contacts_load(t, &request->address, &slot) == SIGNET_OK)
        slot->is_asking = false;
    return outcome_failed(t, &request->address, NULL, PROBLEM_CARD);
}

/* An address that was asked for, because a text goes to it, its messages wait for it, or its name is
 * not known yet. */
static enum signet_err found_address(
    struct txn *t, const struct request *request, struct signet_card *card, const char *name)
{
    struct contact_slot *slot;
    bool is_new;
    enum signet_err err;

    if (!signet_id_equal(signet_card_address(card), &request->address))
        return bad_card(t, request);
    err = contacts_load(t, &request->address, &slot);
    is_new = err == SIGNET_ERR_UNKNOWN;
    if (is_new)
        err = contacts_add(t, card, CONTACT_NEW, &slot);
    if (err != SIGNET_OK)
        return err;
    slot->is_asking = false;
    if ((err = outcome_known(t, &request->address, is_new)) != SIGNET_OK)
        return err;
    err = contacts_update_card(t, slot, card);
    if (err != SIGNET_OK && verdict_exists(err))
        return outcome_failed(t, &request->address, NULL, problem_of(err));
    if (err != SIGNET_OK)
        return err;
    slot->contact.fetched_at = t->now_ms;
    if (slot->contact.name[0] == '\0' && strcmp(name, t->own->relay.name) != 0)
        return contacts_give_name(t, slot, name);
    return contacts_save(t, slot);
}

enum signet_err lookup_found(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    char name[SIGNET_NAME_MAX + 1] = {0};
    struct signet_card *card = NULL;
    enum signet_err err;

    if (!signet_name_is_valid(message->name))
        return SIGNET_ERR_FORMAT;
    memcpy(name, message->name.ptr, message->name.len);
    err = signet_card_read(t->library, message->card, &card);
    if (verdict_exists(err) ||
        (err == SIGNET_OK && request->name[0] != '\0' && strcmp(name, request->name) != 0)) {
        signet_card_free(card);
        return bad_card(t, request);
    }
    if (err != SIGNET_OK)
        return err;
    err = explain_card(t, card, "public keys received from the directory and checked");
    if (err == SIGNET_OK) {
        switch (request->type) {
        case REQUEST_FIND_NAME: err = found_name(t, request, card); break;
        case REQUEST_FIND_CONTACT: err = found_contact(t, request, card); break;
        default: err = found_address(t, request, card, name); break;
        }
    }
    signet_card_free(card);
    return err;
}

enum signet_err lookup_not_found(
    struct txn *t, const struct request *request, const struct relay_message *refusal)
{
    bool is_unknown = refusal->code == RELAY_CODE_UNKNOWN;
    struct contact_slot *slot;
    enum engine_problem problem = PROBLEM_UNKNOWN_NAME;

    if (request->type == REQUEST_FIND_NAME) /* without an address it cannot be kept */
        return outcome_failed(t, NULL, request->name, is_unknown ? problem : PROBLEM_OFFLINE);
    if (contacts_load(t, &request->address, &slot) == SIGNET_OK) {
        slot->is_asking = false;
        problem = PROBLEM_GONE;
    }
    if (is_unknown)
        return outcome_failed(t, &request->address, NULL, problem);
    return outcome_held(
        t, &request->address, refusal_problem(refusal), refusal_retry_at(refusal, t->now_ms));
}
