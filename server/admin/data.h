/* The relay's directory, DATA: its files, its lock, small files written so that a crash leaves the
 * old one or the new one. */
#ifndef SERVER_ADMIN_DATA_H
#define SERVER_ADMIN_DATA_H

#include <signet/buffer.h>
#include <sys/types.h>

#define DATA_CONFIG              "signetd.conf"
#define DATA_STORE               "relay.db"
#define DATA_KEY                 "current.key"
#define DATA_CERTIFICATE         "current.crt"
#define DATA_BACKUP_KEY          "backup.key"
#define DATA_BACKUP_CERTIFICATE  "backup.crt"
#define DATA_OPERATOR_INVITATION "operator.invitation"
#define DATA_LOCK                "lock"
#define DATA_PORT                "port"

enum { DATA_PATH_SIZE = 1024 };

/* The port in DATA_PORT: where the relay listens, or listened last; 0: none is noted. */
uint16_t data_port(const char *dir);

/* DIR/FILE. Errors: LIMIT (too long). */
SIGNET_MUST_USE enum signet_err data_path(
    const char *dir, const char *file, char path_out[DATA_PATH_SIZE]);

/*
 * Take the lock that only one relay at a time has; the system gives it back when the process ends,
 * however it ends. Closing any descriptor of the file gives it back too.
 * Errors: STATE (*holder_out has it), IO (errno), LIMIT.
 */
SIGNET_MUST_USE enum signet_err data_lock(const char *dir, int *fd_out, pid_t *holder_out);
/* Whether a relay is using the directory now. */
bool data_is_locked(const char *dir);

/* Replace a file, mode 0600, and sync it with its directory. Errors: IO (errno), LIMIT. */
SIGNET_MUST_USE enum signet_err data_write(const char *dir, const char *file, signet_span bytes);
/* Append a file of at most `max` bytes. Errors: IO (errno), LIMIT, NOMEM. */
SIGNET_MUST_USE enum signet_err data_read(
    const char *dir, const char *file, size_t max, struct signet_buf *out);
/* Remove a file; it need not be there. */
void data_remove(const char *dir, const char *file);

#endif
