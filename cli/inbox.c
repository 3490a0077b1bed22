/* Received messages that the person has not seen yet. */
#include "cli/inbox.h"

#include <stdlib.h>
#include <string.h>

enum signet_err inbox_add(struct inbox *inbox, const struct inbox_item *item)
{
    if (inbox_is_empty(inbox))
        inbox->next = inbox->count = 0;
    if (inbox->count == inbox->capacity) {
        size_t capacity = inbox->capacity == 0 ? 64 : inbox->capacity * 2;
        struct inbox_item *items = reallocarray(inbox->items, capacity, sizeof(*items));

        if (items == NULL)
            return SIGNET_ERR_NOMEM;
        inbox->items = items;
        inbox->capacity = capacity;
    }
    inbox->items[inbox->count++] = *item;
    return SIGNET_OK;
}

bool inbox_take(struct inbox *inbox, struct inbox_item *item_out)
{
    if (inbox_is_empty(inbox))
        return false;
    *item_out = inbox->items[inbox->next++];
    return true;
}

bool inbox_is_empty(const struct inbox *inbox)
{
    return inbox->next == inbox->count;
}

void inbox_free(struct inbox *inbox)
{
    free(inbox->items);
    memset(inbox, 0, sizeof(*inbox));
}

/* A record_visitor. Where the record is damaged, so is the message, as inbox_read will tell. */
static enum signet_err visit(void *ctx, uint64_t number, signet_span value)
{
    struct inbox_item item = {.number = number};

    if (value.len > 0 && signet_id_read(value, &item.conversation) != SIGNET_OK)
        return SIGNET_ERR_FORMAT;
    return inbox_add(ctx, &item);
}

enum signet_err inbox_load(struct inbox *inbox, const struct agent *agent)
{
    struct record_key key = {.kind = RECORD_UNSHOWN, .name = signet_span_str("")};

    return agent->records.scan(agent->records.ctx, &key, visit, inbox);
}

enum signet_err inbox_read(
    const struct agent *agent, const struct inbox_item *item, struct message *message_out)
{
    struct record_key key = {RECORD_MESSAGE, signet_id_span(&item->conversation), item->number};
    struct signet_buf value = {0};
    enum signet_err err;

    if (item->is_queued)
        key = (struct record_key){.kind = RECORD_OUTBOX, .number = item->number};
    err = agent->records.get(agent->records.ctx, &key, &value);
    if (err == SIGNET_OK && item->is_queued)
        err = engine_read_queued(agent->engine, signet_buf_span(&value), message_out);
    else if (err == SIGNET_OK)
        err = message_decode(signet_buf_span(&value), message_out);
    if (err == SIGNET_OK)
        message_out->number = item->number;
    signet_buf_free(&value);
    return err;
}
