/* Contacts in the engine: loading, names, new cards, and what a person decides about them. */
#include <stdlib.h>
#include <string.h>

#include "engine/outbox/outbox.h"

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

enum signet_err engine_load_contact(
    struct engine *e, const struct signet_id *address, struct contact_slot **slot_out)
{
    struct record_key key = contact_key(address);
    struct signet_buf value = {0};
    struct contact_slot *slot;
    enum signet_err err;

    for (slot = e->contacts; slot != NULL; slot = slot->next) {
        if (signet_id_equal(&slot->contact.address, address)) {
            *slot_out = slot;
            return SIGNET_OK;
        }
    }
    err = engine_get(e, &key, &value);
    if (err != SIGNET_OK)
        signet_buf_free(&value);
    if (err == SIGNET_ERR_AUTH) {
        err = e->has_told_damage
                  ? SIGNET_OK
                  : engine_note(e, "what was known of a contact is damaged: it is made anew; "
                                   "compare fingerprints again");
        e->has_told_damage = true;
        return err == SIGNET_OK ? SIGNET_ERR_UNKNOWN : err;
    }
    if (err != SIGNET_OK)
        return err;
    slot = calloc(1, sizeof(*slot));
    err = slot == NULL ? SIGNET_ERR_NOMEM
                       : contact_decode(e->library, signet_buf_span(&value), &slot->contact);
    signet_buf_free(&value);
    if (err != SIGNET_OK) {
        free(slot);
        return err;
    }
    slot->next = e->contacts;
    e->contacts = slot;
    *slot_out = slot;
    return SIGNET_OK;
}

enum signet_err engine_save_contact(struct engine *e, struct contact_slot *slot)
{
    struct record_key key = contact_key(&slot->contact.address);
    struct signet_buf value = {0};
    enum signet_err err = contact_encode(&slot->contact, &value);

    if (err == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err;
}

enum signet_err engine_new_contact(struct engine *e, struct signet_card *card,
    enum contact_state state, struct contact_slot **slot_out)
{
    struct contact_slot *slot = calloc(1, sizeof(*slot));

    if (slot == NULL)
        return SIGNET_ERR_NOMEM;
    slot->contact.address = *signet_card_address(card);
    slot->contact.state = state;
    slot->contact.card = signet_card_share(card);
    contact_add_list(&slot->contact, signet_card_list(card));
    slot->next = e->contacts;
    e->contacts = slot;
    *slot_out = slot;
    return engine_save_contact(e, slot);
}

/* Contacts by their name; or, where name is NULL, those whose name has gone over to `address`. */
struct search {
    struct engine *engine;
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
    if (value.len == 0 || contact_decode(search->engine->library, value, &contact) != SIGNET_OK)
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
static enum signet_err search_contacts(
    struct engine *e, const char *name, struct signet_id *address)
{
    struct search search = {.engine = e, .name = name, .address = *address};
    struct record_key all = {.kind = RECORD_CONTACT};
    enum signet_err err = e->records.scan(e->records.ctx, &all, visit_contact, &search);

    if (err != SIGNET_OK)
        return err;
    if (search.count != 1)
        return search.count == 0 ? SIGNET_ERR_UNKNOWN : SIGNET_ERR_STATE;
    *address = search.found;
    return SIGNET_OK;
}

enum signet_err engine_load_name(struct engine *e, const char *name, struct signet_id *address_out)
{
    struct record_key key = name_key(name);
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    if (err == SIGNET_OK)
        err = signet_id_read(signet_buf_span(&value), address_out);
    else if (err == SIGNET_ERR_AUTH)
        err = search_contacts(e, name, address_out); /* each contact holds its name, too */
    signet_buf_free(&value);
    return err;
}

static enum signet_err contact_event(struct engine *e, const struct signet_id *address)
{
    struct engine_event *event = engine_event(e, EVENT_CONTACT);

    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->address = *address;
    return SIGNET_OK;
}

enum signet_err engine_give_name(struct engine *e, struct contact_slot *slot, const char *name)
{
    struct record_key key = name_key(name);
    struct contact_slot *holder;
    struct signet_id address;
    enum signet_err err = engine_load_name(e, name, &address);

    if (err == SIGNET_OK && !signet_id_equal(&address, &slot->contact.address)) {
        /* The name is local: it stays with whom it was first given to, who is now in doubt. */
        err = engine_load_contact(e, &address, &holder);
        if (err == SIGNET_ERR_UNKNOWN) /* that record is damaged: the name is taken all the same */
            return SIGNET_OK;
        if (err != SIGNET_OK)
            return err;
        holder->contact.has_changed = true;
        holder->contact.changed_to = slot->contact.address;
        if ((err = engine_save_contact(e, holder)) != SIGNET_OK)
            return err;
        return contact_event(e, &address);
    }
    if (err != SIGNET_OK && err != SIGNET_ERR_UNKNOWN)
        return err;
    memset(slot->contact.name, 0, sizeof(slot->contact.name));
    memcpy(slot->contact.name, name, strlen(name));
    if ((err = engine_put(e, &key, signet_id_span(&slot->contact.address))) != SIGNET_OK)
        return err;
    if ((err = engine_save_contact(e, slot)) != SIGNET_OK)
        return err;
    return contact_event(e, &slot->contact.address);
}

enum signet_err engine_mark_fork(
    struct engine *e, struct contact_slot *slot, const struct signet_card *other)
{
    enum signet_err err;

