/* Clients: login, then whatever is driven through them. */
#include "bench/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <signet/login.h>

#include "bench/common.h"
#include "server/admin/setup.h"

enum { TICK_MS = 10 };

/* ---- accounts ---- */

static void read_file(const char *path, struct signet_buf *out)
{
    FILE *file = fopen(path, "rbe");
    uint8_t block[65536];
    size_t len;

    bench_check(file != NULL, path);
    while ((len = fread(block, 1, sizeof(block), file)) > 0)
        bench_must(signet_buf_append(out, signet_span_of(block, len)), "read the accounts");
    (void)fclose(file);
}

void bench_accounts_read(struct bench_accounts *accounts, const char *data)
{
    char path[1024];
    size_t at = 0;

    (void)snprintf(path, sizeof(path), "%s/accounts", data);
    bench_must(signet_library_new(NULL, &accounts->library), "start");
    read_file(path, &accounts->bytes);
    accounts->encoded = bench_alloc(accounts->bytes.len / 100 * sizeof(signet_span));
    while (at + sizeof(uint32_t) <= accounts->bytes.len) {
        uint32_t len;

        memcpy(&len, accounts->bytes.ptr + at, sizeof(len));
        at += sizeof(len);
        accounts->encoded[accounts->count++] = signet_span_of(accounts->bytes.ptr + at, len);
        at += len;
    }
}

static struct signet_account *account_of(const struct bench_accounts *accounts, size_t index)
{
    struct signet_account *account = NULL;

    bench_check(index < accounts->count, "find enough accounts");
    bench_must(signet_account_decode(accounts->library, accounts->encoded[index], &account),
        "decode an account");
    return account;
}

struct signet_id bench_device(const struct bench_accounts *accounts, size_t index)
{
    struct signet_account *account = account_of(accounts, index);
    struct signet_id device = *signet_account_device(account);

    signet_account_free(account);
    return device;
}

/* ---- talking ---- */

void peer_say(struct peer *peer, const struct relay_message *message)
{
    size_t len = 128 + message->envelope.len + message->proof.len + 9 * message->ack_count;
    enum signet_err err;
    struct signet_buf *out = io_connection_frame(peer->connection, len, &err);

    bench_check(out != NULL, "send");
    bench_must(relay_message_write(message, out), "encode");
}

static void log_in(struct peer *peer, signet_span nonce)
{
    struct swarm *swarm = peer->swarm;
    struct tls_stream *tls = io_connection_tls(peer->connection);
    struct signet_account *kept =
        peer->account < swarm->kept_count ? swarm->kept[peer->account] : NULL;
    struct signet_account *account =
        kept != NULL ? kept : account_of(swarm->accounts, peer->account);
    struct signet_hop hop = {.origin = signet_span_str(swarm->origin)};
    struct signet_buf proof = {0};

    bench_must(tls_peer_pin(tls, &hop.pin), "see the relay's key");
    bench_must(tls_exporter(tls, hop.exporter), "export");
    memcpy(hop.server_nonce, nonce.ptr, sizeof(hop.server_nonce));
    bench_must(signet_login_sign(account, &hop, &proof), "sign a login");
    peer_say(peer,
        &(struct relay_message){.type = RELAY_LOGIN, .req = 1, .proof = signet_buf_span(&proof)});
    signet_buf_free(&proof);
    if (kept == NULL)
        signet_account_free(account);
}

static void take(struct peer *peer, const struct relay_message *message)
{
    if (message->type == RELAY_CHALLENGE) {
        log_in(peer, message->nonce);
    } else if (message->type == RELAY_WELCOME) {
        peer->is_ready = true;
        peer->swarm->handler->on_ready(peer);
    } else {
        if (message->type == RELAY_REFUSED)
            (void)fprintf(stderr, "bench: refused with code %u\n", (unsigned)message->code);
        bench_check(message->type != RELAY_REFUSED, "get what was asked for");
        peer->swarm->handler->on_message(peer, message);
    }
}

