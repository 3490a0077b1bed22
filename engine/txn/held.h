/*
 * Messages of strangers, held back while their names are being asked for, so that they can be shown
 * with them; and what came after them.
 */
#ifndef ENGINE_TXN_HELD_H
#define ENGINE_TXN_HELD_H

#include "engine/txn/requests.h"

struct held {
    struct engine_event *first, *last;
    size_t count;
};

/* At the end of each call: hold back what is to wait, and let go what has its name or has waited
 * long. */
void held_sort(struct txn *t);
/* When one of them is to be let go: ms; UINT64_MAX: none is held. */
uint64_t held_until(const struct held *held, const struct requests *requests);
void held_free(struct held *held);

#endif
