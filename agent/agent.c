/* An agent from its beginning to its end. */
#include "agent/agent.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "agent/online.h"
#include "io/clock.h"

enum { WATCH_MS = 600000 };

struct engine_config agent_engine_config(const struct agent_place *place)
{
    return (struct engine_config){
        .library = place->library,
        .records = store_source(home_store(place->home)),
        .explain = place->explain,
        .patience = clock_patience(),
    };
}

enum signet_err agent_open(struct agent *agent, const struct agent_place *place)
{
    struct engine_config config = agent_engine_config(place);
    enum signet_err err;

    *agent = (struct agent){.place = *place, .records = config.records};
    if ((err = engine_open(&config, &agent->engine)) != SIGNET_OK)
        agent_report(&agent->place, err);
    return err;
}

enum signet_err agent_open_registered(struct agent *agent, const struct agent_place *place)
{
    enum signet_err err = agent_open(agent, place);

    if (err != SIGNET_OK || engine_is_registered(agent->engine))
        return err;
    report_error(place->report, "not-registered",
        "join again with signet join LINK --name NAME, which uses the keys that are there",
        "the account in %s is not registered at a relay yet", home_path(place->home));
    return SIGNET_ERR_STATE;
}

/* ---- beginning ---- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct agent *agent = handle->data;
    struct agent_online *online = agent->online;

    if (online->handler->on_interrupt == NULL)
        agent_end(agent, EXIT_FAILED);
    else if (!online->has_ended)
        online->handler->on_interrupt(online->ctx, number);
}

/* Who has started us with nohup wants us to go on without the terminal. */
static bool is_hangup_ignored(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    return sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static enum signet_err watch_signals(struct agent *agent)
{
    static const int numbers[AGENT_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
    struct agent_online *online = agent->online;

    for (size_t i = 0; i < AGENT_SIGNALS; i++) {
        (void)uv_signal_init(&online->loop, &online->signals[i]);
        online->signals[i].data = agent;
        if (numbers[i] == SIGHUP && is_hangup_ignored())
            continue;
        if (uv_signal_start(&online->signals[i], on_signal, numbers[i]) != 0)
            return SIGNET_ERR_IO;
    }
    return SIGNET_OK;
}

static void make_timers(struct agent *agent)
{
    struct agent_online *online = agent->online;
    uv_timer_t *timers[] = {&online->turn, &online->watch, &online->quiet, &online->due};

    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
        (void)uv_timer_init(&online->loop, timers[i]); /* cannot fail */
        timers[i]->data = agent;
    }
    online->on_turn = agent_on_turn;
    online->on_due = agent_on_due;
    (void)uv_timer_start(&online->watch, agent_on_watch, WATCH_MS, WATCH_MS);
}

/* The loop is there. */
static enum signet_err start(struct agent *agent)
{
    struct agent_online *online = agent->online;
    enum signet_err err;

    make_timers(agent);
    if ((err = watch_signals(agent)) != SIGNET_OK)
        return err;
    return link_new(
        &online->loop, engine_relay(agent->engine), &agent_link_handler, agent, &online->link);
}

enum signet_err agent_start(struct agent *agent, const struct agent_handler *handler, void *ctx)
{
    struct agent_online *online = calloc(1, sizeof(*online));
    enum signet_err err = SIGNET_ERR_NOMEM;

    if (online != NULL && uv_loop_init(&online->loop) == 0) {
        online->handler = handler;
        online->ctx = ctx;
        agent->online = online;
        online = NULL;
        err = start(agent);
    }
    free(online);
    if (err != SIGNET_OK)
        report_error(
            agent->place.report, "machine", NULL, "cannot start: %s", signet_err_text(err));
    return err;
}

uv_loop_t *agent_loop(struct agent *agent)
{
    return &agent->online->loop;
}

/* ---- end ---- */

enum exit_code agent_run(struct agent *agent)
{
    struct agent_online *online = agent->online;

    while (!online->has_ended)
        (void)uv_run(&online->loop, UV_RUN_DEFAULT);
    link_finish(online->link, !agent->is_broken); /* nobody waits for the answer */
    return online->code;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void go_offline(struct agent *agent)
{
    struct agent_online *online = agent->online;
    struct engine_event *event;

    online->has_ended = true;
    link_close(online->link);
    (void)uv_run(&online->loop, UV_RUN_NOWAIT); /* io's own handles are closed here */
    uv_walk(&online->loop, close_handle, NULL);
    (void)uv_run(&online->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&online->loop);
    link_free(online->link);
    while ((event = agent_take_event(agent)) != NULL)
        free(event);
    free(online);
}

void agent_close(struct agent *agent)
{
    if (agent->online != NULL)
        go_offline(agent);
    engine_free(agent->engine);
    memset(agent, 0, sizeof(*agent));
}
