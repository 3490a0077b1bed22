/* The list of texts that are not sealed yet: adding, giving up, and saying why. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"

void engine_free_outgoing(struct outgoing *text)
{
    signet_buf_free(&text->text);
    free(text);
}

/* Whom a text is for, in words. */
static void call_text(
    struct engine *e, const struct outgoing *text, char out[SIGNET_ID_GROUPS_SIZE])
{
    char brief[SIGNET_ID_SHORT_SIZE];
    struct contact_slot *slot;
    const char *name = text->peer;

    if (text->has_address && engine_load_contact(e, &text->address, &slot) == SIGNET_OK) {
        name = engine_call_contact(&slot->contact, brief);
    } else if (name[0] == '\0') {
        signet_id_short(&text->address, brief);
        name = brief;
    }
    memcpy(out, name, strlen(name) + 1);
}

/* What has waited in the outbox is not thrown away because a relay says so today. */
static bool is_kept_draft(enum engine_problem problem)
{
    return problem != PROBLEM_SELF && problem != PROBLEM_BAD_NAME && problem != PROBLEM_TEXT;
}

/* EVENT_FAILED about a text. */
static enum signet_err tell(
    struct engine *e, const struct outgoing *text, enum engine_problem problem)
{
    char whom[SIGNET_ID_GROUPS_SIZE];
    struct contact_slot *slot;
    enum signet_err err;

    call_text(e, text, whom);
    if ((err = engine_fail(e, problem, text->token, whom)) != SIGNET_OK)
        return err;
    if (problem == PROBLEM_IDENTITY && text->has_address &&
        engine_load_contact(e, &text->address, &slot) == SIGNET_OK)
        e->output->last_event->address = slot->contact.changed_to;
    return SIGNET_OK;
}

/* What was asked for just now is given back with its cause; what has waited in the outbox goes on
 * waiting where that can help. */
enum signet_err engine_fail_text(
    struct engine *e, struct outgoing *text, enum engine_problem problem)
{
    struct record_key key = {.kind = RECORD_OUTBOX, .number = text->draft};
    bool keep = text->token == 0 && is_kept_draft(problem);
    enum signet_err err;

    if (text->draft != 0 && !keep && (err = engine_delete(e, &key)) != SIGNET_OK)
        return err;
    return tell(e, text, problem);
}

enum signet_err engine_fail_texts(struct engine *e, const struct signet_id *address,
    const char *name, enum engine_problem problem)
{
    struct outgoing **link = &e->outgoing;

    while (*link != NULL) {
        struct outgoing *text = *link;
        bool is_meant = address != NULL
                            ? text->has_address && signet_id_equal(&text->address, address)
                            : !text->has_address && strcmp(text->peer, name) == 0;
        enum signet_err err;

        if (!is_meant) {
            link = &text->next;
            continue;
        }
        *link = text->next;
        err = engine_fail_text(e, text, problem);
        engine_free_outgoing(text);
        if (err != SIGNET_OK)
            return err;
    }
    return SIGNET_OK;
}

enum signet_err engine_hold_texts(struct engine *e, const struct signet_id *address,
    enum engine_problem problem, uint64_t not_before)
{
    const struct outgoing *first = NULL;
    enum signet_err err = SIGNET_OK;

    for (struct outgoing *text = e->outgoing; text != NULL && err == SIGNET_OK; text = text->next) {
        if (!text->has_address || !signet_id_equal(&text->address, address))
            continue;
        text->is_asking = false;
        if (first == NULL) {
            first = text;
            text->not_before = not_before;
        }
        if (text->is_told)
            continue;
        text->is_told = true;
        err = text == first ? tell(e, text, problem) : engine_queued(e, text->token, NULL);
    }
    return err;
}

void engine_insert_text(struct engine *e, struct outgoing *text)
{
    struct outgoing **link = &e->outgoing;

    while (*link != NULL && !((*link)->has_address && (*link)->sent_at > text->sent_at &&
                                signet_id_equal(&(*link)->address, &text->address)))
        link = &(*link)->next;
    text->next = *link;
    *link = text;
}

void engine_add_text(struct engine *e, struct outgoing *text)
{
    struct outgoing **link = &e->outgoing;

    while (*link != NULL)
        link = &(*link)->next;
    *link = text;
}
