/* Messages handed to the engine whose fate is not known yet, by their tokens. */
#ifndef CLI_PENDING_H
#define CLI_PENDING_H

#include <signet/error.h>
#include <signet/span.h>

struct pending_item {
    uint64_t token;
    bool is_kept; /* in the outbox */
};

struct pending {
    struct pending_item *items;
    size_t count, capacity;
    size_t kept; /* of them */
};

/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err pending_add(struct pending *pending, uint64_t token);
/* It went to the outbox; false: it is there already, or not one of these. */
bool pending_keep(struct pending *pending, uint64_t token);
/* Its fate is known; false: it is not one of these. */
bool pending_take(struct pending *pending, uint64_t token);
/* Those that are neither kept nor known. */
size_t pending_in_flight(const struct pending *pending);
void pending_free(struct pending *pending);

#endif
