/* Envelopes on their way to the devices' mailboxes. */
#include "engine/outbox/device_queues.h"

#include <stdlib.h>
#include <string.h>

#include "engine/contacts.h"
#include "engine/directory/lookup.h"
#include "engine/txn/refusal.h"

/* What may be on its way unanswered, so that a large outbox fills neither the connection's queue nor
 * the memory; and how much is sealed in one call, so that none of them takes long. */
enum { IN_FLIGHT_MAX = 256, IN_FLIGHT_BYTES_MAX = 1048576, SEALED_AT_ONCE_MAX = 64 };

/* The lane to a device; NULL: out of memory. */
static struct lane *find_lane(struct outbox *outbox, const struct signet_id *device)
{
    struct lane *lane = outbox->lanes;

    while (lane != NULL && !signet_id_equal(&lane->device, device))
        lane = lane->next;
    if (lane != NULL || (lane = calloc(1, sizeof(*lane))) == NULL)
        return lane;
    lane->device = *device;
    lane->next = outbox->lanes;
    outbox->lanes = lane;
    return lane;
}

void lanes_free(struct outbox *outbox)
{
    while (outbox->lanes != NULL) {
        struct lane *lane = outbox->lanes;

        outbox->lanes = lane->next;
        free(lane);
    }
}

static bool is_passable(const struct lane *lane)
{
    return lane->state == LANE_OPEN || (lane->state == LANE_UNTRIED && lane->in_flight == 0);
}

void lanes_reopen(struct outbox *outbox, const struct signet_id *device)
{
    for (struct lane *lane = outbox->lanes; lane != NULL; lane = lane->next) {
        if (lane->state == LANE_REFUSED && signet_id_equal(&lane->device, device)) {
            lane->state = LANE_UNTRIED;
            lane->not_before = 0;
        }
    }
}

/* ---- sending ---- */

static bool is_full(const struct outbox *outbox)
{
    return outbox->in_flight.count >= IN_FLIGHT_MAX ||
           outbox->in_flight.bytes >= IN_FLIGHT_BYTES_MAX;
}

bool lanes_have_room(const struct outbox *outbox)
{
    return !is_full(outbox) && outbox->fresh.count < SEALED_AT_ONCE_MAX &&
           outbox->in_flight.bytes + outbox->fresh.bytes < IN_FLIGHT_BYTES_MAX;
}

/* Hand one envelope to the relay. */
static enum signet_err put_sealed(struct txn *t, struct lane *lane, struct sealed *sealed)
{
    struct relay_message message = {.type = RELAY_PUT, .id = sealed->device};
    struct signet_buf value = {0};
    struct request *request;
    enum signet_err err = stored_read(t, sealed->number, &value, &message.envelope);

    if (err == SIGNET_ERR_AUTH || err == SIGNET_ERR_UNKNOWN) {
        sealed->is_in_flight = true; /* not again on this connection */
        return txn_note(t, "a message in the outbox is damaged and cannot be sent");
    }
    if (err == SIGNET_OK)
        err = requests_ask(t, REQUEST_PUT, &message, &request);
    signet_buf_free(&value);
    if (err != SIGNET_OK)
        return err;
    request->number = sealed->number;
    request->device = sealed->device;
    request->len = message.envelope.len;
    sealed->is_in_flight = true;
    lane->in_flight++;
    t->outbox->in_flight.count++;
    t->outbox->in_flight.bytes += request->len;
    return SIGNET_OK;
}

/* Nothing new waits for an answer without being told that it waits. */
static enum signet_err tell_waiting(struct txn *t, struct sealed *sealed)
{
    if (sealed->is_told)
        return SIGNET_OK;
    sealed->is_told = true;
    return txn_queued(t, sealed->token, &sealed->entry);
}

/* What was refused until now may be tried again. */
static void reopen_lanes(struct txn *t)
{
    for (struct lane *lane = t->outbox->lanes; lane != NULL; lane = lane->next) {
        if (lane->not_before == 0 || lane->not_before > t->now_ms)
            continue;
        lane->not_before = 0;
        lane->state = LANE_UNTRIED;
    }
}

enum signet_err lanes_flush(struct txn *t)
{
    enum signet_err err = SIGNET_OK;

    if (t->requests->phase != PHASE_READY)
        return SIGNET_OK;
    reopen_lanes(t);
    for (struct sealed *s = t->outbox->sealed; s != NULL && err == SIGNET_OK; s = s->next) {
        struct lane *lane;

        if (s->is_in_flight)
            continue;
        if ((lane = find_lane(t->outbox, &s->device)) == NULL)
            return SIGNET_ERR_NOMEM;
        if (is_passable(lane) && !is_full(t->outbox))
            err = put_sealed(t, lane, s);
        else if (lane->state == LANE_REFUSED)
            err = tell_waiting(t, s);
    }
    return err;
}

enum signet_err lanes_disconnected(struct txn *t)
{
    enum signet_err err = SIGNET_OK;

    lanes_free(t->outbox);
    t->outbox->in_flight = (struct traffic){0};
    for (struct sealed *s = t->outbox->sealed; s != NULL && err == SIGNET_OK; s = s->next) {
        s->is_in_flight = false;
        err = txn_queued(t, s->token, &s->entry);
    }
    return err;
}

/* ---- answers ---- */

