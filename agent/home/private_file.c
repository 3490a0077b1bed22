/* Small files that only their owner may read, written so that a crash cannot lose them. */
#include "agent/home/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHERS_MAY = S_IRWXG | S_IRWXO };

static enum signet_err write_all(int fd, signet_span bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.ptr, bytes.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return SIGNET_ERR_IO;
        bytes = signet_span_from(bytes, (size_t)written);
    }
    return SIGNET_OK;
}

enum signet_err private_file_sync_folder(const char *path)
{
    char *copy = strdup(path);
    int fd = -1;
    int cause = ENOMEM;

    if (copy != NULL) {
        fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cause = fd < 0 || fsync(fd) != 0 ? errno : 0;
    }
    if (fd >= 0)
        (void)close(fd);
    free(copy);
    errno = cause;
    return cause == 0 ? SIGNET_OK : SIGNET_ERR_IO;
}

enum signet_err private_file_create(const char *path, signet_span contents)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum signet_err err;
    int cause;

    if (fd < 0)
        return SIGNET_ERR_IO;
    err = write_all(fd, contents);
    if (err == SIGNET_OK && fsync(fd) != 0)
        err = SIGNET_ERR_IO;
    cause = errno;
    if (close(fd) != 0 && err == SIGNET_OK) {
        cause = errno;
        err = SIGNET_ERR_IO;
    }
    if (err == SIGNET_OK && (err = private_file_sync_folder(path)) != SIGNET_OK)
        cause = errno;
    if (err != SIGNET_OK)
        (void)unlink(path);
    errno = cause;
    return err;
}

/* Append what is left in the file, which may be too long. */
static enum signet_err read_all(int fd, size_t max, struct signet_buf *out)
{
    size_t start = out->len;
    enum signet_err err;

    if ((err = signet_buf_reserve(out, max + 1)) != SIGNET_OK)
        return err;
    while (out->len - start <= max) {
        ssize_t got = read(fd, out->ptr + out->len, max + 1 - (out->len - start));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            err = SIGNET_ERR_IO;
        if (got <= 0)
            break;
        out->len += (size_t)got;
    }
    if (err == SIGNET_OK && out->len - start > max)
        err = SIGNET_ERR_LIMIT;
    if (err != SIGNET_OK)
        signet_buf_truncate(out, start);
    return err;
}

enum signet_err private_file_read(const char *path, size_t max, struct signet_buf *out)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    enum signet_err err;
    int cause;

    if (fd < 0)
        return errno == ENOENT ? SIGNET_ERR_UNKNOWN : SIGNET_ERR_IO;
    if (fstat(fd, &status) != 0)
        err = SIGNET_ERR_IO;
    else if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
             (status.st_mode & OTHERS_MAY) != 0)
        err = SIGNET_ERR_STATE;
    else
        err = read_all(fd, max, out);
    cause = errno;
    (void)close(fd);
    errno = cause;
    return err;
}
