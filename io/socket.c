/* TCP sockets: addresses as text, listening, accepting, connecting. */
#include "io/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, HOST_SIZE = 256, PORT_SIZE = 6 };

static socklen_t address_len(const struct socket_address *address)
{
    return address->u.any.sa_family == AF_INET6 ? sizeof(address->u.v6) : sizeof(address->u.v4);
}

/* ---- text ---- */

static bool is_port(const char *text)
{
    unsigned long port = 0;
    size_t len = strlen(text);

    if (len == 0 || len >= PORT_SIZE)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    return port <= UINT16_MAX;
}

/* "HOST:PORT" or "[v6]:PORT"; a host without brackets has no colon in it. */
static bool split(const char *text, char host[HOST_SIZE], char port[PORT_SIZE])
{
    const char *colon = strrchr(text, ':');
    size_t len;

    if (colon == NULL || !is_port(colon + 1))
        return false;
    snprintf(port, PORT_SIZE, "%s", colon + 1);
    len = (size_t)(colon - text);
    if (text[0] == '[') {
        if (len < 3 || text[len - 1] != ']')
            return false;
        text++;
        len -= 2;
    } else if (memchr(text, ':', len) != NULL) {
        return false;
    }
    if (len == 0 || len >= HOST_SIZE)
        return false;
    snprintf(host, HOST_SIZE, "%.*s", (int)len, text);
    return true;
}

/* Look up, taking literals only where `flags` says so. Returns getaddrinfo's verdict. */
static int look_up(const char *host, const char *port, int flags, struct addrinfo **found)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = flags | AI_NUMERICSERV,
    };

    return getaddrinfo(host, port, &hints, found);
}

static bool copy_address(const struct addrinfo *found, struct socket_address *address)
{
    memset(address, 0, sizeof(*address));
    if (found->ai_family == AF_INET && found->ai_addrlen == sizeof(address->u.v4))
        memcpy(&address->u.v4, found->ai_addr, sizeof(address->u.v4));
    else if (found->ai_family == AF_INET6 && found->ai_addrlen == sizeof(address->u.v6))
        memcpy(&address->u.v6, found->ai_addr, sizeof(address->u.v6));
    else
        return false;
    return true;
}

enum signet_err socket_address_parse(const char *text, struct socket_address *address_out)
{
    char host[HOST_SIZE], port[PORT_SIZE];
    struct socket_address address;
    struct addrinfo *found = NULL;
    bool is_literal;

    if (!split(text, host, port) || look_up(host, port, AI_NUMERICHOST, &found) != 0)
        return SIGNET_ERR_FORMAT;
    /* "[192.0.2.1]" and shorthands such as "127.1" are not how an address is written here. */
    is_literal =
        copy_address(found, &address) && (text[0] == '[') == (address.u.any.sa_family == AF_INET6);
    freeaddrinfo(found);
    if (!is_literal)
        return SIGNET_ERR_FORMAT;
    *address_out = address;
    return SIGNET_OK;
}

enum signet_err socket_resolve(
    const char *text, struct socket_address *addresses_out, size_t max, size_t *count_out)
{
    char host[HOST_SIZE], port[PORT_SIZE];
    struct addrinfo *found = NULL;
    size_t count = 0;

    if (!split(text, host, port))
        return SIGNET_ERR_FORMAT;
    if (look_up(host, port, 0, &found) != 0)
        return SIGNET_ERR_IO;
    for (const struct addrinfo *one = found; one != NULL && count < max; one = one->ai_next)
        if (copy_address(one, &addresses_out[count]))
            count++;
    freeaddrinfo(found);
    if (count == 0)
        return SIGNET_ERR_IO;
    *count_out = count;
    return SIGNET_OK;
}

uint16_t socket_port(const struct socket_address *address)
{
    return ntohs(
        address->u.any.sa_family == AF_INET6 ? address->u.v6.sin6_port : address->u.v4.sin_port);
}

void socket_host_text(const struct socket_address *address, char text[SOCKET_TEXT_SIZE])
{
    const void *from = address->u.any.sa_family == AF_INET6 ? (const void *)&address->u.v6.sin6_addr
                                                            : (const void *)&address->u.v4.sin_addr;

    if (inet_ntop(address->u.any.sa_family, from, text, SOCKET_TEXT_SIZE) == NULL)
        text[0] = '\0';
}

