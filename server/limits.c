/* Rate limits. */
#include "server/limits.h"

bool rate_allow(struct rate *rate, const struct rate_limit *limit, uint64_t now_ms,
    uint64_t *retry_after_ms_out)
{
    uint64_t now_us = now_ms * 1000;
    uint64_t step_us, room_us, due_us;

    if (limit->per_second == 0)
        return true;
    step_us = UINT64_C(1000000) / limit->per_second;
    room_us = step_us * (limit->burst > 0 ? limit->burst : 1);
    due_us = (rate->due_us > now_us ? rate->due_us : now_us) + step_us;
    if (due_us > now_us + room_us) {
        *retry_after_ms_out = (due_us - room_us - now_us + 999) / 1000;
        return false;
    }
    rate->due_us = due_us;
    return true;
}
