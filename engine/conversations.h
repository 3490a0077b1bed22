/*
 * Who takes part in a conversation. Whatever is sealed, remembered or withdrawn for a conversation
 * asks here, and nowhere else; today each is a pair of two accounts.
 */
#ifndef ENGINE_CONVERSATIONS_H
#define ENGINE_CONVERSATIONS_H

#include <signet/card.h>

#include "engine/contact.h"
#include "engine/txn/txn.h"

enum { RECIPIENTS_MAX = SIGNET_CARD_DEVICES_MAX };

/* A device that a text in the conversation is sealed for. */
struct recipient {
    struct signet_id address; /* of its account */
    struct signet_id device;
};

struct conversation {
    struct signet_id id;
    size_t recipient_count;
    struct recipient recipients[RECIPIENTS_MAX];
};

/* The id of the conversation with an account. Errors: ARGUMENT (the own one), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err conversation_id(
    struct txn *t, const struct signet_id *peer, struct signet_id *id_out);
/* The conversation with a contact: its id, and the devices that the contact's card lists.
 * Errors: as of conversation_id. */
SIGNET_MUST_USE enum signet_err conversation_with(
    struct txn *t, const struct contact *contact, struct conversation *conversation_out);

#endif
