/* io/connection: a relay's side and a client's side on one loop, over loopback. */
#include "tests/support/unit.h"

#include <stdlib.h>

#include <unistd.h>

#include "io/connection.h"
#include "tests/support/tls_files.h"

enum { BIG = 128 * 1024, SMALL = 4096, GIVE_UP_MS = 20000, NO_REASON = -1 };

/* What one side's handler saw. */
struct side {
    struct io_connection *connection;
    unsigned accepted_count, open_count, message_count, drained_count, closed_count;
    size_t bytes;
    struct signet_buf last; /* message */
    int reason;
    uint16_t code;
    bool turns_away;
    bool echoes;
};

struct world {
    uv_loop_t uv;
    uv_timer_t guard;
    struct io_loop *loop;
    struct io_listener *listener;
    struct socket_address address;
    struct tls_files files;
    struct tls_context *server_tls, *client_tls;
    struct side server, client;
    struct io_settings server_settings, client_settings;
    bool is_over; /* the guard fired: the test hangs */
};

static bool on_accept(void *owner, const struct socket_address *peer)
{
    struct side *side = owner;

    CHECK(socket_port(peer) != 0);
    side->accepted_count++;
    return !side->turns_away;
}

static void on_open(struct io_connection *connection)
{
    struct side *side = io_connection_owner(connection);

    side->connection = connection;
    side->open_count++;
}

static void on_message(struct io_connection *connection, signet_span message)
{
    struct side *side = io_connection_owner(connection);

    side->message_count++;
    side->bytes += message.len;
    signet_buf_truncate(&side->last, 0);
    CHECK_OK(signet_buf_append(&side->last, message));
    if (side->echoes)
        CHECK_OK(io_connection_send(connection, message));
}

static void on_drained(struct io_connection *connection)
{
    struct side *side = io_connection_owner(connection);

    side->drained_count++;
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    struct side *side = io_connection_owner(connection);

    side->closed_count++;
    side->reason = (int)reason;
    side->code = io_connection_code(connection);
    side->connection = NULL;
}

