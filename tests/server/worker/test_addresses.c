/* Connections per address: server/worker/addresses.h. */
#include "tests/support/unit.h"

#include <malloc.h>
#include <stdio.h>

#include "server/worker/addresses.h"

static struct socket_address address_of(const char *text)
{
    struct socket_address address;

    CHECK_OK(socket_address_parse(text, &address));
    return address;
}

static bool enter(struct addresses *addresses, const char *text)
{
    struct socket_address address = address_of(text);

    return addresses_enter(addresses, &address);
}

static void leave(struct addresses *addresses, const char *text)
{
    struct socket_address address = address_of(text);

    addresses_leave(addresses, &address);
}

static void an_address_has_at_most_so_many_connections(void **state)
{
    struct addresses *addresses = NULL;

    (void)state;
    CHECK_OK(addresses_new(2, &addresses));
    CHECK(enter(addresses, "192.0.2.1:1") && enter(addresses, "192.0.2.1:2"));
    CHECK(!enter(addresses, "192.0.2.1:3"));
    CHECK(enter(addresses, "192.0.2.2:1")); /* another's room is its own */
    leave(addresses, "192.0.2.1:1");
    CHECK(enter(addresses, "192.0.2.1:4") && !enter(addresses, "192.0.2.1:5"));
    addresses_free(addresses);
}

/* A host has at least a /64 (RFC 6177): the low half of its address is its own choice. */
static void an_ipv6_address_counts_by_its_prefix(void **state)
{
    struct addresses *addresses = NULL;

    (void)state;
    CHECK_OK(addresses_new(2, &addresses));
    CHECK(enter(addresses, "[2001:db8::1]:1") && enter(addresses, "[2001:db8::ffff:2]:1"));
    CHECK(!enter(addresses, "[2001:db8::3]:1"));
    CHECK(enter(addresses, "[2001:db8:0:1::1]:1"));
    addresses_free(addresses);
}

/* 60,000 addresses come and go. */
static void let_many_pass(struct addresses *addresses)
{
    char text[32];

    for (int i = 0; i < 60000; i++) {
        (void)snprintf(text, sizeof(text), "10.0.%d.%d:1", i / 256, i % 256);
        CHECK(enter(addresses, text));
    }
    for (int i = 0; i < 60000; i++) {
        (void)snprintf(text, sizeof(text), "10.0.%d.%d:1", i / 256, i % 256);
        leave(addresses, text);
    }
}

/* A sanitizer's mallinfo2 says nothing. */
static void nothing_is_kept_of_those_who_left(void **state)
{
    struct addresses *addresses = NULL;
    size_t before;

    (void)state;
    CHECK_OK(addresses_new(1, &addresses));
    before = mallinfo2().uordblks;
    let_many_pass(addresses);
    CHECK(mallinfo2().uordblks < before + 4096);
    let_many_pass(addresses);
    addresses_free(addresses);
}

/* Zero: no limit. A new limit counts those who are there. */
static void the_limit_can_change(void **state)
{
    struct addresses *addresses = NULL;

    (void)state;
    CHECK_OK(addresses_new(0, &addresses));
    for (int i = 0; i < 100; i++)
        CHECK(enter(addresses, "192.0.2.1:1"));
    addresses_set_max(addresses, 100);
    CHECK(!enter(addresses, "192.0.2.1:1"));
    leave(addresses, "192.0.2.1:1");
    CHECK(enter(addresses, "192.0.2.1:1"));
    addresses_free(addresses);
}

TEST_FILE(addresses)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_at_most_so_many_connections),
        cmocka_unit_test(an_ipv6_address_counts_by_its_prefix),
        cmocka_unit_test(nothing_is_kept_of_those_who_left),
        cmocka_unit_test(the_limit_can_change),
    };

    return cmocka_run_group_tests_name("addresses", tests, NULL, NULL);
}
