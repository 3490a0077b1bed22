/*
 * Envelopes for a device that is not there: what the relay says is asked after, and what the
 * account's signed list says counts (docs/protocol.md, sections 3 and 9).
 */
#ifndef ENGINE_OUTBOX_WITHDRAW_H
#define ENGINE_OUTBOX_WITHDRAW_H

#include "engine/outbox/stored.h"

/* A contact has removed a device: take what is sealed for it out of the outbox; a text that went to
 * no other device becomes a draft again. Errors: machine errors. */
SIGNET_MUST_USE enum signet_err withdraw_device(
    struct txn *t, const struct signet_id *address, const struct signet_id *device);

#endif
