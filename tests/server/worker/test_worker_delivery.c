/* What the relay's workers and their threads deliver, to clients quick and slow: server/worker/worker.h. */
#include "tests/support/worker_rig.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MESSAGES = 1000,
    WAITING = 600, /* several windows, each of them more than CORE_CONGESTED */
    WAITING_LEN = 3500,
    GIVE_UP_MS = 30000,
};

/* Envelopes of `len` bytes, which begin with their numbers. */
static void put_all(struct worker_client *client, uint64_t count, size_t len)
{
    uint8_t *envelope = calloc(1, len);

    CHECK(envelope != NULL);
    for (uint64_t i = 0; i < count; i++) {
        memcpy(envelope, &i, sizeof(i));
        worker_client_say(client, &(struct relay_message){.type = RELAY_PUT,
                                      .req = i,
                                      .id = *signet_account_device(bob),
                                      .envelope = signet_span_of(envelope, len)});
    }
    free(envelope);
}

/* Take them all, in order, acknowledging each. */
static void receive_all(struct worker_client *client, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct relay_message message = worker_client_await(client);

        CHECK(message.type == RELAY_DELIVER);
        CHECK(memcmp(message.envelope.ptr, &i, sizeof(i)) == 0);
        worker_client_say(
            client, &(struct relay_message){
                        .type = RELAY_ACK, .ack_ids = &message.message, .ack_count = 1});
    }
}

/* Each message is accepted and arrives, in order, whichever workers the two are on. */
static void messages_cross_workers_in_order(void **state)
{
    struct worker_client sender, receiver;
    struct worker_rig server = {0};
    uint64_t accepted = 0;

    (void)state;
    worker_rig_open(&server);
    worker_client_open(&sender, &server);
    worker_client_join(&sender, alice, "alice");
    worker_client_open(&receiver, &server);
    worker_client_join(&receiver, bob, "bob");
    worker_client_say(&receiver, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = 3});
    CHECK(worker_client_await(&receiver).type == RELAY_DONE);
    CHECK(worker_client_await(&receiver).type == RELAY_DRAINED);
    put_all(&sender, MESSAGES, sizeof(uint64_t));
    receive_all(&receiver, MESSAGES);
    for (; accepted < MESSAGES; accepted++) {
        struct relay_message message = worker_client_await(&sender);

        CHECK(message.type == RELAY_ACCEPTED && message.req == accepted);
    }
    worker_client_close(&sender);
    worker_client_close(&receiver);
    worker_rig_stop(&server);
    worker_rig_close(&server);
}

/* docs/protocol.md, section 9: `drained` comes after all that waited. More of it than the relay
 * lets wait for a slow reader is no reason to take a quick one for slow. */
static void more_than_a_slow_reader_may_leave_is_delivered(void **state)
{
    struct worker_client sender, receiver;
    struct worker_rig server = {0};

    (void)state;
    worker_rig_open(&server);
    worker_client_open(&sender, &server);
    worker_client_join(&sender, alice, "alice");
    worker_client_open(&receiver, &server);
    worker_client_join(&receiver, bob, "bob");
    put_all(&sender, WAITING, WAITING_LEN);
    for (uint64_t i = 0; i < WAITING; i++)
        CHECK(worker_client_await(&sender).type == RELAY_ACCEPTED);
    worker_client_say(&receiver, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = 3});
    CHECK(worker_client_await(&receiver).type == RELAY_DONE);
    receive_all(&receiver, WAITING);
    CHECK(worker_client_await(&receiver).type == RELAY_DRAINED);
    worker_client_close(&sender);
    worker_client_close(&receiver);
    worker_rig_stop(&server);
    worker_rig_close(&server);
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
    struct worker_rig server = {.stalled_ms = 1, .log = &log};
    struct worker_client sender, receiver;
    uint64_t received = 0;
    int fds[2];

    (void)state;
    CHECK(pipe(fds) == 0);
    log.fd = fds[1];
    worker_rig_open(&server);
    worker_client_open(&sender, &server);
    worker_client_join(&sender, alice, "alice");
    worker_client_open(&receiver, &server);
    worker_client_join(&receiver, bob, "bob");
    put_all(&sender, CORE_WINDOW_MESSAGES, CORE_WINDOW_BYTES / CORE_WINDOW_MESSAGES);
    for (uint64_t i = 0; i < CORE_WINDOW_MESSAGES; i++)
        CHECK(worker_client_await(&sender).type == RELAY_ACCEPTED);
    worker_client_say(&receiver, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = 3});
    CHECK(worker_client_await(&receiver).type == RELAY_DONE);
    io_connection_pause(receiver.connection, true);
    await_log(fds[0], "connection.stalled");
    io_connection_pause(receiver.connection, false);
    while (receiver.connection != NULL)
        received += worker_client_await(&receiver).type == RELAY_DELIVER;
    /* It may still take what waits while it is being told why. */
    CHECK(receiver.code == RELAY_CLOSE_SLOW || received < CORE_WINDOW_MESSAGES);
    CHECK(sender.connection != NULL);
    worker_client_close(&sender);
    worker_client_close(&receiver);
    worker_rig_stop(&server);
    worker_rig_close(&server);
    CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
}

TEST_FILE(worker_delivery)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_cross_workers_in_order),
        cmocka_unit_test(more_than_a_slow_reader_may_leave_is_delivered),
        cmocka_unit_test(who_takes_nothing_is_disconnected),
    };

    return cmocka_run_group_tests(tests, worker_rig_set_up, worker_rig_tear_down);
}
