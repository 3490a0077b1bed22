/* Runs a person's command for a message. */
#include "agent/reply.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

enum { FACTS = 5, HANDLES = 4 };

struct reply {
    void (*on_done)(void *ctx, const char *problem, signet_span answer);
    void *ctx;
    uv_process_t process;
    uv_pipe_t in, out; /* as the command sees them */
    uv_timer_t timer;
    uv_write_t write;
    struct signet_buf text, answer;
    int pid;
    const char *problem; /* why it was killed; NULL: it was not */
    bool has_exited, has_closed, is_closing;
    int open_handles;
    uint8_t chunk[4096];
};

/* ---- end ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct reply *reply = handle->data;

    if (--reply->open_handles > 0)
        return;
    signet_buf_free(&reply->text);
    signet_buf_free(&reply->answer);
    free(reply);
}

/* The command leads a process group of its own: what it has started goes, too. */
static void kill_group(const struct reply *reply)
{
    if (reply->pid > 0)
        (void)kill(-reply->pid, SIGKILL);
}

void reply_stop(struct reply *reply)
{
    uv_handle_t *handles[HANDLES];

    if (reply == NULL || reply->is_closing)
        return;
    reply->is_closing = true;
    /* What still holds its output, too. */
    if (!(reply->has_exited && reply->has_closed))
        kill_group(reply);
    handles[0] = (uv_handle_t *)&reply->process;
    handles[1] = (uv_handle_t *)&reply->in;
    handles[2] = (uv_handle_t *)&reply->out;
    handles[3] = (uv_handle_t *)&reply->timer;
    for (int i = 0; i < HANDLES; i++) {
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], on_handle_closed);
    }
}

/* It gets no answer; that is told when its end was seen, so that it stays no zombie. */
static void give_up(struct reply *reply, const char *problem)
{
    if (reply->problem != NULL || reply->is_closing)
        return;
    reply->problem = problem;
    (void)uv_read_stop((uv_stream_t *)&reply->out);
    kill_group(reply);
}

static void finish(struct reply *reply, const char *problem)
{
    signet_span answer = signet_buf_span(&reply->answer);

    if (answer.len > 0 && answer.ptr[answer.len - 1] == '\n')
        answer.len--;
    if (problem == NULL && !utf8_is_valid(answer))
        problem = "its output is not valid UTF-8";
    if (problem != NULL)
        answer.len = 0;
    reply->on_done(reply->ctx, problem, answer);
    reply_stop(reply);
}

/* ---- the command at work ---- */

static void take_answer(struct reply *reply, signet_span bytes)
{
    if (signet_buf_append(&reply->answer, bytes) != SIGNET_OK)
        give_up(reply, "out of memory");
    else if (reply->answer.len > REPLY_MAX + 1) /* and a line feed */
        give_up(reply, "its output is over 65536 bytes");
}

/* All that an ended command wrote is in the pipe; who else holds that open is not waited for. */
static void take_rest(struct reply *reply)
{
    uv_os_fd_t fd;
    ssize_t got = 1;

    if (reply->has_closed || uv_fileno((uv_handle_t *)&reply->out, &fd) != 0)
        return;
    while (reply->problem == NULL && got > 0) {
        got = read(fd, reply->chunk, sizeof(reply->chunk));
        if (got > 0)
            take_answer(reply, signet_span_of(reply->chunk, (size_t)got));
    }
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct reply *reply = process->data;
    const char *problem;
    char text[64];

    reply->has_exited = true;
    if (reply->is_closing)
        return;
    take_rest(reply);
    problem = reply->problem;
    if (problem == NULL && (signal != 0 || status != 0)) {
        (void)snprintf(text, sizeof(text),
            signal != 0 ? "it was ended by signal %d" : "its exit code is %d",
            signal != 0 ? signal : (int)status);
        problem = text;
    }
    finish(reply, problem);
}

static void on_late(uv_timer_t *timer)
{
    give_up(timer->data, "it took more than 30 seconds");
}

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct reply *reply = handle->data;

    (void)suggested;
    *buf = uv_buf_init((char *)reply->chunk, sizeof(reply->chunk));
}

static void on_answer(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct reply *reply = stream->data;

    if (reply->is_closing || got == 0)
        return;
    if (got > 0) {
        take_answer(reply, signet_span_of(buf->base, (size_t)got));
        return;
    }
    (void)uv_read_stop(stream);
    reply->has_closed = true;
}

