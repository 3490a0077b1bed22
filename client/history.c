/* What was said. Only places are kept in memory: the texts may be many. */
#include "client/history.h"

#include <stdlib.h>
#include <string.h>

static enum signet_err visit(void *ctx, uint64_t number, signet_span value)
{
    struct history *history = ctx;
    struct inbox_item item = {.number = number};
    struct message message = {0};

    if (history->count == history->capacity) {
        size_t capacity = history->capacity == 0 ? 256 : history->capacity * 2;
        struct inbox_item *items = reallocarray(history->items, capacity, sizeof(*items));

        if (items == NULL)
            return SIGNET_ERR_NOMEM;
        history->items = items;
        history->capacity = capacity;
    }
    if (value.len == 0 || message_decode(value, &message) != SIGNET_OK)
        history->damaged++;
    else
        item.conversation = message.conversation;
    message_clear(&message);
    history->items[history->count++] = item;
    return SIGNET_OK;
}

static int compare(const void *one, const void *other)
{
    const struct inbox_item *a = one, *b = other;

    return (a->number > b->number) - (a->number < b->number);
}

enum signet_err history_load(
    struct history *history, const struct desk *desk, const struct signet_id *peer)
{
    const struct signet_account *account = engine_account(desk->engine);
    struct record_key key = {.kind = RECORD_MESSAGE};
    struct signet_id conversation;
    enum signet_err err;

    if (peer != NULL) {
        err = signet_conversation_pair(
            desk->context->library, signet_account_address(account), peer, &conversation);
        if (err != SIGNET_OK)
            return err;
        key.name = signet_id_span(&conversation);
    }
    if ((err = desk->records.scan(desk->records.ctx, &key, visit, history)) != SIGNET_OK)
        return err;
    if (history->count > 0)
        qsort(history->items, history->count, sizeof(history->items[0]), compare);
    return SIGNET_OK;
}

void history_free(struct history *history)
{
    free(history->items);
    memset(history, 0, sizeof(*history));
}
