/* Small files that only their owner may read, written so that a crash cannot lose them. */
#ifndef AGENT_HOME_PRIVATE_FILE_H
#define AGENT_HOME_PRIVATE_FILE_H

#include <signet/buffer.h>

/*
 * Write a new file (mode 0600) and return when file and folder are on disk.
 * Errors: IO (errno says why; EEXIST: there is one already); no file is left behind then, except
 * one that was there.
 */
SIGNET_MUST_USE enum signet_err private_file_create(const char *path, signet_span contents);

/*
 * Append a file's contents, at most `max` bytes.
 * Errors: UNKNOWN (no such file), LIMIT (longer), STATE (others than its owner can read it, it
 * is not ours, or not a regular file), IO (errno says why), NOMEM.
 */
SIGNET_MUST_USE enum signet_err private_file_read(
    const char *path, size_t max, struct signet_buf *out);

/* Make sure that changes to the folder that holds `path` are on disk. Errors: IO. */
SIGNET_MUST_USE enum signet_err private_file_sync_folder(const char *path);

#endif
