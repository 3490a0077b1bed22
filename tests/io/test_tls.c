/* io/tls: TLS 1.3 over a socket pair, both sides in one thread. */
#include "tests/support/unit.h"

#include <signal.h>

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tls.h"
#include "tests/support/tls_files.h"

enum { STEPS_MAX = 50 };

static struct tls_files files;

struct pair {
    struct tls_context *server_context, *client_context;
    struct tls_stream *server, *client;
    int fds[2]; /* theirs, in this order */
    enum io_result server_result, client_result;
};

static void sockets(int fds[2])
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
}

static void pair_start(struct pair *p, const struct signet_id *pins, size_t count)
{
    sockets(p->fds);
    CHECK_OK(tls_server_new(files.certificate[0], files.key[0], &p->server_context));
    CHECK_OK(tls_client_new(&p->client_context));
    CHECK_OK(tls_stream_new_server(p->server_context, p->fds[0], &p->server));
    CHECK_OK(tls_stream_new_client(p->client_context, p->fds[1], pins, count, &p->client));
    /* Streams outlive their contexts: a reload changes nothing for them. */
    tls_context_free(p->server_context);
    tls_context_free(p->client_context);
    p->server_result = p->client_result = IO_AGAIN;
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        if (p->client_result == IO_AGAIN)
            p->client_result = tls_handshake(p->client);
        if (p->server_result == IO_AGAIN)
            p->server_result = tls_handshake(p->server);
    }
}

static void pair_stop(struct pair *p)
{
    tls_stream_free(p->server);
    tls_stream_free(p->client);
}

static void either_pin_lets_the_client_in(void **state)
{
    const struct signet_id swapped[2] = {files.pin[1], files.pin[0]};
    struct signet_id pin;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct pair p;

        pair_start(&p, i == 0 ? files.pin : swapped, 2);
        CHECK(p.server_result == IO_OK && p.client_result == IO_OK);
        CHECK_OK(tls_peer_pin(p.client, &pin));
        CHECK(signet_id_equal(&pin, &files.pin[0]));
        CHECK_OK(tls_local_pin(p.server, &pin));
        CHECK(signet_id_equal(&pin, &files.pin[0]));
        CHECK_ERR(tls_peer_pin(p.server, &pin), SIGNET_ERR_STATE);
        CHECK_ERR(tls_local_pin(p.client, &pin), SIGNET_ERR_STATE);
        pair_stop(&p);
    }
}

static void a_wrong_pin_fails_the_handshake_on_both_sides(void **state)
{
    uint8_t exporter[TLS_EXPORTER_LEN];
    struct signet_buf in = {0};
    struct pair p;
    size_t written;

    (void)state;
    pair_start(&p, &files.pin[1], 1);
    CHECK(p.client_result == IO_WRONG_PIN);
    CHECK(p.server_result == IO_FAILED);
    CHECK(tls_handshake(p.client) == IO_WRONG_PIN);
    CHECK(tls_write(p.client, signet_span_str("secret"), &written) == IO_FAILED && written == 0);
    CHECK(tls_read(p.server, &in, 100) == IO_FAILED && in.len == 0);
    CHECK_ERR(tls_exporter(p.client, exporter), SIGNET_ERR_STATE);
    pair_stop(&p);
}

