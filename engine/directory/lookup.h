/* Asking the relay for cards, and what its answers are worth: docs/protocol.md, section 3. */
#ifndef ENGINE_DIRECTORY_LOOKUP_H
#define ENGINE_DIRECTORY_LOOKUP_H

#include "engine/contacts.h"
#include "engine/txn/requests.h"

/* Ask for the account of a name that is no contact yet. Errors of asking: NOMEM. */
SIGNET_MUST_USE enum signet_err lookup_name(struct txn *t, const char *name);
/* Ask for a known contact's card again. */
SIGNET_MUST_USE enum signet_err lookup_contact(struct txn *t, struct contact_slot *slot);
/* Ask for an account that is not known yet, or has no name yet. */
SIGNET_MUST_USE enum signet_err lookup_address(struct txn *t, const struct signet_id *address);

/* The answers. What they mean for texts and for kept envelopes is told as outcomes.
 * Errors: FORMAT (the relay breaks the protocol), and machine errors. */
SIGNET_MUST_USE enum signet_err lookup_found(
    struct txn *t, const struct request *request, const struct relay_message *message);
SIGNET_MUST_USE enum signet_err lookup_not_found(
    struct txn *t, const struct request *request, const struct relay_message *refusal);

#endif
