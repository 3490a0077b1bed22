/* What waits for a time: docs/protocol.md, section 9, retry_after. */
#include "client/engine_internal.h"

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

static void note_time(uint64_t *first, uint64_t at)
{
    if (at != 0 && at < *first)
        *first = at;
}

uint64_t engine_deadline(const struct engine *engine)
{
    uint64_t first = UINT64_MAX;

    if (engine->phase != PHASE_READY)
        return first;
    for (const struct outgoing *text = engine->outgoing; text != NULL; text = text->next)
        note_time(&first, text->not_before);
    for (const struct lane *lane = engine->lanes; lane != NULL; lane = lane->next)
        note_time(&first, lane->not_before);
    return first;
}

enum signet_err engine_tick(struct engine *engine, uint64_t now_ms, struct engine_output *output)
{
    enum signet_err err = SIGNET_OK;

    engine->output = output;
    if (engine->phase == PHASE_READY)
        err = engine_pump(engine, now_ms);
    engine_hold_events(engine);
    return err;
}
