/* The outbox: what is sealed and not accepted yet, on disk and on its way. */
#ifndef ENGINE_OUTBOX_OUTBOX_H
#define ENGINE_OUTBOX_OUTBOX_H

#include "engine/engine_internal.h"

/* A sealed envelope that the relay has not accepted yet: stored in the outbox. */
struct sealed {
    struct sealed *next;
    uint64_t number; /* in the outbox */
    uint64_t token;
    bool is_in_flight;
    bool is_told;     /* that it waits */
    bool has_arrived; /* the relay has accepted the entry for another of the contact's devices */
    struct signet_id device, conversation, entry;
    uint64_t message; /* place in the history */
};

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

/* ---- on disk (engine_outbox.c) ---- */

SIGNET_MUST_USE enum signet_err engine_load_outbox(struct engine *e);
SIGNET_MUST_USE enum signet_err engine_save_draft(struct engine *e, struct outgoing *text);
/* Read the text of a draft back. Errors: AUTH, UNKNOWN (damaged), FORMAT, IO, NOMEM. */
SIGNET_MUST_USE enum signet_err engine_load_draft(struct engine *e, struct outgoing *text);
/* Store an envelope, and add a copy of `sealed` at the end of the list. */
SIGNET_MUST_USE enum signet_err engine_add_sealed(
    struct engine *e, struct sealed *sealed, signet_span envelope);
/* The envelope borrows from `value`. Errors: AUTH, UNKNOWN (damaged), FORMAT, IO, NOMEM. */
SIGNET_MUST_USE enum signet_err engine_read_sealed(
    struct engine *e, uint64_t number, struct signet_buf *value, signet_span *envelope);
/* The relay has accepted the entry for another device. */
SIGNET_MUST_USE enum signet_err engine_mark_arrived(struct engine *e, struct sealed *sealed);
/* Take it out of store and list; it is the caller's then, also after an error. */
SIGNET_MUST_USE enum signet_err engine_remove_sealed(struct engine *e, struct sealed *sealed);
void engine_free_outbox(struct engine *e);

/* ---- where devices are gone (engine_withdraw.c) ---- */

/* The relay does not know the device of an envelope: ask whether the contact's list has it. */
SIGNET_MUST_USE enum signet_err engine_check_device(struct engine *e, const struct sealed *sealed);
/* The contact has removed the device: take what is sealed for it out of the outbox; a text that
 * went to no other device becomes a draft again. */
SIGNET_MUST_USE enum signet_err engine_withdraw(struct engine *e, const struct contact_slot *slot,
    const struct signet_id *device, uint64_t now_ms);

/* ---- on its way (engine_lanes.c) ---- */

/* Hand the relay what may go now. */
SIGNET_MUST_USE enum signet_err engine_flush_outbox(struct engine *e, uint64_t now_ms);
/* Whether there is use in sealing more: what could not leave yet need not be sealed yet. */
bool engine_has_room(const struct engine *e);
/* Something new is there for this device: worth another try where it was refused. */
void engine_reopen_lane(struct engine *e, const struct signet_id *device);
/* The connection is gone: EVENT_QUEUED for each envelope that was not accepted. */
SIGNET_MUST_USE enum signet_err engine_stop_outbox(struct engine *e);
void engine_free_lanes(struct engine *e);
/* Whether envelopes of the same entry are still to be accepted. */
bool engine_has_siblings(const struct engine *e, const struct sealed *sealed);
/* EVENT_ACCEPTED, and the same in the history. */
SIGNET_MUST_USE enum signet_err engine_tell_accepted(
    struct engine *e, const struct sealed *sealed, uint64_t now_ms);
SIGNET_MUST_USE enum signet_err engine_accepted(
    struct engine *e, const struct request *request, uint64_t now_ms);
/* The history's line of an envelope. Errors: UNKNOWN (also where it is damaged). */
SIGNET_MUST_USE enum signet_err engine_load_line(
    struct engine *e, const struct sealed *sealed, struct message *message_out);
SIGNET_MUST_USE enum signet_err engine_put_refused(struct engine *e, const struct request *request,
    const struct relay_message *refusal, uint64_t now_ms);

#endif
