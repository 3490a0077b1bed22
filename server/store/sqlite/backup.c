/* SQLite's online backup (sqlite.org/backup.html), in one step: a reader does not stop writers. */
#include "server/store/sqlite/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/store/sqlite/db.h"
#include "server/store/sqlite/schema.h"

enum { BUSY_MS = 30000 };

/* One file without a log beside it; no one-time prekey is left in it. */
static const char finish[] = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;"
                             "UPDATE device SET one_time_next = one_time_count;";

static enum signet_err say(char *problem, enum signet_err err, const char *why)
{
    (void)snprintf(problem, STORE_BACKUP_ERROR_SIZE, "%s", why);
    return err;
}

static enum signet_err create(const char *path, char *problem)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return say(problem, errno == EEXIST ? SIGNET_ERR_STATE : SIGNET_ERR_IO, strerror(errno));
    if (close(fd) != 0)
        return say(problem, SIGNET_ERR_IO, strerror(errno));
    return SIGNET_OK;
}

static int copy(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int code;

    if (backup == NULL)
        return sqlite3_errcode(to);
    code = sqlite3_backup_step(backup, -1);
    /* Tells of a failed step again; a step that has to wait it does not tell of. */
    if (sqlite3_backup_finish(backup) != SQLITE_OK || code == SQLITE_DONE)
        return sqlite3_errcode(to);
    return code;
}

/* The name of the new file is on the disk, too. */
static enum signet_err sync_folder(const char *path, char *problem)
{
    char folder[1024];
    char *end;
    int fd;

    (void)snprintf(folder, sizeof(folder), "%s", path);
    end = strrchr(folder, '/');
    if (end == NULL)
        (void)snprintf(folder, sizeof(folder), ".");
    else
        end[end == folder ? 1 : 0] = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        enum signet_err err = say(problem, SIGNET_ERR_IO, strerror(errno));

        if (fd >= 0)
            (void)close(fd);
        return err;
    }
    return close(fd) == 0 ? SIGNET_OK : say(problem, SIGNET_ERR_IO, strerror(errno));
}

static enum signet_err copy_file(const char *from, const char *to, char *problem)
{
    sqlite3 *source = NULL, *target = NULL;
    enum signet_err err = SIGNET_OK;
    int code = sqlite3_open_v2(from, &source, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(source, BUSY_MS);
    if (code != SQLITE_OK) {
        err = say(problem, schema_err(code), sqlite3_errmsg(source));
        goto out;
    }
    code = sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = copy(source, target);
    if (code == SQLITE_OK)
        code = sqlite3_exec(target, finish, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        err = say(problem, schema_err(code), sqlite3_errstr(code));
out:
    (void)sqlite3_close(source);
    if (sqlite3_close(target) != SQLITE_OK && err == SIGNET_OK)
        err = say(problem, SIGNET_ERR_IO, "the copy cannot be closed");
    return err;
}

enum signet_err store_backup(
    const char *from, const char *to, char problem_out[STORE_BACKUP_ERROR_SIZE])
{
    enum signet_err err = create(to, problem_out);

    if (err != SIGNET_OK)
        return err;
    err = copy_file(from, to, problem_out);
    if (err == SIGNET_OK)
        err = sync_folder(to, problem_out);
    if (err != SIGNET_OK)
        (void)unlink(to);
    return err;
}
