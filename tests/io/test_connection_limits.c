/* io/connection: its bounds on size, on what is pending and on time. */
#include "tests/support/connection_rig.h"

#include <unistd.h>

static void a_message_of_the_full_size_passes_and_one_byte_more_does_not(void **state)
{
    struct connection_rig *rig = *state;
    struct signet_buf buf = {0};

    rig->server.echoes = true;
    connection_rig_open_both(rig);
    io_connection_limit(rig->server.connection, CONNECTION_RIG_BIG, 4 * CONNECTION_RIG_BIG);
    io_connection_limit(rig->client.connection, CONNECTION_RIG_BIG, 4 * CONNECTION_RIG_BIG);
    CHECK_OK(io_connection_send(
        rig->client.connection, connection_rig_pattern(&buf, CONNECTION_RIG_BIG)));
    RUN_UNTIL(rig, rig->client.message_count == 1);
    CHECK(signet_span_equal(signet_buf_span(&rig->client.last), signet_buf_span(&buf)));
    CHECK_OK(io_connection_send(
        rig->client.connection, connection_rig_pattern(&buf, CONNECTION_RIG_BIG + 1)));
    RUN_UNTIL(rig, rig->client.closed_count == 1 && rig->server.closed_count == 1);
    CHECK(rig->server.message_count == 1);
    CHECK(rig->server.reason == IO_CLOSE_PROTOCOL && rig->server.code == WS_CODE_TOO_BIG);
    CHECK(rig->client.reason == IO_CLOSE_PEER && rig->client.code == WS_CODE_TOO_BIG);
    signet_buf_free(&buf);
}

/* A reader that never reads has a bounded queue, then is dropped. */
static void a_peer_that_does_not_read_is_dropped_at_the_bound(void **state)
{
    struct connection_rig *rig = *state;
    struct signet_buf buf = {0};
    enum signet_err err = SIGNET_OK;
    signet_span message = connection_rig_pattern(&buf, CONNECTION_RIG_SMALL);

    connection_rig_open_both(rig);
    io_connection_pause(rig->client.connection, true);
    for (unsigned i = 0; i < 100000 && err == SIGNET_OK; i++) {
        CHECK(io_connection_pending(rig->server.connection) <= rig->server_settings.pending_max);
        err = io_connection_send(rig->server.connection, message);
        if (i % 16 == 0)
            uv_run(&rig->uv, UV_RUN_NOWAIT);
    }
    CHECK_ERR(err, SIGNET_ERR_LIMIT);
    RUN_UNTIL(rig, rig->server.closed_count == 1);
    CHECK(rig->server.reason == IO_CLOSE_SLOW);
    io_connection_pause(rig->client.connection, false);
    RUN_UNTIL(rig, rig->client.closed_count == 1);
    signet_buf_free(&buf);
}

/* The bound is one of the connection: raised for this one, it stays as it was for others. */
static void the_bound_on_output_is_raised_for_one_connection(void **state)
{
    struct connection_rig *rig = *state;
    struct signet_buf buf = {0};
    enum signet_err err = SIGNET_OK;
    signet_span message = connection_rig_pattern(&buf, CONNECTION_RIG_SMALL);
    size_t most = 0;

    rig->server_settings.pending_max = CONNECTION_RIG_SMALL;
    connection_rig_open_both(rig);
    io_connection_limit(rig->server.connection, CONNECTION_RIG_SMALL, 8 * CONNECTION_RIG_SMALL);
    io_connection_pause(rig->client.connection, true);
    for (unsigned i = 0; i < 100000 && err == SIGNET_OK; i++) {
        if (io_connection_pending(rig->server.connection) > most)
            most = io_connection_pending(rig->server.connection);
        err = io_connection_send(rig->server.connection, message);
        if (i % 16 == 0)
            uv_run(&rig->uv, UV_RUN_NOWAIT);
    }
    CHECK_ERR(err, SIGNET_ERR_LIMIT);
    CHECK(most > 4 * CONNECTION_RIG_SMALL && most <= 8 * CONNECTION_RIG_SMALL);
    CHECK(rig->server_settings.pending_max == CONNECTION_RIG_SMALL);
    signet_buf_free(&buf);
}

/* Slowloris is closed at the absolute deadline. */
static void a_peer_that_says_nothing_is_closed_at_the_deadline(void **state)
{
    struct connection_rig *rig = *state;
    int fd;

    rig->server_settings.deadline_ms = 50;
    CHECK_OK(socket_connect_start(&rig->address, &fd));
    RUN_UNTIL(rig, rig->server.closed_count == 1);
    CHECK(rig->server.reason == IO_CLOSE_DEADLINE && rig->server.open_count == 0);
    close(fd);
}

static void the_deadline_outlives_the_upgrade_until_the_owner_lifts_it(void **state)
{
    struct connection_rig *rig = *state;

    connection_rig_open_both(rig);
    io_connection_deadline(rig->client.connection, 0);
    io_connection_deadline(rig->server.connection, 1);
    RUN_UNTIL(rig, rig->client.closed_count == 1 && rig->server.closed_count == 1);
    CHECK(rig->server.reason == IO_CLOSE_DEADLINE);
    CHECK(rig->client.reason == IO_CLOSE_PEER && rig->client.code == WS_CODE_POLICY);
}

/* What the owner needs to answer, be it its disk, is not the peer's time. */
static void the_deadline_stands_still_while_nobody_listens(void **state)
{
    struct connection_rig *rig = *state;
    uint64_t start;

    rig->client_settings.ping_ms = 100; /* wakes the loop up */
    connection_rig_open_both(rig);
    io_connection_deadline(rig->client.connection, 0);
    io_connection_deadline(rig->server.connection, 20);
    io_connection_pause(rig->server.connection, true);
    start = uv_hrtime();
    RUN_UNTIL(rig, uv_hrtime() - start > 50000000);
    CHECK(rig->server.closed_count == 0);
    io_connection_pause(rig->server.connection, false);
    RUN_UNTIL(rig, rig->server.closed_count == 1);
    CHECK(rig->server.reason == IO_CLOSE_DEADLINE);
}

static void pings_keep_an_idle_connection_and_end_a_silent_one(void **state)
{
    struct connection_rig *rig = *state;
    uint64_t start;

    rig->server_settings.ping_ms = 100;
    connection_rig_open_both(rig);
    start = uv_now(&rig->uv);
    RUN_UNTIL(rig, uv_now(&rig->uv) > start + 250);
    CHECK(rig->server.closed_count == 0);
    io_connection_pause(rig->client.connection, true); /* does not answer any more */
    RUN_UNTIL(rig, rig->server.closed_count == 1);
    CHECK(rig->server.reason == IO_CLOSE_SILENT);
    io_connection_pause(rig->client.connection, false);
    RUN_UNTIL(rig, rig->client.closed_count == 1);
}

TEST_FILE(connection_limits)
{
    const struct CMUnitTest tests[] = {
        ON_CONNECTION(a_message_of_the_full_size_passes_and_one_byte_more_does_not),
        ON_CONNECTION(a_peer_that_does_not_read_is_dropped_at_the_bound),
        ON_CONNECTION(the_bound_on_output_is_raised_for_one_connection),
        ON_CONNECTION(a_peer_that_says_nothing_is_closed_at_the_deadline),
        ON_CONNECTION(the_deadline_outlives_the_upgrade_until_the_owner_lifts_it),
        ON_CONNECTION(the_deadline_stands_still_while_nobody_listens),
        ON_CONNECTION(pings_keep_an_idle_connection_and_end_a_silent_one),
    };

    return cmocka_run_group_tests_name("connection_limits", tests, NULL, NULL);
}
