/* What else than a client's message moves a mailbox: deliveries, and room for them. */
#ifndef SERVER_CORE_HANDLE_MAILBOX_H
#define SERVER_CORE_HANDLE_MAILBOX_H

#include "server/store/store.h"

struct relay_core;
struct conn;

/* Tell the store what was acknowledged, all of it in one operation. */
void mailbox_acknowledge(struct relay_core *core, struct conn *conn);
/* The client keeps up again, or a fetch failed: fetch if there is room. */
void mailbox_catch_up(struct relay_core *core, struct conn *conn);
/* A message put just now. */
void mailbox_deliver(
    struct relay_core *core, struct conn *conn, const struct store_message *message);

#endif
