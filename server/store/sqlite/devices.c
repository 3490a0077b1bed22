/* Devices in memory: a chained hash map, and a log of what to take back (devices.h). */
#include "server/store/sqlite/devices.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BUCKETS = 64, /* a power of two, as are all the counts after it */
    FIRST_WAITING = 4,
    FIRST_CHANGES = 64,
};

enum change_type { ADDED, DROPPED, PUT, REMOVED, COLD_SET };

struct store_change {
    enum change_type type;
    struct store_device *device;
    union {
        struct store_waiting message; /* PUT, REMOVED */
        struct store_cold cold;       /* COLD_SET: as it was */
    };
};

/* ---- the map ---- */

static size_t bucket_of(const struct store_devices *devices, const struct signet_id *id)
{
    uint64_t hash;

    memcpy(&hash, id->b, sizeof(hash));
    return (size_t)(hash & (devices->bucket_count - 1));
}

static void map_insert(struct store_devices *devices, struct store_device *device)
{
    struct store_device **bucket = &devices->buckets[bucket_of(devices, &device->id)];

    device->next = *bucket;
    *bucket = device;
    devices->device_count++;
}

static void map_remove(struct store_devices *devices, const struct store_device *device)
{
    struct store_device **link = &devices->buckets[bucket_of(devices, &device->id)];

    while (*link != device)
        link = &(*link)->next;
    *link = device->next;
    devices->device_count--;
}

static void map_grow(struct store_devices *devices)
{
    struct store_devices larger = {0};

    if (devices->device_count < devices->bucket_count)
        return;
    larger.bucket_count = devices->bucket_count > 0 ? devices->bucket_count * 2 : FIRST_BUCKETS;
    larger.buckets = calloc(larger.bucket_count, sizeof(*larger.buckets));
    if (larger.buckets == NULL)
        return; /* chains get longer, that is all; no buckets at all is seen by the caller */
    for (size_t i = 0; i < devices->bucket_count; i++) {
        while (devices->buckets[i] != NULL) {
            struct store_device *device = devices->buckets[i];

            devices->buckets[i] = device->next;
            map_insert(&larger, device);
        }
    }
    free(devices->buckets);
    devices->buckets = larger.buckets;
    devices->bucket_count = larger.bucket_count;
}

static void device_free(struct store_device *device)
{
    free(device->waiting);
    free(device);
}

void devices_free(struct store_devices *devices)
{
    devices_commit(devices);
    for (size_t i = 0; i < devices->bucket_count; i++) {
        while (devices->buckets[i] != NULL) {
            struct store_device *device = devices->buckets[i];

            devices->buckets[i] = device->next;
            device_free(device);
        }
    }
    free(devices->buckets);
    free(devices->changes);
    memset(devices, 0, sizeof(*devices));
}

struct store_device *devices_find(const struct store_devices *devices, const struct signet_id *id)
{
    struct store_device *device;

    if (devices->bucket_count == 0)
        return NULL;
    device = devices->buckets[bucket_of(devices, id)];
    while (device != NULL && !signet_id_equal(&device->id, id))
        device = device->next;
    return device;
}

/* ---- the messages of one device ---- */

