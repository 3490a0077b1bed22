/* signetd run: signals, and the life of a relay in the main thread. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/relay.h"

enum { SIGNAL_COUNT = 3 };

struct process {
    struct relay relay;
    uv_loop_t uv;
    uv_signal_t signals[SIGNAL_COUNT]; /* TERM, INT, HUP */
    uv_async_t stopped;
    bool is_stopping;
};

/* Ends the loop when every worker has ended. */
static void close_if_stopped(struct process *process)
{
    if (!relay_has_stopped(&process->relay) || uv_is_closing((uv_handle_t *)&process->stopped))
        return;
    uv_close((uv_handle_t *)&process->stopped, NULL);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&process->signals[i], NULL);
}

static void on_stopped(uv_async_t *stopped)
{
    struct process *process = stopped->data;

    if (process->is_stopping)
        close_if_stopped(process);
}

static void stop(struct process *process)
{
    process->is_stopping = true;
    log_write(process->relay.log, LOG_INFO, "relay.stopping", LOG_END);
    relay_stop(&process->relay);
}

/* Runs in the loop, not in the signal handler. */
static void on_signal(uv_signal_t *handle, int number)
{
    struct process *process = handle->data;

    if (number == SIGHUP) {
        if (!process->is_stopping)
            relay_reload(&process->relay);
    } else if (process->is_stopping) {
        _exit(EXIT_FAILED); /* asked a second time: at once */
    } else {
        stop(process);
    }
}

static int open_loop(struct process *process)
{
    static const int numbers[SIGNAL_COUNT] = {SIGTERM, SIGINT, SIGHUP};

    if (uv_loop_init(&process->uv) != 0)
        return complain(EXIT_FAILED, "cannot start: no descriptors or memory left");
    if (uv_async_init(&process->uv, &process->stopped, on_stopped) != 0) {
        (void)uv_loop_close(&process->uv);
        return complain(EXIT_FAILED, "cannot start: no descriptors or memory left");
    }
    process->stopped.data = process;
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        (void)uv_signal_init(&process->uv, &process->signals[i]); /* its pipe exists: see above */
        process->signals[i].data = process;
        (void)uv_signal_start(&process->signals[i], on_signal, numbers[i]);
    }
    return EXIT_DONE;
}

/* A connection is a descriptor: have as many as the system allows. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* with fewer the relay works as well */
}

static int run(const struct arguments *arguments)
{
    struct process *process = calloc(1, sizeof(*process));
    int code;

    if (process == NULL)
        return complain(EXIT_FAILED, "out of memory");
    if ((code = open_loop(process)) != EXIT_DONE) {
        free(process);
        return code;
    }
    raise_descriptor_limit();
    code = relay_open(&process->relay, arguments, &process->stopped);
    if (code != EXIT_DONE) {
        process->is_stopping = true;
        relay_stop(&process->relay);
        close_if_stopped(process);
    }
    (void)uv_run(&process->uv, UV_RUN_DEFAULT); /* until the relay has stopped */
    relay_close(&process->relay);
    (void)uv_loop_close(&process->uv); /* every handle is closed */
    if (code == EXIT_DONE)
        log_write(process->relay.log, LOG_INFO, "relay.stopped", LOG_END);
    free(process);
    return code;
}

const struct command command_run = {
    .name = "run",
    .usage = "--data DIR [--listen ADDR:PORT] [--threads N] [--config FILE]",
    .summary = "run the relay until SIGTERM; SIGHUP reads the configuration again",
    .options = " data listen threads config ",
    .run = run,
};
