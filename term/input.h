/* Standard input: all of it at once, or line by line on a libuv loop. */
#ifndef TERM_INPUT_H
#define TERM_INPUT_H

#include <uv.h>

#include <signet/buffer.h>

/*
 * Append all that can be read from a descriptor.
 * Errors: LIMIT (over `max` bytes), IO (with errno), NOMEM.
 */
SIGNET_MUST_USE enum signet_err input_read_all(int fd, size_t max, struct signet_buf *out);

/* uv_poll_init that leaves the descriptor as it was: others (the shell, our own output on the same
 * terminal) share its file, and would not be prepared for O_NONBLOCK. Returns libuv's code. */
int input_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd);

struct input_handler {
    /* A line without its end. One over `line_max` bytes is handed over cut, but over it, and the
     * rest of it passed over. */
    void (*on_line)(void *ctx, signet_span line);
    /* The last call. `err`: IO (with errno) or NOMEM where reading failed. */
    void (*on_end)(void *ctx, enum signet_err err);
};

/* Lines from a descriptor, be it terminal, pipe or file. Zero-initialise. */
struct input {
    const struct input_handler *handler;
    void *ctx;
    size_t line_max;
    int fd;
    bool is_file; /* always readable: polling does not work */
    bool is_started, is_paused, is_handing, has_read_all, has_ended;
    bool is_cut; /* what comes belongs to a line that was handed over */
    enum signet_err err;
    uv_poll_t poll;
    uv_idle_t idle;
    struct signet_buf bytes;
};

/* Fill in handler, ctx, line_max and fd before. Errors: IO. */
SIGNET_MUST_USE enum signet_err input_start(struct input *input, uv_loop_t *loop);
/* No line is handed over until it goes on, at once or later. */
void input_pause(struct input *input, bool is_paused);
/* No further call; its handles are closed with the loop. */
void input_stop(struct input *input);
void input_free(struct input *input);

#endif
