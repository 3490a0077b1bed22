/*
 * A relay's side and a client's side of connections on one loop, over TLS on the loopback, and what
 * the handler of each has seen.
 */
#ifndef TESTS_CONNECTION_RIG_H
#define TESTS_CONNECTION_RIG_H

#include "tests/support/unit.h"

#include "io/connection.h"
#include "tests/support/tls_files.h"

enum { CONNECTION_RIG_BIG = 128 * 1024, CONNECTION_RIG_SMALL = 4096 };

/* What one side's handler saw. */
struct connection_side {
    struct io_connection *connection;
    unsigned accepted_count, open_count, message_count, drained_count, closed_count;
    size_t bytes;
    struct signet_buf last; /* message */
    int reason;
    uint16_t code;
    bool turns_away;
    bool echoes;
};

struct connection_rig {
    uv_loop_t uv;
    uv_timer_t guard;
    struct io_loop *loop;
    struct io_listener *listener;
    struct socket_address address;
    struct tls_files files;
    struct tls_context *server_tls, *client_tls;
    struct connection_side server, client;
    /* Messages, and frames, of CONNECTION_RIG_SMALL bytes; four times CONNECTION_RIG_BIG pending. */
    struct io_settings server_settings, client_settings;
    bool is_over; /* the guard fired: the test hangs */
};

/* For cmocka: the state is a rig that listens; nobody is connected. */
int connection_rig_set_up(void **state);
int connection_rig_tear_down(void **state);
#define ON_CONNECTION(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, connection_rig_set_up, connection_rig_tear_down)

/* Both sides' handler, which counts; and what it does with a message. */
extern const struct io_handler connection_rig_handler;
void connection_rig_on_message(struct io_connection *connection, signet_span message);

/* Run the loop until the condition holds. */
#define RUN_UNTIL(rig, condition)                                                                  \
    do {                                                                                           \
        while (!(condition) && !(rig)->is_over)                                                    \
            uv_run(&(rig)->uv, UV_RUN_ONCE);                                                       \
        CHECK(condition);                                                                          \
    } while (0)

/* Begin to connect. */
struct io_connection *connection_rig_connect(
    struct connection_rig *rig, const struct signet_id *pins, size_t count);
/* Connect, until both sides are open. */
void connection_rig_open_both(struct connection_rig *rig);
/* That many bytes that do not repeat soon, in place of what the buffer held. */
signet_span connection_rig_pattern(struct signet_buf *buf, size_t len);

#endif
