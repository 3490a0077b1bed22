/* An echo over TLS and WebSocket: the relay's transport and nothing else. */
#include "bench/machine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/common.h"
#include "io/connection.h"
#include "tests/support/tls_files.h"

enum { FRAME_LEN = 300, TICK_MS = 10 };

struct echo {
    uv_loop_t uv;
    uv_timer_t tick;
    struct io_loop *io;
    struct io_settings settings;
    size_t window, done, open;
};

static void on_tick(uv_timer_t *tick)
{
    (void)tick;
}

static void start(struct echo *echo, const struct io_handler *handler)
{
    echo->settings = (struct io_settings){.handler = handler,
        .owner = echo,
        .message_max = 1 << 20,
        .frame_max = 1 << 17,
        .pending_max = 1 << 26};
    bench_check(uv_loop_init(&echo->uv) == 0 && uv_timer_init(&echo->uv, &echo->tick) == 0 &&
                    uv_timer_start(&echo->tick, on_tick, TICK_MS, TICK_MS) == 0,
        "start a loop");
    bench_must(io_loop_new(&echo->uv, &echo->io), "start a loop");
}

/* What leaves together is one frame, as with the relay. */
static void add(struct io_connection *connection, signet_span bytes)
{
    enum signet_err err;
    struct signet_buf *out = io_connection_frame(connection, bytes.len, &err);

    bench_check(out != NULL, "send");
    bench_must(signet_buf_append(out, bytes), "send");
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    (void)connection;
    (void)reason;
}

/* ---- the server ---- */

static void on_server_open(struct io_connection *connection)
{
    (void)connection;
}

static void on_server_message(struct io_connection *connection, signet_span message)
{
    add(connection, message);
}

static _Noreturn void serve(const struct tls_files *files, int listener)
{
    static const struct io_handler handler = {
        .on_open = on_server_open, .on_message = on_server_message, .on_closed = on_closed};
    struct io_listener *accepting;
    struct echo echo = {0};

    bench_pin(0);
    start(&echo, &handler);
    bench_must(tls_server_new(files->certificate[0], files->key[0], &echo.settings.tls), "TLS");
    bench_must(io_listener_new(echo.io, &echo.settings, listener, &accepting), "listen");
    (void)uv_run(&echo.uv, UV_RUN_DEFAULT); /* until killed */
    _exit(EXIT_FAILURE);
}

/* ---- the clients ---- */

static void on_open(struct io_connection *connection)
{
    static const uint8_t frame[FRAME_LEN];
    struct echo *echo = io_connection_owner(connection);

    echo->open++;
    for (size_t i = 0; i < echo->window; i++)
        add(connection, signet_span_of(frame, sizeof(frame)));
}

static void on_message(struct io_connection *connection, signet_span message)
{
    struct echo *echo = io_connection_owner(connection);

    echo->done += message.len / FRAME_LEN;
    add(connection, message);
}

static void connect_all(
    struct echo *echo, const struct tls_files *files, struct socket_address to, size_t connections)
{
    struct io_target target = {
        .address = to, .authority = "echo:1", .pins = files->pin, .pin_count = 1};
    struct io_connection *connection;

    bench_must(tls_client_new(&echo->settings.tls), "TLS");
    for (size_t i = 0; i < connections; i++) {
        bench_must(io_connect(echo->io, &echo->settings, &target, &connection), "connect");
        while (echo->open + 32 <= i)
            (void)uv_run(&echo->uv, UV_RUN_ONCE);
    }
    while (echo->open < connections)
        (void)uv_run(&echo->uv, UV_RUN_ONCE);
}

static void measure(struct echo *echo, size_t connections, double seconds, pid_t server)
{
    double began_at, cpu, until = bench_seconds() + 0.5;

    while (bench_seconds() < until)
        (void)uv_run(&echo->uv, UV_RUN_ONCE);
    began_at = bench_seconds();
    cpu = bench_cpu_seconds(server);
    echo->done = 0;
    while (bench_seconds() < began_at + seconds)
        (void)uv_run(&echo->uv, UV_RUN_ONCE);
    seconds = bench_seconds() - began_at;
    cpu = bench_cpu_seconds(server) - cpu;
    (void)printf("{\"connections\": %zu, \"in_flight\": %zu, \"frames_per_second\": %.0f, "
                 "\"echo_busy\": %.2f, \"echo_us_per_frame\": %.2f}\n",
        connections, echo->window, (double)echo->done / seconds, cpu / seconds,
        1e6 * cpu / (double)echo->done);
}

void machine_echo(size_t connections, size_t window, double seconds)
{
    static const struct io_handler handler = {
        .on_open = on_open, .on_message = on_message, .on_closed = on_closed};
    struct echo echo = {.window = window};
    struct socket_address address;
    struct tls_files files;
    int listener;
    pid_t server;

    bench_check(tls_files_make(&files), "make certificates");
    bench_must(socket_address_parse("127.0.0.1:0", &address), "name an address");
    bench_must(socket_listen(&address, &listener, &address), "listen");
    server = fork();
    bench_check(server >= 0, "fork");
    if (server == 0)
        serve(&files, listener);
    (void)close(listener);
    bench_pin(1);
    start(&echo, &handler);
    connect_all(&echo, &files, address, connections);
    measure(&echo, connections, seconds, server);
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    io_loop_free(echo.io);
    uv_close((uv_handle_t *)&echo.tick, NULL);
    (void)uv_run(&echo.uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(&echo.uv);
    tls_context_free(echo.settings.tls);
    tls_files_remove(&files);
}
