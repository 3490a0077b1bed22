/* Both ends of connections on one loop (connection_rig.h). */
#include "tests/support/connection_rig.h"

#include <stdlib.h>

enum { GIVE_UP_MS = 20000, NO_REASON = -1 };

static bool on_accept(void *owner, const struct socket_address *peer)
{
    struct connection_side *side = owner;

    CHECK(socket_port(peer) != 0);
    side->accepted_count++;
    return !side->turns_away;
}

static void on_open(struct io_connection *connection)
{
    struct connection_side *side = io_connection_owner(connection);

    side->connection = connection;
    side->open_count++;
}

void connection_rig_on_message(struct io_connection *connection, signet_span message)
{
    struct connection_side *side = io_connection_owner(connection);

    side->message_count++;
    side->bytes += message.len;
    signet_buf_truncate(&side->last, 0);
    CHECK_OK(signet_buf_append(&side->last, message));
    if (side->echoes)
        CHECK_OK(io_connection_send(connection, message));
}

static void on_drained(struct io_connection *connection)
{
    struct connection_side *side = io_connection_owner(connection);

    side->drained_count++;
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    struct connection_side *side = io_connection_owner(connection);

    side->closed_count++;
    side->reason = (int)reason;
    side->code = io_connection_code(connection);
    side->connection = NULL;
}

const struct io_handler connection_rig_handler = {
    .on_accept = on_accept,
    .on_open = on_open,
    .on_message = connection_rig_on_message,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static void on_guard(uv_timer_t *guard)
{
    struct connection_rig *rig = guard->data;

    rig->is_over = true;
}

static void listen_somewhere(struct connection_rig *rig)
{
    struct socket_address any;
    int fd;

    CHECK_OK(socket_address_parse("127.0.0.1:0", &any));
    CHECK_OK(socket_listen(&any, &fd, &rig->address));
    CHECK_OK(io_listener_new(rig->loop, &rig->server_settings, fd, &rig->listener));
}

int connection_rig_set_up(void **state)
{
    struct connection_rig *rig = calloc(1, sizeof(*rig));

    CHECK(rig != NULL && tls_files_make(&rig->files));
    CHECK_OK(tls_server_new(rig->files.certificate[0], rig->files.key[0], &rig->server_tls));
    CHECK_OK(tls_client_new(&rig->client_tls));
    rig->server.reason = rig->client.reason = NO_REASON;
    rig->server_settings = (struct io_settings){
        .handler = &connection_rig_handler,
        .owner = &rig->server,
        .tls = rig->server_tls,
        .deadline_ms = 10000,
        .message_max = CONNECTION_RIG_SMALL,
        .frame_max = CONNECTION_RIG_SMALL,
        .pending_max = 4 * CONNECTION_RIG_BIG,
    };
    rig->client_settings = rig->server_settings;
    rig->client_settings.owner = &rig->client;
    rig->client_settings.tls = rig->client_tls;
    CHECK(uv_loop_init(&rig->uv) == 0);
    CHECK_OK(io_loop_new(&rig->uv, &rig->loop));
    CHECK(uv_timer_init(&rig->uv, &rig->guard) == 0);
    rig->guard.data = rig;
    CHECK(uv_timer_start(&rig->guard, on_guard, GIVE_UP_MS, 0) == 0);
    listen_somewhere(rig);
    *state = rig;
    return 0;
}

int connection_rig_tear_down(void **state)
{
    struct connection_rig *rig = *state;

    io_loop_free(rig->loop);
    uv_close((uv_handle_t *)&rig->guard, NULL);
    uv_run(&rig->uv, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&rig->uv) == 0);
    signet_buf_free(&rig->server.last);
    signet_buf_free(&rig->client.last);
    tls_context_free(rig->server_tls);
    tls_context_free(rig->client_tls);
    tls_files_remove(&rig->files);
    free(rig);
    return 0;
}

struct io_connection *connection_rig_connect(
    struct connection_rig *rig, const struct signet_id *pins, size_t n)
{
    struct io_target target = {rig->address, "relay.example:7443", pins, n};
    struct io_connection *connection = NULL;

    CHECK_OK(io_connect(rig->loop, &rig->client_settings, &target, &connection));
    return connection;
}

void connection_rig_open_both(struct connection_rig *rig)
{
    (void)connection_rig_connect(rig, rig->files.pin, 2);
    RUN_UNTIL(rig, rig->client.open_count == 1 && rig->server.open_count == 1);
}

signet_span connection_rig_pattern(struct signet_buf *buf, size_t len)
{
    signet_buf_truncate(buf, 0);
    CHECK_OK(signet_buf_reserve(buf, len));
    for (size_t i = 0; i < len; i++)
        buf->ptr[i] = (uint8_t)(i * 7 + i / 251);
    buf->len = len;
    return signet_buf_span(buf);
}
