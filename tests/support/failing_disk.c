/* The system's file methods, two of them replaced (failing_disk.h). */
#include "tests/support/failing_disk.h"

#include <assert.h>
#include <sqlite3.h>
#include <stddef.h>

/* The system has several sets of methods (with locks and without), which write and flush alike. */
enum { KINDS_MAX = 4 };

static sqlite3_vfs vfs;
static struct {
    const sqlite3_io_methods *real;
    sqlite3_io_methods failing;
} kinds[KINDS_MAX];
static int write_code, write_once_code, sync_code;
static unsigned sync_count;

static int write_or_fail(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    int code = write_once_code != SQLITE_OK ? write_once_code : write_code;

    write_once_code = SQLITE_OK;
    return code != SQLITE_OK ? code : kinds[0].real->xWrite(file, bytes, len, at);
}

static int sync_or_fail(sqlite3_file *file, int flags)
{
    sync_count++;
    return sync_code != SQLITE_OK ? sync_code : kinds[0].real->xSync(file, flags);
}

static int open_file(
    sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *flags_out)
{
    sqlite3_vfs *under = self->pAppData;
    int code = under->xOpen(under, name, file, flags, flags_out);
    size_t kind = 0;

    if (code != SQLITE_OK)
        return code;
    while (kinds[kind].real != NULL && kinds[kind].real != file->pMethods)
        kind++;
    assert(kind + 1 < KINDS_MAX);
    kinds[kind].real = file->pMethods;
    kinds[kind].failing = *file->pMethods;
    assert(file->pMethods->xWrite == kinds[0].real->xWrite);
    assert(file->pMethods->xSync == kinds[0].real->xSync);
    kinds[kind].failing.xWrite = write_or_fail;
    kinds[kind].failing.xSync = sync_or_fail;
    file->pMethods = &kinds[kind].failing;
    return SQLITE_OK;
}

void failing_disk_install(void)
{
    sqlite3_vfs *under = sqlite3_vfs_find(NULL);

    if (under == &vfs)
        return;
    vfs = *under;
    vfs.zName = "failing";
    vfs.pNext = NULL;
    vfs.pAppData = under;
    vfs.xOpen = open_file;
    (void)sqlite3_vfs_register(&vfs, 1);
}

void failing_disk_write(int code)
{
    write_code = code;
}

void failing_disk_write_once(int code)
{
    write_once_code = code;
}

void failing_disk_sync(int code)
{
    sync_code = code;
}

unsigned failing_disk_syncs(void)
{
    return sync_count;
}
