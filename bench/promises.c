/*
 * Promises: clients in pairs send to each other through a relay that is killed and started again.
 * What it has accepted must arrive, and what was acknowledged must not come again once the
 * acknowledgement is on the disk.
 *
 * An acknowledgement has no answer, but the store carries out what a connection asks for in its
 * order: when a message that was put after it is accepted, it is on the disk, too.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common.h"
#include "bench/load.h"

enum { ENVELOPE_LEN = 256, RETRY_MS = 20, PUTS_FIRST = 1024 };

#define LAST_SECONDS 60.0 /* for what is under way at the end */

/* One put: every try has a number of its own, so that each stands for one message of the relay. */
struct put {
    uint32_t acked_before; /* acknowledgements sent before it, on its connection */
    bool is_accepted, is_delivered, is_gone; /* gone: its acknowledgement is on the disk */
};

struct client {
    struct peer peer;
    struct run *run;
    struct client *partner;
    struct signet_id device;
    bool is_subscribed;
    size_t in_flight;
    struct put *puts; /* by number, which is also the request's */
    size_t put_count, put_capacity;
    uint64_t *acked; /* numbers of the partner's whose acknowledgement was sent, in that order */
    size_t acked_count, acked_capacity, gone_count;
    uint64_t ids[RELAY_ACKS_MAX], numbers[RELAY_ACKS_MAX]; /* to be acknowledged */
    size_t ack_count;
};

struct run {
    struct load *load;
    struct client *clients;
    size_t client_count, window;
    uv_timer_t retry;
    uv_signal_t stop;
    bool is_stopping, is_over;
    size_t accepted, delivered, repeated, again, lost_connections;
};

/* Room for one more in an array that doubles. */
static void *room(void *array, size_t count, size_t *capacity, size_t size)
{
    void *grown = array;

    if (count < *capacity)
        return array;
    *capacity = *capacity > 0 ? 2 * *capacity : PUTS_FIRST;
    grown = realloc(array, *capacity * size);
    bench_check(grown != NULL, "go on");
    return grown;
}

/* ---- sending ---- */

static void put(struct client *client)
{
    uint8_t envelope[ENVELOPE_LEN] = {0};
    uint64_t number = client->put_count;

    client->puts = room(client->puts, number, &client->put_capacity, sizeof(*client->puts));
    client->puts[client->put_count++] = (struct put){.acked_before = (uint32_t)client->acked_count};
    client->in_flight++;
    memcpy(envelope, &number, sizeof(number));
    peer_say(&client->peer, &(struct relay_message){.type = RELAY_PUT,
                                .req = number,
                                .id = client->partner->device,
                                .envelope = signet_span_of(envelope, sizeof(envelope))});
}

static void fill_window(struct client *client)
{
    while (client->in_flight < client->run->window && !client->run->is_stopping)
        put(client);
}

static void accepted(struct client *client, uint64_t number)
{
    struct put *one = &client->puts[number];

    one->is_accepted = true;
    client->run->accepted++;
    client->in_flight--;
    for (; client->gone_count < one->acked_before; client->gone_count++)
        client->partner->puts[client->acked[client->gone_count]].is_gone = true;
    fill_window(client);
}

/* ---- receiving ---- */

static void acknowledge(struct client *client)
{
    if (client->ack_count == 0)
        return;
    peer_say(&client->peer,
        &(struct relay_message){
            .type = RELAY_ACK, .ack_ids = client->ids, .ack_count = client->ack_count});
    for (size_t i = 0; i < client->ack_count; i++) {
        client->acked = room(
            client->acked, client->acked_count, &client->acked_capacity, sizeof(*client->acked));
        client->acked[client->acked_count++] = client->numbers[i];
    }
    client->ack_count = 0;
}

static void delivered(struct client *client, const struct relay_message *message)
{
    struct run *run = client->run;
    uint64_t number;
    struct put *one;

    bench_check(message->envelope.len == ENVELOPE_LEN, "get what was put");
    memcpy(&number, message->envelope.ptr, sizeof(number));
    bench_check(number < client->partner->put_count, "get what was put");
    one = &client->partner->puts[number];
    run->again += one->is_gone;
    run->repeated += one->is_delivered;
    run->delivered += !one->is_delivered;
    one->is_delivered = true;
    client->ids[client->ack_count] = message->message;
    client->numbers[client->ack_count] = number;
    if (++client->ack_count == RELAY_ACKS_MAX)
        acknowledge(client);
}

