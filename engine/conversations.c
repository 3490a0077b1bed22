/* Who takes part in a conversation. */
#include "engine/conversations.h"

#include <signet/entry.h>

#include "engine/account.h"

enum signet_err conversation_id(
    struct txn *t, const struct signet_id *peer, struct signet_id *id_out)
{
    return signet_conversation_pair(t->library, own_address(t), peer, id_out);
}

enum signet_err conversation_with(
    struct txn *t, const struct contact *contact, struct conversation *conversation_out)
{
    const struct signet_card *card = contact->card;
    struct conversation *c = conversation_out;

    c->recipient_count = signet_card_device_count(card);
    for (size_t i = 0; i < c->recipient_count; i++) {
        c->recipients[i].address = contact->address;
        c->recipients[i].device = *signet_card_device(card, i);
    }
    return conversation_id(t, &contact->address, &c->id);
}
