/* io/connection: a relay's side and a client's side on one loop, over loopback. */
#include "tests/support/connection_rig.h"

static void a_message_comes_back_from_an_echo(void **state)
{
    struct connection_rig *rig = *state;
    uint8_t ours[TLS_EXPORTER_LEN], theirs[TLS_EXPORTER_LEN];

    rig->server.echoes = true;
    connection_rig_open_both(rig);
    CHECK_OK(tls_exporter(io_connection_tls(rig->client.connection), ours));
    CHECK_OK(tls_exporter(io_connection_tls(rig->server.connection), theirs));
    CHECK(memcmp(ours, theirs, sizeof(ours)) == 0);
    CHECK_OK(io_connection_send(rig->client.connection, signet_span_str("hello")));
    RUN_UNTIL(rig, rig->client.message_count == 1);
    CHECK_SPAN(signet_buf_span(&rig->client.last), "hello");
}

static void gathered_messages_share_a_frame_up_to_its_ceiling(void **state)
{
    struct connection_rig *rig = *state;
    enum signet_err err;

    connection_rig_open_both(rig);
    for (unsigned i = 0; i < 100; i++) {
        struct signet_buf *out = io_connection_frame(rig->client.connection, 100, &err);

        CHECK(out != NULL);
        CHECK_OK(signet_buf_fill(out, 'x', 100));
    }
    RUN_UNTIL(rig, rig->server.bytes == 10000);
    /* 40 of them fit into 4096 bytes. */
    CHECK(rig->server.message_count == 3);
    /* What is taken back leaves no empty frame behind. */
    CHECK(io_connection_frame(rig->client.connection, 10, &err) != NULL);
    CHECK_OK(io_connection_send(rig->client.connection, signet_span_str("after")));
    RUN_UNTIL(rig, rig->server.message_count == 4);
    CHECK_SPAN(signet_buf_span(&rig->server.last), "after");
}

static void a_slow_reader_gets_everything_and_the_sender_is_told(void **state)
{
    struct connection_rig *rig = *state;
    struct signet_buf buf = {0};
    signet_span message = connection_rig_pattern(&buf, CONNECTION_RIG_SMALL);
    size_t sent = 0, drained;

    connection_rig_open_both(rig);
    io_connection_limit(rig->server.connection, CONNECTION_RIG_SMALL, SIZE_MAX);
    io_connection_pause(rig->client.connection, true);
    for (; io_connection_pending(rig->server.connection) < CONNECTION_RIG_BIG;
         sent += message.len) {
        CHECK_OK(io_connection_send(rig->server.connection, message));
        if (sent % (16 * CONNECTION_RIG_SMALL) == 0)
            uv_run(&rig->uv, UV_RUN_NOWAIT);
    }
    uv_run(&rig->uv, UV_RUN_NOWAIT);
    CHECK(rig->client.message_count == 0);
    /* The system may have made room for everything on the way here, more than once. */
    drained = rig->server.drained_count;
    CHECK(io_connection_pending(rig->server.connection) > 0);
    io_connection_pause(rig->client.connection, false);
    RUN_UNTIL(rig, rig->client.bytes == sent && rig->server.drained_count > drained);
    CHECK(io_connection_pending(rig->server.connection) == 0);
    signet_buf_free(&buf);
}

static void closing_delivers_what_is_pending_and_the_code(void **state)
{
    struct connection_rig *rig = *state;
    struct signet_buf buf = {0};

    connection_rig_open_both(rig);
    io_connection_limit(rig->client.connection, CONNECTION_RIG_BIG, 4 * CONNECTION_RIG_BIG);
    CHECK_OK(io_connection_send(
        rig->server.connection, connection_rig_pattern(&buf, CONNECTION_RIG_BIG)));
    io_connection_close(rig->server.connection, WS_CODE_GOING_AWAY);
    CHECK_ERR(
        io_connection_send(rig->server.connection, signet_span_str("late")), SIGNET_ERR_STATE);
    CHECK(rig->server.closed_count == 0);
    RUN_UNTIL(rig, rig->client.closed_count == 1 && rig->server.closed_count == 1);
    CHECK(rig->client.bytes == CONNECTION_RIG_BIG);
    CHECK(rig->client.reason == IO_CLOSE_PEER && rig->client.code == WS_CODE_GOING_AWAY);
    CHECK(rig->server.reason == IO_CLOSE_LOCAL);
    CHECK(io_loop_connections(rig->loop) == 0);
    signet_buf_free(&buf);
}

