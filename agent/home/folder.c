/* The folder of a home: finding, making, checking and locking it. */
#include "agent/home/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/home/home.h"

enum { PID_SIZE = 24 };

/* ---- finding ---- */

/* A variable that is set and not empty, or NULL. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}

static enum signet_err join(const char *start, const char *end, char **path_out)
{
    if (asprintf(path_out, "%s%s", start, end) < 0)
        return SIGNET_ERR_NOMEM;
    return SIGNET_OK;
}

enum signet_err home_folder(const char *option, char **folder_out)
{
    const char *folder = option != NULL ? option : variable("SIGNET_HOME");
    const char *data = variable("XDG_DATA_HOME");
    const char *home = variable("HOME");

    if (folder != NULL)
        return join(folder, "", folder_out);
    /* The XDG specification has relative paths ignored. */
    if (data != NULL && data[0] == '/')
        return join(data, "/signet", folder_out);
    if (home != NULL)
        return join(home, "/.local/share/signet", folder_out);
    return SIGNET_ERR_UNKNOWN;
}

char *home_folder_file(const char *folder, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return NULL;
    return path;
}

/* ---- making and checking ---- */

static enum signet_err report_system(
    const struct report *report, const char *what, const char *folder)
{
    report_error(report, "home",
        errno == EACCES || errno == EROFS ? "signet must be able to read and write there" : NULL,
        "cannot %s %s: %s", what, folder, strerror(errno));
    return SIGNET_ERR_IO;
}

/* mkdir for the folder and those above it; an existing one is fine. */
static bool make_path(char *path)
{
    for (char *at = path + 1; *at != '\0'; at++) {
        bool is_made;

        if (*at != '/')
            continue;
        *at = '\0';
        is_made = mkdir(path, 0700) == 0 || errno == EEXIST;
        *at = '/';
        if (!is_made)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool is_empty(DIR *folder)
{
    const struct dirent *entry;

    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    }
    return true;
}

enum signet_err home_folder_make(const char *folder, const struct report *report)
{
    char *path = strdup(folder);
    bool is_made = path != NULL && path[0] != '\0' && make_path(path);
    enum signet_err err = SIGNET_OK;
    DIR *opened;

    free(path);
    if (path == NULL)
        errno = ENOMEM;
    else if (folder[0] == '\0')
        errno = ENOENT;
    if (!is_made)
        return report_system(report, "make the folder", folder);
    opened = opendir(folder);
    if (opened == NULL)
        return report_system(report, "open the folder", folder);
    if (is_empty(opened) && fchmod(dirfd(opened), 0700) != 0)
        err = report_system(report, "make private the folder", folder);
    (void)closedir(opened);
    return err;
}

enum signet_err home_folder_check(const char *folder, const struct report *report)
{
    struct stat status;

    if (stat(folder, &status) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return SIGNET_ERR_UNKNOWN;
        return report_system(report, "open the folder", folder);
    }
    if (status.st_uid != geteuid()) {
        report_error(report, "home", "run signet as that user, or give another --home DIR",
            "the folder %s belongs to another user", folder);
        return SIGNET_ERR_STATE;
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        report_error(report, "home", "take that away with chmod 700",
            "others can write to the folder %s", folder);
        return SIGNET_ERR_STATE;
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        report_note(report, "note: others can look into the folder %s (chmod 700)", folder);
    return SIGNET_OK;
}

/* ---- locking ---- */

/* The number that the lock's holder wrote, or an empty text. */
static void read_pid(int fd, char pid[PID_SIZE])
{
    ssize_t got = pread(fd, pid, PID_SIZE - 1, 0);

    pid[got < 0 ? 0 : got] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
}

static bool write_pid(int fd)
{
    char pid[PID_SIZE];
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

    return ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)len, 0) == len;
}

static enum signet_err report_locked(const struct report *report, const char *folder, int fd)
{
    static const char hint[] = "wait for it or end it";
    char pid[PID_SIZE];

    read_pid(fd, pid);
    if (pid[0] == '\0')
        report_error(report, "locked", hint, "another signet is using %s", folder);
    else
        report_error(
            report, "locked", hint, "another signet (process %s) is using %s", pid, folder);
    return SIGNET_ERR_STATE;
}

enum signet_err home_folder_lock(const char *folder, const struct report *report, int *lock_out)
{
    char *path = home_folder_file(folder, "lock");
    enum signet_err err = SIGNET_OK;
    int fd;

    if (path == NULL)
        return SIGNET_ERR_NOMEM;
    fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    free(path);
    if (fd < 0)
        return report_system(report, "lock the folder", folder);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        err = errno == EWOULDBLOCK ? report_locked(report, folder, fd)
                                   : report_system(report, "lock the folder", folder);
    else if (!write_pid(fd))
        err = report_system(report, "write the lock of the folder", folder);
    if (err != SIGNET_OK)
        (void)close(fd);
    else
        *lock_out = fd;
    return err;
}
