/* The outbox as a whole: loading, what others tell it, when something in it is due. */
#include "engine/outbox/outbox.h"

#include <stdlib.h>

#include "engine/contacts.h"
#include "engine/outbox/device_queues.h"
#include "engine/outbox/withdraw.h"

enum signet_err outbox_load(struct txn *t)
{
    return stored_load(t);
}

/* An entry that says what we have: before what is being written, in the same session. */
static enum signet_err add_heads(struct txn *t, const struct signet_id *address)
{
    struct outgoing *heads;

    for (const struct outgoing *text = t->outbox->texts; text != NULL; text = text->next) {
        if (text->is_heads && signet_id_equal(&text->address, address))
            return SIGNET_OK;
    }
    if ((heads = calloc(1, sizeof(*heads))) == NULL)
        return SIGNET_ERR_NOMEM;
    heads->has_address = true;
    heads->address = *address;
    heads->is_heads = true;
    heads->sent_at = t->now_ms;
    queue_insert(t->outbox, heads);
    return SIGNET_OK;
}

/* Who is made a contact while a text waits for them is one that we write to. */
static enum signet_err accept_new(struct txn *t, const struct outcome *outcome)
{
    struct contact_slot *slot;
    enum signet_err err;

    if (!outcome->is_new || !queue_has(t->outbox, &outcome->address))
        return SIGNET_OK;
    if ((err = contacts_load(t, &outcome->address, &slot)) != SIGNET_OK)
        return err;
    slot->contact.state = CONTACT_UNVERIFIED;
    return contacts_save(t, slot);
}

enum signet_err outbox_apply(struct txn *t, const struct outcome *outcome)
{
    const struct signet_id *address = &outcome->address;

    switch (outcome->type) {
    case OUTCOME_FAILED:
        return queue_fail_all(
            t, outcome->is_by_name ? NULL : address, outcome->name, outcome->problem);
    case OUTCOME_HELD: return queue_hold_all(t, address, outcome->problem, outcome->not_before);
    case OUTCOME_KNOWN: return accept_new(t, outcome);
    case OUTCOME_DEVICE_REMOVED: return withdraw_device(t, address, &outcome->device);
    case OUTCOME_SESSION_LOST: return add_heads(t, address);
    }
    return SIGNET_ERR_STATE;
}

enum signet_err outbox_disconnected(struct txn *t)
{
    enum signet_err err = queue_disconnected(t);

    return err == SIGNET_OK ? lanes_disconnected(t) : err;
}

size_t outbox_waiting(const struct outbox *outbox)
{
    const struct sealed *before = NULL;
    size_t count = 0;

    for (const struct outgoing *text = outbox->texts; text != NULL; text = text->next)
        count += text->draft != 0;
    for (const struct sealed *s = outbox->sealed; s != NULL; before = s, s = s->next)
        count += before == NULL || !signet_id_equal(&before->entry, &s->entry);
    return count;
}

uint64_t outbox_deadline(const struct outbox *outbox)
{
    uint64_t first = lanes_deadline(outbox);

    for (const struct outgoing *text = outbox->texts; text != NULL; text = text->next) {
        if (text->not_before != 0 && text->not_before < first)
            first = text->not_before;
    }
    return first;
}

void outbox_free(struct outbox *outbox)
{
    queue_free(outbox);
    lanes_free(outbox);
    stored_free(outbox);
}
