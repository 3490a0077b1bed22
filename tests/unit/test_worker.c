/* Workers with their threads, over TLS on the loopback: server/worker.h. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signet/login.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/connection.h"
#include "server/store_sqlite.h"
#include "server/worker.h"
#include "tests/support/core_pair.h"
#include "tests/support/tls_files.h"
#include "wire/relay_message.h"

enum {
    WORKERS = 3,
    MESSAGES = 1000,
    WAITING = 600, /* several windows, each of them more than CORE_CONGESTED */
    WAITING_LEN = 3500,
    GIVE_UP_MS = 30000,
};

/* ---- a relay in this process ---- */

struct server {
    struct store *store;
    struct message_ids ids;
    struct worker *workers[WORKERS];
    struct socket_address address;
    uint64_t stalled_ms;   /* 0: for ever */
    const struct log *log; /* NULL: log_to_pipe */
};

static struct tls_files files;
static uv_loop_t uv;
static uv_async_t stopped;
static struct io_loop *loop;
static struct tls_context *tls;
static int log_ends[2];
static struct log log_to_pipe = {.format = LOG_TEXT, .threshold = LOG_INFO};

static const struct store_limits limits = {.mailbox_messages = 100000,
    .mailbox_bytes = 1 << 30,
    .take_interval_ms = 1000,
    .take_burst = 1,
    .take_refill_ms = 1000,
    .open_registration = true};

/* With small buffers in the system, so that what is not taken waits in the relay. */
static int listen_small(struct server *server)
{
    int fd, size = 16384;

    CHECK_OK(socket_listen(&server->address, &fd, &server->address));
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0);
    return fd;
}

static void server_open(struct server *server)
{
    CHECK_OK(store_sqlite_open(":memory:", library, &limits, STORE_THREADED, &server->store));
    CHECK_OK(socket_address_parse("127.0.0.1:0", &server->address));
    message_ids_init(&server->ids, 0, 0);
    for (uint32_t i = 0; i < WORKERS; i++) {
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
            .count = WORKERS,
            .stopped = &stopped,
        };

        CHECK_OK(tls_server_new(files.certificate[0], files.key[0], &setup.tls));
        setup.listener = listen_small(server);
        CHECK_OK(worker_new(&setup, &server->workers[i]));
    }
    for (size_t i = 0; i < WORKERS; i++)
        CHECK_OK(worker_start(server->workers[i]));
}

static void server_stop(struct server *server)
{
    for (size_t i = 0; i < WORKERS; i++)
        worker_stop(server->workers[i]);
}

static void server_close(struct server *server)
{
    for (size_t i = 0; i < WORKERS; i++) {
        worker_join(server->workers[i]);
        CHECK(worker_has_stopped(server->workers[i]));
    }
    server->store->ops->close(server->store);
    for (size_t i = 0; i < WORKERS; i++)
        worker_free(server->workers[i]);
}

/* ---- clients ---- */

struct client {
    struct io_connection *connection; /* NULL: closed */
    struct signet_buf inbox;
    size_t read;
    uint16_t code;
    uint64_t req;
};

static void on_open(struct io_connection *connection)
{
    (void)connection;
}

