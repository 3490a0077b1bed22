/* Standard input. */
#include "term/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { READ_AT_ONCE = 65536 };

/* Append what one read gives; nothing where it would have to wait. *is_end_out: there is no more. */
static enum signet_err read_some(int fd, struct signet_buf *out, bool *is_end_out)
{
    enum signet_err err = signet_buf_reserve(out, READ_AT_ONCE);
    ssize_t got;

    if (err != SIGNET_OK)
        return err;
    do
        got = read(fd, out->ptr + out->len, READ_AT_ONCE);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? SIGNET_OK : SIGNET_ERR_IO;
    out->len += (size_t)got;
    *is_end_out = got == 0;
    return SIGNET_OK;
}

enum signet_err input_read_all(int fd, size_t max, struct signet_buf *out)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    bool is_end = false;
    enum signet_err err = SIGNET_OK;

    while (err == SIGNET_OK && !is_end) {
        size_t before = out->len;

        err = read_some(fd, out, &is_end);
        if (err == SIGNET_OK && out->len > max)
            err = SIGNET_ERR_LIMIT;
        if (err == SIGNET_OK && out->len == before && !is_end)
            (void)poll(
                &readable, 1, -1); /* others may have set O_NONBLOCK; reading tells the rest */
    }
    return err;
}

/* The next line at the start of `rest`; *taken_out: with its end. False: it is not complete. */
static bool next_line(
    const struct input *input, signet_span rest, signet_span *line_out, size_t *taken_out)
{
    const uint8_t *end = rest.len == 0 ? NULL : memchr(rest.ptr, '\n', rest.len);
    size_t len = end == NULL ? rest.len : (size_t)(end - rest.ptr);

    if (end == NULL && len <= input->line_max && !(input->has_read_all && len > 0))
        return false;
    *line_out = signet_span_of(rest.ptr, len);
    *taken_out = end == NULL ? len : len + 1;
    return true;
}

/* Pass over the rest of a line that was too long. Returns its length. */
static size_t rest_of_line(struct input *input)
{
    signet_span rest = signet_buf_span(&input->bytes);
    const uint8_t *end = rest.len == 0 ? NULL : memchr(rest.ptr, '\n', rest.len);

    if (!input->is_cut)
        return 0;
    input->is_cut = end == NULL;
    return end == NULL ? rest.len : (size_t)(end - rest.ptr) + 1;
}

static void hand_over(struct input *input)
{
    size_t taken, more = 0;
    signet_span line;

    if (input->is_handing)
        return;
    input->is_handing = true;
    taken = rest_of_line(input);
    while (
        !input->is_paused && !input->has_ended &&
        next_line(input, signet_span_from(signet_buf_span(&input->bytes), taken), &line, &more)) {
        taken += more;
        input->is_cut = more == line.len && !input->has_read_all;
        input->handler->on_line(input->ctx, line);
    }
    signet_buf_consume(&input->bytes, taken);
    input->is_handing = false;
    if (input->has_read_all && !input->is_paused && !input->has_ended) {
        input_stop(input);
        input->handler->on_end(input->ctx, input->err);
    }
}

static void watch(struct input *input);

static void on_readable(struct input *input)
{
    bool is_end = false;

    input->err = read_some(input->fd, &input->bytes, &is_end);
    input->has_read_all = is_end || input->err != SIGNET_OK;
    hand_over(input);
    watch(input);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status; /* reading tells what is wrong */
    (void)events;
    on_readable(poll->data);
}

static void on_idle(uv_idle_t *idle)
{
    on_readable(idle->data);
}

/* Read on, unless lines wait to be taken. */
static void watch(struct input *input)
{
    bool is_wanted = !input->is_paused && !input->has_read_all && !input->has_ended;

    if (input->is_file && is_wanted)
        (void)uv_idle_start(&input->idle, on_idle);
    else if (input->is_file)
        (void)uv_idle_stop(&input->idle);
    else if (is_wanted)
        (void)uv_poll_start(&input->poll, UV_READABLE | UV_DISCONNECT, on_poll);
    else
        (void)uv_poll_stop(&input->poll);
}

int input_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    int answer = uv_poll_init(loop, poll, fd);

    if (flags >= 0 && (flags & O_NONBLOCK) == 0)
        (void)fcntl(fd, F_SETFL, flags);
    return answer;
}

enum signet_err input_start(struct input *input, uv_loop_t *loop)
{
    int answer = input_poll_init(loop, &input->poll, input->fd);

    input->is_file = answer == UV_EPERM;
    if (answer != 0 && !input->is_file)
        return SIGNET_ERR_IO;
    if (input->is_file)
        (void)uv_idle_init(loop, &input->idle); /* cannot fail */
    input->poll.data = input;
    input->idle.data = input;
    input->is_started = true;
    watch(input);
    return SIGNET_OK;
}

void input_pause(struct input *input, bool is_paused)
{
    if (!input->is_started || input->is_paused == is_paused || input->has_ended)
        return;
    input->is_paused = is_paused;
    if (!is_paused)
        hand_over(input);
    if (!input->has_ended)
        watch(input);
}

void input_stop(struct input *input)
{
    if (!input->is_started || input->has_ended)
        return;
    input->has_ended = true;
    watch(input);
}

void input_free(struct input *input)
{
    signet_buf_free(&input->bytes);
}