static void a_wrong_pin_ends_before_the_request_is_sent(void **state)
{
    struct connection_rig *rig = *state;

    (void)connection_rig_connect(rig, &rig->files.pin[1], 1);
    RUN_UNTIL(rig, rig->client.closed_count == 1 && rig->server.closed_count == 1);
    CHECK(rig->client.reason == IO_CLOSE_WRONG_PIN && rig->server.reason == IO_CLOSE_TLS);
    CHECK(rig->client.open_count == 0 && rig->server.open_count == 0);
}

static void a_refused_connection_says_so(void **state)
{
    struct connection_rig *rig = *state;

    io_listener_free(rig->listener);
    uv_run(&rig->uv, UV_RUN_NOWAIT);
    (void)connection_rig_connect(rig, rig->files.pin, 1);
    RUN_UNTIL(rig, rig->client.closed_count == 1);
    CHECK(rig->client.reason == IO_CLOSE_CONNECT);
}

static void a_connection_turned_away_is_never_announced(void **state)
{
    struct connection_rig *rig = *state;

    rig->server.turns_away = true;
    (void)connection_rig_connect(rig, rig->files.pin, 1);
    RUN_UNTIL(rig, rig->client.closed_count == 1);
    CHECK(rig->client.reason == IO_CLOSE_TLS);
    CHECK(rig->server.accepted_count == 1 && rig->server.closed_count == 0);
    CHECK(io_loop_connections(rig->loop) == 0);
}

static void close_inside(struct io_connection *connection, signet_span message)
{
    struct connection_side *side = io_connection_owner(connection);

    connection_rig_on_message(connection, message);
    io_connection_close(connection, 0);
    /* Still here: it is reaped after the batch. */
    CHECK(io_connection_owner(connection) == side && side->closed_count == 0);
}

static void a_handler_may_close_its_own_connection(void **state)
{
    struct connection_rig *rig = *state;
    struct io_handler closing = connection_rig_handler;

    closing.on_message = close_inside;
    rig->server_settings.handler = &closing;
    connection_rig_open_both(rig);
    CHECK_OK(io_connection_send(rig->client.connection, signet_span_str("one")));
    CHECK_OK(io_connection_send(rig->client.connection, signet_span_str("two")));
    RUN_UNTIL(rig, rig->client.closed_count == 1 && rig->server.closed_count == 1);
    CHECK(rig->server.message_count == 1 && rig->server.reason == IO_CLOSE_LOCAL);
}

static void freeing_the_loop_closes_everything_on_it(void **state)
{
    struct connection_rig *rig = *state;

    connection_rig_open_both(rig);
    io_loop_free(rig->loop);
    CHECK(rig->client.closed_count == 1 && rig->server.closed_count == 1);
    uv_run(&rig->uv, UV_RUN_NOWAIT);
    CHECK_OK(io_loop_new(&rig->uv, &rig->loop));
}

TEST_FILE(connection)
{
    const struct CMUnitTest tests[] = {
        ON_CONNECTION(a_message_comes_back_from_an_echo),
        ON_CONNECTION(gathered_messages_share_a_frame_up_to_its_ceiling),
        ON_CONNECTION(a_slow_reader_gets_everything_and_the_sender_is_told),
        ON_CONNECTION(closing_delivers_what_is_pending_and_the_code),
        ON_CONNECTION(a_wrong_pin_ends_before_the_request_is_sent),
        ON_CONNECTION(a_refused_connection_says_so),
        ON_CONNECTION(a_connection_turned_away_is_never_announced),
        ON_CONNECTION(a_handler_may_close_its_own_connection),
        ON_CONNECTION(freeing_the_loop_closes_everything_on_it),
    };

    return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