static void on_message(struct io_connection *connection, signet_span message)
{
    struct client *client = io_connection_user(connection);

    CHECK_OK(signet_buf_append(&client->inbox, message));
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    struct client *client = io_connection_user(connection);

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

static void client_open(struct client *client, const struct server *server)
{
    struct io_target target = {
        .address = server->address, .authority = "relay:1", .pins = files.pin, .pin_count = 1};

    *client = (struct client){0};
    CHECK_OK(io_connect(loop, &settings, &target, &client->connection));
    io_connection_set_user(client->connection, client);
}

static void client_close(struct client *client)
{
    if (client->connection != NULL)
        io_connection_close(client->connection, 1000);
    while (client->connection != NULL)
        (void)uv_run(&uv, UV_RUN_ONCE);
    signet_buf_free(&client->inbox);
}

/* The next message; its type is 0 when the connection is closed. */
static struct relay_message await(struct client *client)
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

static void say(struct client *client, const struct relay_message *message)
{
    struct signet_buf bytes = {0};

    CHECK_OK(relay_message_write(message, &bytes));
    CHECK_OK(io_connection_send(client->connection, signet_buf_span(&bytes)));
    signet_buf_free(&bytes);
}

/* Register where a name is given, and log in. */
static void join(struct client *client, const struct signet_account *account, const char *name)
{
    struct signet_hop hop = {.pin = files.pin[0], .origin = signet_span_str("relay")};
    struct relay_message message = await(client);
    struct signet_buf proof = {0};

    CHECK(message.type == RELAY_CHALLENGE);
    memcpy(hop.server_nonce, message.nonce.ptr, sizeof(hop.server_nonce));
    CHECK_OK(tls_exporter(io_connection_tls(client->connection), hop.exporter));
    if (name != NULL) {
        CHECK_OK(signet_registration_sign(account, signet_span_str(name), &hop, &proof));
        say(client, &(struct relay_message){.type = RELAY_REGISTER,
                        .req = 1,
                        .name = signet_span_str(name),
                        .card = signet_card_bytes(signet_account_card(account)),
                        .proof = signet_buf_span(&proof)});
        CHECK(await(client).type == RELAY_DONE);
        signet_buf_truncate(&proof, 0);
    }
    CHECK_OK(signet_login_sign(account, &hop, &proof));
    say(client,
        &(struct relay_message){.type = RELAY_LOGIN, .req = 2, .proof = signet_buf_span(&proof)});
    CHECK(await(client).type == RELAY_WELCOME);
    signet_buf_free(&proof);
}

/* ---- tests ---- */

static void on_stopped(uv_async_t *async)
{
    (void)async;
}

static int set_up(void **state)
{
    (void)state;
    CHECK(tls_files_make(&files));
    CHECK(pipe2(log_ends, O_NONBLOCK) == 0);
    log_to_pipe.fd = log_ends[1];
    core_accounts_make_at(clock_wall_ms());
    CHECK_OK(tls_client_new(&tls));
    settings.tls = tls;
    CHECK(uv_loop_init(&uv) == 0);
    CHECK(uv_async_init(&uv, &stopped, on_stopped) == 0);
    CHECK_OK(io_loop_new(&uv, &loop));
    return 0;
}

static int tear_down(void **state)
{
    io_loop_free(loop);
    uv_close((uv_handle_t *)&stopped, NULL);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&uv) == 0);
    tls_context_free(tls);
    (void)core_accounts_free(state);
    tls_files_remove(&files);
    CHECK(close(log_ends[0]) == 0 && close(log_ends[1]) == 0);
    return 0;
}

/* Envelopes of `len` bytes, which begin with their numbers. */
static void put_all(struct client *client, uint64_t count, size_t len)
{
    uint8_t *envelope = calloc(1, len);

    CHECK(envelope != NULL);
    for (uint64_t i = 0; i < count; i++) {
        memcpy(envelope, &i, sizeof(i));
        say(client, &(struct relay_message){.type = RELAY_PUT,
                        .req = i,
                        .id = *signet_account_device(bob),
                        .envelope = signet_span_of(envelope, len)});
    }
    free(envelope);
}

/* Take them all, in order, acknowledging each. */
static void receive_all(struct client *client, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct relay_message message = await(client);

        CHECK(message.type == RELAY_DELIVER);
        CHECK(memcmp(message.envelope.ptr, &i, sizeof(i)) == 0);
        say(client, &(struct relay_message){
                        .type = RELAY_ACK, .ack_ids = &message.message, .ack_count = 1});
    }
}

/* Each message is accepted and arrives, in order, whichever workers the two are on. */
static void messages_cross_workers_in_order(void **state)
{
    struct client sender, receiver;
    struct server server = {0};
    uint64_t accepted = 0;

    (void)state;
    server_open(&server);
    client_open(&sender, &server);
    join(&sender, alice, "alice");
    client_open(&receiver, &server);
    join(&receiver, bob, "bob");
    say(&receiver, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = 3});
    CHECK(await(&receiver).type == RELAY_DONE);
    CHECK(await(&receiver).type == RELAY_DRAINED);
    put_all(&sender, MESSAGES, sizeof(uint64_t));
    receive_all(&receiver, MESSAGES);
    for (; accepted < MESSAGES; accepted++) {
        struct relay_message message = await(&sender);

        CHECK(message.type == RELAY_ACCEPTED && message.req == accepted);
    }
    client_close(&sender);
    client_close(&receiver);
    server_stop(&server);
    server_close(&server);
}

