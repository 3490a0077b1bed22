/* An engine at work on a home. */
#include "agent/agent.h"

#include <string.h>

struct engine_config agent_engine_config(const struct agent_place *place)
{
    return (struct engine_config){
        .library = place->library,
        .records = store_source(home_store(place->home)),
        .explain = place->explain,
    };
}

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

void agent_close(struct agent *agent)
{
    engine_free(agent->engine);
    memset(agent, 0, sizeof(*agent));
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
