/* The inside of a listening socket; nobody outside of io/ includes this. */
#ifndef IO_LISTENER_INTERNAL_H
#define IO_LISTENER_INTERNAL_H

#include "io/connection.h"

enum {
    IO_ACCEPT_QUOTA = 64,     /* connections a listener may accept per wake-up */
    IO_ACCEPT_PAUSE_MS = 100, /* after running out of descriptors */
};

struct io_listener {
    uv_poll_t poll;
    uv_timer_t pause;
    struct io_loop *loop;
    const struct io_settings *settings;
    struct io_listener *next, **link;
    int fd;
    unsigned handle_count;
};

/* listener.c */
void listener_close(struct io_listener *listener);

#endif
