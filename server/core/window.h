/* The messages that were delivered on a connection and are not acknowledged yet. */
#ifndef SERVER_CORE_WINDOW_H
#define SERVER_CORE_WINDOW_H

#include <signet/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct window_entry {
    uint64_t id;
    uint32_t len;
    bool is_acked; /* kept while a fetch may still bring it: see window_forget */
};

/* Zero-initialise. An empty window holds no memory. */
struct window {
    struct window_entry *entries;
    size_t count, capacity;
    size_t unacked_count, unacked_bytes;
};

void window_free(struct window *window);

/* Whether a message of that length may be delivered now; an empty window takes any. */
bool window_has_room(const struct window *window, size_t len);
/* Whether at least half of it is free, so that fetching is worth while. */
bool window_is_half_free(const struct window *window);
bool window_holds(const struct window *window, uint64_t id);

/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err window_add(struct window *window, uint64_t id, size_t len);
/* Whether that message was delivered and not acknowledged before. */
bool window_ack(struct window *window, uint64_t id);
/* Drop what is acknowledged. Not while a fetch is under way: its answer may have been read before
 * the acknowledgement was carried out. */
void window_forget(struct window *window);

#endif
