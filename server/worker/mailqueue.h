/*
 * What other threads have for a worker: the store's answers and deliveries, in the order in which
 * they came, and news from other workers and the main thread.
 */
#ifndef SERVER_WORKER_MAILQUEUE_H
#define SERVER_WORKER_MAILQUEUE_H

#include <uv.h>

#include "server/store/store.h"

enum inbox_kind { INBOX_ANSWERED, INBOX_DELIVER, INBOX_END };

struct inbox_item {
    enum inbox_kind kind;
    uint16_t code;                /* END: why that login has ended */
    uint64_t connection;          /* DELIVER, END */
    struct store_group *group;    /* ANSWERED */
    struct store_message message; /* DELIVER */
};

struct inbox_items {
    struct inbox_item *items;
    size_t count, capacity;
    struct store_group *late; /* answers for which there was no memory in `items` */
    bool is_missed;           /* deliveries were dropped for want of memory, or came too early */
};

struct inbox {
    struct inbox_items gathered; /* the store's thread's alone */
    uv_mutex_t mutex;            /* over what follows */
    uv_async_t *wake; /* the worker's: sent when the inbox was empty before; NULL: closed */
    struct inbox_items waiting;
};

/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err inbox_init(struct inbox *inbox, uv_async_t *wake);
/* Wake the worker no more; what comes is kept. */
void inbox_close(struct inbox *inbox);
/* What is still there is lost; take it first. */
void inbox_wipe(struct inbox *inbox);

/* From any thread. What item holds belongs to the inbox. */
void inbox_put(struct inbox *inbox, const struct inbox_item *item);
/* From the store's thread: the same for many items, which the worker sees with inbox_hand_over, in
 * their order. So a transaction's answers cost one lock and one wake-up, however many they are. */
void inbox_gather(struct inbox *inbox, const struct inbox_item *item);
void inbox_hand_over(struct inbox *inbox);
/* By the worker: exchange what waits for `items`, which is emptied before. */
void inbox_take(struct inbox *inbox, struct inbox_items *items);

#endif
