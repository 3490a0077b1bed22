/* What the relay says, and who is told: one table of questions and answers. */
#ifndef ENGINE_ANSWERS_H
#define ENGINE_ANSWERS_H

#include "engine/txn/requests.h"

/* One message of the relay. Errors: FORMAT (it breaks the protocol), and machine errors. */
SIGNET_MUST_USE enum signet_err answers_handle(struct txn *t, const struct relay_message *message);
/* No answer came to a request in time: it counts as refused. Errors: machine errors. */
SIGNET_MUST_USE enum signet_err answers_give_up(struct txn *t, struct request *request);

#endif
