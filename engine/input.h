/* What the engine's calls are given (engine.h). */
#ifndef ENGINE_INPUT_H
#define ENGINE_INPUT_H

#include <signet/id.h>

#include "wire/invitation.h"

/* What a home is prepared with to join a relay; all of it is borrowed. */
struct engine_join {
    const struct invitation *invitation;
    const char *name;
    uint64_t now_ms;
};

/* The connection to the relay, as a login is bound to it. */
struct engine_hop {
    struct signet_id pin; /* that the relay showed */
    uint8_t exporter[32];
};

/* A text to send; borrowed. */
struct engine_text {
    const char *peer; /* a name or a fingerprint */
    signet_span text;
    uint64_t token;    /* of the caller's; not 0 */
    bool is_automatic; /* no person has written it: it makes no contact of a stranger */
};

#endif
