/* A stepped store, operations for it in one line, and what its sinks were told, in order. */
#ifndef TESTS_STORE_RIG_H
#define TESTS_STORE_RIG_H

#include "tests/support/unit.h"

#include "server/store/sqlite/store_sqlite.h"

enum {
    RIG_WORKERS = 2,
    RIG_EVENTS_MAX = 256,
    RIG_MESSAGE_MS = 10000000, /* how long messages live */
};

/* What a sink was told. */
struct rig_event {
    enum { RIG_ANSWERED, RIG_DELIVERED } type;
    uint32_t worker;
    const struct store_group *group; /* RIG_ANSWERED */
    uint64_t connection, message_id; /* RIG_DELIVERED */
    size_t envelope_len;
};

struct rig;

struct rig_sink {
    struct rig *rig;
    uint32_t worker;
};

struct rig {
    struct store *store;
    struct signet_library *library;
    struct store_limits limits;
    uint64_t now_ms;
    struct rig_sink sinks[RIG_WORKERS];
    struct rig_event events[RIG_EVENTS_MAX];
    size_t event_count;
    struct store_group *last; /* kept until the next group is run */
};

/* Limits that are out of the way, the time 1,000,000 ms, a store at `path`. */
void rig_open(struct rig *rig, const char *path);
void rig_close(struct rig *rig);
/* Close the store (NULL: that is done) and open what it has left behind. */
void rig_reopen(struct rig *rig, const char *path);
void rig_forget_events(struct rig *rig);

/* For cmocka: the state is a rig whose store is in memory, or in a file. */
int rig_setup_memory(void **state);
int rig_setup_file(void **state);
int rig_teardown(void **state);
/* A test of the rig in its state, on both. */
#define RIG_BOTH(test)                                                                             \
    {#test, test, rig_setup_memory, rig_teardown, NULL},                                           \
    {                                                                                              \
#test " (file)", test, rig_setup_file, rig_teardown, NULL                                  \
    }

/* 32 times the same byte. */
struct signet_id rig_id(unsigned number);
/* A token that is 16 times the same byte. */
void rig_token(struct store_op *op, unsigned number);
struct store_group *rig_group(const struct rig *rig, uint32_t worker);
struct store_op *rig_op(struct store_group *group, enum store_op_type type);
/* Submit and step; the group is the rig's then. */
enum store_result rig_run(struct rig *rig, struct store_group *group);
/* A group of one, run by worker 0; its operation. */
struct store_op *rig_one(struct rig *rig, struct store_group *group);

/* ---- operations, each in a group of its own ---- */

/* An invitation of so many uses. */
void rig_invite(struct rig *rig, unsigned token, uint64_t uses);
/* Register rig_id(address) with one device, with an invitation of its own. */
void rig_register(struct rig *rig, const char *name, unsigned address, unsigned device);
enum store_answer rig_put(struct rig *rig, unsigned device, uint64_t message_id, const char *text);
enum store_answer rig_ack(struct rig *rig, unsigned device, uint64_t message_id);
/* What is fetched: ids and texts such as "1:one 2:two", and " ..." where there is more. */
const char *rig_fetch(struct rig *rig, unsigned device, size_t max_count, size_t max_bytes);
struct store_op *rig_claim(
    struct rig *rig, unsigned device, unsigned address, struct store_route route);
void rig_release(struct rig *rig, unsigned device, struct store_route route);
/* A bundle whose bytes are `text`, with so many one-time keys: key i is 32 times i + version. */
enum store_answer rig_bundle(
    struct rig *rig, unsigned device, uint64_t version, const char *text, size_t key_count);
struct store_op *rig_take(struct rig *rig, unsigned device, unsigned requester);
/* Returns whether there is more. */
bool rig_expire(struct rig *rig, uint64_t limit);

#endif
