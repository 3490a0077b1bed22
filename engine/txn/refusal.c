/* What a refusal of the relay means. */
#include "engine/txn/refusal.h"

/* The bounds of what the relay says. */
enum { RETRY_MIN_MS = 1000, RETRY_MAX_MS = 3600000 };

uint64_t refusal_retry_at(const struct relay_message *refusal, uint64_t now_ms)
{
    uint64_t after_ms = refusal->retry_after_ms;

    if (after_ms == 0)
        after_ms = RETRY_MS;
    else if (after_ms < RETRY_MIN_MS)
        after_ms = RETRY_MIN_MS;
    return now_ms + (after_ms < RETRY_MAX_MS ? after_ms : RETRY_MAX_MS);
}

enum engine_problem refusal_problem(const struct relay_message *refusal)
{
    if (refusal->code == RELAY_CODE_OFTEN)
        return PROBLEM_OFTEN;
    return refusal->code == CODE_SILENT ? PROBLEM_SILENT : PROBLEM_RELAY;
}
