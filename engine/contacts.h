/* The contacts: who others are, by which names we call them, and what their cards say. */
#ifndef ENGINE_CONTACTS_H
#define ENGINE_CONTACTS_H

#include "engine/contact.h"
#include "engine/txn/txn.h"

/* A contact in memory. */
struct contact_slot {
    struct contact_slot *next;
    struct contact contact;
    bool is_asking; /* a find or take about it is under way */
};

struct contacts {
    struct contact_slot *first;
    bool has_damage;      /* a contact's record was found to be damaged */
    bool has_told_damage; /* and that was told, in this process */
};

/*
 * Find a contact. Errors: UNKNOWN (there is none; also where its record is damaged, which is told
 * once in a process: it is made anew then), FORMAT, KEY, IO, NOMEM, CRYPTO.
 */
SIGNET_MUST_USE enum signet_err contacts_load(
    struct txn *t, const struct signet_id *address, struct contact_slot **slot_out);
/* The same without telling anybody. Errors: AUTH (damaged; contacts_tell_damage has something to
 * tell then), too. */
SIGNET_MUST_USE enum signet_err contacts_peek(
    struct txn *t, const struct signet_id *address, struct contact_slot **slot_out);
/* Tell that a contact's record was found to be damaged, once in a process. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err contacts_tell_damage(struct txn *t);
/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err contacts_save(struct txn *t, struct contact_slot *slot);
/* A contact that was not known; takes a share of the card. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err contacts_add(struct txn *t, struct signet_card *card,
    enum contact_state state, struct contact_slot **slot_out);
/* The address that a name stands for here. Errors: UNKNOWN, STATE (several contacts have it, and its
 * record is damaged), FORMAT, IO, NOMEM. */
SIGNET_MUST_USE enum signet_err contacts_load_name(
    struct txn *t, const char *name, struct signet_id *address_out);
/* The address that a name or fingerprint stands for here. Errors: as of contacts_load_name. */
SIGNET_MUST_USE enum signet_err contacts_resolve(
    struct txn *t, const char *peer, struct signet_id *address_out);
/* Give a contact a name that no other one has; where another has it, that one `has_changed`. */
SIGNET_MUST_USE enum signet_err contacts_give_name(
    struct txn *t, struct contact_slot *slot, const char *name);
/*
 * Take over a card of a known contact, if it follows the present one. OUTCOME_DEVICE_REMOVED for
 * each device that is no longer on it. Errors: those of signet_card_follows; nothing has changed
 * then, but that a fork is noted.
 */
SIGNET_MUST_USE enum signet_err contacts_update_card(
    struct txn *t, struct contact_slot *slot, struct signet_card *card);
/* The contact's identity has signed this list besides the one we know. Returns FORK once that is
 * noted; or the machine error. */
SIGNET_MUST_USE enum signet_err contacts_mark_fork(
    struct txn *t, struct contact_slot *slot, const struct signet_card *other);
/* What engine_confirm and engine_accept do. */
SIGNET_MUST_USE enum signet_err contacts_confirm(struct txn *t, const struct signet_id *address);
SIGNET_MUST_USE enum signet_err contacts_accept(struct txn *t, const struct signet_id *address);
/* How a contact is called in words: its name, or its short fingerprint. */
const char *contact_call(const struct contact *contact, char text[SIGNET_ID_SHORT_SIZE]);
/* The connection is gone, and what was asked for about them. */
void contacts_disconnected(struct contacts *contacts);
void contacts_free(struct contacts *contacts);

#endif