    contact_note_fork(&slot->contact, other);
    err = engine_save_contact(e, slot);
    return err == SIGNET_OK ? SIGNET_ERR_FORK : err;
}

enum signet_err engine_update_card(
    struct engine *e, struct contact_slot *slot, struct signet_card *card, uint64_t now_ms)
{
    struct signet_card *old = slot->contact.card;
    enum signet_err err = signet_card_follows(old, card);

    if (err == SIGNET_ERR_FORK)
        return engine_mark_fork(e, slot, card);
    if (err != SIGNET_OK)
        return err;
    if (signet_id_equal(signet_card_list(old), signet_card_list(card)))
        return SIGNET_OK;
    for (size_t i = 0; i < signet_card_device_count(old); i++) {
        const struct signet_id *device = signet_card_device(old, i);

        if (signet_card_has_device(card, device))
            continue;
        if ((err = engine_drop_sessions(e, &slot->contact.address, device)) != SIGNET_OK)
            return err;
        if ((err = engine_withdraw(e, slot, device, now_ms)) != SIGNET_OK)
            return err;
    }
    slot->contact.card = signet_card_share(card);
    signet_card_free(old);
    slot->contact.is_expired = false;
    contact_add_list(&slot->contact, signet_card_list(card));
    return engine_save_contact(e, slot);
}

const char *engine_call_contact(const struct contact *contact, char text[SIGNET_ID_SHORT_SIZE])
{
    if (contact->name[0] != '\0')
        return contact->name;
    signet_id_short(&contact->address, text);
    return text;
}

/* The address that a name or fingerprint stands for here. Errors: UNKNOWN. */
static enum signet_err find_address(
    struct engine *e, const char *peer, struct signet_id *address_out)
{
    if (signet_id_parse(peer, address_out) == SIGNET_OK)
        return SIGNET_OK;
    if (!signet_name_is_valid(signet_span_str(peer)))
        return SIGNET_ERR_UNKNOWN;
    return engine_load_name(e, peer, address_out);
}

enum signet_err engine_contact(struct engine *engine, const char *peer, struct contact *contact_out)
{
    struct engine_output unused = {0};
    struct contact_slot *slot;
    struct signet_id address;
    enum signet_err err;

    engine->output = &unused;
    if ((err = find_address(engine, peer, &address)) == SIGNET_OK)
        err = engine_load_contact(engine, &address, &slot);
    engine_output_clear(&unused);
    if (err != SIGNET_OK)
        return err;
    *contact_out = slot->contact;
    contact_out->card = signet_card_share(slot->contact.card);
    return SIGNET_OK;
}

enum signet_err engine_confirm(
    struct engine *engine, const struct signet_id *address, struct engine_output *output)
{
    struct contact_slot *slot;
    enum signet_err err;

    engine->output = output;
    if ((err = engine_load_contact(engine, address, &slot)) != SIGNET_OK)
        return err;
    slot->contact.state = CONTACT_CONFIRMED;
    return engine_save_contact(engine, slot);
}

/* Let the name of the contact in doubt go over to `slot`, whose fingerprint is still to be compared:
 * whatever is known of the other says nothing about this one. */
static enum signet_err hand_name_over(
    struct engine *e, const struct signet_id *holder_address, struct contact_slot *slot)
{
    struct contact_slot *holder;
    struct record_key key;
    enum signet_err err;

    if ((err = engine_load_contact(e, holder_address, &holder)) != SIGNET_OK)
        return err;
    memcpy(slot->contact.name, holder->contact.name, sizeof(slot->contact.name));
    memset(holder->contact.name, 0, sizeof(holder->contact.name));
    holder->contact.has_changed = false;
    slot->contact.state = CONTACT_UNVERIFIED;
    if ((err = engine_save_contact(e, holder)) != SIGNET_OK)
        return err;
    key = name_key(slot->contact.name);
    return engine_put(e, &key, signet_id_span(&slot->contact.address));
}

enum signet_err engine_accept(
    struct engine *engine, const struct signet_id *address, struct engine_output *output)
{
    struct signet_id holder = *address;
    struct contact_slot *slot;
    enum signet_err err;

    engine->output = output;
    if ((err = engine_load_contact(engine, address, &slot)) != SIGNET_OK)
        return err;
    /* An account has one name: one that has its own takes over nobody else's. Where it is in doubt,
     * the person has decided for this old identity of it, and for nothing besides. */
    if (slot->contact.name[0] == '\0') {
        err = search_contacts(engine, NULL, &holder);
        if (err == SIGNET_OK)
            err = hand_name_over(engine, &holder, slot);
        if (err != SIGNET_OK && err != SIGNET_ERR_UNKNOWN)
            return err;
    }
    slot->contact.has_changed = false;
    slot->contact.has_forked = false;
    if (slot->contact.state == CONTACT_NEW)
        slot->contact.state = CONTACT_UNVERIFIED;
    return engine_save_contact(engine, slot);
}
