/*
 * The relay's configuration: an INI file without sections. Unknown keys and values that are not
 * possible are errors, with their line.
 */
#ifndef SERVER_ADMIN_CONFIG_H
#define SERVER_ADMIN_CONFIG_H

#include "server/core/core.h"

#define CONFIG_LISTEN_DEFAULT "127.0.0.1:4710"

enum {
    CONFIG_PORT_DEFAULT = 4710,
    CONFIG_PATH_SIZE = 512,
    CONFIG_PROBLEM_SIZE = 512,
    CONFIG_THREADS_MAX = 64
};

enum registration { REGISTRATION_INVITATION, REGISTRATION_OPEN, REGISTRATION_CLOSED };

struct config {
    char name[256];        /* host that clients connect to; part of what they sign */
    char listen[64];       /* ADDRESS:PORT */
    uint64_t threads;      /* 0: one per core, at most 4 */
    uint64_t registration; /* enum registration */
    uint64_t log;          /* enum log_format */
    uint64_t mailbox_messages, mailbox_bytes; /* per device */
    uint64_t message_days;
    char certificate[CONFIG_PATH_SIZE], key[CONFIG_PATH_SIZE]; /* PEM; empty: the relay's own */
    uint64_t connections_per_address;                          /* 0: no limit */
    uint64_t connections_per_account;                          /* logins of its devices at once */
    uint64_t logins_per_second; /* per connection, like all of these; 0: no limit */
    uint64_t publishes_per_second;
    uint64_t finds_per_second;
    uint64_t takes_per_second;
    uint64_t puts_per_second;
};

void config_defaults(struct config *config);

/*
 * Read a file over the defaults.
 * Errors: IO (cannot be read), FORMAT; *problem_out then says where and why, for people. *config_out
 * is unchanged then.
 */
SIGNET_MUST_USE enum signet_err config_read(
    const char *path, struct config *config_out, char problem_out[CONFIG_PROBLEM_SIZE]);

/* The default name: the host part of ADDRESS:PORT, or "localhost" where that means every address.
 * Errors: FORMAT (not ADDRESS:PORT). */
SIGNET_MUST_USE enum signet_err config_default_name(const char *listen, char name_out[256]);

/* The text of a new relay's file: every key with its default and what it means. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err config_write(
    const char *name, const char *listen, struct signet_buf *out);

/* What core and store make of it. The core's ids, log and worker are left as they are. */
void config_core(const struct config *config, struct core_config *core);
void config_store(const struct config *config, struct store_limits *limits);

#endif
