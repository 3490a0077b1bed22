/* signet contacts: whom we know, and how sure we are that it is them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "cli/commands/commands.h"
#include "cli/show.h"
#include "term/json.h"
#include "term/text.h"

/* ---- showing ---- */

static enum signet_err as_json(const struct contact *contact, struct signet_buf *out)
{
    char text[SIGNET_ID_TEXT_SIZE];
    struct json json;

    json_begin(&json, out);
    json_object(&json, NULL);
    json_text(&json, "name", contact->name[0] == '\0' ? NULL : contact->name);
    signet_id_text(&contact->address, text);
    json_text(&json, "address", text);
    json_text(&json, "contact", contact_state_word(contact->state));
    json_array(&json, "devices");
    for (size_t i = 0; i < signet_card_device_count(contact->card); i++) {
        signet_id_text(signet_card_device(contact->card, i), text);
        json_text(&json, NULL, text);
    }
    json_end(&json);
    if (contact->has_changed) {
        signet_id_text(&contact->changed_to, text);
        json_text(&json, "changed_to", text);
    }
    json_end(&json);
    return json_finish(&json);
}

static enum signet_err as_line(const struct contact *contact, struct signet_buf *out)
{
    char groups[SIGNET_ID_GROUPS_SIZE];

    signet_id_groups(&contact->address, groups);
    return text_format(out, "%-16s %-10s %s%s", contact->name[0] == '\0' ? "-" : contact->name,
        contact_state_word(contact->state), groups,
        contact->has_changed ? "   !! its name has gone over to another identity" : "");
}

static enum signet_err as_page(const struct contact *contact, struct signet_buf *out)
{
    char text[SIGNET_ID_GROUPS_SIZE];
    enum signet_err err;

    signet_id_groups(&contact->address, text);
    err = text_format(out, "name         %s\ncontact      %s\nfingerprint  %s",
        contact->name[0] == '\0' ? "(none known)" : contact->name,
        contact_state_word(contact->state), text);
    for (size_t i = 0; err == SIGNET_OK && i < signet_card_device_count(contact->card); i++) {
        signet_id_groups(signet_card_device(contact->card, i), text);
        err = text_format(out, "\ndevice       %s", text);
    }
    if (err == SIGNET_OK)
        err = text_format(out, "\nkeys         RSA-%u, device list version %" PRIu64 "%s",
            signet_card_identity_bits(contact->card), signet_card_version(contact->card),
            contact->is_expired ? ", expired" : "");
    if (err == SIGNET_OK && contact->has_changed) {
        signet_id_groups(&contact->changed_to, text);
        err = text_format(out, "\nchanged to   %s", text);
    }
    return err;
}

static enum exit_code print(const struct context *context, const struct contact *contact,
    enum signet_err (*write)(const struct contact *contact, struct signet_buf *out))
{
    struct signet_buf out = {0};
    enum signet_err err = context->line->json ? as_json(contact, &out) : write(contact, &out);

    if (err == SIGNET_OK)
        err = report_result(context->report, signet_buf_span(&out));
    signet_buf_free(&out);
    return err == SIGNET_OK ? EXIT_DONE : EXIT_FAILED;
}

/* Find a contact. Reports. */
static bool find(const struct agent *agent, const char *peer, struct contact *contact)
{
    enum signet_err err = engine_contact(agent->engine, peer, contact);

    if (err == SIGNET_OK)
        return true;
    if (err == SIGNET_ERR_UNKNOWN)
        report_error(agent->place.report, "unknown-contact",
            "signet contacts list names them; sending to a name makes it a contact",
            "%s is not among your contacts", peer);
    else
        agent_report(&agent->place, err);
    return false;
}

/* ---- list ---- */

struct listing {
    const struct agent *agent;
    struct contact *all;
    size_t count, capacity, damaged;
};

static enum signet_err visit(void *ctx, uint64_t number, signet_span value)
{
    struct listing *listing = ctx;
    struct contact *all;

    (void)number;
    if (listing->count == listing->capacity) {
        listing->capacity = listing->capacity == 0 ? 16 : listing->capacity * 2;
        all = reallocarray(listing->all, listing->capacity, sizeof(*all));
        if (all == NULL)
            return SIGNET_ERR_NOMEM;
        listing->all = all;
    }
    if (value.len == 0 || contact_decode(listing->agent->place.library, value,
                              &listing->all[listing->count]) != SIGNET_OK)
        listing->damaged++;
    else
        listing->count++;
    return SIGNET_OK;
}

/* By name, those without one last. */
static int compare(const void *one, const void *other)
{
    const struct contact *a = one, *b = other;
    int order = (a->name[0] == '\0') - (b->name[0] == '\0');

    if (order == 0)
        order = strcmp(a->name, b->name);
    return order != 0 ? order : signet_id_compare(&a->address, &b->address);
}

static enum exit_code list(const struct context *context, struct agent *agent)
{
    const struct record_key all = {.kind = RECORD_CONTACT};
    struct listing listing = {.agent = agent};
    enum exit_code code = EXIT_DONE;
    enum signet_err err = agent->records.scan(agent->records.ctx, &all, visit, &listing);

    if (err != SIGNET_OK) {
        agent_report(&agent->place, err);
        code = EXIT_FAILED;
    }
    if (listing.count > 0)
        qsort(listing.all, listing.count, sizeof(listing.all[0]), compare);
    for (size_t i = 0; code == EXIT_DONE && i < listing.count; i++)
        code = print(context, &listing.all[i], as_line);
    if (code == EXIT_DONE && listing.damaged > 0) {
        agent_report(&agent->place, SIGNET_ERR_AUTH);
        code = EXIT_FAILED;
    }
    for (size_t i = 0; i < listing.count; i++)
        contact_clear(&listing.all[i]);
    free(listing.all);
    return code;
}

