/*
 * The ids of messages waiting in mailboxes: 41 bits of milliseconds since 2026, 10 bits of node,
 * 12 bits of counter. Strictly rising within a process, whatever the clock does, so that the oldest
 * message is the one with the lowest id.
 */
#ifndef SERVER_CORE_MESSAGE_ID_H
#define SERVER_CORE_MESSAGE_ID_H

#include <stdatomic.h>
#include <stdint.h>

enum { MESSAGE_ID_NODE_MAX = 1023 };

/* 2026-01-01T00:00:00Z in milliseconds since 1970: 41 bits last from here to 2095. */
#define MESSAGE_ID_EPOCH_MS UINT64_C(1767225600000)

/* One per process; its workers share it. */
struct message_ids {
    _Atomic uint64_t last; /* ms << 12 | counter of the newest id */
    uint32_t node;
};

/*
 * node   0..MESSAGE_ID_NODE_MAX
 * floor  the highest id that is in use already, or 0: a clock that was set back must not give an id
 *        a second time.
 */
void message_ids_init(struct message_ids *ids, uint32_t node, uint64_t floor);

/* The next id; any number of threads may ask. Never 0. */
uint64_t message_id_next(struct message_ids *ids, uint64_t now_ms);

/* When the newest id was given, or might have been: since 1970; 0: there is none. */
uint64_t message_ids_last_ms(const struct message_ids *ids);

#endif
