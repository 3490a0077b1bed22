/* The way to an open connection: the relay's addresses, one after the other. */
#include <stdio.h>
#include <string.h>

#include "agent/link/state.h"
#include "io/clock.h"

/* Where further addresses may do better, one does not get all the time there is. */
enum { CONNECT_MS = 10000, CONNECT_EACH_MS = 3000 };

static void tell_unreachable(const struct link *link, const char *why)
{
    link->handler->on_down(link->ctx, LINK_UNREACHABLE, why);
}

static void on_impatient(uv_timer_t *timer)
{
    struct link *link = timer->data;

    link_dial_stop(link);
    tell_unreachable(link, "it does not answer");
}

static enum signet_err connect_to(struct link *link, const struct socket_address *address)
{
    const struct invitation *relay = link->relay;
    struct io_target target = {
        .address = *address,
        .authority = link->authority,
        .pins = relay->pins,
        .pin_count = sizeof(relay->pins) / sizeof(relay->pins[0]),
    };

    /* A relay whose both keys are one pins it once. */
    if (signet_id_equal(&relay->pins[0], &relay->pins[1]))
        target.pin_count = 1;
    link->settings.deadline_ms =
        (link->address_next < link->address_count ? CONNECT_EACH_MS : CONNECT_MS) *
        clock_patience();
    return io_connect(link->io, &link->settings, &target, &link->connection);
}

bool link_dial_next(struct link *link)
{
    while (link->address_next < link->address_count) {
        const struct socket_address *address = &link->addresses[link->address_next++];

        if (connect_to(link, address) == SIGNET_OK)
            return true;
    }
    return false;
}

void link_dial_stop(struct link *link)
{
    (void)uv_timer_stop(&link->patience);
    link->address_count = link->address_next = 0;
    if (link->is_looking_up)
        (void)uv_cancel((uv_req_t *)&link->lookup); /* its callback comes in any case */
    if (link->connection != NULL)
        io_connection_close(link->connection, 0);
    link->connection = NULL;
}

static void begin(struct link *link)
{
    if (link_dial_next(link))
        return;
    (void)uv_timer_stop(&link->patience);
    tell_unreachable(link, "there is no way to its address");
}

static void add_address(struct link *link, const struct addrinfo *found)
{
    struct socket_address *address = &link->addresses[link->address_count];

    if (link->address_count == LINK_ADDRESSES_MAX)
        return;
    memset(address, 0, sizeof(*address));
    if (found->ai_family == AF_INET && found->ai_addrlen == sizeof(address->u.v4))
        memcpy(&address->u.v4, found->ai_addr, sizeof(address->u.v4));
    else if (found->ai_family == AF_INET6 && found->ai_addrlen == sizeof(address->u.v6))
        memcpy(&address->u.v6, found->ai_addr, sizeof(address->u.v6));
    else
        return;
    link->address_count++;
}

static void on_found(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct link *link = lookup->data;

    link->is_looking_up = false;
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next)
        add_address(link, one);
    uv_freeaddrinfo(found);
    /* Given up meanwhile? */
    if (status == UV_ECANCELED || link->is_stopped ||
        !uv_is_active((uv_handle_t *)&link->patience)) {
        link->address_count = 0;
        return;
    }
    if (status == 0 && link->address_count > 0) {
        begin(link);
        return;
    }
    (void)uv_timer_stop(&link->patience);
    tell_unreachable(link, status == 0 ? "it has no address" : uv_strerror(status));
}

static int look_up(struct link *link)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    const struct invitation *relay = link->relay;
    char port[8];
    int answer;

    (void)snprintf(port, sizeof(port), "%u", (unsigned)relay->port);
    link->lookup.data = link;
    answer = uv_getaddrinfo(link->loop, &link->lookup, on_found, relay->host, port, &hints);
    link->is_looking_up = answer == 0;
    return answer;
}

void link_dial(struct link *link)
{
    int answer;

    /* The lookup of an attempt that was given up is still under way: its answer is awaited. */
    if (link->is_looking_up) {
        tell_unreachable(link, "its name cannot be looked up");
        return;
    }
    link->address_count = link->address_next = 0;
    (void)uv_timer_start(&link->patience, on_impatient, CONNECT_MS * clock_patience(), 0);
    if (socket_address_parse(link->authority, &link->addresses[0]) == SIGNET_OK) {
        link->address_count = 1;
        begin(link);
    } else if ((answer = look_up(link)) != 0) {
        (void)uv_timer_stop(&link->patience);
        tell_unreachable(link, uv_strerror(answer));
    }
}
