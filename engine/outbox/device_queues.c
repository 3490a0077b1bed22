/*
 * The outbox on its way: what is sealed is sent as the same bytes until the relay has accepted it,
 * and to each device in the order in which it was written.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/outbox/outbox.h"

/* What may be on its way unanswered, so that a large outbox fills neither the connection's queue nor
 * the memory; and how much is sealed in one call, so that none of them takes long. */
enum { IN_FLIGHT_MAX = 256, IN_FLIGHT_BYTES_MAX = 1048576, SEALED_AT_ONCE_MAX = 64 };

/* The lane to a device; NULL: out of memory. */
static struct lane *find_lane(struct engine *e, const struct signet_id *device)
{
    struct lane *lane = e->lanes;

    while (lane != NULL && !signet_id_equal(&lane->device, device))
        lane = lane->next;
    if (lane != NULL || (lane = calloc(1, sizeof(*lane))) == NULL)
        return lane;
    lane->device = *device;
    lane->next = e->lanes;
    e->lanes = lane;
    return lane;
}

void engine_free_lanes(struct engine *e)
{
    while (e->lanes != NULL) {
        struct lane *lane = e->lanes;

        e->lanes = lane->next;
        free(lane);
    }
}

static bool is_passable(const struct lane *lane)
{
    return lane->state == LANE_OPEN || (lane->state == LANE_UNTRIED && lane->in_flight == 0);
}

void engine_reopen_lane(struct engine *e, const struct signet_id *device)
{
    for (struct lane *lane = e->lanes; lane != NULL; lane = lane->next) {
        if (lane->state == LANE_REFUSED && signet_id_equal(&lane->device, device)) {
            lane->state = LANE_UNTRIED;
            lane->not_before = 0;
        }
    }
}

/* ---- sending ---- */

static bool is_full(const struct engine *e)
{
    return e->in_flight.count >= IN_FLIGHT_MAX || e->in_flight.bytes >= IN_FLIGHT_BYTES_MAX;
}

bool engine_has_room(const struct engine *e)
{
    return !is_full(e) && e->fresh.count < SEALED_AT_ONCE_MAX &&
           e->in_flight.bytes + e->fresh.bytes < IN_FLIGHT_BYTES_MAX;
}

/* Hand one envelope to the relay. */
static enum signet_err put_sealed(struct engine *e, struct lane *lane, struct sealed *sealed)
{
    struct relay_message message = {.type = RELAY_PUT, .id = sealed->device};
    struct signet_buf value = {0};
    struct request *request;
    enum signet_err err = engine_read_sealed(e, sealed->number, &value, &message.envelope);

    if (err == SIGNET_ERR_AUTH || err == SIGNET_ERR_UNKNOWN) {
        sealed->is_in_flight = true; /* not again on this connection */
        return engine_note(e, "a message in the outbox is damaged and cannot be sent");
    }
    if (err == SIGNET_OK)
        err = engine_ask(e, REQUEST_PUT, &message, &request);
    signet_buf_free(&value);
    if (err != SIGNET_OK)
        return err;
    request->number = sealed->number;
    request->device = sealed->device;
    request->len = message.envelope.len;
    sealed->is_in_flight = true;
    lane->in_flight++;
    e->in_flight.count++;
    e->in_flight.bytes += request->len;
    return SIGNET_OK;
}

/* Nothing new waits for an answer without being told that it waits. */
static enum signet_err tell_waiting(struct engine *e, struct sealed *sealed)
{
    if (sealed->is_told)
        return SIGNET_OK;
    sealed->is_told = true;
    return engine_queued(e, sealed->token, &sealed->entry);
}

/* What was refused until now may be tried again. */
static void reopen_lanes(struct engine *e, uint64_t now_ms)
{
    for (struct lane *lane = e->lanes; lane != NULL; lane = lane->next) {
        if (lane->not_before == 0 || lane->not_before > now_ms)
            continue;
        lane->not_before = 0;
        lane->state = LANE_UNTRIED;
    }
}

enum signet_err engine_flush_outbox(struct engine *e, uint64_t now_ms)
{
    enum signet_err err = SIGNET_OK;

    if (e->phase != PHASE_READY)
        return SIGNET_OK;
    reopen_lanes(e, now_ms);
    for (struct sealed *s = e->sealed; s != NULL && err == SIGNET_OK; s = s->next) {
        struct lane *lane;

        if (s->is_in_flight)
            continue;
        if ((lane = find_lane(e, &s->device)) == NULL)
            return SIGNET_ERR_NOMEM;
        if (is_passable(lane) && !is_full(e))
            err = put_sealed(e, lane, s);
        else if (lane->state == LANE_REFUSED)
            err = tell_waiting(e, s);
    }
    return err;
}

enum signet_err engine_stop_outbox(struct engine *e)
{
    enum signet_err err = SIGNET_OK;

    engine_free_lanes(e);
    e->in_flight = (struct traffic){0};
    for (struct sealed *s = e->sealed; s != NULL && err == SIGNET_OK; s = s->next) {
        s->is_in_flight = false;
        err = engine_queued(e, s->token, &s->entry);
    }
    return err;
}

/* ---- answers ---- */

static struct sealed *find_sealed(const struct engine *e, uint64_t number)
{
    struct sealed *sealed = e->sealed;

    while (sealed != NULL && sealed->number != number)
        sealed = sealed->next;
    return sealed;
}

