/* A window of at most CORE_WINDOW_MESSAGES entries: small enough to be searched from the front. */
#include "server/core/window.h"

#include <stdlib.h>

#include "server/core/core.h"

void window_free(struct window *window)
{
    free(window->entries);
    *window = (struct window){0};
}

bool window_has_room(const struct window *window, size_t len)
{
    if (window->unacked_count == 0)
        return true;
    return window->unacked_count < CORE_WINDOW_MESSAGES &&
           window->unacked_bytes + len <= CORE_WINDOW_BYTES;
}

bool window_is_half_free(const struct window *window)
{
    return window->unacked_count <= CORE_WINDOW_MESSAGES / 2 &&
           window->unacked_bytes <= CORE_WINDOW_BYTES / 2;
}

static struct window_entry *find(const struct window *window, uint64_t id)
{
    for (size_t i = 0; i < window->count; i++)
        if (window->entries[i].id == id)
            return &window->entries[i];
    return NULL;
}

bool window_holds(const struct window *window, uint64_t id)
{
    return find(window, id) != NULL;
}

enum signet_err window_add(struct window *window, uint64_t id, size_t len)
{
    if (window->count == window->capacity) {
        size_t capacity = window->capacity > 0 ? 2 * window->capacity : 8;
        struct window_entry *entries = realloc(window->entries, capacity * sizeof(*entries));

        if (entries == NULL)
            return SIGNET_ERR_NOMEM;
        window->entries = entries;
        window->capacity = capacity;
    }
    window->entries[window->count++] = (struct window_entry){.id = id, .len = (uint32_t)len};
    window->unacked_count++;
    window->unacked_bytes += len;
    return SIGNET_OK;
}

bool window_ack(struct window *window, uint64_t id)
{
    struct window_entry *entry = find(window, id);

    if (entry == NULL || entry->is_acked)
        return false;
    entry->is_acked = true;
    window->unacked_count--;
    window->unacked_bytes -= entry->len;
    return true;
}

void window_forget(struct window *window)
{
    size_t kept = 0;

    if (window->unacked_count == 0) {
        window_free(window);
        return;
    }
    for (size_t i = 0; i < window->count; i++)
        if (!window->entries[i].is_acked)
            window->entries[kept++] = window->entries[i];
    window->count = kept;
}
