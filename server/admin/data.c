/* Files of the relay's directory. */
#include "server/admin/data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum signet_err data_path(const char *dir, const char *file, char path_out[DATA_PATH_SIZE])
{
    int len = snprintf(path_out, DATA_PATH_SIZE, "%s/%s", dir, file);

    return len > 0 && len < DATA_PATH_SIZE ? SIGNET_OK : SIGNET_ERR_LIMIT;
}

/* ---- the lock ---- */

enum signet_err data_lock(const char *dir, int *fd_out, pid_t *holder_out)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[DATA_PATH_SIZE];
    enum signet_err err;
    int fd;

    if ((err = data_path(dir, DATA_LOCK, path)) != SIGNET_OK)
        return err;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return SIGNET_ERR_IO;
    if (fcntl(fd, F_SETLK, &lock) == 0) {
        *fd_out = fd;
        return SIGNET_OK;
    }
    err = errno == EACCES || errno == EAGAIN ? SIGNET_ERR_STATE : SIGNET_ERR_IO;
    if (err == SIGNET_ERR_STATE && fcntl(fd, F_GETLK, &lock) == 0)
        *holder_out = lock.l_pid;
    (void)close(fd);
    return err;
}

bool data_is_locked(const char *dir)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[DATA_PATH_SIZE];
    bool is_locked;
    int fd;

    if (data_path(dir, DATA_LOCK, path) != SIGNET_OK)
        return false;
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    is_locked = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    (void)close(fd);
    return is_locked;
}

/* ---- files ---- */

static bool write_all(int fd, signet_span bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.ptr, bytes.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes = signet_span_from(bytes, (size_t)written);
    }
    return fsync(fd) == 0;
}

static bool sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        (void)close(fd);
    return is_synced;
}

enum signet_err data_write(const char *dir, const char *file, signet_span bytes)
{
    char path[DATA_PATH_SIZE], fresh[DATA_PATH_SIZE], name[64];
    bool is_written;
    int fd;

    (void)snprintf(name, sizeof(name), "%.50s.new", file);
    if (data_path(dir, file, path) != SIGNET_OK || data_path(dir, name, fresh) != SIGNET_OK)
        return SIGNET_ERR_LIMIT;
    (void)unlink(fresh); /* of a run that crashed */
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return SIGNET_ERR_IO;
    is_written = write_all(fd, bytes);
    if (close(fd) != 0 || !is_written || rename(fresh, path) != 0) {
        int kept = errno;

        (void)unlink(fresh);
        errno = kept;
        return SIGNET_ERR_IO;
    }
    return sync_dir(dir) ? SIGNET_OK : SIGNET_ERR_IO;
}

enum signet_err data_read(const char *dir, const char *file, size_t max, struct signet_buf *out)
{
    char path[DATA_PATH_SIZE];
    enum signet_err err;
    ssize_t got;
    int fd;

    if ((err = data_path(dir, file, path)) != SIGNET_OK)
        return err;
    if ((err = signet_buf_reserve(out, max + 1)) != SIGNET_OK)
        return err;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SIGNET_ERR_IO;
    do
        got = read(fd, out->ptr + out->len, max + 1);
    while (got < 0 && errno == EINTR);
    (void)close(fd); /* only read from */
    if (got < 0)
        return SIGNET_ERR_IO;
    if ((size_t)got > max)
        return SIGNET_ERR_LIMIT;
    out->len += (size_t)got;
    return SIGNET_OK;
}

void data_remove(const char *dir, const char *file)
{
    char path[DATA_PATH_SIZE];

    if (data_path(dir, file, path) == SIGNET_OK)
        (void)unlink(path);
}

uint16_t data_port(const char *dir)
{
    struct signet_buf text = {0};
    uint64_t port = 0;

    if (data_read(dir, DATA_PORT, 8, &text) == SIGNET_OK)
        for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
            port = port * 10 + (uint64_t)(text.ptr[i] - '0');
    signet_buf_free(&text);
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}
