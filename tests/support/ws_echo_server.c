/*
 * A server that sends every message back, for clients that we did not write: the TLS, HTTP and
 * WebSocket of the relay without the relay. Prints its port, and ends when its input does.
 */
#include <stdio.h>
#include <stdlib.h>

#include <unistd.h>

#include "io/connection.h"
#include "tests/support/tls_files.h"

enum { MESSAGE_MAX = 128 * 1024, DEADLINE_MS = 60000, PING_MS = 200, EXTRA = 4 };

static void on_open(struct io_connection *connection)
{
    io_connection_deadline(connection, 0);
}

/* "close" asks for a close, "burst" for several messages that were gathered. */
static void on_message(struct io_connection *connection, signet_span message)
{
    enum signet_err err;

    if (signet_span_equal(message, signet_span_str("close"))) {
        io_connection_close(connection, WS_CODE_GOING_AWAY);
        return;
    }
    for (unsigned i = 0; i < EXTRA && signet_span_equal(message, signet_span_str("burst")); i++) {
        struct signet_buf *out = io_connection_frame(connection, message.len, &err);

        if (out == NULL || signet_buf_append(out, message) != SIGNET_OK)
            io_connection_close(connection, 0);
    }
    err = io_connection_send(connection, message);
    if (err != SIGNET_OK)
        fprintf(stderr, "send: %s\n", signet_err_text(err));
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    fprintf(
        stderr, "closed: %s %u\n", io_close_reason_text(reason), io_connection_code(connection));
}

static const struct io_handler handler = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};

static void on_input(uv_poll_t *input, int status, int events)
{
    char byte;

    (void)status;
    (void)events;
    if (read(STDIN_FILENO, &byte, 1) <= 0)
        uv_stop(input->loop);
}

static enum signet_err listen_and_print(struct io_loop *loop, const struct io_settings *settings)
{
    struct socket_address any, bound;
    struct io_listener *listener;
    enum signet_err err;
    int fd;

    if ((err = socket_address_parse("127.0.0.1:0", &any)) != SIGNET_OK)
        return err;
    if ((err = socket_listen(&any, &fd, &bound)) != SIGNET_OK)
        return err;
    if ((err = io_listener_new(loop, settings, fd, &listener)) != SIGNET_OK) {
        close(fd);
        return err;
    }
    printf("%u\n", socket_port(&bound));
    return fflush(stdout) == 0 ? SIGNET_OK : SIGNET_ERR_IO;
}

/* Until standard input ends. */
static enum signet_err run(uv_loop_t *uv, struct tls_context *tls)
{
    const struct io_settings settings = {
        .handler = &handler,
        .tls = tls,
        .deadline_ms = DEADLINE_MS,
        .ping_ms = PING_MS,
        .message_max = MESSAGE_MAX,
        .frame_max = MESSAGE_MAX,
        .pending_max = 8 * MESSAGE_MAX,
    };
    struct io_loop *loop = NULL;
    uv_poll_t input;
    enum signet_err err;

    if ((err = io_loop_new(uv, &loop)) != SIGNET_OK)
        return err;
    if ((err = listen_and_print(loop, &settings)) == SIGNET_OK &&
        uv_poll_init(uv, &input, STDIN_FILENO) == 0) {
        (void)uv_poll_start(&input, UV_READABLE, on_input);
        uv_run(uv, UV_RUN_DEFAULT);
        uv_close((uv_handle_t *)&input, NULL);
    }
    io_loop_free(loop);
    uv_run(uv, UV_RUN_DEFAULT);
    return err;
}

int main(void)
{
    struct tls_files files;
    struct tls_context *tls = NULL;
    enum signet_err err;
    uv_loop_t uv;

    if (!tls_files_make(&files) || uv_loop_init(&uv) != 0)
        return EXIT_FAILURE;
    err = tls_server_new(files.certificate[0], files.key[0], &tls);
    if (err == SIGNET_OK)
        err = run(&uv, tls);
    tls_context_free(tls);
    tls_files_remove(&files);
    if (uv_loop_close(&uv) != 0)
        fprintf(stderr, "handles were left open\n");
    if (err != SIGNET_OK)
        fprintf(stderr, "ws_echo_server: %s\n", signet_err_text(err));
    return err == SIGNET_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