static const struct io_handler handler = {
    .on_accept = on_accept,
    .on_open = on_open,
    .on_message = on_message,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static void on_guard(uv_timer_t *guard)
{
    struct world *world = guard->data;

    world->is_over = true;
}

static void listen_somewhere(struct world *w)
{
    struct socket_address any;
    int fd;

    CHECK_OK(socket_address_parse("127.0.0.1:0", &any));
    CHECK_OK(socket_listen(&any, &fd, &w->address));
    CHECK_OK(io_listener_new(w->loop, &w->server_settings, fd, &w->listener));
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    CHECK(w != NULL && tls_files_make(&w->files));
    CHECK_OK(tls_server_new(w->files.certificate[0], w->files.key[0], &w->server_tls));
    CHECK_OK(tls_client_new(&w->client_tls));
    w->server.reason = w->client.reason = NO_REASON;
    w->server_settings = (struct io_settings){
        .handler = &handler,
        .owner = &w->server,
        .tls = w->server_tls,
        .deadline_ms = 10000,
        .message_max = SMALL,
        .frame_max = SMALL,
        .pending_max = 4 * BIG,
    };
    w->client_settings = w->server_settings;
    w->client_settings.owner = &w->client;
    w->client_settings.tls = w->client_tls;
    CHECK(uv_loop_init(&w->uv) == 0);
    CHECK_OK(io_loop_new(&w->uv, &w->loop));
    CHECK(uv_timer_init(&w->uv, &w->guard) == 0);
    w->guard.data = w;
    CHECK(uv_timer_start(&w->guard, on_guard, GIVE_UP_MS, 0) == 0);
    listen_somewhere(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    io_loop_free(w->loop);
    uv_close((uv_handle_t *)&w->guard, NULL);
    uv_run(&w->uv, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&w->uv) == 0);
    signet_buf_free(&w->server.last);
    signet_buf_free(&w->client.last);
    tls_context_free(w->server_tls);
    tls_context_free(w->client_tls);
    tls_files_remove(&w->files);
    free(w);
    return 0;
}

/* Run the loop until the condition holds. */
#define RUN_UNTIL(w, condition)                                                                    \
    do {                                                                                           \
        while (!(condition) && !(w)->is_over)                                                      \
            uv_run(&(w)->uv, UV_RUN_ONCE);                                                         \
        CHECK(condition);                                                                          \
    } while (0)

static struct io_connection *connect_with(struct world *w, const struct signet_id *pins, size_t n)
{
    struct io_target target = {w->address, "relay.example:7443", pins, n};
    struct io_connection *connection = NULL;

    CHECK_OK(io_connect(w->loop, &w->client_settings, &target, &connection));
    return connection;
}

static void open_both(struct world *w)
{
    (void)connect_with(w, w->files.pin, 2);
    RUN_UNTIL(w, w->client.open_count == 1 && w->server.open_count == 1);
}

static signet_span pattern(struct signet_buf *buf, size_t len)
{
    signet_buf_truncate(buf, 0);
    CHECK_OK(signet_buf_reserve(buf, len));
    for (size_t i = 0; i < len; i++)
        buf->ptr[i] = (uint8_t)(i * 7 + i / 251);
    buf->len = len;
    return signet_buf_span(buf);
}

static void a_message_comes_back_from_an_echo(void **state)
{
    struct world *w = *state;
    uint8_t ours[TLS_EXPORTER_LEN], theirs[TLS_EXPORTER_LEN];

    w->server.echoes = true;
    open_both(w);
    CHECK_OK(tls_exporter(io_connection_tls(w->client.connection), ours));
    CHECK_OK(tls_exporter(io_connection_tls(w->server.connection), theirs));
    CHECK(memcmp(ours, theirs, sizeof(ours)) == 0);
    CHECK_OK(io_connection_send(w->client.connection, signet_span_str("hello")));
    RUN_UNTIL(w, w->client.message_count == 1);
    CHECK_SPAN(signet_buf_span(&w->client.last), "hello");
}

static void a_message_of_the_full_size_passes_and_one_byte_more_does_not(void **state)
{
    struct world *w = *state;
    struct signet_buf buf = {0};

    w->server.echoes = true;
    open_both(w);
    io_connection_limit(w->server.connection, BIG, 4 * BIG);
    io_connection_limit(w->client.connection, BIG, 4 * BIG);
    CHECK_OK(io_connection_send(w->client.connection, pattern(&buf, BIG)));
    RUN_UNTIL(w, w->client.message_count == 1);
    CHECK(signet_span_equal(signet_buf_span(&w->client.last), signet_buf_span(&buf)));
    CHECK_OK(io_connection_send(w->client.connection, pattern(&buf, BIG + 1)));
    RUN_UNTIL(w, w->client.closed_count == 1 && w->server.closed_count == 1);
    CHECK(w->server.message_count == 1);
    CHECK(w->server.reason == IO_CLOSE_PROTOCOL && w->server.code == WS_CODE_TOO_BIG);
    CHECK(w->client.reason == IO_CLOSE_PEER && w->client.code == WS_CODE_TOO_BIG);
    signet_buf_free(&buf);
}

static void gathered_messages_share_a_frame_up_to_its_ceiling(void **state)
{
    struct world *w = *state;
    enum signet_err err;

    open_both(w);
    for (unsigned i = 0; i < 100; i++) {
        struct signet_buf *out = io_connection_frame(w->client.connection, 100, &err);

        CHECK(out != NULL);
        CHECK_OK(signet_buf_fill(out, 'x', 100));
    }
    RUN_UNTIL(w, w->server.bytes == 10000);
    /* 40 of them fit into 4096 bytes. */
    CHECK(w->server.message_count == 3);
    /* What is taken back leaves no empty frame behind. */
    CHECK(io_connection_frame(w->client.connection, 10, &err) != NULL);
    CHECK_OK(io_connection_send(w->client.connection, signet_span_str("after")));
    RUN_UNTIL(w, w->server.message_count == 4);
    CHECK_SPAN(signet_buf_span(&w->server.last), "after");
}

/* ATTACKS.md, network and load: a reader that never reads has a bounded queue, then is dropped. */
static void a_peer_that_does_not_read_is_dropped_at_the_bound(void **state)
{
    struct world *w = *state;
    struct signet_buf buf = {0};
    enum signet_err err = SIGNET_OK;
    signet_span message = pattern(&buf, SMALL);

    open_both(w);
    io_connection_pause(w->client.connection, true);
    for (unsigned i = 0; i < 100000 && err == SIGNET_OK; i++) {
        CHECK(io_connection_pending(w->server.connection) <= w->server_settings.pending_max);
        err = io_connection_send(w->server.connection, message);
        if (i % 16 == 0)
            uv_run(&w->uv, UV_RUN_NOWAIT);
    }
    CHECK_ERR(err, SIGNET_ERR_LIMIT);
    RUN_UNTIL(w, w->server.closed_count == 1);
    CHECK(w->server.reason == IO_CLOSE_SLOW);
    io_connection_pause(w->client.connection, false);
    RUN_UNTIL(w, w->client.closed_count == 1);
    signet_buf_free(&buf);
}

/* The bound is one of the connection: raised for this one, it stays as it was for others. */
static void the_bound_on_output_is_raised_for_one_connection(void **state)
{
    struct world *w = *state;
    struct signet_buf buf = {0};
    enum signet_err err = SIGNET_OK;
    signet_span message = pattern(&buf, SMALL);
    size_t most = 0;

    w->server_settings.pending_max = SMALL;
    open_both(w);
    io_connection_limit(w->server.connection, SMALL, 8 * SMALL);
    io_connection_pause(w->client.connection, true);
    for (unsigned i = 0; i < 100000 && err == SIGNET_OK; i++) {
        if (io_connection_pending(w->server.connection) > most)
            most = io_connection_pending(w->server.connection);
        err = io_connection_send(w->server.connection, message);
        if (i % 16 == 0)
            uv_run(&w->uv, UV_RUN_NOWAIT);
    }
    CHECK_ERR(err, SIGNET_ERR_LIMIT);
    CHECK(most > 4 * SMALL && most <= 8 * SMALL);
    CHECK(w->server_settings.pending_max == SMALL);
    signet_buf_free(&buf);
}

static void a_slow_reader_gets_everything_and_the_sender_is_told(void **state)
{
    struct world *w = *state;
    struct signet_buf buf = {0};
    signet_span message = pattern(&buf, SMALL);
    size_t sent = 0, drained;

    open_both(w);
    io_connection_limit(w->server.connection, SMALL, SIZE_MAX);
    io_connection_pause(w->client.connection, true);
    for (; io_connection_pending(w->server.connection) < BIG; sent += message.len) {
        CHECK_OK(io_connection_send(w->server.connection, message));
        if (sent % (16 * SMALL) == 0)
            uv_run(&w->uv, UV_RUN_NOWAIT);
    }
    uv_run(&w->uv, UV_RUN_NOWAIT);
    CHECK(w->client.message_count == 0);
    /* The system may have made room for everything on the way here, more than once. */
    drained = w->server.drained_count;
    CHECK(io_connection_pending(w->server.connection) > 0);
    io_connection_pause(w->client.connection, false);
    RUN_UNTIL(w, w->client.bytes == sent && w->server.drained_count > drained);
    CHECK(io_connection_pending(w->server.connection) == 0);
    signet_buf_free(&buf);
}

static void closing_delivers_what_is_pending_and_the_code(void **state)
{
    struct world *w = *state;
    struct signet_buf buf = {0};

    open_both(w);
    io_connection_limit(w->client.connection, BIG, 4 * BIG);
    CHECK_OK(io_connection_send(w->server.connection, pattern(&buf, BIG)));
    io_connection_close(w->server.connection, WS_CODE_GOING_AWAY);
    CHECK_ERR(io_connection_send(w->server.connection, signet_span_str("late")), SIGNET_ERR_STATE);
    CHECK(w->server.closed_count == 0);
    RUN_UNTIL(w, w->client.closed_count == 1 && w->server.closed_count == 1);
    CHECK(w->client.bytes == BIG);
    CHECK(w->client.reason == IO_CLOSE_PEER && w->client.code == WS_CODE_GOING_AWAY);
    CHECK(w->server.reason == IO_CLOSE_LOCAL);
    CHECK(io_loop_connections(w->loop) == 0);
    signet_buf_free(&buf);
}

static void a_wrong_pin_ends_before_the_request_is_sent(void **state)
{
    struct world *w = *state;

    (void)connect_with(w, &w->files.pin[1], 1);
    RUN_UNTIL(w, w->client.closed_count == 1 && w->server.closed_count == 1);
    CHECK(w->client.reason == IO_CLOSE_WRONG_PIN && w->server.reason == IO_CLOSE_TLS);
    CHECK(w->client.open_count == 0 && w->server.open_count == 0);
}

static void a_refused_connection_says_so(void **state)
{
    struct world *w = *state;

    io_listener_free(w->listener);
    uv_run(&w->uv, UV_RUN_NOWAIT);
    (void)connect_with(w, w->files.pin, 1);
    RUN_UNTIL(w, w->client.closed_count == 1);
    CHECK(w->client.reason == IO_CLOSE_CONNECT);
}

static void a_connection_turned_away_is_never_announced(void **state)
{
    struct world *w = *state;

    w->server.turns_away = true;
    (void)connect_with(w, w->files.pin, 1);
    RUN_UNTIL(w, w->client.closed_count == 1);
    CHECK(w->client.reason == IO_CLOSE_TLS);
    CHECK(w->server.accepted_count == 1 && w->server.closed_count == 0);
    CHECK(io_loop_connections(w->loop) == 0);
}

/* ATTACKS.md: slowloris is closed at the absolute deadline. */
static void a_peer_that_says_nothing_is_closed_at_the_deadline(void **state)
{
    struct world *w = *state;
    int fd;

    w->server_settings.deadline_ms = 50;
    CHECK_OK(socket_connect_start(&w->address, &fd));
    RUN_UNTIL(w, w->server.closed_count == 1);
    CHECK(w->server.reason == IO_CLOSE_DEADLINE && w->server.open_count == 0);
    close(fd);
}

static void the_deadline_outlives_the_upgrade_until_the_owner_lifts_it(void **state)
{
    struct world *w = *state;

    open_both(w);
    io_connection_deadline(w->client.connection, 0);
    io_connection_deadline(w->server.connection, 1);
    RUN_UNTIL(w, w->client.closed_count == 1 && w->server.closed_count == 1);
    CHECK(w->server.reason == IO_CLOSE_DEADLINE);
    CHECK(w->client.reason == IO_CLOSE_PEER && w->client.code == WS_CODE_POLICY);
}

/* What the owner needs to answer, be it its disk, is not the peer's time. */
static void the_deadline_stands_still_while_nobody_listens(void **state)
{
    struct world *w = *state;
    uint64_t start;

    w->client_settings.ping_ms = 100; /* wakes the loop up */
    open_both(w);
    io_connection_deadline(w->client.connection, 0);
    io_connection_deadline(w->server.connection, 20);
    io_connection_pause(w->server.connection, true);
    start = uv_hrtime();
    RUN_UNTIL(w, uv_hrtime() - start > 50000000);
    CHECK(w->server.closed_count == 0);
    io_connection_pause(w->server.connection, false);
    RUN_UNTIL(w, w->server.closed_count == 1);
    CHECK(w->server.reason == IO_CLOSE_DEADLINE);
}

static void pings_keep_an_idle_connection_and_end_a_silent_one(void **state)
{
    struct world *w = *state;
    uint64_t start;

    w->server_settings.ping_ms = 100;
    open_both(w);
    start = uv_now(&w->uv);
    RUN_UNTIL(w, uv_now(&w->uv) > start + 250);
    CHECK(w->server.closed_count == 0);
    io_connection_pause(w->client.connection, true); /* does not answer any more */
    RUN_UNTIL(w, w->server.closed_count == 1);
    CHECK(w->server.reason == IO_CLOSE_SILENT);
    io_connection_pause(w->client.connection, false);
    RUN_UNTIL(w, w->client.closed_count == 1);
}

static void close_inside(struct io_connection *connection, signet_span message)
{
    struct side *side = io_connection_owner(connection);

    on_message(connection, message);
    io_connection_close(connection, 0);
    /* Still here: it is reaped after the batch. */
    CHECK(io_connection_owner(connection) == side && side->closed_count == 0);
}

static void a_handler_may_close_its_own_connection(void **state)
{
    struct world *w = *state;
    struct io_handler closing = handler;

    closing.on_message = close_inside;
    w->server_settings.handler = &closing;
    open_both(w);
    CHECK_OK(io_connection_send(w->client.connection, signet_span_str("one")));
    CHECK_OK(io_connection_send(w->client.connection, signet_span_str("two")));
    RUN_UNTIL(w, w->client.closed_count == 1 && w->server.closed_count == 1);
    CHECK(w->server.message_count == 1 && w->server.reason == IO_CLOSE_LOCAL);
}

static void freeing_the_loop_closes_everything_on_it(void **state)
{
    struct world *w = *state;

    open_both(w);
    io_loop_free(w->loop);
    CHECK(w->client.closed_count == 1 && w->server.closed_count == 1);
    uv_run(&w->uv, UV_RUN_NOWAIT);
    CHECK_OK(io_loop_new(&w->uv, &w->loop));
}

#define CONNECTION_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONNECTION_TEST(a_message_comes_back_from_an_echo),
        CONNECTION_TEST(a_message_of_the_full_size_passes_and_one_byte_more_does_not),
        CONNECTION_TEST(gathered_messages_share_a_frame_up_to_its_ceiling),
        CONNECTION_TEST(a_peer_that_does_not_read_is_dropped_at_the_bound),
        CONNECTION_TEST(the_bound_on_output_is_raised_for_one_connection),
        CONNECTION_TEST(a_slow_reader_gets_everything_and_the_sender_is_told),
        CONNECTION_TEST(closing_delivers_what_is_pending_and_the_code),
        CONNECTION_TEST(a_wrong_pin_ends_before_the_request_is_sent),
        CONNECTION_TEST(a_refused_connection_says_so),
        CONNECTION_TEST(a_connection_turned_away_is_never_announced),
        CONNECTION_TEST(a_peer_that_says_nothing_is_closed_at_the_deadline),
        CONNECTION_TEST(the_deadline_outlives_the_upgrade_until_the_owner_lifts_it),
        CONNECTION_TEST(the_deadline_stands_still_while_nobody_listens),
        CONNECTION_TEST(pings_keep_an_idle_connection_and_end_a_silent_one),
        CONNECTION_TEST(a_handler_may_close_its_own_connection),
        CONNECTION_TEST(freeing_the_loop_closes_everything_on_it),
    };

    return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
