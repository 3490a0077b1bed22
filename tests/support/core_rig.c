/* Cores and clients without sockets (core_rig.h). */
#include "tests/support/core_rig.h"

#include <stdlib.h>

#include "tests/support/forge_account.h"
#include "tests/support/key_pool.h"

/* ---- the store between: counts groups, and fails on demand ---- */

static void push(struct core_rig *rig, const struct core_rig_event *event)
{
    CHECK(rig->queue_count < CORE_RIG_QUEUE_MAX);
    rig->queue[rig->queue_count++] = *event;
}

static void on_answered(void *ctx, struct store_group *group)
{
    struct core_rig_sink *sink = ctx;

    push(sink->rig, &(struct core_rig_event){.worker = sink->worker, .group = group});
}

static void on_delivered(void *ctx, uint64_t connection, struct store_message message)
{
    struct core_rig_sink *sink = ctx;

    sink->rig->deliveries++;
    push(sink->rig, &(struct core_rig_event){
                        .worker = sink->worker, .connection = connection, .message = message});
}

static void submit(struct store *store, struct store_group *group)
{
    struct core_rig *rig =
        (struct core_rig *)(void *)((char *)store - offsetof(struct core_rig, wrapped));

    rig->submitted++;
    if (rig->failures > 0) {
        rig->failures--;
        group->result = rig->failure;
        push(rig, &(struct core_rig_event){.worker = group->worker, .group = group});
        return;
    }
    rig->real_ops->submit(rig->store, group);
}

/* ---- the rig ---- */

static void store_problem(struct store *store, char *text, size_t size)
{
    struct core_rig *rig =
        (struct core_rig *)(void *)((char *)store - offsetof(struct core_rig, wrapped));

    store_sqlite_error(rig->store, text, size);
}

void core_rig_open(struct core_rig *rig, struct signet_library *library)
{
    core_rig_open_at(rig, library, ":memory:");
}

void core_rig_open_at(struct core_rig *rig, struct signet_library *library, const char *path)
{
    const struct rate_limit none = {0};

    *rig =
        (struct core_rig){.library = library, .wall_ms = CORE_RIG_START_MS, .monotonic_ms = 1000};
    rig->limits = (struct store_limits){.mailbox_messages = 1000,
        .mailbox_bytes = 16777216,
        .take_interval_ms = 3600000,
        .take_burst = 32,
        .take_refill_ms = 300000};
    CHECK_OK(store_sqlite_open(path, library, &rig->limits, STORE_STEPPED, &rig->store));
    rig->queue = calloc(CORE_RIG_QUEUE_MAX, sizeof(*rig->queue));
    CHECK(rig->queue != NULL);
    rig->real_ops = rig->store->ops;
    rig->ops = *rig->real_ops;
    rig->ops.submit = submit;
    rig->wrapped.ops = &rig->ops;
    message_ids_init(&rig->ids, 0, 0);
    rig->config = (struct core_config){.name = CORE_RIG_NAME,
        .message_ms = UINT64_C(30) * 24 * 3600 * 1000,
        .stalled_ms = CORE_STALLED_MS,
        .rates = {none, none, none, none, none},
        .store_problem = store_problem,
        .ids = &rig->ids};
    for (uint32_t i = 0; i < CORE_RIG_WORKERS; i++) {
        struct store_sink sink = {&rig->sinks[i], on_answered, on_delivered, NULL};

        rig->sinks[i] = (struct core_rig_sink){rig, i};
        rig->store->ops->attach(rig->store, i, &sink);
        rig->config.worker = i;
        CHECK_OK(core_new(&rig->config, &rig->wrapped, library, &rig->cores[i]));
        core_set_time(rig->cores[i], rig->wall_ms, rig->monotonic_ms);
    }
}

void core_rig_close(struct core_rig *rig)
{
    core_rig_turn(rig);
    rig->store->ops->close(rig->store);
    CHECK(rig->queue_count == 0);
    for (uint32_t i = 0; i < CORE_RIG_WORKERS; i++)
        core_free(rig->cores[i]);
    free(rig->queue);
}

void core_rig_configure(struct core_rig *rig)
{
    for (uint32_t i = 0; i < CORE_RIG_WORKERS; i++) {
        rig->config.worker = i;
        core_configure(rig->cores[i], &rig->config);
    }
}

