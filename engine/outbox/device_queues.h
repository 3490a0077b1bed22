/*
 * The outbox on its way: what is sealed is sent as the same bytes until the relay has accepted it,
 * and to each device in the order in which it was written.
 */
#ifndef ENGINE_OUTBOX_DEVICE_QUEUES_H
#define ENGINE_OUTBOX_DEVICE_QUEUES_H

#include "engine/outbox/stored.h"

/*
 * The way to a device's mailbox on this connection. One envelope goes ahead; when it is accepted,
 * the others follow without waiting for each other. When one is refused for now, what has not left
 * yet stays until the relay's time has passed or there is something new to send, so that it does
 * not overtake.
 */
enum lane_state { LANE_UNTRIED, LANE_OPEN, LANE_REFUSED };

struct lane {
    struct lane *next;
    struct signet_id device;
    enum lane_state state;
    uint64_t not_before; /* REFUSED: ms, when it is tried again; 0: only with something new */
    size_t in_flight;
};

/* Hand the relay what may go now. */
SIGNET_MUST_USE enum signet_err lanes_flush(struct txn *t);
/* Whether there is use in sealing more: what could not leave yet need not be sealed yet. */
bool lanes_have_room(const struct outbox *outbox);
/* Something new is there for this device: worth another try where it was refused. */
void lanes_reopen(struct outbox *outbox, const struct signet_id *device);
/* The connection is gone: EVENT_QUEUED for each envelope that was not accepted. */
SIGNET_MUST_USE enum signet_err lanes_disconnected(struct txn *t);
/* When one of them is to be tried again: ms; UINT64_MAX: never by itself. */
uint64_t lanes_deadline(const struct outbox *outbox);
void lanes_free(struct outbox *outbox);

#endif
