/* Received messages that the person has not seen yet, in order of arrival. */
#ifndef CLI_INBOX_H
#define CLI_INBOX_H

#include "agent/agent.h"

struct inbox_item {
    uint64_t number;
    struct signet_id conversation;
    bool is_queued; /* not sealed yet: the number is that of the outbox */
};

struct inbox {
    struct inbox_item *items; /* those before `next` have been taken */
    size_t next, count, capacity;
};

/* Find what earlier runs have left. Errors: FORMAT, IO, NOMEM. */
SIGNET_MUST_USE enum signet_err inbox_load(struct inbox *inbox, const struct agent *agent);
/* One that has arrived. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err inbox_add(struct inbox *inbox, const struct inbox_item *item);
/* Take the oldest; false: there is none. */
bool inbox_take(struct inbox *inbox, struct inbox_item *item_out);
bool inbox_is_empty(const struct inbox *inbox);
void inbox_free(struct inbox *inbox);

/* Read a line of the history; the caller clears it. Errors: UNKNOWN, AUTH, FORMAT (it is
 * damaged), IO, NOMEM. */
SIGNET_MUST_USE enum signet_err inbox_read(
    const struct agent *agent, const struct inbox_item *item, struct message *message_out);

#endif
