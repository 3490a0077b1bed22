/* The wall clock held against the monotonic one (wall_trust.h). */
#include "server/core/wall_trust.h"

#include <signet/card.h>

#define HOLD_MS (UINT64_C(24) * 3600 * 1000)

static bool is_far(int64_t a_ms, int64_t b_ms)
{
    uint64_t distance_ms = a_ms > b_ms ? (uint64_t)(a_ms - b_ms) : (uint64_t)(b_ms - a_ms);

    return distance_ms > SIGNET_CLOCK_TOLERANCE_MS;
}

enum wall_change wall_trust_read(
    struct wall_trust *trust, uint64_t wall_ms, uint64_t monotonic_ms, uint64_t known_ms)
{
    int64_t offset_ms = (int64_t)wall_ms - (int64_t)monotonic_ms;
    bool has_jumped = trust->is_known
                          ? is_far(offset_ms, trust->offset_ms)
                          : known_ms != 0 && is_far((int64_t)wall_ms, (int64_t)known_ms);

    if (!trust->is_known || has_jumped) {
        *trust = (struct wall_trust){.offset_ms = offset_ms,
            .since_ms = monotonic_ms,
            .is_known = true,
            .is_trusted = !has_jumped};
        return has_jumped ? WALL_JUMPED : WALL_AS_BEFORE;
    }
    if (trust->is_trusted || monotonic_ms - trust->since_ms < HOLD_MS)
        return WALL_AS_BEFORE;
    trust->is_trusted = true;
    return WALL_BELIEVED;
}
