/*
 * Messages: a message is done when its sender knows that it is accepted and its recipient has it;
 * then the next one takes its place. Deliveries are acknowledged as they come.
 *
 * One more pair may be there, which counts for nothing: its sender goes on as soon as a message is
 * accepted, and its recipient reads, or does not read, or does not acknowledge. What it costs the
 * others is what the first and the other two differ in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common.h"
#include "bench/load.h"

enum { ENVELOPE_LEN = 256, OPENING_MAX = 32, SAMPLES_MAX = 1 << 22 };

#define WARM_SECONDS 1.0

/* A place in a window. */
struct slot {
    double sent_at;
    bool is_accepted, is_delivered;
};

struct pair {
    struct peer sender, receiver;
    struct run *run;
    enum load_beside beside;
    struct slot *slots; /* by req modulo the window */
    struct signet_id to;
    uint64_t acks[RELAY_ACKS_MAX];
    size_t ack_count;
};

struct run {
    struct load *load;
    struct pair *pairs;
    size_t pair_count, window, opened, ready, subscribed;
    double *latencies;
    size_t done, sample_count;
    bool has_begun, is_counting, is_over;
    double began_at, cpu, own_cpu, resident;
};

static void open_next(struct run *run)
{
    size_t i = run->opened;

    if (i == 2 * run->pair_count)
        return;
    run->opened++;
    peer_open(
        i % 2 == 0 ? &run->pairs[i / 2].sender : &run->pairs[i / 2].receiver, &run->load->swarm, i);
}

static void put(struct pair *pair, uint64_t number)
{
    static uint8_t envelope[ENVELOPE_LEN];

    memcpy(envelope, &number, sizeof(number));
    pair->slots[number] = (struct slot){.sent_at = bench_seconds()};
    peer_say(&pair->sender, &(struct relay_message){.type = RELAY_PUT,
                                .req = number,
                                .id = pair->to,
                                .envelope = signet_span_of(envelope, sizeof(envelope))});
}

static void finish_slot(struct pair *pair, uint64_t number)
{
    struct run *run = pair->run;
    struct slot *slot = &pair->slots[number];

    if (!slot->is_accepted || run->is_over ||
        (pair->beside == LOAD_BESIDE_NOBODY && !slot->is_delivered))
        return;
    if (run->is_counting && pair->beside == LOAD_BESIDE_NOBODY) {
        run->done++;
        if (run->sample_count < SAMPLES_MAX)
            run->latencies[run->sample_count++] = bench_seconds() - slot->sent_at;
    }
    put(pair, number);
}

static void begin(struct run *run)
{
    run->has_begun = true;
    for (size_t i = 0; i < run->pair_count; i++)
        for (size_t j = 0; j < run->window; j++)
            put(&run->pairs[i], j);
}

static void on_ready(struct peer *peer)
{
    struct pair *pair = peer->user;
    struct run *run = pair->run;

    open_next(run);
    if (peer == &pair->receiver)
        peer_say(peer, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = 2});
    if (++run->ready + run->subscribed == 3 * run->pair_count)
        begin(run);
}

static void delivered(struct pair *pair, signet_span envelope)
{
    uint64_t number;

    if (!pair->run->has_begun || pair->beside != LOAD_BESIDE_NOBODY)
        return; /* what an earlier load has left, or what nobody waits for */
    memcpy(&number, envelope.ptr, sizeof(number));
    bench_check(envelope.len == ENVELOPE_LEN && number < pair->run->window &&
                    !pair->slots[number].is_delivered,
        "get each message once");
    pair->slots[number].is_delivered = true;
    finish_slot(pair, number);
}

