/*
 * How often a connection, or an account, may ask for something: so many at once, then so many a second. The
 * whole state is one moment (the generic cell rate algorithm: the time at which all that was
 * granted so far would have been due).
 */
#ifndef SERVER_CORE_LIMITS_H
#define SERVER_CORE_LIMITS_H

#include <signet/id.h>
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

/* What was let pass cost as much as `count` more: they are missing later. */
void rate_charge(
    struct rate *rate, const struct rate_limit *limit, uint32_t count, uint64_t now_ms);

/* Rates of accounts, whichever connections they use. Those that owe most are remembered; the others
 * begin anew, sooner than they should. Zero-initialise. */
enum { ACCOUNT_RATES = 256 };

struct account_rates {
    struct account_rate {
        struct signet_id account;
        struct rate rate;
    } entries[ACCOUNT_RATES];
};

/* The account's rate: good until the next call. */
struct rate *account_rate(struct account_rates *rates, const struct signet_id *account);

#endif