/* Where a message with that id is, or would be. */
static size_t place_of(const struct store_device *device, uint64_t message_id)
{
    const struct store_waiting *waiting = device->waiting + device->first;
    size_t low = 0, high = device->count;

    /* Ids rise with time: nearly every message belongs at the end. */
    if (high == 0 || waiting[high - 1].id < message_id)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (waiting[middle].id < message_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool device_has(const struct store_device *device, uint64_t message_id, size_t *index_out)
{
    size_t index;

    if (device->count == 0)
        return false;
    index = place_of(device, message_id);
    if (index == device->count || device->waiting[device->first + index].id != message_id)
        return false;
    *index_out = index;
    return true;
}

const struct store_waiting *device_at(const struct store_device *device, size_t index)
{
    return &device->waiting[device->first + index];
}

/* Room for one more, half of it empty where all would have to move to the front. It never shrinks
 * inside a transaction, so taking back needs no memory. */
static bool waiting_reserve(struct store_device *device)
{
    size_t capacity = device->capacity > 0 ? device->capacity * 2 : FIRST_WAITING;
    struct store_waiting *larger;

    if (device->first + device->count < device->capacity || device->count < device->capacity / 2)
        return true;
    larger = realloc(device->waiting, capacity * sizeof(*larger));
    if (larger == NULL)
        return false;
    device->waiting = larger;
    device->capacity = capacity;
    return true;
}

/* Insert where there is room. */
static void waiting_insert(struct store_device *device, const struct store_waiting *message)
{
    struct store_waiting *waiting;
    size_t index;

    if (device->first + device->count == device->capacity) {
        memmove(device->waiting, device->waiting + device->first,
            device->count * sizeof(*device->waiting));
        device->first = 0;
    }
    waiting = device->waiting + device->first;
    index = device->count > 0 ? place_of(device, message->id) : 0;
    memmove(
        waiting + index + 1, waiting + index, (device->count - index) * sizeof(*device->waiting));
    waiting[index] = *message;
    device->count++;
    device->bytes += message->size;
}

static void waiting_remove(struct store_device *device, size_t index)
{
    struct store_waiting *waiting = device->waiting + device->first;

    device->count--;
    device->bytes -= waiting[index].size;
    if (index == 0)
        device->first++; /* acknowledged in order: nothing moves */
    else
        memmove(waiting + index, waiting + index + 1,
            (device->count - index) * sizeof(*device->waiting));
}

/* ---- changes ---- */

static bool log_reserve(struct store_devices *devices)
{
    size_t capacity = devices->change_capacity > 0 ? devices->change_capacity * 2 : FIRST_CHANGES;
    struct store_change *larger;

    if (devices->change_count < devices->change_capacity)
        return true;
    larger = realloc(devices->changes, capacity * sizeof(*larger));
    if (larger == NULL)
        return false;
    devices->changes = larger;
    devices->change_capacity = capacity;
    return true;
}

/* Note a change, where log_reserve has made room. */
static struct store_change *log_add(
    struct store_devices *devices, enum change_type type, struct store_device *device)
{
    struct store_change *change = &devices->changes[devices->change_count++];

    memset(change, 0, sizeof(*change));
    change->type = type;
    change->device = device;
    return change;
}

struct store_device *devices_add(
    struct store_devices *devices, const struct signet_id *id, int64_t key, int64_t account)
{
    struct store_device *device;

    map_grow(devices);
    if (devices->bucket_count == 0 || !log_reserve(devices))
        return NULL;
    device = calloc(1, sizeof(*device));
    if (device == NULL)
        return NULL;
    device->id = *id;
    device->key = key;
    device->account = account;
    map_insert(devices, device);
    log_add(devices, ADDED, device);
    return device;
}

bool devices_drop(struct store_devices *devices, struct store_device *device)
{
    if (!log_reserve(devices))
        return false;
    map_remove(devices, device);
    log_add(devices, DROPPED, device);
    return true;
}

bool devices_put(
    struct store_devices *devices, struct store_device *device, const struct store_waiting *message)
{
    if (!log_reserve(devices) || !waiting_reserve(device))
        return false;
    waiting_insert(device, message);
    log_add(devices, PUT, device)->message = *message;
    return true;
}

bool devices_remove(struct store_devices *devices, struct store_device *device, size_t index)
{
    if (!log_reserve(devices))
        return false;
    log_add(devices, REMOVED, device)->message = *device_at(device, index);
    waiting_remove(device, index);
    return true;
}

bool devices_set_cold(
    struct store_devices *devices, struct store_device *device, const struct store_cold *cold)
{
    if (!log_reserve(devices))
        return false;
    log_add(devices, COLD_SET, device)->cold = device->cold;
    device->cold = *cold;
    return true;
}

void devices_commit(struct store_devices *devices)
{
    /* A device that was dropped has no later change, so nothing freed here is looked at again. */
    for (size_t i = 0; i < devices->change_count; i++) {
        struct store_device *device = devices->changes[i].device;

        if (devices->changes[i].type == DROPPED) {
            device_free(device);
        } else if (device->count == 0 && device->waiting != NULL) {
            free(device->waiting);
            device->waiting = NULL;
            device->first = device->capacity = 0;
        }
    }
    devices->change_count = 0;
}

static void take_back(struct store_devices *devices, const struct store_change *change)
{
    struct store_device *device = change->device;
    size_t index;

    switch (change->type) {
    case ADDED:
        map_remove(devices, device);
        device_free(device);
        break;
    case DROPPED: map_insert(devices, device); break;
    case PUT:
        if (device_has(device, change->message.id, &index))
            waiting_remove(device, index);
        break;
    case REMOVED: waiting_insert(device, &change->message); break;
    case COLD_SET: device->cold = change->cold; break;
    }
}

void devices_rollback(struct store_devices *devices)
{
    while (devices->change_count > 0)
        take_back(devices, &devices->changes[--devices->change_count]);
}
