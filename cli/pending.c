/* Messages handed to the engine whose fate is not known yet. */
#include "cli/pending.h"

#include <stdlib.h>
#include <string.h>

enum signet_err pending_add(struct pending *pending, uint64_t token)
{
    if (pending->count == pending->capacity) {
        size_t capacity = pending->capacity == 0 ? 64 : pending->capacity * 2;
        struct pending_item *items = reallocarray(pending->items, capacity, sizeof(*items));

        if (items == NULL)
            return SIGNET_ERR_NOMEM;
        pending->items = items;
        pending->capacity = capacity;
    }
    pending->items[pending->count++] = (struct pending_item){.token = token};
    return SIGNET_OK;
}

static struct pending_item *find(struct pending *pending, uint64_t token)
{
    for (size_t i = 0; i < pending->count; i++) {
        if (pending->items[i].token == token)
            return &pending->items[i];
    }
    return NULL;
}

bool pending_keep(struct pending *pending, uint64_t token)
{
    struct pending_item *item = find(pending, token);

    if (item == NULL || item->is_kept)
        return false;
    item->is_kept = true;
    pending->kept++;
    return true;
}

bool pending_take(struct pending *pending, uint64_t token)
{
    struct pending_item *item = find(pending, token);

    if (item == NULL)
        return false;
    pending->kept -= item->is_kept;
    *item = pending->items[--pending->count];
    return true;
}

size_t pending_in_flight(const struct pending *pending)
{
    return pending->count - pending->kept;
}

void pending_free(struct pending *pending)
{
    free(pending->items);
    memset(pending, 0, sizeof(*pending));
}
