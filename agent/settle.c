/* What follows every call of the engine: disk, then relay, then events. */
#include <stdlib.h>

#include "agent/online.h"
#include "io/clock.h"

enum {
    FORGET_MS = 1000, /* after the last commit */
    LOOK_MS = 60000,
};

void agent_report(const struct agent_place *place, enum signet_err err)
{
    const struct report *report = place->report;
    struct home *home = place->home;
    const char *why = store_error_text(home_store(home));

    switch (err) {
    case SIGNET_ERR_IO:
        report_error(report, "store", store_error_hint(home_store(home)),
            "cannot read the store in %s: %s", home_path(home),
            why[0] == '\0' ? signet_err_text(err) : why);
        break;
    case SIGNET_ERR_AUTH:
    case SIGNET_ERR_FORMAT:
    case SIGNET_ERR_KEY:
        report_error(report, "damaged-store",
            "what is damaged cannot be read again; `signet history` shows what can",
            "a record in %s is damaged, or was changed by others", home_path(home));
        break;
    case SIGNET_ERR_UNKNOWN:
        report_error(report, "no-account", "make one with signet join LINK --name NAME",
            "there is no account in %s", home_path(home));
        break;
    default: report_error(report, "machine", NULL, "cannot go on: %s", signet_err_text(err)); break;
    }
}

static void report_commit(const struct agent *agent, enum signet_err err)
{
    struct store *store = home_store(agent->place.home);
    const char *why = store_error_text(store);

    report_error(agent->place.report, "store", store_error_hint(store),
        "cannot store: %s; nothing was sent or acknowledged",
        why[0] == '\0' ? signet_err_text(err) : why);
}

enum signet_err agent_commit(struct agent *agent, enum signet_err err, struct engine_output *output)
{
    if (agent->is_broken)
        return SIGNET_ERR_STATE;
    if (err != SIGNET_OK) {
        agent->is_broken = true;
        agent_report(&agent->place, err);
        return err;
    }
    if (output->changes.count == 0)
        return SIGNET_OK;
    if ((err = store_commit(home_store(agent->place.home), &output->changes)) != SIGNET_OK) {
        agent->is_broken = true;
        report_commit(agent, err);
        return err;
    }
    record_batch_clear(&output->changes);
    return SIGNET_OK;
}

/* Quiet: the keys that were used need not stay on the disk until more are. */
static void on_quiet(uv_timer_t *timer)
{
    struct agent *agent = timer->data;

    if (agent_is_usable(agent))
        store_forget(home_store(agent->place.home));
}

static enum signet_err send_frames(struct agent *agent, struct engine_output *output)
{
    struct engine_frame *frame;
    enum signet_err err = SIGNET_OK;

    while ((frame = engine_output_frame(output)) != NULL) {
        /* What cannot be sent, since the connection is ending, stays in the outbox. */
        if (err == SIGNET_OK)
            err = link_send(agent->online->link, signet_buf_span(&frame->bytes));
        engine_frame_free(frame);
    }
    return err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_CRYPTO ? err : SIGNET_OK;
}

static void watch_time(struct agent *agent)
{
    uint64_t deadline = engine_deadline(agent->engine), now_ms = clock_wall_ms();
    uint64_t wait_ms = deadline > now_ms ? deadline - now_ms : 0;

    if (deadline == UINT64_MAX) {
        (void)uv_timer_stop(&agent->online->due);
        return;
    }
    uv_update_time(&agent->online->loop);
    /* Looked at in between, too: the wall clock may have been set. */
    (void)uv_timer_start(
        &agent->online->due, agent->online->on_due, wait_ms < LOOK_MS ? wait_ms : LOOK_MS, 0);
}

enum signet_err agent_settle(struct agent *agent, enum signet_err err, struct engine_output *output)
{
    struct engine_event *event;

    if (output->changes.count > 0)
        (void)uv_timer_start(&agent->online->quiet, on_quiet, FORGET_MS, 0);
    if ((err = agent_commit(agent, err, output)) == SIGNET_OK &&
        (err = send_frames(agent, output)) != SIGNET_OK)
        agent_report(&agent->place, err);
    while (err == SIGNET_OK && (event = engine_output_event(output)) != NULL)
        agent_add_event(agent, event);
    engine_output_clear(output);
    watch_time(agent);
    if (err != SIGNET_OK)
        agent_end(agent, EXIT_FAILED);
    else if (agent->online->first_event != NULL)
        agent_deliver_later(agent);
    return err;
}

enum signet_err agent_disconnected(struct agent *agent)
{
    struct engine_output output = {0};
    enum signet_err err = engine_disconnected(agent->engine, clock_wall_ms(), &output);

    return agent_settle(agent, err, &output);
}

enum signet_err agent_send(struct agent *agent, const struct engine_text *text)
{
    struct engine_output output = {0};
    enum signet_err err;

    if (!agent_is_usable(agent))
        return SIGNET_ERR_STATE;
    err = engine_send(agent->engine, text, clock_wall_ms(), &output);
    err = agent_settle(agent, err, &output);
    if (err == SIGNET_OK && !link_is_open(agent->online->link)) {
        agent->online->has_offline_texts = true;
        agent_deliver_later(agent);
    }
    return err;
}

enum signet_err agent_subscribe(struct agent *agent)
{
    struct engine_output output = {0};
    enum signet_err err;

    if (!agent_is_usable(agent))
        return SIGNET_ERR_STATE;
    err = engine_subscribe(agent->engine, &output);
    return agent_settle(agent, err, &output);
}

enum signet_err agent_shown(struct agent *agent, uint64_t number)
{
    struct engine_output output = {0};
    enum signet_err err;

    if (!agent_is_usable(agent))
        return SIGNET_ERR_STATE;
    err = engine_shown(agent->engine, number, &output);
    return agent_settle(agent, err, &output);
}
