/* A copy of a store's file, also while a relay uses it. */
#ifndef SERVER_STORE_SQLITE_BACKUP_H
#define SERVER_STORE_SQLITE_BACKUP_H

#include <signet/error.h>

enum { STORE_BACKUP_ERROR_SIZE = 256 };

/*
 * Copy the store `from` as it is at one moment to the file `to`, which must not exist: mode 0600,
 * on the disk when this returns. In the copy every one-time prekey counts as handed out, since
 * those that the relay hands out from now on must not be handed out again after a restore; devices
 * then publish new ones.
 * Errors: STATE (`to` exists), IO, FORMAT, NOMEM; *problem_out says why, and there is no file.
 */
SIGNET_MUST_USE enum signet_err store_backup(
    const char *from, const char *to, char problem_out[STORE_BACKUP_ERROR_SIZE]);

#endif
