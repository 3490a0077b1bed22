/*
 * How often one connection may ask for something: so many at once, then so many a second. The
 * whole state is one moment (the generic cell rate algorithm: the time at which all that was
 * granted so far would have been due).
 */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct rate_limit {
    uint32_t per_second; /* 0: no limit */
    uint32_t burst;      /* at once; at least 1 */
};

/* Zero-initialise. */
struct rate {
    uint64_t due_us; /* monotonic */
};

/* Whether one more may pass now; if not, *retry_after_ms_out (at least 1) says when. */
bool rate_allow(struct rate *rate, const struct rate_limit *limit, uint64_t now_ms,
    uint64_t *retry_after_ms_out);

#endif
