/* Folders for tests of the store's file (store_folder.h). */
#include "tests/support/store_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void remove_file(const struct store_folder *file, const char *name)
{
    char path[2 * STORE_PATH_SIZE];

    (void)snprintf(path, sizeof(path), "%s/%s", file->folder, name);
    (void)unlink(path);
}

int store_folder_make(void **state)
{
    struct store_folder *file = calloc(1, sizeof(*file));

    assert_non_null(file);
    failing_disk_install();
    (void)snprintf(file->folder, sizeof(file->folder), "/tmp/signet-store-XXXXXX");
    assert_non_null(mkdtemp(file->folder));
    CHECK(snprintf(file->path, sizeof(file->path), "%s/store", file->folder) < STORE_PATH_SIZE);
    *state = file;
    return 0;
}

int store_folder_remove(void **state)
{
    static const char *const names[] = {
        "store", "store-wal", "store-shm", "copy", "copy-wal", "copy-shm"};
    struct store_folder *file = *state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        remove_file(file, names[i]);
    CHECK(rmdir(file->folder) == 0);
    free(file);
    return 0;
}

void store_fill(struct rig *rig)
{
    rig_register(rig, "alice", 1, 10);
    rig_register(rig, "bob", 2, 20);
    rig_invite(rig, 7, 1);
    CHECK(rig_bundle(rig, 10, 1, "bundle", 9) == STORE_OK);
    CHECK(rig_take(rig, 10, 2)->one_time.index == 0);
    CHECK(rig_put(rig, 10, 5, "cold") == STORE_OK);
    store_sqlite_set_cold_age(rig->store, 10);
    rig->now_ms += 10;
    CHECK(rig_put(rig, 10, 6, "hot") == STORE_OK && rig_put(rig, 20, 7, "bob's") == STORE_OK);
    CHECK(!rig_expire(rig, 100));
}