static void on_open(struct io_connection *connection)
{
    (void)connection;
}

static void on_message(struct io_connection *connection, signet_span rest)
{
    struct peer *peer = io_connection_user(connection);
    struct relay_message message;

    while (rest.len > 0) {
        bench_must(relay_message_read(rest, &message, &rest), "read what the relay says");
        take(peer, &message);
    }
    if (peer->is_ready && peer->swarm->handler->on_batch != NULL)
        peer->swarm->handler->on_batch(peer);
}

static void on_closed(struct io_connection *connection, enum io_close_reason reason)
{
    struct peer *peer = io_connection_user(connection);

    if (reason != IO_CLOSE_LOCAL && !peer->swarm->is_loss_expected)
        (void)fprintf(stderr, "bench: the relay is gone: %s %u\n", io_close_reason_text(reason),
            io_connection_code(connection));
    peer->connection = NULL;
    peer->is_ready = false;
    peer->swarm->handler->on_closed(peer);
}

static const struct io_handler handler = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};

bool peer_try_open(struct peer *peer, struct swarm *swarm, size_t account)
{
    peer->swarm = swarm;
    peer->account = account;
    peer->is_ready = false;
    if (io_connect(swarm->io, &swarm->settings, &swarm->target, &peer->connection) != SIGNET_OK)
        return false;
    io_connection_set_user(peer->connection, peer);
    return true;
}

void peer_open(struct peer *peer, struct swarm *swarm, size_t account)
{
    bench_check(peer_try_open(peer, swarm, account), "connect");
}

/* ---- the swarm ---- */

static void on_tick(uv_timer_t *tick)
{
    (void)tick;
}

void swarm_open(struct swarm *swarm, const char *data, uint16_t port,
    const struct bench_accounts *accounts, const struct peer_handler *peer_handler)
{
    struct config config;
    char text[32];

    bench_check(setup_config(data, NULL, &config) == EXIT_DONE &&
                    setup_pins(data, swarm->pins) == EXIT_DONE,
        "read the relay's folder");
    memcpy(swarm->origin, config.name, sizeof(swarm->origin));
    swarm->accounts = accounts;
    swarm->handler = peer_handler;
    (void)snprintf(text, sizeof(text), "127.0.0.1:%u", port);
    bench_must(socket_address_parse(text, &swarm->target.address), "name the relay");
    swarm->target.authority = "relay:1";
    swarm->target.pins = swarm->pins;
    swarm->target.pin_count = SETUP_PINS;
    bench_check(uv_loop_init(&swarm->uv) == 0 && uv_timer_init(&swarm->uv, &swarm->tick) == 0 &&
                    uv_timer_start(&swarm->tick, on_tick, TICK_MS, TICK_MS) == 0,
        "start a loop");
    bench_must(io_loop_new(&swarm->uv, &swarm->io), "start a loop");
    swarm->settings = (struct io_settings){.handler = &handler,
        .owner = swarm,
        .message_max = 1 << 20,
        .frame_max = RELAY_MESSAGE_MAX,
        .pending_max = 1 << 26};
    bench_must(tls_client_new(&swarm->settings.tls), "start TLS");
}

void swarm_keep(struct swarm *swarm, size_t count)
{
    swarm->kept = bench_alloc(count * sizeof(struct signet_account *));
    for (; swarm->kept_count < count; swarm->kept_count++)
        swarm->kept[swarm->kept_count] = account_of(swarm->accounts, swarm->kept_count);
}

void swarm_close(struct swarm *swarm)
{
    for (size_t i = 0; i < swarm->kept_count; i++)
        signet_account_free(swarm->kept[i]);
    free(swarm->kept);
    io_loop_free(swarm->io);
    uv_close((uv_handle_t *)&swarm->tick, NULL);
    (void)uv_run(&swarm->uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(&swarm->uv);
    tls_context_free(swarm->settings.tls);
}