bool engine_has_siblings(const struct engine *e, const struct sealed *sealed)
{
    for (const struct sealed *s = e->sealed; s != NULL; s = s->next) {
        if (signet_id_equal(&s->entry, &sealed->entry))
            return true;
    }
    return false;
}

enum signet_err engine_load_line(
    struct engine *e, const struct sealed *sealed, struct message *message_out)
{
    struct record_key key = {
        RECORD_MESSAGE, signet_id_span(&sealed->conversation), sealed->message};
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    if (err == SIGNET_OK)
        err = message_decode(signet_buf_span(&value), message_out);
    signet_buf_free(&value);
    return err == SIGNET_ERR_AUTH || err == SIGNET_ERR_FORMAT ? SIGNET_ERR_UNKNOWN : err;
}

/* Note in the history when the relay accepted a message. A damaged line stays as it is. */
static enum signet_err note_accepted(
    struct engine *e, const struct sealed *sealed, uint64_t now_ms, bool *is_heads)
{
    struct record_key key = {
        RECORD_MESSAGE, signet_id_span(&sealed->conversation), sealed->message};
    struct signet_buf value = {0};
    struct message message = {0};
    enum signet_err err = engine_load_line(e, sealed, &message);

    if (err != SIGNET_OK)
        return err == SIGNET_ERR_UNKNOWN ? SIGNET_OK : err;
    message.accepted_at = now_ms;
    *is_heads = message.kind == SIGNET_KIND_HEADS;
    if ((err = message_encode(&message, &value)) == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    message_clear(&message);
    return err;
}

enum signet_err engine_tell_accepted(struct engine *e, const struct sealed *sealed, uint64_t now_ms)
{
    struct engine_event *event;
    bool is_heads = false;
    enum signet_err err = note_accepted(e, sealed, now_ms, &is_heads);

    if (err != SIGNET_OK || is_heads) /* nobody has written those */
        return err;
    event = engine_event(e, EVENT_ACCEPTED);
    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->token = sealed->token;
    event->number = sealed->message;
    event->conversation = sealed->conversation;
    event->id = sealed->entry;
    event->at = now_ms;
    return SIGNET_OK;
}

/* One device of several has it now. */
static enum signet_err mark_siblings(struct engine *e, const struct sealed *sealed)
{
    enum signet_err err = SIGNET_OK;

    for (struct sealed *s = e->sealed; s != NULL && err == SIGNET_OK; s = s->next) {
        if (!s->has_arrived && signet_id_equal(&s->entry, &sealed->entry))
            err = engine_mark_arrived(e, s);
    }
    return err;
}

/* The lane of a put that was answered. NULL: out of memory. */
static struct lane *land(struct engine *e, const struct request *request)
{
    struct lane *lane = find_lane(e, &request->device);

    e->in_flight.count--;
    e->in_flight.bytes -= request->len;
    if (lane != NULL)
        lane->in_flight--;
    return lane;
}

enum signet_err engine_accepted(struct engine *e, const struct request *request, uint64_t now_ms)
{
    struct sealed *sealed = find_sealed(e, request->number);
    struct lane *lane = land(e, request);
    enum signet_err err;

    if (lane == NULL)
        return SIGNET_ERR_NOMEM;
    lane->state = LANE_OPEN;
    if (sealed == NULL)
        return SIGNET_OK;
    err = engine_remove_sealed(e, sealed);
    if (err == SIGNET_OK && !engine_has_siblings(e, sealed))
        err = engine_tell_accepted(e, sealed, now_ms);
    else if (err == SIGNET_OK)
        err = mark_siblings(e, sealed);
    free(sealed);
    return err;
}

static enum engine_problem problem_of(const struct relay_message *refusal)
{
    switch (refusal->code) {
    case RELAY_CODE_UNKNOWN: return PROBLEM_DEVICE;
    case RELAY_CODE_FULL: return PROBLEM_FULL;
    default: return engine_passing_problem(refusal);
    }
}

/* Whom an envelope is for; its device where that cannot be read. */
static enum signet_err call_recipient(
    struct engine *e, const struct sealed *sealed, char whom[SIGNET_ID_GROUPS_SIZE])
{
    char brief[SIGNET_ID_SHORT_SIZE];
    struct message line = {0};
    struct contact_slot *slot;
    const char *name = brief;
    enum signet_err err = engine_load_line(e, sealed, &line);

    signet_id_short(&sealed->device, brief);
    if (err == SIGNET_OK && (err = engine_load_contact(e, &line.peer, &slot)) == SIGNET_OK)
        name = engine_call_contact(&slot->contact, brief);
    message_clear(&line);
    memcpy(whom, name, strlen(name) + 1);
    return err == SIGNET_ERR_UNKNOWN || err == SIGNET_ERR_AUTH ? SIGNET_OK : err;
}

enum signet_err engine_put_refused(struct engine *e, const struct request *request,
    const struct relay_message *refusal, uint64_t now_ms)
{
    enum engine_problem problem = problem_of(refusal);
    struct sealed *sealed = find_sealed(e, request->number);
    char whom[SIGNET_ID_GROUPS_SIZE];
    struct lane *lane = land(e, request);
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
        err = engine_check_device(e, sealed);
    lane->state = LANE_REFUSED;
    if (refusal->retry_after_ms != 0)
        lane->not_before = engine_retry_at(refusal, now_ms);
    sealed->is_in_flight = false;
    sealed->is_told = true;
    if (err != SIGNET_OK || is_known)
        return err;
    if ((err = call_recipient(e, sealed, whom)) != SIGNET_OK)
        return err;
    return engine_fail(e, problem, token, whom);
}