static void a_client_without_pins_cannot_be_made(void **state)
{
    struct tls_context *context;
    struct tls_stream *stream = NULL;
    int fds[2];

    (void)state;
    sockets(fds);
    CHECK_OK(tls_client_new(&context));
    CHECK_ERR(tls_stream_new_client(context, fds[0], files.pin, 0, &stream), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(tls_stream_new_client(context, fds[0], files.pin, 3, &stream), SIGNET_ERR_ARGUMENT);
    CHECK(stream == NULL);
    tls_context_free(context);
    CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
}

/* RFC 9266, section 2: one value for one connection. */
static void exporters_agree_within_a_connection_and_differ_between_two(void **state)
{
    uint8_t server[TLS_EXPORTER_LEN], client[TLS_EXPORTER_LEN], other[TLS_EXPORTER_LEN];
    struct pair p, q;

    (void)state;
    pair_start(&p, files.pin, 2);
    pair_start(&q, files.pin, 2);
    CHECK_OK(tls_exporter(p.server, server));
    CHECK_OK(tls_exporter(p.client, client));
    CHECK_OK(tls_exporter(q.client, other));
    CHECK(memcmp(server, client, sizeof(server)) == 0);
    CHECK(memcmp(server, other, sizeof(server)) != 0);
    pair_stop(&p);
    pair_stop(&q);
}

/* A client of OpenSSL's own with everything up to TLS 1.2 allowed gets nowhere. */
static void tls_1_2_is_refused(void **state)
{
    struct tls_context *server_context;
    struct tls_stream *server;
    enum io_result result = IO_AGAIN;
    SSL_CTX *old = SSL_CTX_new(TLS_client_method());
    SSL *ssl = NULL;
    int fds[2], client_result = 0;

    (void)state;
    sockets(fds);
    CHECK(old != NULL && SSL_CTX_set_max_proto_version(old, TLS1_2_VERSION) == 1);
    CHECK((ssl = SSL_new(old)) != NULL && SSL_set_fd(ssl, fds[1]) == 1);
    CHECK_OK(tls_server_new(files.certificate[0], files.key[0], &server_context));
    CHECK_OK(tls_stream_new_server(server_context, fds[0], &server));
    for (unsigned i = 0; i < STEPS_MAX && result == IO_AGAIN; i++) {
        client_result = SSL_connect(ssl);
        result = tls_handshake(server);
    }
    CHECK(result == IO_FAILED && client_result != 1);
    SSL_free(ssl);
    SSL_CTX_free(old);
    tls_stream_free(server);
    tls_context_free(server_context);
    CHECK(close(fds[1]) == 0);
}

static void bytes_arrive_in_order_whatever_the_descriptor_takes(void **state)
{
    struct signet_buf out = {0}, in = {0};
    enum io_result write_result = IO_AGAIN_WRITE;
    size_t sent = 0;
    struct pair p;

    (void)state;
    pair_start(&p, files.pin, 2);
    CHECK_OK(signet_buf_reserve(&out, 1 << 21));
    for (out.len = 0; out.len < 1 << 20; out.len++)
        out.ptr[out.len] = (uint8_t)(out.len * 31 + out.len / 509);
    while (write_result == IO_AGAIN_WRITE) {
        size_t written;

        write_result = tls_write(p.client, signet_span_from(signet_buf_span(&out), sent), &written);
        sent += written;
        /* The bytes move between two attempts, as a growing buffer's do. */
        if (write_result == IO_AGAIN_WRITE) {
            struct signet_buf moved = {0};

            CHECK_OK(signet_buf_append(&moved, signet_buf_span(&out)));
            signet_buf_free(&out);
            out = moved;
        }
        while (tls_read(p.server, &in, 65536) == IO_OK)
            continue;
    }
    CHECK(write_result == IO_OK && sent == out.len);
    CHECK(signet_span_equal(signet_buf_span(&in), signet_buf_span(&out)));
    signet_buf_free(&in);
    signet_buf_free(&out);
    pair_stop(&p);
}

/* Where the descriptor takes less than a record at once, each record that is gone is told of. */
static void what_is_written_is_told_as_it_goes(void **state)
{
    static const uint8_t bytes[16 * 16384];
    static uint8_t raw[1024];
    size_t written = 0, taken = 0;
    int smallest = 1;
    struct pair p;

    (void)state;
    pair_start(&p, files.pin, 2);
    CHECK(setsockopt(p.fds[0], SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest)) == 0);
    while (taken < sizeof(bytes)) {
        size_t put = 0;
        enum io_result result =
            tls_write(p.server, signet_span_of(bytes + written, sizeof(bytes) - written), &put);
        ssize_t got = read(p.fds[1], raw, sizeof(raw));

        CHECK(result == IO_OK || result == IO_AGAIN_WRITE);
        CHECK(got > 0);
        written += put;
        taken += (size_t)got;
        CHECK(taken < written + 2 * 16384);
    }
    pair_stop(&p);
}

static void reading_stops_at_the_quota(void **state)
{
    struct signet_buf out = {0}, in = {0};
    struct pair p;
    size_t written;

    (void)state;
    pair_start(&p, files.pin, 2);
    CHECK_OK(signet_buf_fill(&out, 'x', 50000));
    CHECK(tls_write(p.client, signet_buf_span(&out), &written) == IO_OK && written == 50000);
    CHECK(tls_read(p.server, &in, 20000) == IO_OK);
    CHECK(in.len >= 20000 && in.len < 20000 + 16384);
    CHECK(tls_read(p.server, &in, 1 << 20) == IO_AGAIN && in.len == 50000);
    signet_buf_free(&in);
    signet_buf_free(&out);
    pair_stop(&p);
}

static void goodbye_is_told_from_a_broken_connection(void **state)
{
    struct signet_buf in = {0};
    struct pair p;
    size_t written;

    (void)state;
    pair_start(&p, files.pin, 2);
    CHECK(tls_write(p.client, signet_span_str("last"), &written) == IO_OK);
    tls_shutdown(p.client);
    CHECK(tls_read(p.server, &in, 100) == IO_CLOSED);
    CHECK_SPAN(signet_buf_span(&in), "last");
    pair_stop(&p);

    pair_start(&p, files.pin, 2);
    tls_stream_free(p.client); /* closes the descriptor without a word */
    p.client = NULL;
    CHECK(tls_read(p.server, &in, 100) == IO_FAILED);
    CHECK(tls_write(p.server, signet_span_str("x"), &written) == IO_FAILED);
    signet_buf_free(&in);
    pair_stop(&p);
}