static bool take_output(struct core_rig *rig, struct relay_core *core)
{
    struct core_output output;
    struct core_ended ended;
    bool is_any = false;

    while (core_next_output(core, &output)) {
        struct core_client *client = output.owner;

        is_any = true;
        for (struct core_frame *frame = output.frames; frame != NULL; frame = frame->next) {
            CHECK(frame->bytes.len <= CORE_FRAME_MAX);
            CHECK_OK(signet_buf_append(&client->inbox, signet_buf_span(&frame->bytes)));
            client->frames++;
        }
        core_frames_free(output.frames);
        client->is_logged_in = output.is_logged_in;
        client->is_paused = output.is_paused;
        client->close_code = output.close_code;
        if (output.close_code != 0) {
            core_closed(core, output.conn);
            client->conn = NULL;
        }
    }
    while (core_next_ended(core, &ended)) {
        is_any = true;
        core_end(rig->cores[ended.route.worker], ended.route.connection, ended.code);
    }
    return is_any;
}

static bool take_events(struct core_rig *rig)
{
    bool is_any = rig->queue_count > 0;

    /* Whatever a core submits meanwhile is answered behind what is here. */
    for (size_t i = 0; i < rig->queue_count; i++) {
        struct core_rig_event *event = &rig->queue[i];

        if (event->group != NULL)
            core_answered(rig->cores[event->worker], event->group);
        else
            core_deliver(rig->cores[event->worker], event->connection, event->message);
    }
    rig->queue_count = 0;
    return is_any;
}

static bool step(struct core_rig *rig)
{
    bool is_any = false;

    for (uint32_t i = 0; i < CORE_RIG_WORKERS; i++) {
        core_flush(rig->cores[i]);
        is_any |= take_output(rig, rig->cores[i]);
    }
    is_any |= store_sqlite_step(rig->store) > 0;
    return take_events(rig) || is_any;
}

void core_rig_step(struct core_rig *rig)
{
    (void)step(rig);
}

void core_rig_turn(struct core_rig *rig)
{
    while (step(rig))
        continue;
}

void core_rig_wait(struct core_rig *rig, uint64_t ms)
{
    rig->wall_ms += ms;
    rig->monotonic_ms += ms;
    for (uint32_t i = 0; i < CORE_RIG_WORKERS; i++) {
        core_set_time(rig->cores[i], rig->wall_ms, rig->monotonic_ms);
        core_tick(rig->cores[i]);
    }
    core_rig_turn(rig);
}

void core_rig_token(struct core_rig *rig, uint8_t token[STORE_TOKEN_LEN], uint64_t uses)
{
    static uint8_t number;
    struct store_group *group = calloc(1, sizeof(*group));
    struct store_op *op = calloc(1, sizeof(*op));

    CHECK(group != NULL && op != NULL);
    memset(token, ++number, STORE_TOKEN_LEN);
    memcpy(op->token, token, STORE_TOKEN_LEN);
    op->type = STORE_INVITE_ADD;
    op->has_token = true;
    op->uses = uses;
    group->now_ms = rig->wall_ms;
    store_group_add(group, op);
    rig->store->ops->submit(rig->store, group);
    (void)store_sqlite_step(rig->store);
    CHECK(rig->queue_count == 1 && group->result == STORE_DONE && op->answer == STORE_OK);
    rig->queue_count = 0;
    store_group_free(group);
}

struct signet_account *core_rig_account(
    struct signet_library *library, unsigned index, uint64_t now_ms)
{
    struct forged_account keys = {
        .identity = key_pool_take(library, 2048, 2 * index),
        .device = key_pool_take(library, 3072, index),
    };

    memset(&keys.next_identity, (int)index + 1, sizeof(keys.next_identity));
    return forge_account(library, &keys, now_ms);
}

/* ---- clients ---- */

bool core_client_try_open(struct core_client *client, struct core_rig *rig, uint32_t worker)
{
    static uint8_t number;
    struct core_hop hop;
    struct relay_message challenge;

    *client = (struct core_client){.rig = rig, .worker = worker};
    memset(&hop.pin, 0x50, sizeof(hop.pin));
    memset(hop.exporter, ++number, sizeof(hop.exporter));
    client->hop.pin = hop.pin;
    client->hop.origin = signet_span_str(CORE_RIG_NAME);
    memcpy(client->hop.exporter, hop.exporter, sizeof(hop.exporter));
    memset(client->hop.client_nonce, 0xc0, sizeof(client->hop.client_nonce));
    client->conn = core_open(rig->cores[worker], &hop, client);
    core_rig_turn(rig);
    challenge = core_client_next(client);
    if (client->conn == NULL || challenge.type != RELAY_CHALLENGE)
        return false;
    memcpy(client->hop.server_nonce, challenge.nonce.ptr, RELAY_NONCE_LEN);
    return true;
}

