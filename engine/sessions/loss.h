/* RECORD_LOSS: with which devices a session was lost here, and whether they have been told. */
#ifndef ENGINE_SESSIONS_LOSS_H
#define ENGINE_SESSIONS_LOSS_H

#include "engine/txn/txn.h"

struct loss {
    struct signet_id device;
    uint64_t tried_at; /* ms: when heads were last written; 0: never */
    bool is_due;       /* heads are still to be sealed */
};

/* A session with this device is damaged or gone here. Errors: IO, NOMEM. */
SIGNET_MUST_USE enum signet_err loss_note(struct txn *t, const struct signet_id *device);
/* The device has been told what we have. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err loss_told(struct txn *t, const struct signet_id *device);
/* Errors: UNKNOWN (there is none, or it is damaged), IO, NOMEM. */
SIGNET_MUST_USE enum signet_err loss_load(
    struct txn *t, const struct signet_id *device, struct loss *loss_out);
/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err loss_save(struct txn *t, const struct loss *loss);
/* From a record's value. Errors: FORMAT. */
SIGNET_MUST_USE enum signet_err loss_decode(signet_span value, struct loss *loss_out);

#endif
