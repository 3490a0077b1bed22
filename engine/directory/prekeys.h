/* Taking prekeys from the relay, and beginning sessions with them: docs/protocol.md, section 4. */
#ifndef ENGINE_DIRECTORY_PREKEYS_H
#define ENGINE_DIRECTORY_PREKEYS_H

#include "engine/contacts.h"
#include "engine/txn/requests.h"

/* Ask for the bundle of a contact's device, and a one-time prekey. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err prekeys_claim(
    struct txn *t, struct contact_slot *slot, const struct signet_id *device);
/* The answers: a session is begun, or why not is told as an outcome. Errors: machine errors. */
SIGNET_MUST_USE enum signet_err prekeys_claimed(
    struct txn *t, const struct request *request, const struct relay_message *message);
SIGNET_MUST_USE enum signet_err prekeys_not_claimed(
    struct txn *t, const struct request *request, const struct relay_message *refusal);

#endif
