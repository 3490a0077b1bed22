/* What the commands read from DATA, with their complaints. Functions return an exit code. */
#ifndef SERVER_ADMIN_SETUP_H
#define SERVER_ADMIN_SETUP_H

#include "server/admin/config.h"
#include "server/command.h"
#include "server/store/sqlite/store_sqlite.h"
#include "wire/invitation.h"

enum { SETUP_PINS = 2 };

/* Read DATA/signetd.conf, or `file` if that is not NULL. */
int setup_config(const char *data, const char *file, struct config *config_out);

/* Take the lock that only one signetd at a time has which makes or runs a relay; closing the
 * descriptor gives it back. */
int setup_lock(const char *data, int *fd_out);

/* The pins of the current and the backup key. */
int setup_pins(const char *data, struct signet_id pins_out[SETUP_PINS]);

int setup_library(struct signet_library **library_out);

int setup_store(const char *data, const struct config *config, struct signet_library *library,
    enum store_mode mode, struct store **store_out);

/* Carry out one operation in a stepped store: worker 0, now. The operation is answered, and the
 * caller's to clear. */
int setup_store_once(struct store *store, struct store_op *op);

/* Make a token, store it as `op` says (uses, expires_ms, for_operator), and fill in the invitation's
 * token. */
int setup_token(struct store *store, struct signet_library *library, struct store_op *op,
    struct invitation *invitation);

#endif
