/* Which message is accepted when, and what waits: docs/protocol.md, section 9. */
#ifndef SERVER_CORE_DISPATCH_H
#define SERVER_CORE_DISPATCH_H

#include <signet/span.h>
#include <stdint.h>

struct relay_core;
struct conn;
struct core_op;

/* Carry out a sequence of messages. */
void dispatch(struct relay_core *core, struct conn *conn, signet_span messages);
/* The client is wrong, and goes; one line in the log says why. */
void dispatch_reject(struct relay_core *core, struct conn *conn, uint16_t code, const char *why);
/* Carry on with an operation that the store has answered, then with what was held for the answer.
 * In CHECKING the function that carries on sets the state: to READY or EXPECT_LOGIN, or to CHECKING
 * again where it has asked the store once more. */
void dispatch_answer(struct relay_core *core, struct conn *conn, struct core_op *op);
/* Go on with what was held, and stop or go on reading from the client, by what is under way. */
void dispatch_throttle(struct relay_core *core, struct conn *conn);

#endif