void core_client_open(struct core_client *client, struct core_rig *rig, uint32_t worker)
{
    CHECK(core_client_try_open(client, rig, worker));
}

void core_client_close(struct core_client *client)
{
    if (client->conn != NULL)
        core_closed(client->rig->cores[client->worker], client->conn);
    client->conn = NULL;
    signet_buf_free(&client->inbox);
    signet_buf_free(&client->sent);
}

void core_client_send_bytes(struct core_client *client, signet_span bytes)
{
    if (client->conn != NULL)
        core_receive(client->rig->cores[client->worker], client->conn, bytes);
    core_rig_turn(client->rig);
}

void core_client_send(struct core_client *client, const struct relay_message *message)
{
    struct signet_buf bytes = {0};

    CHECK_OK(relay_message_write(message, &bytes));
    core_client_send_bytes(client, signet_buf_span(&bytes));
    signet_buf_free(&bytes);
}

struct relay_message core_client_next(struct core_client *client)
{
    signet_span left = signet_span_from(signet_buf_span(&client->inbox), client->read);
    struct relay_message message = {0};
    signet_span rest;

    if (left.len == 0)
        return message;
    CHECK_OK(relay_message_read(left, &message, &rest));
    client->read = client->inbox.len - rest.len;
    return message;
}

/* The code of the next answer, which must be a refusal or of that type. */
static uint64_t outcome(struct core_client *client, enum relay_type type)
{
    struct relay_message answer = core_client_next(client);

    if (answer.type == RELAY_REFUSED) {
        CHECK(answer.req == client->req);
        return answer.code;
    }
    CHECK(answer.type == type && answer.req == client->req);
    return 0;
}

uint64_t core_client_register(struct core_client *client, const struct signet_account *account,
    const char *name, signet_span token)
{
    struct relay_message message = {.type = RELAY_REGISTER,
        .req = ++client->req,
        .token = token,
        .name = signet_span_str(name),
        .card = signet_card_bytes(signet_account_card(account))};

    signet_buf_truncate(&client->sent, 0);
    CHECK_OK(signet_registration_sign(account, message.name, &client->hop, &client->sent));
    message.proof = signet_buf_span(&client->sent);
    core_client_send(client, &message);
    return outcome(client, RELAY_DONE);
}

uint64_t core_client_login(struct core_client *client, const struct signet_account *account)
{
    struct relay_message message = {.type = RELAY_LOGIN, .req = ++client->req};

    signet_buf_truncate(&client->sent, 0);
    CHECK_OK(signet_login_sign(account, &client->hop, &client->sent));
    message.proof = signet_buf_span(&client->sent);
    core_client_send(client, &message);
    return outcome(client, RELAY_WELCOME);
}

uint64_t core_client_put(
    struct core_client *client, const struct signet_id *device, signet_span envelope)
{
    core_client_send(
        client, &(struct relay_message){
                    .type = RELAY_PUT, .req = ++client->req, .id = *device, .envelope = envelope});
    return outcome(client, RELAY_ACCEPTED);
}

void core_client_join(
    struct core_client *client, const struct signet_account *account, const char *name)
{
    uint8_t token[STORE_TOKEN_LEN];

    core_rig_token(client->rig, token, 1);
    CHECK(core_client_register(client, account, name, signet_span_of(token, sizeof(token))) == 0);
    CHECK(core_client_login(client, account) == 0);
    CHECK(client->is_logged_in);
}

void core_client_subscribe(struct core_client *client)
{
    core_client_send(
        client, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = ++client->req});
    CHECK(outcome(client, RELAY_DONE) == 0);
}

void core_client_ack(struct core_client *client, uint64_t message)
{
    core_client_send(
        client, &(struct relay_message){.type = RELAY_ACK, .ack_ids = &message, .ack_count = 1});
}

uint64_t core_client_check_delivered(struct core_client *client, const char *text)
{
    struct relay_message message = core_client_next(client);

    CHECK(message.type == RELAY_DELIVER);
    CHECK_SPAN(message.envelope, text);
    return message.message;
}

void core_client_check_quiet(struct core_client *client)
{
    CHECK(core_client_next(client).type == 0);
}
