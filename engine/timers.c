/* What waits for a time: docs/protocol.md, section 9, retry_after; and what has waited enough. */
#include "engine/outbox/outbox.h"

enum { ANSWER_MS = 30000 }; /* no answer of the relay takes that long */

/* Where the relay does not say when; and the bounds of what it says. */
enum { RETRY_MS = 30000, RETRY_MIN_MS = 1000, RETRY_MAX_MS = 3600000 };

uint64_t engine_retry_at(const struct relay_message *refusal, uint64_t now_ms)
{
    uint64_t after_ms = refusal->retry_after_ms;

    if (after_ms == 0)
        after_ms = RETRY_MS;
    else if (after_ms < RETRY_MIN_MS)
        after_ms = RETRY_MIN_MS;
    return now_ms + (after_ms < RETRY_MAX_MS ? after_ms : RETRY_MAX_MS);
}

enum engine_problem engine_passing_problem(const struct relay_message *refusal)
{
    if (refusal->code == RELAY_CODE_OFTEN)
        return PROBLEM_OFTEN;
    return refusal->code == CODE_SILENT ? PROBLEM_SILENT : PROBLEM_RELAY;
}

/* When a request is given up. Envelopes may queue up on a slow line: as long as one is answered now
 * and then, those behind it are only waiting for their turn; those before it are not. */
static uint64_t gives_up_at(const struct engine *e, const struct request *request)
{
    uint64_t from = request->asked_at;

    if (request->type == REQUEST_PUT && request->req > e->landed_req && e->landed_at > from)
        from = e->landed_at;
    return from + ANSWER_MS;
}

/* Requests without an answer count as refused. */
static enum signet_err give_up(struct engine *e)
{
    const struct relay_message silence = {
        .type = RELAY_REFUSED, .code = CODE_SILENT, .retry_after_ms = RETRY_MS};
    enum signet_err err = SIGNET_OK;

    for (struct request *r = e->requests; r != NULL && err == SIGNET_OK; r = r->next) {
        if (r->is_given_up || gives_up_at(e, r) > e->now_ms)
            continue;
        r->is_given_up = true;
        err = engine_refused(e, r, &silence, e->now_ms);
    }
    return err;
}

size_t engine_waiting(const struct engine *engine)
{
    const struct sealed *before = NULL;
    size_t count = 0;

    for (const struct outgoing *text = engine->outgoing; text != NULL; text = text->next)
        count += text->draft != 0;
    for (const struct sealed *s = engine->sealed; s != NULL; before = s, s = s->next)
        count += before == NULL || !signet_id_equal(&before->entry, &s->entry);
    return count;
}

static void note_time(uint64_t *first, uint64_t at)
{
    if (at != 0 && at < *first)
        *first = at;
}

uint64_t engine_deadline(const struct engine *engine)
{
    uint64_t first = engine_held_until(engine);

    for (const struct request *r = engine->requests; r != NULL; r = r->next) {
        if (!r->is_given_up)
            note_time(&first, gives_up_at(engine, r));
    }
    if (engine->phase != PHASE_READY)
        return first;
    note_time(&first, engine->losses_at);
    for (const struct outgoing *text = engine->outgoing; text != NULL; text = text->next)
        note_time(&first, text->not_before);
    for (const struct lane *lane = engine->lanes; lane != NULL; lane = lane->next)
        note_time(&first, lane->not_before);
    return first;
}

enum signet_err engine_tick(struct engine *engine, uint64_t now_ms, struct engine_output *output)
{
    enum signet_err err;

    engine->output = output;
    engine->now_ms = now_ms;
    err = give_up(engine);
    if (err == SIGNET_OK && engine->phase == PHASE_READY)
        err = engine_pump(engine, now_ms);
    engine_hold_events(engine);
    return err;
}
