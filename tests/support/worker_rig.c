/* A relay with its workers, and clients over TLS (worker_rig.h). */
#include "tests/support/worker_rig.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <signet/login.h>

#include "io/clock.h"
#include "server/store/sqlite/store_sqlite.h"

struct tls_files worker_rig_files;
uv_async_t worker_rig_stopped;
int worker_rig_log[2];
static uv_loop_t uv;
static struct io_loop *loop;
static struct tls_context *tls;
static struct log log_to_pipe = {.format = LOG_TEXT, .threshold = LOG_INFO};

const struct store_limits worker_rig_limits = {.mailbox_messages = 100000,
    .mailbox_bytes = 1 << 30,
    .take_interval_ms = 1000,
    .take_burst = 1,
    .take_refill_ms = 1000,
    .open_registration = true};

/* A disk that stalls on demand: what is submitted meanwhile is kept. */
static struct {
    pthread_mutex_t lock;
    struct store *store;
    const struct store_ops *real;
    struct store_ops ops;
    struct store_group *kept;
    bool is_stalled;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void submit_or_keep(struct store *store, struct store_group *group)
{
    pthread_mutex_lock(&disk.lock);
    if (disk.is_stalled) {
        group->next = disk.kept;
        disk.kept = group;
    } else {
        disk.real->submit(store, group);
    }
    pthread_mutex_unlock(&disk.lock);
}

static void disk_take(struct store *store)
{
    disk.store = store;
    disk.real = store->ops;
    disk.ops = *store->ops;
    disk.ops.submit = submit_or_keep;
    store->ops = &disk.ops;
}

void worker_rig_stall(bool is_stalled)
{
    pthread_mutex_lock(&disk.lock);
    disk.is_stalled = is_stalled;
    while (!is_stalled && disk.kept != NULL) {
        struct store_group *group = disk.kept;

        disk.kept = group->next;
        disk.real->submit(disk.store, group);
    }
    pthread_mutex_unlock(&disk.lock);
}

/* Whether such an operation waits for it. */
static bool disk_is_asked(enum store_op_type type)
{
    bool is_asked = false;

    pthread_mutex_lock(&disk.lock);
    for (const struct store_group *group = disk.kept; group != NULL; group = group->next)
        is_asked |= group->first->type == type;
    pthread_mutex_unlock(&disk.lock);
    return is_asked;
}

void worker_rig_await_stall(enum store_op_type type)
{
    while (!disk_is_asked(type))
        (void)uv_run(&uv, UV_RUN_NOWAIT);
}

/* With small buffers in the system, so that what is not taken waits in the relay. */
static int listen_small(struct worker_rig *server)
{
    int fd, size = 16384;

    CHECK_OK(socket_listen(&server->address, &fd, &server->address));
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0);
    return fd;
}

void worker_rig_open(struct worker_rig *server)
{
    CHECK_OK(
        store_sqlite_open(":memory:", library, &worker_rig_limits, STORE_THREADED, &server->store));
    if (server->can_stall)
        disk_take(server->store);
    CHECK_OK(socket_address_parse("127.0.0.1:0", &server->address));
    message_ids_init(&server->ids, 0, 0);
    for (uint32_t i = 0; i < WORKER_RIG_WORKERS; i++) {
        struct worker_setup setup = {
            .core = {.name = "relay",
                .message_ms = 86400000,
                .stalled_ms = server->stalled_ms > 0 ? server->stalled_ms : UINT64_MAX,
                .ids = &server->ids,
                .log = server->log != NULL ? server->log : &log_to_pipe,
                .worker = i},
            .store = server->store,
            .library = library,
            .all = server->workers,
            .count = WORKER_RIG_WORKERS,
            .stopped = &worker_rig_stopped,
        };

        CHECK_OK(
            tls_server_new(worker_rig_files.certificate[0], worker_rig_files.key[0], &setup.tls));
        setup.listener = listen_small(server);
        CHECK_OK(worker_new(&setup, &server->workers[i]));
    }
    for (size_t i = 0; i < WORKER_RIG_WORKERS; i++)
        CHECK_OK(worker_start(server->workers[i]));
}

void worker_rig_stop(struct worker_rig *server)
{
    for (size_t i = 0; i < WORKER_RIG_WORKERS; i++)
        worker_stop(server->workers[i]);
}

void worker_rig_close(struct worker_rig *server)
{
    for (size_t i = 0; i < WORKER_RIG_WORKERS; i++) {
        worker_join(server->workers[i]);
        CHECK(worker_has_stopped(server->workers[i]));
    }
    server->store->ops->close(server->store);
    for (size_t i = 0; i < WORKER_RIG_WORKERS; i++)
        worker_free(server->workers[i]);
}