/* RFC 8446, section 5.1: the first record must be a handshake record. */
static void garbage_in_place_of_a_hello_fails(void **state)
{
    struct tls_context *context;
    struct tls_stream *server;
    int fds[2];

    (void)state;
    sockets(fds);
    CHECK_OK(tls_server_new(files.certificate[0], files.key[0], &context));
    CHECK_OK(tls_stream_new_server(context, fds[0], &server));
    CHECK(write(fds[1], "GET / HTTP/1.1\r\n\r\n", 18) == 18);
    CHECK(tls_handshake(server) == IO_FAILED);
    tls_stream_free(server);
    tls_context_free(context);
    CHECK(close(fds[1]) == 0);
}

/* A server's stream, and a client of OpenSSL's own. */
struct plain_pair {
    struct tls_context *context;
    struct tls_stream *server;
    SSL_CTX *plain;
    SSL *client;
    int fd; /* the client's */
};

static void plain_start(struct plain_pair *p)
{
    int fds[2];

    sockets(fds);
    p->fd = fds[1];
    p->plain = SSL_CTX_new(TLS_client_method());
    CHECK(p->plain != NULL && (p->client = SSL_new(p->plain)) != NULL);
    CHECK(SSL_set_fd(p->client, p->fd) == 1);
    CHECK_OK(tls_server_new(files.certificate[0], files.key[0], &p->context));
    CHECK_OK(tls_stream_new_server(p->context, fds[0], &p->server));
}

static void plain_stop(struct plain_pair *p)
{
    SSL_free(p->client);
    SSL_CTX_free(p->plain);
    tls_stream_free(p->server);
    tls_context_free(p->context);
    CHECK(close(p->fd) == 0);
}

/* RFC 8446, section 4.1.4: a client that guessed another group is asked for a second hello. */
static void a_second_hello_is_served_and_may_claim_no_more_than_it_is(void **state)
{
    static const uint8_t claim[] = {22, 3, 3, 0, 0x5f, 1, 1, 0xff, 0xb8};

    (void)state;
    for (unsigned lies = 0; lies < 2; lies++) {
        enum io_result result = IO_AGAIN;
        struct plain_pair p = {0};
        int connected;

        plain_start(&p);
        CHECK(SSL_set1_groups_list(p.client, "P-384:P-256") == 1);
        CHECK(SSL_connect(p.client) != 1 && tls_handshake(p.server) == IO_AGAIN);
        if (lies) {
            CHECK(write(p.fd, claim, sizeof(claim)) == sizeof(claim));
            CHECK(tls_handshake(p.server) == IO_FAILED);
        } else {
            for (unsigned i = 0; i < STEPS_MAX && result == IO_AGAIN; i++) {
                connected = SSL_connect(p.client);
                result = tls_handshake(p.server);
            }
            CHECK(result == IO_OK && connected == 1);
        }
        plain_stop(&p);
    }
}

/* A peer that sends nothing but KeyUpdate would keep SSL_read_ex from returning. */
static void endless_key_updates_end_the_connection(void **state)
{
    enum io_result result = IO_AGAIN;
    struct signet_buf in = {0};
    struct plain_pair p = {0};
    int connected = 0;

    (void)state;
    plain_start(&p);
    for (unsigned i = 0; i < STEPS_MAX && (connected != 1 || result == IO_AGAIN); i++) {
        connected = SSL_connect(p.client);
        result = tls_handshake(p.server);
    }
    CHECK(connected == 1 && result == IO_OK);
    for (unsigned i = 0; i < 5000 && result != IO_FAILED; i++) {
        CHECK(SSL_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
        (void)SSL_do_handshake(p.client); /* sends it; fails when the server is gone */
        result = tls_read(p.server, &in, 65536);
    }
    CHECK(result == IO_FAILED && in.len == 0);
    signet_buf_free(&in);
    plain_stop(&p);
}

static int set_up(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    return tls_files_make(&files) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tls_files_remove(&files);
    return 0;
}

TEST_FILE(tls)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_pin_lets_the_client_in),
        cmocka_unit_test(a_wrong_pin_fails_the_handshake_on_both_sides),
        cmocka_unit_test(a_client_without_pins_cannot_be_made),
        cmocka_unit_test(exporters_agree_within_a_connection_and_differ_between_two),
        cmocka_unit_test(tls_1_2_is_refused),
        cmocka_unit_test(bytes_arrive_in_order_whatever_the_descriptor_takes),
        cmocka_unit_test(what_is_written_is_told_as_it_goes),
        cmocka_unit_test(reading_stops_at_the_quota),
        cmocka_unit_test(goodbye_is_told_from_a_broken_connection),
        cmocka_unit_test(garbage_in_place_of_a_hello_fails),
        cmocka_unit_test(a_second_hello_is_served_and_may_claim_no_more_than_it_is),
        cmocka_unit_test(endless_key_updates_end_the_connection),
    };

    return cmocka_run_group_tests_name("tls", tests, set_up, tear_down);
}
