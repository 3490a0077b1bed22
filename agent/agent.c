/* An engine at work on a home. */
#include "agent/agent.h"

#include <string.h>

struct engine_config desk_config(const struct context *context, struct home *home)
{
    return (struct engine_config){
        .library = context->library,
        .records = store_source(home_store(home)),
        .explain = context->line->explain,
    };
}

void desk_report(const struct context *context, struct home *home, enum signet_err err)
{
    const char *why = store_error_text(home_store(home));

    switch (err) {
    case SIGNET_ERR_IO:
        report_error(context->report, "store", store_error_hint(home_store(home)),
            "cannot read the store in %s: %s", home_path(home),
            why[0] == '\0' ? signet_err_text(err) : why);
        break;
    case SIGNET_ERR_AUTH:
    case SIGNET_ERR_FORMAT:
    case SIGNET_ERR_KEY:
        report_error(context->report, "damaged-store",
            "what is damaged cannot be read again; `signet history` shows what can",
            "a record in %s is damaged, or was changed by others", home_path(home));
        break;
    case SIGNET_ERR_UNKNOWN:
        report_error(context->report, "no-account", "make one with signet join LINK --name NAME",
            "there is no account in %s", home_path(home));
        break;
    default:
        report_error(context->report, "machine", NULL, "cannot go on: %s", signet_err_text(err));
        break;
    }
}

enum signet_err desk_open(struct desk *desk, const struct context *context, struct home *home)
{
    struct engine_config config = desk_config(context, home);
    enum signet_err err;

    *desk = (struct desk){.context = context, .home = home, .records = config.records};
    if ((err = engine_open(&config, &desk->engine)) != SIGNET_OK)
        desk_report(context, home, err);
    return err;
}

enum signet_err desk_open_registered(
    struct desk *desk, const struct context *context, struct home *home)
{
    enum signet_err err = desk_open(desk, context, home);

    if (err != SIGNET_OK || engine_is_registered(desk->engine))
        return err;
    report_error(context->report, "not-registered",
        "join again with signet join LINK --name NAME, which uses the keys that are there",
        "the account in %s is not registered at a relay yet", home_path(home));
    return SIGNET_ERR_STATE;
}

void desk_close(struct desk *desk)
{
    engine_free(desk->engine);
    memset(desk, 0, sizeof(*desk));
}

static void report_commit(const struct desk *desk, enum signet_err err)
{
    const char *why = store_error_text(home_store(desk->home));

    report_error(desk->context->report, "store", store_error_hint(home_store(desk->home)),
        "cannot store: %s; nothing was sent or acknowledged",
        why[0] == '\0' ? signet_err_text(err) : why);
}

enum signet_err desk_commit(struct desk *desk, enum signet_err err, struct engine_output *output)
{
    if (desk->is_broken)
        return SIGNET_ERR_STATE;
    if (err != SIGNET_OK) {
        desk->is_broken = true;
        desk_report(desk->context, desk->home, err);
        return err;
    }
    if (output->changes.count == 0)
        return SIGNET_OK;
    if ((err = store_commit(home_store(desk->home), &output->changes)) != SIGNET_OK) {
        desk->is_broken = true;
        report_commit(desk, err);
        return err;
    }
    record_batch_clear(&output->changes);
    return SIGNET_OK;
}

enum exit_code desk_report_problem(const struct context *context, const struct engine_event *event)
{
    enum engine_problem problem = event->problem;

    report_error(context->report, engine_problem_word(problem), engine_problem_hint(problem),
        "%s%s%s", event->text, event->text[0] == '\0' ? "" : ": ", engine_problem_text(problem));
    return engine_problem_is_refusal(problem) ? EXIT_REFUSED : EXIT_FAILED;
}
