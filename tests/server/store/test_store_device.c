/* The devices in memory: whatever a transaction changed is taken back exactly. */
#include "tests/support/unit.h"

#include <stdlib.h>

#include "server/store/sqlite/devices.h"

enum { DEVICES = 40, IDS = 12, STEPS = 4000 };

/* A model that is too simple to be wrong: which devices there are, and what waits for them. */
struct model {
    bool is_there;
    bool waits[IDS];
    struct store_cold cold;
};

struct random {
    uint64_t state;
};

static unsigned below(struct random *random, unsigned limit)
{
    random->state = random->state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(random->state >> 33) % limit;
}

static struct signet_id id_of(unsigned number)
{
    struct signet_id id = {{0}};

    id.b[8] = (uint8_t)number; /* the hash is the same for all: chains are walked */
    id.b[0] = (uint8_t)(number % 3);
    return id;
}

static void check_device(const struct store_device *device, const struct model *model)
{
    uint64_t bytes = 0;
    size_t count = 0, index;

    for (unsigned i = 0; i < IDS; i++) {
        CHECK(device_has(device, 100 + i, &index) == model->waits[i]);
        if (!model->waits[i])
            continue;
        CHECK(index == count && device_at(device, index)->id == 100 + i);
        bytes += i;
        count++;
    }
    CHECK(device->count == count && device->bytes == bytes);
    CHECK(memcmp(&device->cold, &model->cold, sizeof(model->cold)) == 0);
}

static void check_all(const struct store_devices *devices, const struct model models[DEVICES])
{
    size_t count = 0;

    for (unsigned i = 0; i < DEVICES; i++) {
        struct signet_id id = id_of(i);
        const struct store_device *device = devices_find(devices, &id);

        CHECK((device != NULL) == models[i].is_there);
        if (device != NULL)
            check_device(device, &models[i]);
        count += device != NULL;
    }
    CHECK(devices->device_count == count);
}

static void change_messages(struct store_devices *devices, struct store_device *device,
    struct model *model, struct random *random)
{
    unsigned number = below(random, IDS);
    struct store_waiting message = {100 + number, number};
    size_t index;

    if (device_has(device, message.id, &index))
        CHECK(devices_remove(devices, device, index));
    else
        CHECK(devices_put(devices, device, &message));
    model->waits[number] = !model->waits[number];
}

static void change(
    struct store_devices *devices, struct model models[DEVICES], struct random *random)
{
    unsigned number = below(random, DEVICES);
    struct signet_id id = id_of(number);
    struct store_device *device = devices_find(devices, &id);
    struct model *model = &models[number];

    if (device == NULL) {
        device = devices_add(devices, &id, number, 1);
        assert_non_null(device);
        *model = (struct model){.is_there = true};
    } else if (below(random, 16) == 0) {
        CHECK(devices_drop(devices, device));
        *model = (struct model){0};
    } else if (below(random, 8) == 0) {
        model->cold.count = model->cold.last = below(random, 1000);
        CHECK(devices_set_cold(devices, device, &model->cold));
    } else {
        change_messages(devices, device, model, random);
    }
}

static void what_is_not_committed_is_taken_back(void **state)
{
    struct store_devices devices = {0};
    struct model models[DEVICES] = {0}, before[DEVICES];
    struct random random = {20260101};

    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        memcpy(before, models, sizeof(before));
        for (unsigned changes = below(&random, 30); changes > 0; changes--)
            change(&devices, models, &random);
        check_all(&devices, models);
        if (below(&random, 2) == 0) {
            devices_commit(&devices);
        } else {
            devices_rollback(&devices);
            memcpy(models, before, sizeof(models));
        }
        check_all(&devices, models);
    }
    devices_free(&devices);
}

static void a_queue_of_many_messages_is_taken_from_the_front(void **state)
{
    struct store_devices devices = {0};
    struct signet_id id = id_of(1);
    struct store_device *device = devices_add(&devices, &id, 1, 1);

    (void)state;
    assert_non_null(device);
    for (uint64_t i = 0; i < 20000; i++) {
        struct store_waiting message = {i, 10};

        CHECK(devices_put(&devices, device, &message));
        if (i >= 100)
            CHECK(devices_remove(&devices, device, 0));
        if (i % 50 == 0)
            devices_commit(&devices);
    }
    CHECK(device->count == 100 && device->bytes == 1000 && device->capacity <= 256);
    CHECK(device_at(device, 0)->id == 19900 && device_at(device, 99)->id == 19999);
    devices_free(&devices);
}

TEST_FILE(store_device)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_committed_is_taken_back),
        cmocka_unit_test(a_queue_of_many_messages_is_taken_from_the_front),
    };

    return cmocka_run_group_tests_name("store_device", tests, NULL, NULL);
}
