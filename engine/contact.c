/* Contacts as records. */
#include "engine/contact.h"

#include <string.h>

#include "wire/cbor.h"

/* Version 1 knew no forks and no expired bundles. */
enum { FORMAT_VERSION = 2, FIELDS = 12, FIELDS_1 = 11 };

const char *contact_state_word(enum contact_state state)
{
    switch (state) {
    case CONTACT_NEW: return "new";
    case CONTACT_UNVERIFIED: return "unverified";
    case CONTACT_CONFIRMED: return "confirmed";
    }
    return "new";
}

static void put_id_or_null(struct wire_writer *w, bool is_there, const struct signet_id *id)
{
    if (is_there)
        wire_put_id(w, id);
    else
        wire_put_null(w);
}

enum signet_err contact_encode(const struct contact *c, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, FIELDS);
    wire_put_uint(&w, FORMAT_VERSION);
    wire_put_id(&w, &c->address);
    wire_put_text(&w, signet_span_str(c->name));
    wire_put_uint(&w, (uint64_t)c->state);
    wire_put_bytes(&w, signet_card_bytes(c->card));
    wire_put_uint(&w, c->fetched_at);
    wire_put_uint(&w, c->is_expired);
    put_id_or_null(&w, c->has_changed, &c->changed_to);
    wire_put_id(&w, &c->named_list);
    wire_put_array(&w, c->list_count);
    for (size_t i = 0; i < c->list_count; i++)
        wire_put_id(&w, &c->lists[i]);
    wire_put_array(&w, c->device_count);
    for (size_t i = 0; i < c->device_count; i++) {
        wire_put_array(&w, 5);
        wire_put_id(&w, &c->devices[i].device);
        wire_put_uint(&w, c->devices[i].bundle_version);
        wire_put_uint(&w, c->devices[i].suite);
        wire_put_id(&w, &c->devices[i].bundle);
        wire_put_uint(&w, c->devices[i].is_expired);
    }
    put_id_or_null(&w, c->has_forked, &c->forked_list);
    return wire_writer_finish(&w);
}

static bool get_id_or_null(struct wire_reader *r, struct signet_id *id_out)
{
    if (wire_get_null(r))
        return false;
    wire_get_id(r, id_out);
    return true;
}

static void get_devices(struct wire_reader *r, bool is_1, struct contact *c)
{
    c->device_count = wire_get_array(r, 0, SIGNET_CARD_DEVICES_MAX);
    for (size_t i = 0; i < c->device_count; i++) {
        wire_expect_array(r, is_1 ? 4 : 5);
        wire_get_id(r, &c->devices[i].device);
        c->devices[i].bundle_version = wire_get_uint(r, UINT64_MAX);
        c->devices[i].suite = wire_get_uint(r, UINT16_MAX);
        wire_get_id(r, &c->devices[i].bundle);
        c->devices[i].is_expired = !is_1 && wire_get_uint(r, 1) == 1;
    }
}

enum signet_err contact_decode(
    struct signet_library *library, signet_span value, struct contact *contact_out)
{
    struct wire_reader r = wire_reader(value);
    struct contact c = {0};
    signet_span name, card;
    bool is_1;
    enum signet_err err;

    is_1 = wire_get_array(&r, FIELDS_1, FIELDS) == FIELDS_1;
    wire_expect_uint(&r, is_1 ? 1 : FORMAT_VERSION);
    wire_get_id(&r, &c.address);
    name = wire_get_text(&r, 0, CONTACT_NAME_MAX);
    c.state = (enum contact_state)wire_get_uint(&r, CONTACT_CONFIRMED);
    card = wire_get_bytes(&r, 1, SIGNET_CARD_MAX);
    c.fetched_at = wire_get_uint(&r, UINT64_MAX);
    c.is_expired = wire_get_uint(&r, 1) == 1;
    c.has_changed = get_id_or_null(&r, &c.changed_to);
    wire_get_id(&r, &c.named_list);
    c.list_count = wire_get_array(&r, 0, CONTACT_LISTS_MAX);
    for (size_t i = 0; i < c.list_count; i++)
        wire_get_id(&r, &c.lists[i]);
    get_devices(&r, is_1, &c);
    c.has_forked = !is_1 && get_id_or_null(&r, &c.forked_list);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    if (name.len > 0)
        memcpy(c.name, name.ptr, name.len);
    /* Verified before it was sealed into the store. */
    if ((err = signet_card_read_stored(library, card, &c.card)) != SIGNET_OK)
        return err;
    *contact_out = c;
    return SIGNET_OK;
}

void contact_clear(struct contact *contact)
{
    signet_card_free(contact->card);
    memset(contact, 0, sizeof(*contact));
}

void contact_add_list(struct contact *contact, const struct signet_id *list)
{
    for (size_t i = 0; i < contact->list_count; i++) {
        if (signet_id_equal(&contact->lists[i], list))
            return;
    }
    if (contact->list_count == CONTACT_LISTS_MAX) {
        contact->list_count--;
        memmove(
            contact->lists, contact->lists + 1, contact->list_count * sizeof(contact->lists[0]));
    }
    contact->lists[contact->list_count++] = *list;
}

void contact_note_fork(struct contact *contact, const struct signet_card *other)
{
    contact->has_forked = true;
    contact->forked_list = *signet_card_list(other);
}

/* A place for one more device: the end of the list, or that of one that has left the card. */
static struct contact_device *free_place(struct contact *contact)
{
    if (contact->device_count < SIGNET_CARD_DEVICES_MAX)
        return &contact->devices[contact->device_count++];
    for (size_t i = 0; i < contact->device_count; i++) {
        if (!signet_card_has_device(contact->card, &contact->devices[i].device))
            return &contact->devices[i];
    }
    return NULL;
}

struct contact_device *contact_find_device(struct contact *contact, const struct signet_id *device)
{
    struct contact_device *found;

    for (size_t i = 0; i < contact->device_count; i++) {
        if (signet_id_equal(&contact->devices[i].device, device))
            return &contact->devices[i];
    }
    found = free_place(contact);
    if (found == NULL)
        return NULL;
    memset(found, 0, sizeof(*found));
    found->device = *device;
    return found;
}
