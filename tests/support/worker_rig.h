/*
 * A relay with its workers and their threads in this process, and clients that speak TLS to it on the
 * loopback, all of them on one loop. Alice, bob and the library are core_pair's.
 */
#ifndef TESTS_WORKER_RIG_H
#define TESTS_WORKER_RIG_H

#include "tests/support/core_pair.h"

#include "io/connection.h"
#include "server/worker/worker.h"
#include "tests/support/tls_files.h"

enum { WORKER_RIG_WORKERS = 3 };

/* For cmocka's groups. */
int worker_rig_set_up(void **state);
int worker_rig_tear_down(void **state);

/* What these two make and remove: the relay's identity is the first one, and its log goes to a pipe
 * that is read from worker_rig_log[0] without waiting. */
extern struct tls_files worker_rig_files;
extern uv_async_t worker_rig_stopped; /* for workers to say that they have */
extern int worker_rig_log[2];
/* Out of the way; whoever comes may register. */
extern const struct store_limits worker_rig_limits;

struct worker_rig {
    struct store *store;
    struct message_ids ids;
    struct worker *workers[WORKER_RIG_WORKERS];
    struct socket_address address;
    uint64_t stalled_ms;   /* 0: for ever */
    const struct log *log; /* NULL: worker_rig_log */
    bool can_stall;        /* its disk: one such relay at a time */
};

/* What is not 0 is as the test wants it. */
void worker_rig_open(struct worker_rig *server);
/* Tell the workers to stop; then close the clients, then the server. */
void worker_rig_stop(struct worker_rig *server);
void worker_rig_close(struct worker_rig *server);

/* A disk that can stall does, or goes on: what is submitted meanwhile is kept. */
void worker_rig_stall(bool is_stalled);
/* Until an operation of that type waits for the disk. */
void worker_rig_await_stall(enum store_op_type type);

struct worker_client {
    struct io_connection *connection; /* NULL: closed */
    struct signet_buf inbox;
    size_t read;
    uint16_t code;
};

void worker_client_open(struct worker_client *client, const struct worker_rig *server);
void worker_client_close(struct worker_client *client);
/* The next message, as soon as it is there; its type is 0 when the connection is closed. */
struct relay_message worker_client_await(struct worker_client *client);
void worker_client_say(struct worker_client *client, const struct relay_message *message);
/* Register where a name is given, and log in. */
void worker_client_join(
    struct worker_client *client, const struct signet_account *account, const char *name);

#endif
