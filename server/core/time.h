/* Which time holds for what, where the wall clock may be wrong (wall_trust.h). */
#ifndef SERVER_CORE_TIME_H
#define SERVER_CORE_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct relay_core;

/* Whether something was made within the last 24 hours; the future is signet_card_check_time's. */
bool core_is_recent(const struct relay_core *core, uint64_t ms);
/* When a message was put, by a clock that is believed: one that is behind must not make the message
 * expire as soon as it is corrected. */
uint64_t core_put_ms(const struct relay_core *core);
/* What is due until then has expired; 0: nothing, the clock is not believed. */
uint64_t core_expired_ms(const struct relay_core *core);

#endif
