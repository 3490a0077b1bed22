/* The list of texts that are not sealed yet: adding, giving up, and saying why. */
#include "engine/outbox/queue.h"

#include <stdlib.h>
#include <string.h>

#include "engine/contacts.h"

void outgoing_free(struct outgoing *text)
{
    signet_buf_free(&text->text);
    free(text);
}

/* Whom a text is for, in words. */
static void call_text(struct txn *t, const struct outgoing *text, char out[SIGNET_ID_GROUPS_SIZE])
{
    char brief[SIGNET_ID_SHORT_SIZE];
    struct contact_slot *slot;
    const char *name = text->peer;

    if (text->has_address && contacts_load(t, &text->address, &slot) == SIGNET_OK) {
        name = contact_call(&slot->contact, brief);
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
static enum signet_err tell(struct txn *t, const struct outgoing *text, enum engine_problem problem)
{
    char whom[SIGNET_ID_GROUPS_SIZE];
    struct contact_slot *slot;
    enum signet_err err;

    call_text(t, text, whom);
    if ((err = txn_fail(t, problem, text->token, whom)) != SIGNET_OK)
        return err;
    if (problem == PROBLEM_IDENTITY && text->has_address &&
        contacts_load(t, &text->address, &slot) == SIGNET_OK)
        t->output->last_event->address = slot->contact.changed_to;
    return SIGNET_OK;
}

/* What was asked for just now is given back with its cause; what has waited in the outbox goes on
 * waiting where that can help. */
enum signet_err queue_fail(struct txn *t, struct outgoing *text, enum engine_problem problem)
{
    struct record_key key = {.kind = RECORD_OUTBOX, .number = text->draft};
    bool keep = text->token == 0 && is_kept_draft(problem);
    enum signet_err err;

    if (text->draft != 0 && !keep && (err = txn_delete(t, &key)) != SIGNET_OK)
        return err;
    return tell(t, text, problem);
}

enum signet_err queue_fail_all(
    struct txn *t, const struct signet_id *address, const char *name, enum engine_problem problem)
{
    struct outgoing **link = &t->outbox->texts;

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
        err = queue_fail(t, text, problem);
        outgoing_free(text);
        if (err != SIGNET_OK)
            return err;
    }
    return SIGNET_OK;
}

enum signet_err queue_hold_all(struct txn *t, const struct signet_id *address,
    enum engine_problem problem, uint64_t not_before)
{
    const struct outgoing *first = NULL;
    enum signet_err err = SIGNET_OK;

    for (struct outgoing *text = t->outbox->texts; text != NULL && err == SIGNET_OK;
         text = text->next) {
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
        err = text == first ? tell(t, text, problem) : txn_queued(t, text->token, NULL);
    }
    return err;
}

void queue_insert(struct outbox *outbox, struct outgoing *text)
{
    struct outgoing **link = &outbox->texts;

    while (*link != NULL && !((*link)->has_address && (*link)->sent_at > text->sent_at &&
                                signet_id_equal(&(*link)->address, &text->address)))
        link = &(*link)->next;
    text->next = *link;
    *link = text;
}

void queue_add(struct outbox *outbox, struct outgoing *text)
{
    struct outgoing **link = &outbox->texts;

    while (*link != NULL)
        link = &(*link)->next;
    *link = text;
}

bool queue_has(const struct outbox *outbox, const struct signet_id *address)
{
    for (const struct outgoing *text = outbox->texts; text != NULL; text = text->next) {
        if (text->has_address && signet_id_equal(&text->address, address))
            return true;
    }
    return false;
}

enum signet_err queue_disconnected(struct txn *t)
{
    struct outgoing **link = &t->outbox->texts;

    while (*link != NULL) {
        struct outgoing *text = *link;
        enum signet_err err;

        text->is_asking = false;
        text->not_before = 0; /* another connection, another try */
        if (text->has_address) {
            err = txn_queued(t, text->token, NULL);
            link = &text->next;
        } else {
            *link = text->next;
            err = txn_fail(t, PROBLEM_OFFLINE, text->token, text->peer);
            outgoing_free(text);
        }
        if (err != SIGNET_OK)
            return err;
    }
    return SIGNET_OK;
}

void queue_free(struct outbox *outbox)
{
    while (outbox->texts != NULL) {
        struct outgoing *text = outbox->texts;

        outbox->texts = text->next;
        outgoing_free(text);
    }
}
