/* signet join: make an account and register it at the relay of an invitation. */
#include <stdlib.h>
#include <string.h>

#include "cli/commands/commands.h"
#include "cli/explain.h"
#include "cli/problem.h"
#include "cli/show.h"
#include "io/clock.h"
#include "term/json.h"
#include "term/text.h"

struct joining {
    const struct context *context;
    struct invitation invitation;
    const char *name;
    struct home *home;
    char *next_path; /* where the next identity key was written; NULL: not in this run */
    struct agent agent;
    unsigned steps;
};

/* The home: a new one, or one that an earlier attempt has left unregistered. Reports. */
static enum signet_err take_home(struct joining *joining)
{
    const struct context *context = joining->context;
    struct home_place place = {
        .folder = context->home_folder,
        .library = context->library,
        .report = context->report,
        .asker = &ask_terminal,
    };
    enum signet_err err;

    if (context->home_folder == NULL) {
        report_error(context->report, "home", "give --home DIR or set HOME",
            "there is no folder for the account");
        return SIGNET_ERR_UNKNOWN;
    }
    if ((err = home_open(&place, &joining->home)) == SIGNET_ERR_UNKNOWN)
        err = home_create(&place, &joining->home);
    return err;
}

static enum signet_err report_prepare(const struct joining *joining, enum signet_err err)
{
    const struct report *report = joining->context->report;

    if (err == SIGNET_ERR_STATE)
        report_error(report, "joined", "for another account give another --home DIR",
            "the account in %s has joined a relay already", home_path(joining->home));
    else
        agent_report(&joining->agent.place, err);
    return err;
}

/*
 * Make the keys, unless they are there. The next identity key is in its file before the account
 * that announces it is in the store: a crash between the two leaves a file too many, not a key lost.
 */
static enum signet_err prepare(struct joining *joining)
{
    struct engine_config config = agent_engine_config(&joining->agent.place);
    struct engine_join join = {
        .invitation = &joining->invitation,
        .name = joining->name,
        .now_ms = clock_wall_ms(),
    };
    struct signet_next_identity next = {0};
    struct engine_output output = {0};
    struct engine_event *event;
    bool has_keys = false;
    enum signet_err err;

    if ((err = store_holds(home_store(joining->home), RECORD_ACCOUNT, &has_keys)) != SIGNET_OK) {
        agent_report(&joining->agent.place, err);
        goto out;
    }
    if (!has_keys)
        report_note(joining->context->report, "making keys: this takes a few seconds");
    if ((err = engine_prepare(&config, &join, &next, &output)) != SIGNET_OK) {
        (void)report_prepare(joining, err);
        goto out;
    }
    if (next.pkcs8.len > 0 && (err = home_next_identity_write(joining->home,
                                   signet_buf_span(&next.pkcs8), &joining->next_path)) != SIGNET_OK)
        goto out;
    if ((err = agent_commit(&joining->agent, SIGNET_OK, &output)) != SIGNET_OK)
        goto out;
    while ((event = engine_output_event(&output)) != NULL) {
        if (event->type == EVENT_STEP)
            explain_step(joining->context->report, &event->step, ++joining->steps);
        free(event);
    }
out:
    engine_output_clear(&output);
    signet_buf_free(&next.pkcs8);
    return err;
}

static enum signet_err as_json(const struct joining *joining, struct signet_buf *out)
{
    const struct signet_account *account = engine_account(joining->agent.engine);
    char address[SIGNET_ID_TEXT_SIZE], device[SIGNET_ID_TEXT_SIZE];
    struct json json;

    signet_id_text(signet_account_address(account), address);
    signet_id_text(signet_account_device(account), device);
    json_begin(&json, out);
    json_object(&json, NULL);
    json_text(&json, "name", engine_name(joining->agent.engine));
    json_text(&json, "address", address);
    json_text(&json, "device", device);
    json_text(&json, "relay", agent_relay(&joining->agent));
    json_text(&json, "next_identity", joining->next_path);
    json_end(&json);
    return json_finish(&json);
}

