/* What follows every call of the engine: disk, then relay, then events. */
#include <stdlib.h>

#include "agent/link/link_internal.h"
#include "io/clock.h"

enum {
    FORGET_MS = 1000, /* after the last commit */
    LOOK_MS = 60000,
};

/* Quiet: the keys that were used need not stay on the disk until more are. */
static void on_quiet(uv_timer_t *timer)
{
    struct link *link = timer->data;

    if (link_is_usable(link))
        store_forget(home_store(link->agent->place.home));
}

static enum signet_err send_frames(struct link *link, struct engine_output *output)
{
    struct engine_frame *frame;
    enum signet_err err = SIGNET_OK;

    while ((frame = engine_output_frame(output)) != NULL) {
        /* What cannot be sent, since the connection is ending, stays in the outbox. */
        if (link->is_open && err == SIGNET_OK)
            err = io_connection_send(link->connection, signet_buf_span(&frame->bytes));
        engine_frame_free(frame);
    }
    return err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_CRYPTO ? err : SIGNET_OK;
}

static void watch_time(struct link *link)
{
    uint64_t deadline = engine_deadline(link->agent->engine), now_ms = clock_wall_ms();
    uint64_t wait_ms = deadline > now_ms ? deadline - now_ms : 0;

    if (deadline == UINT64_MAX) {
        (void)uv_timer_stop(&link->due);
        return;
    }
    uv_update_time(&link->uv);
    /* Looked at in between, too: the wall clock may have been set. */
    (void)uv_timer_start(&link->due, link->on_due, wait_ms < LOOK_MS ? wait_ms : LOOK_MS, 0);
}

enum signet_err link_settle(struct link *link, enum signet_err err, struct engine_output *output)
{
    struct engine_event *event;

    if (output->changes.count > 0)
        (void)uv_timer_start(&link->quiet, on_quiet, FORGET_MS, 0);
    if ((err = agent_commit(link->agent, err, output)) == SIGNET_OK &&
        (err = send_frames(link, output)) != SIGNET_OK)
        agent_report(&link->agent->place, err);
    while (err == SIGNET_OK && (event = engine_output_event(output)) != NULL)
        link_add_event(link, event);
    engine_output_clear(output);
    watch_time(link);
    if (err != SIGNET_OK)
        link_end(link, EXIT_FAILED);
    else if (link->first_event != NULL)
        link_deliver_later(link);
    return err;
}

enum signet_err link_disconnected(struct link *link)
{
    struct engine_output output = {0};
    enum signet_err err = engine_disconnected(link->agent->engine, clock_wall_ms(), &output);

    return link_settle(link, err, &output);
}

enum signet_err link_send(struct link *link, const struct engine_text *text)
{
    struct engine_output output = {0};
    enum signet_err err;

    if (!link_is_usable(link))
        return SIGNET_ERR_STATE;
    err = engine_send(link->agent->engine, text, clock_wall_ms(), &output);
    err = link_settle(link, err, &output);
    if (err == SIGNET_OK && !link->is_open) {
        link->has_offline_texts = true;
        link_deliver_later(link);
    }
    return err;
}

enum signet_err link_subscribe(struct link *link)
{
    struct engine_output output = {0};
    enum signet_err err;

    if (!link_is_usable(link))
        return SIGNET_ERR_STATE;
    err = engine_subscribe(link->agent->engine, &output);
    return link_settle(link, err, &output);
}

enum signet_err link_shown(struct link *link, uint64_t number)
{
    struct engine_output output = {0};
    enum signet_err err;

    if (!link_is_usable(link))
        return SIGNET_ERR_STATE;
    err = engine_shown(link->agent->engine, number, &output);
    return link_settle(link, err, &output);
}
