/* Envelopes that are kept until their sender is known again: RECORD_PENDING. */
#ifndef ENGINE_INBOX_UNDECIDED_H
#define ENGINE_INBOX_UNDECIDED_H

#include "engine/inbox/delivery.h"

/* Count what is kept. Errors: IO, NOMEM. */
SIGNET_MUST_USE enum signet_err undecided_load(struct txn *t);
/* Keep the envelope, and ask for its sender's card. Errors: LIMIT (no room), and machine errors. */
SIGNET_MUST_USE enum signet_err undecided_keep(struct txn *t, const struct delivery *d);
/* Ask for a sender's card, unless that is being done. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err undecided_ask(struct txn *t, const struct signet_id *address);
/* The address and envelope of a record's value, which they borrow from. Errors: FORMAT. */
SIGNET_MUST_USE enum signet_err undecided_decode(
    signet_span value, struct signet_id *address, signet_span *envelope);
/* An envelope is no longer kept. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err undecided_remove(struct txn *t, uint64_t number, size_t len);
/* Visit what is kept, in its order. */
SIGNET_MUST_USE enum signet_err undecided_scan(struct txn *t, record_visitor visit);

#endif