/* ---- the others ---- */

static enum exit_code show(const struct context *context, struct agent *agent)
{
    struct contact contact = {0};
    enum exit_code code;

    if (!find(agent, context->line->args[1], &contact))
        return EXIT_FAILED;
    code = print(context, &contact, as_page);
    contact_clear(&contact);
    return code;
}

/* Ask whether the fingerprints were compared; the question goes where the person looks. */
static bool ask(const struct agent *agent, const struct contact *contact)
{
    const char *name = contact->name[0] == '\0' ? "theirs" : contact->name;
    char own[SIGNET_ID_GROUPS_SIZE], other[SIGNET_ID_GROUPS_SIZE];
    char answer[16] = {0};

    signet_id_groups(signet_account_address(engine_account(agent->engine)), own);
    signet_id_groups(&contact->address, other);
    (void)fprintf(stderr,
        "Compare both in person, or over a way that nobody else can change:\n"
        "  %-16s %s\n  %-16s %s\n"
        "Type yes if they are the same on both sides: ",
        engine_name(agent->engine), own, name, other);
    (void)fflush(stderr);
    return fgets(answer, sizeof(answer), stdin) != NULL && strcmp(answer, "yes\n") == 0;
}

/* Tell what became of a contact that was changed. */
static enum exit_code finish(const struct context *context, struct agent *agent, const char *peer)
{
    struct contact contact = {0};
    enum exit_code code;

    if (!find(agent, peer, &contact))
        return EXIT_FAILED;
    code = print(context, &contact, as_line);
    contact_clear(&contact);
    return code;
}

static enum exit_code verify(const struct context *context, struct agent *agent)
{
    const char *peer = context->line->args[1];
    struct engine_output output = {0};
    struct contact contact = {0};
    struct signet_id address;
    /* Who can give the whole fingerprint has compared it. */
    bool is_compared = signet_id_parse(peer, &address) == SIGNET_OK;
    enum exit_code code = EXIT_FAILED;

    if (!is_compared && !(isatty(STDIN_FILENO) && isatty(STDERR_FILENO)))
        return command_misused(context,
            "nobody is at the terminal: give the fingerprint that you have compared, not a name");
    if (!find(agent, peer, &contact))
        goto out;
    if (!is_compared && !ask(agent, &contact)) {
        report_error(context->report, "not-confirmed", NULL, "nothing was changed");
        goto out;
    }
    if (agent_commit(agent, engine_confirm(agent->engine, &contact.address, &output), &output) ==
        SIGNET_OK)
        code = finish(context, agent, peer);
out:
    engine_output_clear(&output);
    contact_clear(&contact);
    return code;
}

static enum exit_code accept_identity(const struct context *context, struct agent *agent)
{
    const char *fingerprint = context->line->args[1];
    struct engine_output output = {0};
    struct signet_id address;
    enum exit_code code = EXIT_FAILED;
    enum signet_err err;

    if (signet_id_parse(fingerprint, &address) != SIGNET_OK)
        return command_misused(context, "accept takes a fingerprint, 64 hexadecimal digits");
    err = engine_accept(agent->engine, &address, &output);
    if (err == SIGNET_ERR_UNKNOWN)
        report_error(context->report, "unknown-contact",
            "it must have written to you, or have shown itself under a contact's name",
            "no such identity was seen");
    else if (err == SIGNET_ERR_STATE)
        report_error(context->report, "several-names", "ask the relay's operator; write to neither",
            "the relay has shown that identity under the names of several contacts");
    else if (agent_commit(agent, err, &output) == SIGNET_OK)
        code = finish(context, agent, fingerprint);
    engine_output_clear(&output);
    return code;
}

static const struct verb {
    const char *name;
    bool takes_peer;
    enum exit_code (*run)(const struct context *context, struct agent *agent);
} verbs[] = {
    {"list", false, list},
    {"show", true, show},
    {"verify", true, verify},
    {"accept", true, accept_identity},
};

/* NULL: there is none of that name. */
static const struct verb *find_verb(const struct context *context)
{
    const char *name = context->line->arg_count == 0 ? verbs[0].name : context->line->args[0];

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static enum exit_code check(const struct context *context)
{
    const struct verb *verb = find_verb(context);

    if (verb == NULL)
        return command_misused(
            context, "there is no %s: list, show, verify or accept", context->line->args[0]);
    if (verb->takes_peer != (context->line->arg_count == 2))
        return command_misused(
            context, verb->takes_peer ? "%s whom?" : "%s takes no argument", verb->name);
    return EXIT_DONE;
}

static enum exit_code run(struct context *context)
{
    struct agent_place place = command_place(context, context->home);
    struct agent agent = {0};
    enum exit_code code = EXIT_FAILED;

    if (agent_open(&agent, &place) == SIGNET_OK)
        code = find_verb(context)->run(context, &agent);
    agent_close(&agent);
    return code;
}

const struct command cmd_contacts = {
    .name = "contacts",
    .usage = "contacts [list | show PEER | verify PEER | accept FINGERPRINT]",
    .summary = "whom you know, and how sure it is that it is them",
    .help = "verify  note that you have compared their fingerprint in person\n"
            "accept  make a stranger a contact, or accept that a contact has a new identity",
    .max_args = 2,
    .needs = NEEDS_HOME,
    .check = check,
    .run = run,
};
