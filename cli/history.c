/* What was said. Only places are kept in memory: the texts may be many. */
#include "cli/history.h"

#include <stdlib.h>
#include <string.h>

static enum signet_err append(struct history *history, const struct inbox_item *item)
{
    if (history->count == history->capacity) {
        size_t capacity = history->capacity == 0 ? 256 : history->capacity * 2;
        struct inbox_item *items = reallocarray(history->items, capacity, sizeof(*items));

        if (items == NULL)
            return SIGNET_ERR_NOMEM;
        history->items = items;
        history->capacity = capacity;
    }
    history->items[history->count++] = *item;
    return SIGNET_OK;
}

static enum signet_err visit(void *ctx, uint64_t number, signet_span value)
{
    struct history *history = ctx;
    struct inbox_item item = {.number = number};
    struct message message = {0};
    bool is_silent;

    if (value.len == 0 || message_decode(value, &message) != SIGNET_OK)
        history->damaged++;
    else
        item.conversation = message.conversation;
    is_silent = message.kind == SIGNET_KIND_HEADS && message.verdict == VERDICT_VERIFIED;
    message_clear(&message);
    return is_silent ? SIGNET_OK : append(history, &item);
}

/* Those that are to be found among the outbox's records. */
struct queue {
    struct history *history;
    const struct engine *engine;
    const struct signet_id *peer; /* NULL: to anybody */
};

static enum signet_err visit_outbox(void *ctx, uint64_t number, signet_span value)
{
    struct queue *queue = ctx;
    struct inbox_item item = {.number = number, .is_queued = true};
    struct message message = {0};
    bool is_meant;

    if (value.len == 0 || engine_read_queued(queue->engine, value, &message) != SIGNET_OK)
        return SIGNET_OK; /* sealed, so that its line was found; or damaged */
    is_meant = queue->peer == NULL || signet_id_equal(queue->peer, &message.peer);
    message_clear(&message);
    return is_meant ? append(queue->history, &item) : SIGNET_OK;
}

static int compare(const void *one, const void *other)
{
    const struct inbox_item *a = one, *b = other;

    return (a->number > b->number) - (a->number < b->number);
}

enum signet_err history_load(
    struct history *history, const struct agent *agent, const struct signet_id *peer)
{
    const struct record_key outbox = {.kind = RECORD_OUTBOX, .name = signet_span_str("")};
    struct queue queue = {history, agent->engine, peer};
    struct record_key key = {.kind = RECORD_MESSAGE};
    struct signet_id conversation;
    enum signet_err err;

    if (peer != NULL) {
        if ((err = engine_conversation(agent->engine, peer, &conversation)) != SIGNET_OK)
            return err;
        key.name = signet_id_span(&conversation);
    }
    if ((err = agent->records.scan(agent->records.ctx, &key, visit, history)) != SIGNET_OK)
        return err;
    if (history->count > 0)
        qsort(history->items, history->count, sizeof(history->items[0]), compare);
    return agent->records.scan(agent->records.ctx, &outbox, visit_outbox, &queue);
}

void history_free(struct history *history)
{
    free(history->items);
    memset(history, 0, sizeof(*history));
}
