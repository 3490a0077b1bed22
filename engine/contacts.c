/* Contacts in the engine: loading, names, new cards, and what a person decides about them. */
#include "engine/contacts.h"

#include <stdlib.h>
#include <string.h>

static struct record_key contact_key(const struct signet_id *address)
{
    struct record_key key = {RECORD_CONTACT, signet_id_span(address), 0};

    return key;
}

static struct record_key name_key(const char *name)
{
    struct record_key key = {RECORD_NAME, signet_span_str(name), 0};

    return key;
}

static enum signet_err encode(const void *object, struct signet_buf *out)
{
    return contact_encode(object, out);
}

static enum signet_err decode(struct txn *t, signet_span value, void *object)
{
    return contact_decode(t->library, value, object);
}

static void link_slot(struct txn *t, struct contact_slot *slot)
{
    slot->next = t->contacts->first;
    t->contacts->first = slot;
}

enum signet_err contacts_peek(
    struct txn *t, const struct signet_id *address, struct contact_slot **slot_out)
{
    struct record_key key = contact_key(address);
    struct contact contact;
    struct contact_slot *slot;
    enum signet_err err;

    for (slot = t->contacts->first; slot != NULL; slot = slot->next) {
        if (signet_id_equal(&slot->contact.address, address)) {
            *slot_out = slot;
            return SIGNET_OK;
        }
    }
    err = txn_read(t, &key, decode, &contact);
    if (err == SIGNET_ERR_AUTH)
        t->contacts->has_damage = true;
    if (err != SIGNET_OK)
        return err;
    if ((slot = calloc(1, sizeof(*slot))) == NULL) {
        contact_clear(&contact);
        return SIGNET_ERR_NOMEM;
    }
    slot->contact = contact;
    link_slot(t, slot);
    *slot_out = slot;
    return SIGNET_OK;
}

/* Only a call with an output can tell it: who looks a contact up without one leaves it to the next. */
enum signet_err contacts_tell_damage(struct txn *t)
{
    struct contacts *contacts = t->contacts;

    if (!contacts->has_damage || contacts->has_told_damage)
        return SIGNET_OK;
    contacts->has_told_damage = true;
    return txn_note(t, "what was known of a contact is damaged: it is made anew; compare "
                       "fingerprints again");
}

enum signet_err contacts_load(
    struct txn *t, const struct signet_id *address, struct contact_slot **slot_out)
{
    enum signet_err err = contacts_peek(t, address, slot_out);

    if (err != SIGNET_ERR_AUTH)
        return err;
    err = contacts_tell_damage(t);
    return err == SIGNET_OK ? SIGNET_ERR_UNKNOWN : err;
}

enum signet_err contacts_save(struct txn *t, struct contact_slot *slot)
{
    struct record_key key = contact_key(&slot->contact.address);

    return txn_write(t, &key, encode, &slot->contact);
}

enum signet_err contacts_add(struct txn *t, struct signet_card *card, enum contact_state state,
    struct contact_slot **slot_out)
{
    struct contact_slot *slot = calloc(1, sizeof(*slot));

    if (slot == NULL)
        return SIGNET_ERR_NOMEM;
    slot->contact.address = *signet_card_address(card);
    slot->contact.state = state;
    slot->contact.card = signet_card_share(card);
    contact_add_list(&slot->contact, signet_card_list(card));
    link_slot(t, slot);
    *slot_out = slot;
    return contacts_save(t, slot);
}

/* Contacts by their name; or, where name is NULL, those whose name has gone over to `address`. */
struct search {
    struct txn *t;
    const char *name;
    struct signet_id address, found; /* the last one found */
    size_t count;
};

static enum signet_err visit_contact(void *ctx, uint64_t number, signet_span value)
{
    struct search *search = ctx;
    struct contact contact;
    bool is_it;

    (void)number;
    if (value.len == 0 || contact_decode(search->t->library, value, &contact) != SIGNET_OK)
        return SIGNET_OK; /* a damaged contact must not hide the others */
    if (search->name != NULL)
        is_it = strcmp(contact.name, search->name) == 0;
    else
        is_it = contact.has_changed && signet_id_equal(&contact.changed_to, &search->address);
    if (is_it) {
        search->count++;
        search->found = contact.address;
    }
    contact_clear(&contact);
    return SIGNET_OK;
}

/* *address is what is searched by, where name is NULL, and what is found. Errors: UNKNOWN, STATE
 * (more than one). */
static enum signet_err search_contacts(struct txn *t, const char *name, struct signet_id *address)
{
    struct search search = {.t = t, .name = name, .address = *address};
    struct record_key all = {.kind = RECORD_CONTACT};
    enum signet_err err = txn_scan(t, &all, visit_contact, &search);

    if (err != SIGNET_OK)
        return err;
    if (search.count != 1)
        return search.count == 0 ? SIGNET_ERR_UNKNOWN : SIGNET_ERR_STATE;
    *address = search.found;
    return SIGNET_OK;
}

enum signet_err contacts_load_name(struct txn *t, const char *name, struct signet_id *address_out)
{
    struct record_key key = name_key(name);
    struct signet_buf value = {0};
    enum signet_err err = txn_get(t, &key, &value);

    if (err == SIGNET_OK)
        err = signet_id_read(signet_buf_span(&value), address_out);
    else if (err == SIGNET_ERR_AUTH)
        err = search_contacts(t, name, address_out); /* each contact holds its name, too */
    signet_buf_free(&value);
    return err;
}

enum signet_err contacts_give_name(struct txn *t, struct contact_slot *slot, const char *name)
{
    struct record_key key = name_key(name);
    struct contact_slot *holder;
    struct signet_id address;
    enum signet_err err = contacts_load_name(t, name, &address);

