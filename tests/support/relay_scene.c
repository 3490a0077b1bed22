/* Three clients of a malicious relay (relay_scene.h). */
#include "tests/support/relay_scene.h"

#include <stdlib.h>

static void free_kept(struct relay_kept *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        signet_buf_free(&kept->messages[i]);
    signet_buf_free(&kept->replacement);
}

void relay_scene_pass(const struct relay_message *message, struct signet_buf *out)
{
    struct relay_message copy = *message;
    struct signet_id path[RELAY_PATH_MAX];

    if (copy.type == RELAY_PREKEYS && copy.has_prekey) {
        size_t count = relay_path_copy(message, path);

        copy.prekey.path = signet_span_of(path, count * sizeof(path[0]));
    }
    CHECK_OK(relay_message_write(&copy, out));
}

/* Put messages of one type aside, and perhaps deliver them too. */
static void keep(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct relay_kept *kept = client->intercept_ctx;

    if (message->type == kept->type) {
        CHECK(kept->count < RELAY_KEPT_MAX);
        relay_scene_pass(message, &kept->messages[kept->count++]);
        if (!kept->also_deliver)
            return;
    }
    relay_scene_pass(message, out);
}

void relay_scene_check_history(
    struct sim_client *client, const struct sim_client *peer, const char *wanted)
{
    char *history = sim_history(client, peer, false);

    assert_string_equal(history, wanted);
    free(history);
}

void relay_scene_open(struct relay_scene *scene, uint64_t seed, enum relay_type type)
{
    memset(scene, 0, sizeof(*scene));
    simulation_open(&scene->sim, seed);
    scene->alice = sim_join(&scene->sim, "alice");
    scene->bob = sim_join(&scene->sim, "bob");
    scene->carol = sim_join(&scene->sim, "carol");
    scene->kept.type = type;
    scene->bob->intercept = keep;
    scene->bob->intercept_ctx = &scene->kept;
}

void relay_scene_close(struct relay_scene *scene)
{
    free_kept(&scene->kept);
    simulation_close(&scene->sim);
}
