/* A session of ours is lost: beginning another, and saying what we have. engine_loss.c. */
#ifndef ENGINE_RECOVERY_H
#define ENGINE_RECOVERY_H

#include "engine/engine_internal.h"

/* A session with this device is damaged or gone here. */
SIGNET_MUST_USE enum signet_err engine_note_loss(struct engine *e, const struct signet_id *device);
/* A session was found to be damaged whose device is not at hand: look whose it was, once. */
SIGNET_MUST_USE enum signet_err engine_trace_loss(
    struct engine *e, const struct signet_id *transcript, uint64_t now_ms);
/* Write heads to those whose sessions were lost, at most once an hour: at each pump. */
SIGNET_MUST_USE enum signet_err engine_tell_losses(struct engine *e, uint64_t now_ms);
/* The contact's heads are sealed. */
SIGNET_MUST_USE enum signet_err engine_told_loss(
    struct engine *e, const struct contact_slot *slot, uint64_t now_ms);

#endif
