/*
 * Whether the wall clock may be believed when mail is to expire: one wrong reading must not delete
 * what was accepted. A clock that has jumped by more than 24 hours is believed once it has held for
 * 24 hours of monotonic time: then it was corrected, not wrong.
 */
#ifndef SERVER_CORE_WALL_TRUST_H
#define SERVER_CORE_WALL_TRUST_H

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialise. */
struct wall_trust {
    int64_t offset_ms; /* the wall clock less the monotonic one, since `since_ms` */
    uint64_t since_ms; /* monotonic */
    bool is_known, is_trusted;
};

enum wall_change {
    WALL_AS_BEFORE,
    WALL_JUMPED,   /* it is not believed from now on */
    WALL_BELIEVED, /* it is again */
};

/*
 * One reading of both clocks, in milliseconds. The first one is held against `known_ms`, when the
 * newest message came (0: there is none, and nothing to lose): a relay that has stood still for
 * days, or starts with a wrong clock, waits as well.
 */
enum wall_change wall_trust_read(
    struct wall_trust *trust, uint64_t wall_ms, uint64_t monotonic_ms, uint64_t known_ms);

#endif
