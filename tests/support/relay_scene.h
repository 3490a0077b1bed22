/*
 * Three clients of a malicious relay, which puts aside what goes to bob: for tests that play the relay
 * and show its clients something else, or at another time.
 */
#ifndef TESTS_RELAY_SCENE_H
#define TESTS_RELAY_SCENE_H

#include "tests/support/simulation.h"

enum { RELAY_KEPT_MAX = 8 };

/* What the relay has put aside. */
struct relay_kept {
    size_t count;
    struct signet_buf messages[RELAY_KEPT_MAX]; /* encoded, in the order in which they came */
    enum relay_type type;                       /* which ones to keep */
    bool also_deliver;
    struct signet_buf replacement; /* a card or bundle to show instead */
};

struct relay_scene {
    struct simulation sim;
    struct sim_client *alice, *bob, *carol;
    struct relay_kept kept; /* of what goes to bob */
};

/* All three have joined and are connected. Messages of that type do not reach bob any more, unless the
 * test sets also_deliver. */
void relay_scene_open(struct relay_scene *scene, uint64_t seed, enum relay_type type);
void relay_scene_close(struct relay_scene *scene);
/* Append a message as it is: what an honest relay does in an intercept. */
void relay_scene_pass(const struct relay_message *message, struct signet_buf *out);
void relay_scene_check_history(
    struct sim_client *client, const struct sim_client *peer, const char *wanted);

#endif