    if (err == SIGNET_OK && !signet_id_equal(&address, &slot->contact.address)) {
        /* The name is local: it stays with whom it was first given to, who is now in doubt. */
        err = contacts_load(t, &address, &holder);
        if (err == SIGNET_ERR_UNKNOWN) /* that record is damaged: the name is taken all the same */
            return SIGNET_OK;
        if (err != SIGNET_OK)
            return err;
        holder->contact.has_changed = true;
        holder->contact.changed_to = slot->contact.address;
        if ((err = contacts_save(t, holder)) != SIGNET_OK)
            return err;
        return txn_contact(t, &address);
    }
    if (err != SIGNET_OK && err != SIGNET_ERR_UNKNOWN)
        return err;
    memset(slot->contact.name, 0, sizeof(slot->contact.name));
    memcpy(slot->contact.name, name, strlen(name));
    if ((err = txn_put(t, &key, signet_id_span(&slot->contact.address))) != SIGNET_OK)
        return err;
    if ((err = contacts_save(t, slot)) != SIGNET_OK)
        return err;
    return txn_contact(t, &slot->contact.address);
}

enum signet_err contacts_mark_fork(
    struct txn *t, struct contact_slot *slot, const struct signet_card *other)
{
    enum signet_err err;

    contact_note_fork(&slot->contact, other);
    err = contacts_save(t, slot);
    return err == SIGNET_OK ? SIGNET_ERR_FORK : err;
}

enum signet_err contacts_update_card(
    struct txn *t, struct contact_slot *slot, struct signet_card *card)
{
    struct signet_card *old = slot->contact.card;
    enum signet_err err = signet_card_follows(old, card);

    if (err == SIGNET_ERR_FORK)
        return contacts_mark_fork(t, slot, card);
    if (err != SIGNET_OK)
        return err;
    if (signet_id_equal(signet_card_list(old), signet_card_list(card)))
        return SIGNET_OK;
    for (size_t i = 0; i < signet_card_device_count(old); i++) {
        const struct signet_id *device = signet_card_device(old, i);

        if (signet_card_has_device(card, device))
            continue;
        if ((err = outcome_device_removed(t, &slot->contact.address, device)) != SIGNET_OK)
            return err;
    }
    slot->contact.card = signet_card_share(card);
    signet_card_free(old);
    slot->contact.is_expired = false;
    contact_add_list(&slot->contact, signet_card_list(card));
    return contacts_save(t, slot);
}

const char *contact_call(const struct contact *contact, char text[SIGNET_ID_SHORT_SIZE])
{
    if (contact->name[0] != '\0')
        return contact->name;
    signet_id_short(&contact->address, text);
    return text;
}

enum signet_err contacts_resolve(struct txn *t, const char *peer, struct signet_id *address_out)
{
    if (signet_id_parse(peer, address_out) == SIGNET_OK)
        return SIGNET_OK;
    if (!signet_name_is_valid(signet_span_str(peer)))
        return SIGNET_ERR_UNKNOWN;
    return contacts_load_name(t, peer, address_out);
}

enum signet_err contacts_confirm(struct txn *t, const struct signet_id *address)
{
    struct contact_slot *slot;
    enum signet_err err = contacts_load(t, address, &slot);

    if (err != SIGNET_OK)
        return err;
    slot->contact.state = CONTACT_CONFIRMED;
    return contacts_save(t, slot);
}

/* Let the name of the contact in doubt go over to `slot`, whose fingerprint is still to be compared:
 * whatever is known of the other says nothing about this one. */
static enum signet_err hand_name_over(
    struct txn *t, const struct signet_id *holder_address, struct contact_slot *slot)
{
    struct contact_slot *holder;
    struct record_key key;
    enum signet_err err;

    if ((err = contacts_load(t, holder_address, &holder)) != SIGNET_OK)
        return err;
    memcpy(slot->contact.name, holder->contact.name, sizeof(slot->contact.name));
    memset(holder->contact.name, 0, sizeof(holder->contact.name));
    holder->contact.has_changed = false;
    slot->contact.state = CONTACT_UNVERIFIED;
    if ((err = contacts_save(t, holder)) != SIGNET_OK)
        return err;
    key = name_key(slot->contact.name);
    return txn_put(t, &key, signet_id_span(&slot->contact.address));
}

enum signet_err contacts_accept(struct txn *t, const struct signet_id *address)
{
    struct signet_id holder = *address;
    struct contact_slot *slot;
    enum signet_err err = contacts_load(t, address, &slot);

    if (err != SIGNET_OK)
        return err;
    /* An account has one name: one that has its own takes over nobody else's. Where it is in doubt,
     * the person has decided for this old identity of it, and for nothing besides. */
    if (slot->contact.name[0] == '\0') {
        err = search_contacts(t, NULL, &holder);
        if (err == SIGNET_OK)
            err = hand_name_over(t, &holder, slot);
        if (err != SIGNET_OK && err != SIGNET_ERR_UNKNOWN)
            return err;
    }
    slot->contact.has_changed = false;
    slot->contact.has_forked = false;
    if (slot->contact.state == CONTACT_NEW)
        slot->contact.state = CONTACT_UNVERIFIED;
    return contacts_save(t, slot);
}

void contacts_disconnected(struct contacts *contacts)
{
    for (struct contact_slot *slot = contacts->first; slot != NULL; slot = slot->next)
        slot->is_asking = false;
}

void contacts_free(struct contacts *contacts)
{
    while (contacts->first != NULL) {
        struct contact_slot *slot = contacts->first;

        contacts->first = slot->next;
        contact_clear(&slot->contact);
        free(slot);
    }
}