void socket_address_text(const struct socket_address *address, char text[SOCKET_TEXT_SIZE])
{
    char host[SOCKET_TEXT_SIZE];
    bool is_v6 = address->u.any.sa_family == AF_INET6;
    int len;

    socket_host_text(address, host);
    len = snprintf(text, SOCKET_TEXT_SIZE, "%s%.46s%s:%u", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
        socket_port(address));
    if (len < 0)
        text[0] = '\0';
}

/* ---- descriptors ---- */

/* Close without losing the errno that says why. */
static void close_keeping_errno(int fd)
{
    int kept = errno;

    close(fd);
    errno = kept;
}

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

static int new_socket(const struct socket_address *address)
{
    return socket(address->u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static bool bind_to(int fd, const struct socket_address *address)
{
    /* "::" means IPv4 as well, whatever the system's default. */
    if (address->u.any.sa_family == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0))
        return false;
    return set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
           bind(fd, &address->u.any, address_len(address)) == 0;
}

enum signet_err socket_check_free(const struct socket_address *address)
{
    int fd = new_socket(address);
    bool is_free = fd >= 0 && bind_to(fd, address);

    if (fd >= 0)
        close_keeping_errno(fd);
    return is_free ? SIGNET_OK : SIGNET_ERR_IO;
}

enum signet_err socket_listen(
    const struct socket_address *address, int *fd_out, struct socket_address *bound_out)
{
    struct socket_address bound = {0};
    socklen_t len = sizeof(bound.u);
    int fd = new_socket(address);

    if (fd < 0)
        return SIGNET_ERR_IO;
    if (!set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) || !bind_to(fd, address) ||
        listen(fd, BACKLOG) != 0 || getsockname(fd, &bound.u.any, &len) != 0) {
        close_keeping_errno(fd);
        return SIGNET_ERR_IO;
    }
    if (bound_out != NULL)
        *bound_out = bound;
    *fd_out = fd;
    return SIGNET_OK;
}

/* Errors of one connection that broke before it was accepted: the next one may be fine. */
static bool is_transient(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPERM: return true;
    default: return false;
    }
}

/* A listener on "::" names IPv4 peers as "::ffff:192.0.2.1". */
static void unmap(struct socket_address *peer)
{
    struct socket_address v4 = {.u.v4 = {.sin_family = AF_INET}};

    if (peer->u.any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&peer->u.v6.sin6_addr))
        return;
    v4.u.v4.sin_port = peer->u.v6.sin6_port;
    v4.u.v4.sin_addr.s_addr = peer->u.v6.sin6_addr.s6_addr32[3];
    *peer = v4;
}

enum io_result socket_accept(int listener, int *fd_out, struct socket_address *peer_out)
{
    struct socket_address peer = {0};
    socklen_t len;
    int fd;

    do {
        len = sizeof(peer.u);
        fd = accept4(listener, &peer.u.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && is_transient(errno));
    if (fd < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? IO_AGAIN : IO_FAILED;
    if (!set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1)) {
        close_keeping_errno(fd);
        return IO_FAILED;
    }
    unmap(&peer);
    *peer_out = peer;
    *fd_out = fd;
    return IO_OK;
}

enum signet_err socket_connect_start(const struct socket_address *address, int *fd_out)
{
    int fd = new_socket(address);

    if (fd < 0)
        return SIGNET_ERR_IO;
    if (!set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) ||
        (connect(fd, &address->u.any, address_len(address)) != 0 && errno != EINPROGRESS &&
            errno != EINTR)) {
        close_keeping_errno(fd);
        return SIGNET_ERR_IO;
    }
    *fd_out = fd;
    return SIGNET_OK;
}

enum io_result socket_connect_finish(int fd)
{
    struct socket_address peer;
    socklen_t len = sizeof(int);
    int error = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return IO_FAILED;
    if (error != 0) {
        errno = error;
        return IO_FAILED;
    }
    len = sizeof(peer.u);
    if (getpeername(fd, &peer.u.any, &len) == 0)
        return IO_OK;
    return errno == ENOTCONN ? IO_AGAIN_WRITE : IO_FAILED;
}
