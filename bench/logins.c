/* Logins: how many a relay does in a second of its processor's time, and what they cost in memory
 * afterwards. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/common.h"
#include "bench/load.h"

enum { OPENING_MAX = 32, KEPT_FOR_EACH = 4, FIRST = 100 };

struct run {
    struct load *load;
    struct peer *peers;
    size_t count, opened, ready, next_account;
    bool is_again; /* those that have logged in close, and open as the next account */
    bool is_over;
};

static void on_ready(struct peer *peer)
{
    struct run *run = peer->user;

    run->ready++;
    if (run->is_again)
        io_connection_close(peer->connection, 1000);
    else if (run->opened < run->count) {
        peer_open(&run->peers[run->opened], &run->load->swarm, run->opened);
        run->opened++;
    }
}

static void on_message(struct peer *peer, const struct relay_message *message)
{
    (void)peer;
    (void)message;
}

static void on_closed(struct peer *peer)
{
    struct run *run = peer->user;

    if (run->is_over)
        return;
    bench_check(run->is_again, "keep a connection");
    peer_open(peer, &run->load->swarm, run->next_account++ % run->load->swarm.kept_count);
}

static const struct peer_handler handler = {on_ready, on_message, NULL, on_closed};

static void open_run(struct run *run, size_t at_once)
{
    run->peers = bench_alloc(run->count * sizeof(*run->peers));
    swarm_open(&run->load->swarm, run->load->data, run->load->port, &run->load->accounts, &handler);
    for (size_t i = 0; i < run->count; i++)
        run->peers[i].user = run;
    for (; run->opened < at_once && run->opened < run->count; run->opened++)
        peer_open(&run->peers[run->opened], &run->load->swarm, run->next_account++);
}

static void close_run(struct run *run)
{
    run->is_over = true;
    swarm_close(&run->load->swarm);
    free(run->peers);
}

void load_logins(struct load *load, size_t at_once, double seconds)
{
    struct run run = {.load = load, .count = at_once, .is_again = true};
    double began_at, cpu;
    size_t before;

    open_run(&run, at_once);
    swarm_keep(&load->swarm, KEPT_FOR_EACH * at_once);
    while (run.ready < 2 * at_once)
        (void)uv_run(&load->swarm.uv, UV_RUN_ONCE);
    began_at = bench_seconds();
    cpu = bench_cpu_seconds(load->pid);
    before = run.ready;
    while (bench_seconds() < began_at + seconds)
        (void)uv_run(&load->swarm.uv, UV_RUN_ONCE);
    seconds = bench_seconds() - began_at;
    cpu = bench_cpu_seconds(load->pid) - cpu;
    (void)printf("{\"logins_per_second\": %.0f, \"relay_busy\": %.2f, "
                 "\"logins_per_core_second\": %.0f}\n",
        (double)(run.ready - before) / seconds, cpu / seconds, (double)(run.ready - before) / cpu);
    close_run(&run);
}

/* The relay's memory when nothing happens any more. */
static double settled_resident(struct load *load)
{
    double at = bench_seconds() + 1;

    while (bench_seconds() < at)
        (void)uv_run(&load->swarm.uv, UV_RUN_NOWAIT);
    return bench_resident(load->pid);
}

/* The first ones bring what is needed once: each that is connected with them counts from there. */
void load_idle(struct load *load, size_t count)
{
    struct run run = {.load = load, .count = count + FIRST};
    double before = 0;

    open_run(&run, OPENING_MAX);
    while (run.ready < run.count) {
        (void)uv_run(&load->swarm.uv, UV_RUN_ONCE);
        if (run.ready >= FIRST && before == 0)
            before = bench_resident(load->pid);
    }
    (void)printf("{\"connections\": %zu, \"bytes_per_connection\": %.0f}\n", count,
        (settled_resident(load) - before) / (double)count);
    close_run(&run);
}