/* A command may well end without reading its input. */
static void on_written(uv_write_t *write, int status)
{
    struct reply *reply = write->handle->data;

    (void)status;
    if (!uv_is_closing((uv_handle_t *)&reply->in))
        uv_close((uv_handle_t *)&reply->in, on_handle_closed);
}

static void give_text(struct reply *reply)
{
    uv_buf_t buf = uv_buf_init((char *)reply->text.ptr, (unsigned)reply->text.len);

    if (uv_write(&reply->write, (uv_stream_t *)&reply->in, &buf, 1, on_written) != 0)
        uv_close((uv_handle_t *)&reply->in, on_handle_closed);
}

/* ---- beginning ---- */

/* Our environment with the facts; an array to be freed, whose first FACTS strings are, too. */
static char **environment(const struct reply_facts *facts)
{
    const char *names[FACTS] = {
        "SIGNET_FROM", "SIGNET_ADDRESS", "SIGNET_ID", "SIGNET_VERDICT", "SIGNET_CONTACT"};
    const char *values[FACTS] = {
        facts->from, facts->address, facts->id, facts->verdict, facts->contact};
    size_t count = 0;
    char **all;

    while (environ[count] != NULL)
        count++;
    all = calloc(count + FACTS + 1, sizeof(*all));
    for (size_t i = 0; all != NULL && i < FACTS; i++) {
        if (asprintf(&all[i], "%s=%s", names[i], values[i]) < 0) {
            while (i-- > 0)
                free(all[i]);
            free(all);
            all = NULL;
        }
    }
    if (all != NULL)
        memcpy(all + FACTS, environ, count * sizeof(*all));
    return all;
}

static int spawn(struct reply *reply, uv_loop_t *loop, const char *command, char **env)
{
    char shell[] = "/bin/sh", option[] = "-c";
    char *copy = strdup(command);
    char *args[] = {shell, option, copy, NULL};
    uv_stdio_container_t stdio[3] = {0};
    uv_process_options_t options = {
        .exit_cb = on_exit_of,
        .file = shell,
        .args = args,
        .env = env,
        .flags = UV_PROCESS_DETACHED, /* a group of its own, so that all of it can be ended */
        .stdio_count = 3,
        .stdio = stdio,
    };
    int answer;

    if (copy == NULL)
        return UV_ENOMEM;
    stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
    stdio[0].data.stream = (uv_stream_t *)&reply->in;
    stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[1].data.stream = (uv_stream_t *)&reply->out;
    stdio[2].flags = UV_INHERIT_FD;
    stdio[2].data.fd = STDERR_FILENO;
    answer = uv_spawn(loop, &reply->process, &options);
    free(copy);
    return answer;
}

/* After this the reply has handles, and ends with reply_stop. */
static void init_handles(struct reply *reply, uv_loop_t *loop)
{
    (void)uv_pipe_init(loop, &reply->in, 0); /* these cannot fail */
    (void)uv_pipe_init(loop, &reply->out, 0);
    (void)uv_timer_init(loop, &reply->timer);
    reply->process.data = reply->in.data = reply->out.data = reply->timer.data = reply;
    reply->open_handles = HANDLES;
}

enum signet_err reply_start(
    uv_loop_t *loop, const struct reply_request *request, struct reply **reply_out)
{
    struct reply *reply = calloc(1, sizeof(*reply));
    char **env = environment(&request->facts);
    enum signet_err err = SIGNET_ERR_NOMEM;
    int answer;

    if (reply == NULL || env == NULL ||
        signet_buf_append(&reply->text, request->text) != SIGNET_OK) {
        free(reply);
        goto out;
    }
    reply->on_done = request->on_done;
    reply->ctx = request->ctx;
    init_handles(reply, loop);
    answer = spawn(reply, loop, request->command, env);
    if (answer != 0) {
        reply_stop(reply);
        errno = -answer;
        err = SIGNET_ERR_IO;
        goto out;
    }
    reply->pid = reply->process.pid;
    (void)uv_timer_start(&reply->timer, on_late, REPLY_MS, 0);
    (void)uv_read_start((uv_stream_t *)&reply->out, give_chunk, on_answer);
    give_text(reply);
    *reply_out = reply;
    err = SIGNET_OK;
out:
    for (size_t i = 0; env != NULL && i < FACTS; i++)
        free(env[i]);
    free(env);
    return err;
}
