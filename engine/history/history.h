/* The history: its lines, and where the entries of each device stand in each conversation. */
#ifndef ENGINE_HISTORY_HISTORY_H
#define ENGINE_HISTORY_HISTORY_H

#include "engine/history/chain.h"
#include "engine/history/message.h"
#include "engine/txn/txn.h"

/* Give the message its place and store it; `is_unshown`: note that it is to be shown. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err history_add(
    struct txn *t, struct message *message, bool is_unshown);
/* Store a line again that has changed; its number says which. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err history_change(struct txn *t, const struct message *message);
/* A line, as this call has it; the caller clears it. Errors: UNKNOWN (also where it is damaged), IO,
 * NOMEM. */
SIGNET_MUST_USE enum signet_err history_load_line(struct txn *t,
    const struct signet_id *conversation, uint64_t number, struct message *message_out);
/* A message has been shown: it is no longer unshown. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err history_shown(struct txn *t, uint64_t number);
/* Visit the lines of a conversation in their order, without the changes of this call. */
SIGNET_MUST_USE enum signet_err history_scan(
    struct txn *t, const struct signet_id *conversation, record_visitor visit, void *ctx);

/* The chain of a device in a conversation; an empty one where there is none. Errors: AUTH (damaged),
 * FORMAT, IO, NOMEM. */
SIGNET_MUST_USE enum signet_err history_load_chain(struct txn *t,
    const struct signet_id *conversation, const struct signet_id *device, struct chain *chain_out);
/* The same; but where the record is damaged, the lines tell where it stands: to begin again would be
 * a fork, and to name nothing would say that nothing has come. */
SIGNET_MUST_USE enum signet_err history_recall_chain(struct txn *t,
    const struct signet_id *conversation, const struct signet_id *device, struct chain *chain_out);
SIGNET_MUST_USE enum signet_err history_save_chain(struct txn *t,
    const struct signet_id *conversation, const struct signet_id *device,
    const struct chain *chain);

#endif