/* docs/protocol.md, section 9: `drained` comes after all that waited. More of it than the relay
 * lets wait for a slow reader is no reason to take a quick one for slow. */
static void more_than_a_slow_reader_may_leave_is_delivered(void **state)
{
    struct client sender, receiver;
    struct server server = {0};

    (void)state;
    server_open(&server);
    client_open(&sender, &server);
    join(&sender, alice, "alice");
    client_open(&receiver, &server);
    join(&receiver, bob, "bob");
    put_all(&sender, WAITING, WAITING_LEN);
    for (uint64_t i = 0; i < WAITING; i++)
        CHECK(await(&sender).type == RELAY_ACCEPTED);
    say(&receiver, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = 3});
    CHECK(await(&receiver).type == RELAY_DONE);
    receive_all(&receiver, WAITING);
    CHECK(await(&receiver).type == RELAY_DRAINED);
    client_close(&sender);
    client_close(&receiver);
    server_stop(&server);
    server_close(&server);
}

/* Wait until something like that is in the log. */
static void await_log(int fd, const char *what)
{
    char text[65536] = "";
    size_t len = 0;

    while (strstr(text, what) == NULL) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        ssize_t got;

        CHECK(poll(&poll_fd, 1, GIVE_UP_MS) == 1 && len < sizeof(text) - 1);
        got = read(fd, text + len, sizeof(text) - 1 - len);
        CHECK(got > 0);
        len += (size_t)got;
        text[len] = '\0';
    }
}

/* docs/operating.md, "Limits": a client that takes nothing in is disconnected, although nothing
 * else is sent to it. */
static void who_takes_nothing_is_disconnected(void **state)
{
    struct log log = {.format = LOG_TEXT, .threshold = LOG_INFO};
    struct server server = {.stalled_ms = 1, .log = &log};
    struct client sender, receiver;
    uint64_t received = 0;
    int fds[2];

    (void)state;
    CHECK(pipe(fds) == 0);
    log.fd = fds[1];
    server_open(&server);
    client_open(&sender, &server);
    join(&sender, alice, "alice");
    client_open(&receiver, &server);
    join(&receiver, bob, "bob");
    put_all(&sender, CORE_WINDOW_MESSAGES, CORE_WINDOW_BYTES / CORE_WINDOW_MESSAGES);
    for (uint64_t i = 0; i < CORE_WINDOW_MESSAGES; i++)
        CHECK(await(&sender).type == RELAY_ACCEPTED);
    say(&receiver, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = 3});
    CHECK(await(&receiver).type == RELAY_DONE);
    io_connection_pause(receiver.connection, true);
    await_log(fds[0], "connection.stalled");
    io_connection_pause(receiver.connection, false);
    while (receiver.connection != NULL)
        received += await(&receiver).type == RELAY_DELIVER;
    /* It may still take what waits while it is being told why. */
    CHECK(receiver.code == RELAY_CLOSE_SLOW || received < CORE_WINDOW_MESSAGES);
    CHECK(sender.connection != NULL);
    client_close(&sender);
    client_close(&receiver);
    server_stop(&server);
    server_close(&server);
    CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
}

/* Close code 4001 reaches the older login, whichever worker has it. */
static void a_newer_login_ends_the_older_one_across_workers(void **state)
{
    struct client clients[8];
    struct server server = {0};

    (void)state;
    server_open(&server);
    for (size_t i = 0; i < 8; i++) {
        client_open(&clients[i], &server);
        join(&clients[i], alice, i == 0 ? "alice" : NULL);
        if (i == 0)
            continue;
        CHECK(await(&clients[i - 1]).type == 0);
        CHECK(clients[i - 1].code == RELAY_CLOSE_REPLACED);
    }
    for (size_t i = 0; i < 8; i++)
        client_close(&clients[i]);
    server_stop(&server);
    server_close(&server);
}

