/* What one core knows: shared by the files of the core, and by nobody else. */
#ifndef SERVER_CORE_CORE_STATE_H
#define SERVER_CORE_CORE_STATE_H

#include "server/core/core.h"
#include "server/core/wall_trust.h"

struct core_op;

struct relay_core {
    struct core_config config;
    struct store *store;
    struct signet_library *library;
    uint64_t wall_ms, monotonic_ms;
    struct wall_trust wall;
    uint64_t known_ms;   /* when the newest message came, at the start: others give ids since */
    struct conn **conns; /* by slot; NULL: free */
    size_t slot_count;
    uint32_t *free_slots; /* a stack; as large as conns */
    size_t free_count;
    uint64_t serial;
    struct store_group *group;              /* being gathered; NULL: nothing yet */
    struct store_group *again, **again_end; /* answered UNKNOWN: submitted with the next tick */
    bool is_expiring;                       /* STORE_EXPIRE is submitted and not answered */
    size_t in_flight;
    struct core_op *spare; /* empty operations: one is made for every message */
    size_t spare_count;
    struct account_rates publishes;
    struct rate complaints; /* lines in the log that clients can cause */
    struct conn *outputs, *outputs_last;
    struct core_ended *ended; /* on other workers */
    size_t ended_count, ended_capacity;
    uint64_t expire_ms; /* monotonic: when to ask the store to expire */
};

#endif