static void on_message(struct peer *peer, const struct relay_message *message)
{
    struct pair *pair = peer->user;

    switch (message->type) {
    case RELAY_ACCEPTED:
        pair->slots[message->req].is_accepted = true;
        finish_slot(pair, message->req);
        break;
    case RELAY_DELIVER:
        if (pair->beside == LOAD_BESIDE_MUTE)
            break;
        pair->acks[pair->ack_count++] = message->message;
        if (pair->ack_count == RELAY_ACKS_MAX)
            peer->swarm->handler->on_batch(peer);
        delivered(pair, message->envelope);
        break;
    case RELAY_DRAINED:
        if (pair->beside == LOAD_BESIDE_DEAF)
            io_connection_pause(peer->connection, true);
        if (pair->run->ready + ++pair->run->subscribed == 3 * pair->run->pair_count)
            begin(pair->run);
        break;
    default: break;
    }
}

static void on_batch(struct peer *peer)
{
    struct pair *pair = peer->user;

    if (peer != &pair->receiver || pair->ack_count == 0)
        return;
    peer_say(peer, &(struct relay_message){
                       .type = RELAY_ACK, .ack_ids = pair->acks, .ack_count = pair->ack_count});
    pair->ack_count = 0;
}

static void on_closed(struct peer *peer)
{
    const struct pair *pair = peer->user;

    bench_check(pair->run->is_over, "keep a connection");
}

static const struct peer_handler handler = {on_ready, on_message, on_batch, on_closed};

static void wait_until(struct run *run, double at)
{
    while (bench_seconds() < at)
        (void)uv_run(&run->load->swarm.uv, UV_RUN_ONCE);
}

static void report(struct run *run)
{
    double seconds = bench_seconds() - run->began_at;
    double cpu = bench_cpu_seconds(run->load->pid) - run->cpu;

    (void)printf("{\"pairs\": %zu, \"in_flight\": %zu, \"messages_per_second\": %.0f, "
                 "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"relay_busy\": %.2f, \"load_busy\": %.2f, "
                 "\"relay_us_per_message\": %.2f, \"resident_grown\": %.0f}\n",
        run->pair_count, run->window, (double)run->done / seconds,
        1e3 * bench_quantile(run->latencies, run->sample_count, 0.5),
        1e3 * bench_quantile(run->latencies, run->sample_count, 0.99), cpu / seconds,
        (bench_own_seconds() - run->own_cpu) / seconds,
        1e6 * cpu / (double)(run->done > 0 ? run->done : 1),
        bench_resident(run->load->pid) - run->resident);
}

void load_messages(struct load *load, const struct load_shape *shape, double seconds)
{
    size_t pairs = shape->pairs + (shape->beside != LOAD_BESIDE_NOBODY);
    struct run run = {.load = load, .pair_count = pairs, .window = shape->window};

    run.pairs = bench_alloc(pairs * sizeof(*run.pairs));
    run.latencies = bench_alloc(SAMPLES_MAX * sizeof(*run.latencies));
    swarm_open(&load->swarm, load->data, load->port, &load->accounts, &handler);
    for (size_t i = 0; i < pairs; i++) {
        run.pairs[i].run = &run;
        run.pairs[i].slots = bench_alloc(run.window * sizeof(struct slot));
        run.pairs[i].to = bench_device(&load->accounts, 2 * i + 1);
        run.pairs[i].sender.user = run.pairs[i].receiver.user = &run.pairs[i];
    }
    run.pairs[pairs - 1].beside = shape->beside;
    for (unsigned i = 0; i < OPENING_MAX; i++)
        open_next(&run);
    while (run.ready + run.subscribed < 3 * pairs)
        (void)uv_run(&load->swarm.uv, UV_RUN_ONCE);
    run.resident = bench_resident(load->pid);
    wait_until(&run, bench_seconds() + WARM_SECONDS);
    run.began_at = bench_seconds();
    run.cpu = bench_cpu_seconds(load->pid);
    run.own_cpu = bench_own_seconds();
    run.is_counting = true;
    wait_until(&run, run.began_at + seconds);
    report(&run);
    run.is_over = true;
    wait_until(&run, bench_seconds() + 0.3); /* what is under way arrives and is acknowledged */
    swarm_close(&load->swarm);
    for (size_t i = 0; i < pairs; i++)
        free(run.pairs[i].slots);
    free(run.pairs);
    free(run.latencies);
}