/* docs/protocol.md, section 9: a malformed message, and one that is too big, end the connection;
 * nobody else's. docs/operating.md: the log tells whether it had an account, and no address. */
static void nonsense_after_the_login_ends_its_own_connection_only(void **state)
{
    static const uint8_t cut[] = {0x84, 0x07, 0x01, 0x58}, long_form[] = {0x82, 0x18, 0x08, 0x01},
                         unknown[] = {0x82, 0x18, 0x63, 0x01},
                         trailing[] = {0x82, 0x08, 0x01, 0xff},
                         login[] = {0x83, 0x02, 0x01, 0x41, 0x00};
    uint8_t *big = calloc(1, 131073);
    const struct {
        signet_span bytes;
        uint16_t code;
    } wrong[] = {
        {signet_span_of(big, 131073),
            WS_CODE_TOO_BIG}, /* first: so many lines a second are logged */
        {signet_span_of(cut, sizeof(cut)), WS_CODE_PROTOCOL},
        {signet_span_of(long_form, sizeof(long_form)), WS_CODE_PROTOCOL},
        {signet_span_of(unknown, sizeof(unknown)), WS_CODE_PROTOCOL},
        {signet_span_of(trailing, sizeof(trailing)), WS_CODE_PROTOCOL},
        {signet_span_of(login, sizeof(login)), WS_CODE_PROTOCOL},
        {signet_span_of(cut, 0), WS_CODE_PROTOCOL},
    };
    struct client mallory, other;
    struct server server = {0};
    char text[16384] = "";

    (void)state;
    CHECK(big != NULL);
    server_open(&server);
    client_open(&other, &server);
    join(&other, bob, "bob");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        client_open(&mallory, &server);
        join(&mallory, alice, i == 0 ? "mallory" : NULL);
        CHECK_OK(io_connection_send(mallory.connection, wrong[i].bytes));
        while (await(&mallory).type != 0)
            ;
        CHECK(mallory.code == wrong[i].code);
        client_close(&mallory);
    }
    say(&other, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = 3});
    CHECK(await(&other).type == RELAY_DONE);
    client_close(&other);
    server_stop(&server);
    server_close(&server);
    free(big);
    CHECK(read(log_ends[0], text, sizeof(text) - 1) > 0);
    CHECK(strstr(text, "why=\"wrong or too large frame\" code=1009 logged_in=true\n") != NULL);
    CHECK(strstr(text, "127.0.0.1") == NULL);
}

/* Stopping answers what was submitted and says goodbye (1001); a worker that never ran is freed
 * like the others. */
static void stopping_closes_with_going_away(void **state)
{
    struct client client;
    struct server server = {0};

    (void)state;
    server_open(&server);
    client_open(&client, &server);
    join(&client, alice, "alice");
    server_stop(&server);
    CHECK(await(&client).type == 0);
    CHECK(client.code == 1001);
    client_close(&client);
    server_close(&server);
}

static void a_worker_that_never_ran_is_freed(void **state)
{
    struct worker_setup setup = {
        .core = {.name = "relay"}, .library = library, .count = 1, .stopped = &stopped};
    struct socket_address address;
    struct worker *worker = NULL;

    (void)state;
    CHECK_OK(store_sqlite_open(":memory:", library, &limits, STORE_THREADED, &setup.store));
    setup.all = &worker;
    CHECK_OK(tls_server_new(files.certificate[0], files.key[0], &setup.tls));
    CHECK_OK(socket_address_parse("127.0.0.1:0", &address));
    CHECK_OK(socket_listen(&address, &setup.listener, NULL));
    CHECK_OK(worker_new(&setup, &worker));
    setup.store->ops->close(setup.store);
    worker_free(worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_cross_workers_in_order),
        cmocka_unit_test(more_than_a_slow_reader_may_leave_is_delivered),
        cmocka_unit_test(who_takes_nothing_is_disconnected),
        cmocka_unit_test(a_newer_login_ends_the_older_one_across_workers),
        cmocka_unit_test(nonsense_after_the_login_ends_its_own_connection_only),
        cmocka_unit_test(stopping_closes_with_going_away),
        cmocka_unit_test(a_worker_that_never_ran_is_freed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