/* ---- clients ---- */

static void on_open(struct io_connection *connection)
{
    (void)connection;
}

static void on_message(struct io_connection *connection, signet_span message)
{
    struct worker_client *client = io_connection_user(connection);

    CHECK_OK(signet_buf_append(&client->inbox, message));
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    struct worker_client *client = io_connection_user(connection);

    (void)reason;
    client->code = io_connection_code(connection);
    client->connection = NULL;
}

static const struct io_handler handler = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};
static struct io_settings settings = {.handler = &handler,
    .deadline_ms = 60000,
    .message_max = 131072,
    .frame_max = 131072,
    .pending_max = 1 << 24};

void worker_client_open(struct worker_client *client, const struct worker_rig *server)
{
    struct io_target target = {.address = server->address,
        .authority = "relay:1",
        .pins = worker_rig_files.pin,
        .pin_count = 1};

    *client = (struct worker_client){0};
    CHECK_OK(io_connect(loop, &settings, &target, &client->connection));
    io_connection_set_user(client->connection, client);
}

void worker_client_close(struct worker_client *client)
{
    if (client->connection != NULL)
        io_connection_close(client->connection, 1000);
    while (client->connection != NULL)
        (void)uv_run(&uv, UV_RUN_ONCE);
    signet_buf_free(&client->inbox);
}

struct relay_message worker_client_await(struct worker_client *client)
{
    struct relay_message message = {0};
    signet_span rest;

    while (client->connection != NULL && client->read == client->inbox.len)
        (void)uv_run(&uv, UV_RUN_ONCE);
    if (client->read == client->inbox.len)
        return message;
    CHECK_OK(relay_message_read(
        signet_span_from(signet_buf_span(&client->inbox), client->read), &message, &rest));
    client->read = client->inbox.len - rest.len;
    return message;
}

void worker_client_say(struct worker_client *client, const struct relay_message *message)
{
    struct signet_buf bytes = {0};

    CHECK_OK(relay_message_write(message, &bytes));
    CHECK_OK(io_connection_send(client->connection, signet_buf_span(&bytes)));
    signet_buf_free(&bytes);
}

void worker_client_join(
    struct worker_client *client, const struct signet_account *account, const char *name)
{
    struct signet_hop hop = {.pin = worker_rig_files.pin[0], .origin = signet_span_str("relay")};
    struct relay_message message = worker_client_await(client);
    struct signet_buf proof = {0};

    CHECK(message.type == RELAY_CHALLENGE);
    memcpy(hop.server_nonce, message.nonce.ptr, sizeof(hop.server_nonce));
    CHECK_OK(tls_exporter(io_connection_tls(client->connection), hop.exporter));
    if (name != NULL) {
        CHECK_OK(signet_registration_sign(account, signet_span_str(name), &hop, &proof));
        worker_client_say(client, &(struct relay_message){.type = RELAY_REGISTER,
                                      .req = 1,
                                      .name = signet_span_str(name),
                                      .card = signet_card_bytes(signet_account_card(account)),
                                      .proof = signet_buf_span(&proof)});
        CHECK(worker_client_await(client).type == RELAY_DONE);
        signet_buf_truncate(&proof, 0);
    }
    CHECK_OK(signet_login_sign(account, &hop, &proof));
    worker_client_say(client,
        &(struct relay_message){.type = RELAY_LOGIN, .req = 2, .proof = signet_buf_span(&proof)});
    CHECK(worker_client_await(client).type == RELAY_WELCOME);
    signet_buf_free(&proof);
}

static void on_stopped(uv_async_t *async)
{
    (void)async;
}

int worker_rig_set_up(void **state)
{
    (void)state;
    CHECK(tls_files_make(&worker_rig_files));
    CHECK(pipe2(worker_rig_log, O_NONBLOCK) == 0);
    log_to_pipe.fd = worker_rig_log[1];
    core_accounts_make_at(clock_wall_ms());
    CHECK_OK(tls_client_new(&tls));
    settings.tls = tls;
    CHECK(uv_loop_init(&uv) == 0);
    CHECK(uv_async_init(&uv, &worker_rig_stopped, on_stopped) == 0);
    CHECK_OK(io_loop_new(&uv, &loop));
    return 0;
}

int worker_rig_tear_down(void **state)
{
    io_loop_free(loop);
    uv_close((uv_handle_t *)&worker_rig_stopped, NULL);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&uv) == 0);
    tls_context_free(tls);
    (void)core_accounts_free(state);
    tls_files_remove(&worker_rig_files);
    CHECK(close(worker_rig_log[0]) == 0 && close(worker_rig_log[1]) == 0);
    return 0;
}