static void on_ready(struct peer *peer)
{
    peer_say(peer, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = UINT32_MAX});
    fill_window(peer->user);
}

static void on_message(struct peer *peer, const struct relay_message *message)
{
    struct client *client = peer->user;

    switch (message->type) {
    case RELAY_ACCEPTED: accepted(client, message->req); break;
    case RELAY_DELIVER: delivered(client, message); break;
    case RELAY_DRAINED: client->is_subscribed = true; break;
    default: break;
    }
}

static void on_batch(struct peer *peer)
{
    acknowledge(peer->user);
}

/* What was not answered is in doubt for good, and tried no more. */
static void on_closed(struct peer *peer)
{
    struct client *client = peer->user;

    client->run->lost_connections += !client->run->is_over;
    client->is_subscribed = false;
    client->in_flight = 0;
    client->ack_count = 0;
    client->acked_count = client->gone_count;
}

static const struct peer_handler handler = {on_ready, on_message, on_batch, on_closed};

/* ---- the run ---- */

static void on_retry(uv_timer_t *timer)
{
    struct run *run = timer->data;

    for (size_t i = 0; i < run->client_count; i++)
        if (run->clients[i].peer.connection == NULL)
            (void)peer_try_open(&run->clients[i].peer, &run->load->swarm, i);
}

static void on_stop(uv_signal_t *stop, int number)
{
    (void)number;
    ((struct run *)stop->data)->is_stopping = true;
}

/* Accepted and not delivered. */
static size_t missing(const struct run *run)
{
    size_t count = 0;

    for (size_t i = 0; i < run->client_count; i++)
        for (size_t j = 0; j < run->clients[i].put_count; j++)
            count += run->clients[i].puts[j].is_accepted && !run->clients[i].puts[j].is_delivered;
    return count;
}

static bool is_quiet(const struct run *run)
{
    for (size_t i = 0; i < run->client_count; i++)
        if (!run->clients[i].is_subscribed || run->clients[i].in_flight > 0)
            return false;
    return missing(run) == 0;
}

static void drive(struct run *run)
{
    double until;

    while (!run->is_stopping)
        (void)uv_run(&run->load->swarm.uv, UV_RUN_ONCE);
    until = bench_seconds() + LAST_SECONDS;
    while (!is_quiet(run) && bench_seconds() < until)
        (void)uv_run(&run->load->swarm.uv, UV_RUN_ONCE);
}

static void open_run(struct run *run)
{
    struct load *load = run->load;

    load->swarm.is_loss_expected = true;
    swarm_open(&load->swarm, load->data, load->port, &load->accounts, &handler);
    run->clients = bench_alloc(run->client_count * sizeof(*run->clients));
    for (size_t i = 0; i < run->client_count; i++) {
        struct client *client = &run->clients[i];

        client->run = run;
        client->partner = &run->clients[i ^ 1];
        client->device = bench_device(&load->accounts, i);
        client->peer.user = client;
    }
    run->retry.data = run->stop.data = run;
    bench_check(uv_timer_init(&load->swarm.uv, &run->retry) == 0 &&
                    uv_timer_start(&run->retry, on_retry, 0, RETRY_MS) == 0 &&
                    uv_signal_init(&load->swarm.uv, &run->stop) == 0 &&
                    uv_signal_start(&run->stop, on_stop, SIGTERM) == 0,
        "start a loop");
}

static void close_run(struct run *run)
{
    run->is_over = true;
    uv_close((uv_handle_t *)&run->retry, NULL);
    uv_close((uv_handle_t *)&run->stop, NULL);
    swarm_close(&run->load->swarm);
    for (size_t i = 0; i < run->client_count; i++) {
        free(run->clients[i].puts);
        free(run->clients[i].acked);
    }
    free(run->clients);
}

void load_promises(struct load *load, size_t pairs, size_t window)
{
    struct run run = {.load = load, .client_count = 2 * pairs, .window = window};

    open_run(&run);
    drive(&run);
    (void)printf("{\"accepted\": %zu, \"delivered\": %zu, \"lost\": %zu, \"repeated\": %zu, "
                 "\"again_after_ack\": %zu, \"connections_lost\": %zu}\n",
        run.accepted, run.delivered, missing(&run), run.repeated, run.again, run.lost_connections);
    close_run(&run);
}