static enum signet_err as_text(const struct joining *joining, struct signet_buf *out)
{
    char groups[SIGNET_ID_GROUPS_SIZE];

    signet_id_groups(signet_account_address(engine_account(joining->agent.engine)), groups);
    return text_format(out, "joined %s as %s\nfingerprint %s", agent_relay(&joining->agent),
        engine_name(joining->agent.engine), groups);
}

static void finish(struct joining *joining)
{
    const struct report *report = joining->context->report;
    struct signet_buf out = {0};
    enum signet_err err = report->json ? as_json(joining, &out) : as_text(joining, &out);

    if (err == SIGNET_OK)
        err = report_result(report, signet_buf_span(&out));
    signet_buf_free(&out);
    if (joining->next_path != NULL)
        report_note(report,
            "the key that may follow your identity is in %s: move it to a safe place, away from "
            "this machine",
            joining->next_path);
    agent_end(&joining->agent, err == SIGNET_OK ? EXIT_DONE : EXIT_FAILED);
}

static void on_event(void *ctx, const struct engine_event *event)
{
    struct joining *joining = ctx;
    const struct context *context = joining->context;

    switch (event->type) {
    case EVENT_STEP: explain_step(context->report, &event->step, ++joining->steps); break;
    case EVENT_NOTE: report_note(context->report, "%s", event->text); break;
    case EVENT_FAILED: agent_end(&joining->agent, problem_report(context->report, event)); break;
    case EVENT_READY: finish(joining); break;
    default: break;
    }
}

/* The keys stay: joining again, with the same invitation or another, uses them. */
static void on_down(void *ctx, const struct agent_down *down)
{
    struct joining *joining = ctx;
    agent_report_down(&joining->agent, down);
}

/* What can be known to be wrong before anything is made. */
static enum exit_code check(struct joining *joining)
{
    const struct context *context = joining->context;

    joining->name = command_value(context->line, "name");
    if (joining->name == NULL)
        return command_misused(context, "give the name to be known by: --name NAME");
    if (!signet_name_is_valid(signet_span_str(joining->name))) {
        report_error(context->report, engine_problem_word(PROBLEM_BAD_NAME),
            "a name is 1 to 32 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit",
            "%s cannot be a name", joining->name);
        return EXIT_FAILED;
    }
    if (invitation_read(context->line->args[0], &joining->invitation) != SIGNET_OK) {
        report_error(context->report, "bad-invitation",
            "it is one line, signet://HOST:PORT/..., as the operator gave it",
            "this is not an invitation");
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static enum exit_code run(struct context *context)
{
    static const struct agent_handler handler = {.on_event = on_event, .on_down = on_down};
    struct joining joining = {.context = context};
    enum exit_code code;

    if ((code = check(&joining)) != EXIT_DONE)
        return code;
    code = EXIT_FAILED;
    if (take_home(&joining) != SIGNET_OK)
        goto out;
    joining.agent.place = command_place(context, joining.home);
    if (prepare(&joining) != SIGNET_OK)
        goto out;
    if (agent_open(&joining.agent, &joining.agent.place) != SIGNET_OK)
        goto out;
    if (agent_start(&joining.agent, &handler, &joining) != SIGNET_OK)
        goto out;
    agent_connect(&joining.agent);
    code = agent_run(&joining.agent);
out:
    agent_close(&joining.agent);
    home_close(joining.home);
    free(joining.next_path);
    return code;
}

const struct command cmd_join = {
    .name = "join",
    .usage = "join LINK --name NAME",
    .summary = "make an account at the relay that LINK invites to",
    .help = "LINK is the invitation that the relay's operator gave you.",
    .options = {{"name", "NAME", "what others call you: a-z, 0-9, '.', '_', '-'"}},
    .min_args = 1,
    .max_args = 1,
    .needs = NEEDS_LIBRARY,
    .run = run,
};
