/*
 * io/: the n-th allocation fails, for every n, our own and OpenSSL's, while a client and a server
 * connect over loopback, talk and part. Each end goes on or ends with its on_closed; nothing is
 * used after it was freed, and nothing leaks (AddressSanitizer); the next connection is served.
 */
#include "tests/support/unit.h"

#include <openssl/err.h>

#include "io/connection.h"
#include "tests/support/failing_memory.h"
#include "tests/support/tls_files.h"

enum { GIVE_UP_MS = 20000, MESSAGE_LEN = 20000 };

static struct tls_files files;
static uv_loop_t uv;
static uv_timer_t guard;
static struct io_loop *loop;
static struct socket_address address;
static unsigned open_count, closed_count, message_count; /* of both ends */
static bool is_over;                                     /* the guard fired: something hangs */

static void on_open(struct io_connection *connection)
{
    static const uint8_t message[MESSAGE_LEN];
    struct signet_id pin;

    open_count++;
    /* The server speaks first, and has a key. */
    if (io_connection_owner(connection) != NULL &&
        (tls_local_pin(io_connection_tls(connection), &pin) != SIGNET_OK ||
            io_connection_send(connection, signet_span_of(message, sizeof(message))) != SIGNET_OK))
        io_connection_close(connection, 0);
}

static void on_message(struct io_connection *connection, signet_span message)
{
    message_count++;
    if (message.len == MESSAGE_LEN) {
        if (io_connection_send(connection, signet_span_str("thanks")) != SIGNET_OK)
            io_connection_close(connection, 0);
    } else {
        io_connection_close(connection, WS_CODE_NORMAL);
    }
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    (void)connection;
    (void)reason;
    closed_count++;
}

static const struct io_handler handler = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};
static struct io_settings client = {.handler = &handler,
    .message_max = MESSAGE_LEN,
    .frame_max = MESSAGE_LEN,
    .pending_max = 4 * MESSAGE_LEN};
static struct io_settings server;

static void on_guard(uv_timer_t *timer)
{
    (void)timer;
    is_over = true;
}

/* One connection from its beginning to its end, with an allocation failing. Returns whether one
 * did. */
static bool talk(long succeed)
{
    struct io_target target = {address, "relay.example:7443", files.pin, 2};
    struct io_connection *connection = NULL;
    bool has_failed;

    open_count = closed_count = message_count = 0;
    failing_memory_start(succeed);
    if (io_connect(loop, &client, &target, &connection) == SIGNET_OK) {
        do {
            uv_run(&uv, UV_RUN_ONCE);
        } while ((closed_count == 0 || io_loop_connections(loop) > 0) && !is_over);
        CHECK(!is_over);
    }
    has_failed = failing_memory_stop();
    ERR_clear_error();
    return has_failed;
}

static void an_end_goes_on_or_is_closed(void **state)
{
    struct io_listener *listener;
    struct socket_address any;
    long count = 0;
    int fd;

    (void)state;
    CHECK(uv_timer_init(&uv, &guard) == 0 && uv_timer_start(&guard, on_guard, GIVE_UP_MS, 0) == 0);
    CHECK_OK(socket_address_parse("127.0.0.1:0", &any));
    CHECK_OK(socket_listen(&any, &fd, &address));
    CHECK_OK(io_listener_new(loop, &server, fd, &listener));
    CHECK(!talk(1000000)); /* what OpenSSL makes once and keeps is there from here on */
    while (talk(count)) {
        count++;
        CHECK(uv_timer_start(&guard, on_guard, GIVE_UP_MS, 0) == 0);
    }
    CHECK(count > 1000);
    CHECK(open_count == 2 && message_count == 2 && closed_count == 2);
    io_listener_free(listener);
    uv_close((uv_handle_t *)&guard, NULL);
}

static enum signet_err make_contexts(void)
{
    struct tls_context *one = NULL, *other = NULL;
    enum signet_err err = tls_server_new(files.certificate[0], files.key[0], &one);

    if (err == SIGNET_OK)
        err = tls_client_new(&other);
    tls_context_free(one);
    tls_context_free(other);
    return err;
}

static void a_context_is_made_or_not(void **state)
{
    bool has_failed;
    long count = 0;

    (void)state;
    CHECK_OK(make_contexts());
    do {
        enum signet_err err;

        failing_memory_start(count++);
        err = make_contexts();
        has_failed = failing_memory_stop();
        CHECK(err == SIGNET_OK || has_failed);
    } while (has_failed);
    CHECK(count > 100);
}

static int set_up(void **state)
{
    (void)state;
    CHECK(tls_files_make(&files));
    server = client;
    server.owner = &server;
    CHECK_OK(tls_server_new(files.certificate[0], files.key[0], &server.tls));
    CHECK_OK(tls_client_new(&client.tls));
    CHECK(uv_loop_init(&uv) == 0);
    CHECK_OK(io_loop_new(&uv, &loop));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    io_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&uv) == 0);
    tls_context_free(server.tls);
    tls_context_free(client.tls);
    tls_files_remove(&files);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_goes_on_or_is_closed),
        cmocka_unit_test(a_context_is_made_or_not),
    };

    if (!failing_memory_take_openssl())
        return 1;
    return cmocka_run_group_tests_name("io_nomem", tests, set_up, tear_down);
}
