/*
 * What the SQLite store knows of devices without asking the disk: whose the waiting messages are,
 * how much waits (quota), and where the device is logged in.
 *
 * Changes are made at once and remembered, so that they can be taken back when the transaction
 * they belong to fails: after devices_commit or devices_rollback this is true to the disk. Routes
 * are not part of that; they are changed after the commit.
 *
 * Device ids are hashes, and only registered devices are in here: no seed is needed.
 */
#ifndef SERVER_STORE_SQLITE_DEVICES_H
#define SERVER_STORE_SQLITE_DEVICES_H

#include "server/store/store.h"

/* A message in the hot table. */
struct store_waiting {
    uint64_t id;
    uint32_t size; /* bytes of its envelope */
};

/* What of a device's mailbox is in the cold table; kept in the device's row, too. */
struct store_cold {
    uint64_t count;
    uint64_t bytes;
    uint64_t last; /* no id in the cold table is above it */
};

struct store_device {
    struct store_device *next; /* with the same hash */
    struct signet_id id;
    int64_t key;     /* of its row */
    int64_t account; /* key of its account's row */
    struct store_waiting *waiting;
    size_t first, count, capacity; /* waiting[first .. first + count), by rising id */
    uint64_t bytes;                /* of the waiting ones */
    struct store_cold cold;
    bool has_route;
    struct store_route route;
};

struct store_change;

/* Zero-initialise; free with devices_free. */
struct store_devices {
    struct store_device **buckets;
    size_t bucket_count, device_count;
    struct store_change *changes; /* since the last commit or rollback */
    size_t change_count, change_capacity;
};

void devices_free(struct store_devices *devices);

/* NULL where it is not in memory. */
struct store_device *devices_find(const struct store_devices *devices, const struct signet_id *id);

/* The calls below change nothing and return false, or NULL, when memory is out. */

/* Add a device that is not there yet. */
struct store_device *devices_add(
    struct store_devices *devices, const struct signet_id *id, int64_t key, int64_t account);
/* Forget a device; it must not be used any more. */
bool devices_drop(struct store_devices *devices, struct store_device *device);
/* Add a message that is not there yet. */
bool devices_put(struct store_devices *devices, struct store_device *device,
    const struct store_waiting *message);
/* Take away the message at an index below count. */
bool devices_remove(struct store_devices *devices, struct store_device *device, size_t index);
bool devices_set_cold(
    struct store_devices *devices, struct store_device *device, const struct store_cold *cold);

/* Whether that message waits, and at which index. */
bool device_has(const struct store_device *device, uint64_t message_id, size_t *index_out);
/* The message at an index below count. */
const struct store_waiting *device_at(const struct store_device *device, size_t index);

/* The transaction is durable; or it never happened. */
void devices_commit(struct store_devices *devices);
void devices_rollback(struct store_devices *devices);

#endif
