/* Rate limits. */
#include "server/core/limits.h"

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

void rate_charge(struct rate *rate, const struct rate_limit *limit, uint32_t count, uint64_t now_ms)
{
    uint64_t now_us = now_ms * 1000;

    if (limit->per_second == 0)
        return;
    if (rate->due_us < now_us)
        rate->due_us = now_us;
    rate->due_us += count * (UINT64_C(1000000) / limit->per_second);
}

struct rate *account_rate(struct account_rates *rates, const struct signet_id *account)
{
    struct account_rate *least = &rates->entries[0];

    for (size_t i = 0; i < ACCOUNT_RATES; i++) {
        struct account_rate *entry = &rates->entries[i];

        if (signet_id_equal(&entry->account, account))
            return &entry->rate;
        if (entry->rate.due_us < least->rate.due_us)
            least = entry;
    }
    *least = (struct account_rate){.account = *account};
    return &least->rate;
}
