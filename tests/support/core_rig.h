/*
 * Cores of a relay over one stepped store, with clients that are told what to send: everything
 * between them is bytes and times, and happens in core_rig_turn.
 */
#ifndef TESTS_CORE_RIG_H
#define TESTS_CORE_RIG_H

#include "tests/support/unit.h"

#include <signet/login.h>

#include "server/core/core.h"
#include "server/store/sqlite/store_sqlite.h"
#include "wire/relay_message.h"

enum { CORE_RIG_WORKERS = 2, CORE_RIG_QUEUE_MAX = 4096 };

#define CORE_RIG_START_MS UINT64_C(1800000000000)
#define CORE_RIG_NAME     "relay.example"

/* What a sink was told and a core was not yet. */
struct core_rig_event {
    uint32_t worker;
    struct store_group *group; /* NULL: a delivery */
    uint64_t connection;
    struct store_message message;
};

struct core_rig;

struct core_rig_sink {
    struct core_rig *rig;
    uint32_t worker;
};

struct core_rig {
    struct signet_library *library;
    struct store *store;
    struct store_limits limits;
    struct core_config config; /* change it, then core_rig_configure */
    struct message_ids ids;
    struct relay_core *cores[CORE_RIG_WORKERS];
    struct core_rig_sink sinks[CORE_RIG_WORKERS];
    struct core_rig_event *queue;
    size_t queue_count;
    uint64_t wall_ms, monotonic_ms;
    /* What the store is made to do instead of working, so many times. */
    enum store_result failure;
    size_t failures;
    size_t submitted;  /* groups */
    size_t deliveries; /* to any route, whether it is still there or not */
    const struct store_ops *real_ops;
    struct store_ops ops;
    struct store wrapped; /* what the cores see */
};

/* One connection, as its client sees it. */
struct core_client {
    struct core_rig *rig;
    uint32_t worker;
    struct conn *conn;       /* NULL: closed */
    struct signet_hop hop;   /* what the client signs */
    struct signet_buf inbox; /* messages received, from `read` on not looked at */
    size_t read;
    size_t frames; /* WebSocket messages received */
    uint16_t close_code;
    bool is_logged_in, is_paused;
    struct signet_buf sent; /* the last proof that was sent */
    uint64_t req;
};

void core_rig_open(struct core_rig *rig, struct signet_library *library);
/* The same over a store in a file. */
void core_rig_open_at(struct core_rig *rig, struct signet_library *library, const char *path);
void core_rig_close(struct core_rig *rig);
void core_rig_configure(struct core_rig *rig);
/* Let everything happen that follows from what was sent, until nothing does. */
void core_rig_turn(struct core_rig *rig);
/* Submit, and let the store answer, and tell the cores: one step of a turn. */
void core_rig_step(struct core_rig *rig);
/* Time passes; then the cores tick. */
void core_rig_wait(struct core_rig *rig, uint64_t ms);
/* A token good for so many registrations. */
void core_rig_token(struct core_rig *rig, uint8_t token[STORE_TOKEN_LEN], uint64_t uses);
/* Account number `index`, with keys from the pool, made at `now_ms`. */
struct signet_account *core_rig_account(
    struct signet_library *library, unsigned index, uint64_t now_ms);

/* Connect and take the challenge; core_client_try_open returns whether both went well. */
bool core_client_try_open(struct core_client *client, struct core_rig *rig, uint32_t worker);
void core_client_open(struct core_client *client, struct core_rig *rig, uint32_t worker);
/* Close if it is open, and free. */
void core_client_close(struct core_client *client);
/* Send one message, or bytes as one WebSocket message, and let everything happen. */
void core_client_send(struct core_client *client, const struct relay_message *message);
void core_client_send_bytes(struct core_client *client, signet_span bytes);
/* The next message that was received; its type is 0 if there is none. Valid until the next turn. */
struct relay_message core_client_next(struct core_client *client);

/* These send and return the code of the refusal, or 0. */
uint64_t core_client_register(struct core_client *client, const struct signet_account *account,
    const char *name, signet_span token);
uint64_t core_client_login(struct core_client *client, const struct signet_account *account);
uint64_t core_client_put(
    struct core_client *client, const struct signet_id *device, signet_span envelope);
/* Registered with a token of its own, and logged in. */
void core_client_join(
    struct core_client *client, const struct signet_account *account, const char *name);
/* Subscribe; that must be granted. */
void core_client_subscribe(struct core_client *client);
void core_client_ack(struct core_client *client, uint64_t message);

/* The next message must be a delivery of this text; returns its id. */
uint64_t core_client_check_delivered(struct core_client *client, const char *text);
/* There must be no next message. */
void core_client_check_quiet(struct core_client *client);

#endif
