/* The inbox: arrays that change places, so that handing over and taking cost nothing under the
 * mutex. */
#include "server/worker/mailqueue.h"

#include <stdlib.h>

enum { KEEP_CAPACITY = 4096 }; /* items; an array that grew beyond this in a rush is given back */

enum signet_err inbox_init(struct inbox *inbox, uv_async_t *wake)
{
    *inbox = (struct inbox){.wake = wake};
    return uv_mutex_init(&inbox->mutex) == 0 ? SIGNET_OK : SIGNET_ERR_NOMEM;
}

void inbox_close(struct inbox *inbox)
{
    uv_mutex_lock(&inbox->mutex);
    inbox->wake = NULL;
    uv_mutex_unlock(&inbox->mutex);
}

void inbox_wipe(struct inbox *inbox)
{
    free(inbox->gathered.items);
    free(inbox->waiting.items);
    inbox->gathered = inbox->waiting = (struct inbox_items){0};
    uv_mutex_destroy(&inbox->mutex);
}

static bool is_empty(const struct inbox_items *items)
{
    return items->count == 0 && items->late == NULL && !items->is_missed;
}

/* Room for `more`. */
static bool grow(struct inbox_items *items, size_t more)
{
    size_t capacity = items->capacity > 0 ? items->capacity : 64;
    struct inbox_item *grown;

    if (items->capacity - items->count >= more)
        return true;
    while (capacity - items->count < more)
        capacity *= 2;
    grown = realloc(items->items, capacity * sizeof(*grown));
    if (grown == NULL)
        return false;
    items->items = grown;
    items->capacity = capacity;
    return true;
}

/* Without memory: answers must arrive nevertheless; deliveries wait in their mailboxes. */
static void put_late(struct inbox_items *items, const struct inbox_item *item)
{
    struct store_message message = item->message;
    struct store_group **end = &items->late;

    switch (item->kind) {
    case INBOX_ANSWERED:
        while (*end != NULL)
            end = &(*end)->next;
        item->group->next = NULL;
        *end = item->group;
        items->is_missed = true; /* what comes behind a fetch may overtake its answer */
        break;
    case INBOX_DELIVER:
        items->is_missed = true;
        signet_buf_free(&message.envelope);
        break;
    case INBOX_END: break; /* the login lives on, without new messages */
    }
}

static void add(struct inbox_items *items, const struct inbox_item *item)
{
    if (grow(items, 1))
        items->items[items->count++] = *item;
    else
        put_late(items, item);
}

/* What was gathered goes behind what waits; the emptied array is kept for the next batch. */
static void append(struct inbox_items *waiting, struct inbox_items *gathered)
{
    struct inbox_items taken = *gathered;
    struct store_group **end = &waiting->late;

    if (is_empty(waiting)) {
        *gathered = *waiting;
        *waiting = taken;
        return;
    }
    for (size_t i = 0; i < taken.count; i++)
        add(waiting, &taken.items[i]);
    while (*end != NULL)
        end = &(*end)->next;
    *end = taken.late;
    waiting->is_missed |= taken.is_missed;
    gathered->count = 0;
    gathered->late = NULL;
    gathered->is_missed = false;
}

/* With the mutex held, after something was added. */
static void wake(const struct inbox *inbox, bool was_empty)
{
    if (was_empty && inbox->wake != NULL)
        (void)uv_async_send(inbox->wake); /* fails only without a callback */
}

void inbox_put(struct inbox *inbox, const struct inbox_item *item)
{
    bool was_empty;

    uv_mutex_lock(&inbox->mutex);
    was_empty = is_empty(&inbox->waiting);
    add(&inbox->waiting, item);
    wake(inbox, was_empty);
    uv_mutex_unlock(&inbox->mutex);
}

void inbox_gather(struct inbox *inbox, const struct inbox_item *item)
{
    add(&inbox->gathered, item);
}

void inbox_hand_over(struct inbox *inbox)
{
    bool was_empty;

    if (is_empty(&inbox->gathered))
        return;
    uv_mutex_lock(&inbox->mutex);
    was_empty = is_empty(&inbox->waiting);
    append(&inbox->waiting, &inbox->gathered);
    wake(inbox, was_empty);
    uv_mutex_unlock(&inbox->mutex);
}

void inbox_take(struct inbox *inbox, struct inbox_items *items)
{
    struct inbox_items taken;

    if (items->capacity > KEEP_CAPACITY) {
        free(items->items);
        items->items = NULL;
        items->capacity = 0;
    }
    items->count = 0;
    items->late = NULL;
    items->is_missed = false;
    uv_mutex_lock(&inbox->mutex);
    taken = inbox->waiting;
    inbox->waiting = *items;
    uv_mutex_unlock(&inbox->mutex);
    *items = taken;
}
