/* io/socket and io/clock. */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

#include <netinet/tcp.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/socket.h"

static void addresses_print_as_they_are_written(void **state)
{
    static const char *const texts[] = {
        "127.0.0.1:7443", "192.0.2.255:0", "[2001:db8::1]:65535", "[::]:7443"};
    struct socket_address address;
    char text[SOCKET_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK_OK(socket_address_parse(texts[i], &address));
        socket_address_text(&address, text);
        assert_string_equal(text, texts[i]);
    }
    CHECK(socket_port(&address) == 7443);
    socket_host_text(&address, text);
    assert_string_equal(text, "::");
}

static void other_text_is_no_address(void **state)
{
    static const char *const texts[] = {"", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536",
        "127.0.0.1:-1", "127.0.0.1:80x", "127.0.0.1:000080", "::1:80", "[::1]", "[::1]80", "[]:80",
        "[127.0.0.1]:80", "localhost:80", "256.0.0.1:80", "[::1:80", "::1]:80"};
    struct socket_address address = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (socket_address_parse(texts[i], &address) != SIGNET_ERR_FORMAT)
            fail_msg("%s", texts[i]);
    CHECK(address.u.any.sa_family == 0);
}

static void literals_and_localhost_resolve(void **state)
{
    struct socket_address addresses[4];
    size_t count = 0;

    (void)state;
    CHECK_OK(socket_resolve("127.0.0.1:7443", addresses, 4, &count));
    CHECK(count == 1 && socket_port(&addresses[0]) == 7443);
    CHECK_OK(socket_resolve("localhost:1", addresses, 4, &count));
    CHECK(count >= 1);
    CHECK_ERR(socket_resolve("localhost", addresses, 4, &count), SIGNET_ERR_FORMAT);
}

static void wait_for(int fd, short events)
{
    struct pollfd wanted = {.fd = fd, .events = events};

    CHECK(poll(&wanted, 1, 10000) == 1);
}

static void check_descriptor(int fd)
{
    int no_delay = 0;
    socklen_t len = sizeof(no_delay);

    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &len) == 0 && no_delay != 0);
}

/* docs/operating.md: [::] is every address. A peer of IPv4 is one, however it came in. */
static void all_addresses_are_listened_on_at_once(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    struct socket_address any, bound, target, peer;
    char text[SOCKET_TEXT_SIZE];
    int listener, client, server;

    (void)state;
    CHECK_OK(socket_address_parse("[::1]:0", &any));
    if (socket_check_free(&any) != SIGNET_OK)
        skip(); /* no IPv6 here */
    CHECK_OK(socket_address_parse("[::]:0", &any));
    CHECK_OK(socket_listen(&any, &listener, &bound));
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(
            text, sizeof(text), i == 0 ? "%s:%u" : "[%s]:%u", hosts[i], socket_port(&bound));
        CHECK_OK(socket_address_parse(text, &target));
        CHECK_ERR(socket_check_free(&target), SIGNET_ERR_IO);
        CHECK_OK(socket_connect_start(&target, &client));
        wait_for(client, POLLOUT);
        CHECK(socket_connect_finish(client) == IO_OK);
        wait_for(listener, POLLIN);
        CHECK(socket_accept(listener, &server, &peer) == IO_OK);
        socket_host_text(&peer, text);
        assert_string_equal(text, hosts[i]);
        CHECK(close(client) == 0 && close(server) == 0);
    }
    CHECK(close(listener) == 0);
}

static void a_connection_is_made_and_both_ends_are_set_up(void **state)
{
    struct socket_address any, bound, peer;
    char text[SOCKET_TEXT_SIZE];
    int listener, client, server;

    (void)state;
    CHECK_OK(socket_address_parse("127.0.0.1:0", &any));
    CHECK_OK(socket_listen(&any, &listener, &bound));
    CHECK(socket_port(&bound) != 0);
    CHECK(socket_accept(listener, &server, &peer) == IO_AGAIN);
    CHECK_OK(socket_connect_start(&bound, &client));
    wait_for(client, POLLOUT);
    CHECK(socket_connect_finish(client) == IO_OK);
    wait_for(listener, POLLIN);
    CHECK(socket_accept(listener, &server, &peer) == IO_OK);
    socket_host_text(&peer, text);
    assert_string_equal(text, "127.0.0.1");
    check_descriptor(client);
    check_descriptor(server);
    CHECK(close(client) == 0 && close(server) == 0 && close(listener) == 0);
}

/* Every worker has its own listener: the kernel spreads connections over them. */
static void two_listeners_share_a_port(void **state)
{
    struct socket_address any, bound;
    int first, second;

    (void)state;
    CHECK_OK(socket_address_parse("127.0.0.1:0", &any));
    CHECK_OK(socket_listen(&any, &first, &bound));
    CHECK_OK(socket_listen(&bound, &second, NULL));
    CHECK(close(first) == 0 && close(second) == 0);
}

static void a_refused_connection_fails_with_its_reason(void **state)
{
    struct socket_address any, bound;
    int listener, client;

    (void)state;
    CHECK_OK(socket_address_parse("127.0.0.1:0", &any));
    CHECK_OK(socket_listen(&any, &listener, &bound));
    CHECK(close(listener) == 0);
    CHECK_OK(socket_connect_start(&bound, &client));
    wait_for(client, POLLOUT);
    CHECK(socket_connect_finish(client) == IO_FAILED && errno == ECONNREFUSED);
    CHECK(close(client) == 0);
}

static void clocks_are_in_milliseconds(void **state)
{
    uint64_t before = clock_monotonic_ms();

    (void)state;
    CHECK(clock_wall_ms() > UINT64_C(1767225600000)); /* 2026-01-01 */
    CHECK(clock_wall_ms() < UINT64_C(4102444800000)); /* 2100-01-01 */
    CHECK(clock_monotonic_ms() >= before);
}

TEST_FILE(socket)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_print_as_they_are_written),
        cmocka_unit_test(other_text_is_no_address),
        cmocka_unit_test(literals_and_localhost_resolve),
        cmocka_unit_test(all_addresses_are_listened_on_at_once),
        cmocka_unit_test(a_connection_is_made_and_both_ends_are_set_up),
        cmocka_unit_test(two_listeners_share_a_port),
        cmocka_unit_test(a_refused_connection_fails_with_its_reason),
        cmocka_unit_test(clocks_are_in_milliseconds),
    };

    return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
