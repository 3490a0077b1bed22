/* Which time holds for what, where the wall clock may be wrong. */
#include "server/core/time.h"

#include "server/core/core_state.h"

bool core_is_recent(const struct relay_core *core, uint64_t ms)
{
    return core->wall_ms <= ms + SIGNET_CLOCK_TOLERANCE_MS;
}

uint64_t core_put_ms(const struct relay_core *core)
{
    uint64_t known_ms = message_ids_last_ms(core->config.ids);

    return core->wall.is_trusted || known_ms < core->wall_ms ? core->wall_ms : known_ms;
}

uint64_t core_expired_ms(const struct relay_core *core)
{
    return core->wall.is_trusted ? core->wall_ms : 0;
}
