/* Message ids: time, node, counter. A full counter borrows from the milliseconds to come. */
#include "server/core/message_id.h"

enum { COUNTER_BITS = 12, NODE_BITS = 10, MS_BITS = 41 };

#define COUNTER_MASK ((UINT64_C(1) << COUNTER_BITS) - 1)

void message_ids_init(struct message_ids *ids, uint32_t node, uint64_t floor)
{
    uint64_t ms = floor >> (NODE_BITS + COUNTER_BITS);

    atomic_init(&ids->last, ms << COUNTER_BITS | (floor & COUNTER_MASK));
    ids->node = node & MESSAGE_ID_NODE_MAX;
}

uint64_t message_id_next(struct message_ids *ids, uint64_t now_ms)
{
    uint64_t since = now_ms > MESSAGE_ID_EPOCH_MS ? now_ms - MESSAGE_ID_EPOCH_MS : 0;
    /* A clock beyond what the bits hold says nothing: ids go on behind the last one. */
    uint64_t first = since >> MS_BITS == 0 ? since << COUNTER_BITS : 0;
    uint64_t last = atomic_load_explicit(&ids->last, memory_order_relaxed);
    uint64_t next;

    do
        next = first > last ? first : last + 1;
    while (!atomic_compare_exchange_weak_explicit(
        &ids->last, &last, next, memory_order_relaxed, memory_order_relaxed));
    return next >> COUNTER_BITS << (NODE_BITS + COUNTER_BITS) |
           (uint64_t)ids->node << COUNTER_BITS | (next & COUNTER_MASK);
}

uint64_t message_ids_last_ms(const struct message_ids *ids)
{
    uint64_t last = atomic_load_explicit(&ids->last, memory_order_relaxed);

    return last > 0 ? MESSAGE_ID_EPOCH_MS + (last >> COUNTER_BITS) : 0;
}
