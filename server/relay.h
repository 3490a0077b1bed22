/*
 * A running relay: store, library, listeners and workers of one DATA. What it does is in the
 * workers; here it is opened, told of a new configuration, and closed.
 */
#ifndef SERVER_RELAY_H
#define SERVER_RELAY_H

#include "server/admin/setup.h"
#include "server/worker/worker.h"

struct relay {
    const struct arguments *arguments;
    struct config config;
    struct log logs[2]; /* by enum log_format: workers may use either while it changes */
    const struct log *log;
    struct signet_id pins[SETUP_PINS];
    struct message_ids ids;
    struct signet_library *library;
    struct store *store;
    struct addresses *addresses;
    struct worker *workers[CONFIG_THREADS_MAX];
    size_t worker_count;
    char listen[64]; /* where it listens */
    int lock;        /* descriptor; -1: not locked */
};

/*
 * Open everything and start the workers; `stopped` is sent whenever one of them ends. Returns an
 * exit code; relay_close is due in any case.
 */
int relay_open(struct relay *relay, const struct arguments *arguments, uv_async_t *stopped);
/* Take over the configuration file again; a bad one changes nothing. */
void relay_reload(struct relay *relay);
/* Tell every worker to end. */
void relay_stop(struct relay *relay);
/* Whether every worker has ended. */
bool relay_has_stopped(const struct relay *relay);
/* After relay_has_stopped. */
void relay_close(struct relay *relay);

#endif
