/* signet history: what was said, from the store alone. */
#include "cli/commands/commands.h"
#include "cli/history.h"
#include "cli/show.h"
#include "io/clock.h"

static enum signet_err print(
    struct show *show, const struct agent *agent, const struct inbox_item *item)
{
    struct signet_buf out = {0};
    struct message message = {0};
    enum signet_err err = inbox_read(agent, item, &message);

    if (err == SIGNET_OK)
        err = show_message(show, &message, clock_wall_ms(), &out);
    else if (err != SIGNET_ERR_IO && err != SIGNET_ERR_NOMEM)
        err = show_damaged(show, item->number, &out);
    message_clear(&message);
    if (err != SIGNET_OK)
        agent_report(&agent->place, err);
    else
        err = report_result(agent->place.report, signet_buf_span(&out));
    signet_buf_free(&out);
    return err;
}

/* Whose conversation is asked for. Reports. */
static enum signet_err find_peer(const struct agent *agent, const char *peer, struct signet_id *id)
{
    struct contact contact = {0};
    enum signet_err err;

    if (signet_id_parse(peer, id) == SIGNET_OK)
        return SIGNET_OK;
    if ((err = engine_contact(agent->engine, peer, &contact)) == SIGNET_OK)
        *id = contact.address;
    else if (err == SIGNET_ERR_UNKNOWN)
        report_error(agent->place.report, "unknown-contact", "signet contacts list names them",
            "%s is not among your contacts", peer);
    else
        agent_report(&agent->place, err);
    contact_clear(&contact);
    return err;
}

static enum exit_code show_all(
    const struct agent *agent, const struct command_line *line, struct show *show)
{
    struct history history = {0};
    struct signet_id peer;
    enum signet_err err = SIGNET_OK;

    if (line->arg_count > 0 && find_peer(agent, line->args[0], &peer) != SIGNET_OK)
        return EXIT_FAILED;
    err = history_load(&history, agent, line->arg_count > 0 ? &peer : NULL);
    if (err == SIGNET_ERR_ARGUMENT)
        err = SIGNET_OK; /* with oneself: there is none */
    else if (err != SIGNET_OK)
        agent_report(&agent->place, err);
    for (size_t i = 0; err == SIGNET_OK && i < history.count; i++)
        err = print(show, agent, &history.items[i]);
    if (err == SIGNET_OK && history.damaged > 0) {
        agent_report(&agent->place, SIGNET_ERR_AUTH);
        err = SIGNET_ERR_AUTH;
    }
    if (err == SIGNET_OK && show->people.has_damage)
        report_note(agent->place.report, "what was known of a contact is damaged: it is shown as "
                                         "new; compare fingerprints again");
    history_free(&history);
    return err == SIGNET_OK ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_code run(struct context *context)
{
    struct agent_place place = command_place(context, context->home);
    struct show show = {.json = context->line->json};
    struct agent agent = {0};
    enum exit_code code = EXIT_FAILED;

    if (agent_open(&agent, &place) == SIGNET_OK) {
        show.people.engine = agent.engine;
        code = show_all(&agent, context->line, &show);
    }
    people_clear(&show.people);
    agent_close(&agent);
    return code;
}

const struct command cmd_history = {
    .name = "history",
    .usage = "history [PEER]",
    .summary = "show what was said",
    .help =
        "In the order in which it arrived here or was sent, and last what was written while the\n"
        "relay could not be reached. Needs no network.",
    .max_args = 1,
    .needs = NEEDS_HOME,
    .run = run,
};