/* One device of several has it now. */
static enum signet_err mark_siblings(struct txn *t, const struct sealed *sealed)
{
    enum signet_err err = SIGNET_OK;

    for (struct sealed *s = t->outbox->sealed; s != NULL && err == SIGNET_OK; s = s->next) {
        if (!s->has_arrived && signet_id_equal(&s->entry, &sealed->entry))
            err = stored_mark_arrived(t, s);
    }
    return err;
}

/* The lane of a put that was answered. NULL: out of memory. */
static struct lane *land(struct txn *t, const struct request *request)
{
    struct lane *lane = find_lane(t->outbox, &request->device);

    t->outbox->in_flight.count--;
    t->outbox->in_flight.bytes -= request->len;
    if (lane != NULL)
        lane->in_flight--;
    return lane;
}

enum signet_err outbox_accepted(struct txn *t, const struct request *request)
{
    struct sealed *sealed = stored_find(t->outbox, request->number);
    struct lane *lane = land(t, request);
    enum signet_err err;

    if (lane == NULL)
        return SIGNET_ERR_NOMEM;
    lane->state = LANE_OPEN;
    if (sealed == NULL)
        return SIGNET_OK;
    err = stored_remove(t, sealed);
    if (err == SIGNET_OK && !stored_has_siblings(t->outbox, sealed))
        err = stored_tell_accepted(t, sealed);
    else if (err == SIGNET_OK)
        err = mark_siblings(t, sealed);
    free(sealed);
    return err;
}

static enum engine_problem problem_of(const struct relay_message *refusal)
{
    switch (refusal->code) {
    case RELAY_CODE_UNKNOWN: return PROBLEM_DEVICE;
    case RELAY_CODE_FULL: return PROBLEM_FULL;
    default: return refusal_problem(refusal);
    }
}

/* Whom an envelope is for; its device where that cannot be read. */
static enum signet_err call_recipient(
    struct txn *t, const struct sealed *sealed, char whom[SIGNET_ID_GROUPS_SIZE])
{
    char brief[SIGNET_ID_SHORT_SIZE];
    struct message line = {0};
    struct contact_slot *slot;
    const char *name = brief;
    enum signet_err err = stored_load_line(t, sealed, &line);

    signet_id_short(&sealed->device, brief);
    if (err == SIGNET_OK && (err = contacts_load(t, &line.peer, &slot)) == SIGNET_OK)
        name = contact_call(&slot->contact, brief);
    message_clear(&line);
    memcpy(whom, name, strlen(name) + 1);
    return err == SIGNET_ERR_UNKNOWN || err == SIGNET_ERR_AUTH ? SIGNET_OK : err;
}

/* The relay does not know the device of an envelope: ask whether the contact's list has it. */
static enum signet_err check_device(struct txn *t, const struct sealed *sealed)
{
    struct message line = {0};
    struct contact_slot *slot;
    enum signet_err err = stored_load_line(t, sealed, &line);

    if (err == SIGNET_OK)
        err = contacts_load(t, &line.peer, &slot);
    message_clear(&line);
    if (err == SIGNET_ERR_UNKNOWN || (err == SIGNET_OK && slot->is_asking))
        return SIGNET_OK;
    return err == SIGNET_OK ? lookup_contact(t, slot) : err;
}

enum signet_err outbox_put_refused(
    struct txn *t, const struct request *request, const struct relay_message *refusal)
{
    enum engine_problem problem = problem_of(refusal);
    struct sealed *sealed = stored_find(t->outbox, request->number);
    char whom[SIGNET_ID_GROUPS_SIZE];
    struct lane *lane = land(t, request);
    uint64_t token;
    bool is_known; /* that this lane is closed, or of this one that it waits */
    enum signet_err err = SIGNET_OK;

    if (lane == NULL)
        return SIGNET_ERR_NOMEM;
    if (sealed == NULL)
        return SIGNET_OK;
    token = sealed->token;
    is_known = sealed->is_told || (token == 0 && lane->state == LANE_REFUSED);
    /* The relay's word deletes nothing: only the contact's own list does. */
    if (problem == PROBLEM_DEVICE)
        err = check_device(t, sealed);
    lane->state = LANE_REFUSED;
    if (refusal->retry_after_ms != 0)
        lane->not_before = refusal_retry_at(refusal, t->now_ms);
    sealed->is_in_flight = false;
    sealed->is_told = true;
    if (err != SIGNET_OK || is_known)
        return err;
    if ((err = call_recipient(t, sealed, whom)) != SIGNET_OK)
        return err;
    return txn_fail(t, problem, token, whom);
}

void outbox_landed(struct outbox *outbox, const struct request *request, uint64_t now_ms)
{
    outbox->landed_at = now_ms;
    if (request->req > outbox->landed_req)
        outbox->landed_req = request->req;
}

uint64_t outbox_asked_at(const struct outbox *outbox, const struct request *request)
{
    bool is_behind = request->type == REQUEST_PUT && request->req > outbox->landed_req &&
                     outbox->landed_at > request->asked_at;

    return is_behind ? outbox->landed_at : request->asked_at;
}

uint64_t lanes_deadline(const struct outbox *outbox)
{
    uint64_t first = UINT64_MAX;

    for (const struct lane *lane = outbox->lanes; lane != NULL; lane = lane->next) {
        if (lane->not_before != 0 && lane->not_before < first)
            first = lane->not_before;
    }
    return first;
}
