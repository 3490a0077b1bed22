/* A card for the store, as registration and publishing fill it in. */
#ifndef SERVER_CORE_HANDLE_PUBLISH_H
#define SERVER_CORE_HANDLE_PUBLISH_H

#include <signet/card.h>

struct core_op;

/* Fill the fields of REGISTER and CARD_PUT that come from the card. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err publish_card(struct core_op *op, const struct signet_card *card);

#endif
