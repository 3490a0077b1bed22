/* What becomes of an envelope that was opened, or refused: docs/protocol.md, section 8. */
#include <string.h>

#include "engine/account.h"
#include "engine/conversations.h"
#include "engine/directory/lookup.h"
#include "engine/history/history.h"
#include "engine/history/missing.h"
#include "engine/history/seen.h"
#include "engine/inbox/delivery.h"
#include "engine/sessions/sessions.h"
#include "engine/txn/requests.h"

static enum signet_err keep_sender(struct txn *t, struct delivery *d)
{
    enum signet_err err;

    if (d->slot == NULL)
        err = contacts_add(t, d->card, CONTACT_NEW, &d->slot);
    else
        err = contacts_update_card(t, d->slot, d->card);
    if (err != SIGNET_OK)
        return err;
    d->slot->contact.named_list = d->entry.to_list;
    return contacts_save(t, d->slot);
}

static enum signet_err message_event(struct txn *t, const struct message *message)
{
    struct engine_event *event = txn_event(t, EVENT_MESSAGE);

    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->number = message->number;
    event->address = message->address;
    event->conversation = message->conversation;
    event->id = message->id;
    return SIGNET_OK;
}

static enum signet_err keep_message(struct txn *t, struct delivery *d)
{
    bool is_unshown = d->entry.kind == SIGNET_KIND_TEXT || d->verdict != VERDICT_VERIFIED;
    struct message message = {
        .verdict = d->verdict,
        .id = d->entry.id,
        .conversation = d->entry.conversation,
        .address = d->entry.address,
        .peer = d->entry.address,
        .device = d->entry.device,
        .sequence = d->entry.sequence,
        .sent_at = d->entry.sent_at,
        .received_at = t->now_ms,
        .kind = d->entry.kind,
        .suite = SIGNET_SUITE_1,
        .missing = d->missing,
    };
    enum signet_err err;

    memcpy(message.salt, d->entry.salt, sizeof(message.salt));
    if ((err = signet_buf_append(&message.text, d->entry.body)) == SIGNET_OK)
        err = signet_buf_append(&message.signed_bytes, d->entry.signed_bytes);
    if (err == SIGNET_OK)
        err = history_add(t, &message, is_unshown);
    if (err == SIGNET_OK && is_unshown)
        err = message_event(t, &message);
    message_clear(&message);
    return err;
}

/* Nothing to be shown but what it says of our texts; a late one says nothing of now. */
static enum signet_err keep_heads(struct txn *t, struct delivery *d)
{
    uint64_t missing = 0;
    enum signet_err err = SIGNET_OK;

    if (d->verdict == VERDICT_VERIFIED || d->verdict == VERDICT_GAP)
        err = missing_mark(t, &d->entry, &missing);
    if (err == SIGNET_OK && missing > 0) {
        if (d->verdict == VERDICT_GAP)
            err = keep_message(t, d);
        d->verdict = VERDICT_MISSING;
        d->missing = missing;
    }
    return err == SIGNET_OK ? keep_message(t, d) : err;
}

enum signet_err delivery_keep(struct txn *t, struct delivery *d)
{
    enum signet_err err;

    if ((err = keep_sender(t, d)) != SIGNET_OK)
        return err;
    if ((err = unseal_forget_one_time(t, d)) != SIGNET_OK)
        return err;
    if ((err = sessions_save(t, d->session)) != SIGNET_OK)
        return err;
    d->session = NULL; /* it is the engine's now */
    err = d->entry.kind == SIGNET_KIND_HEADS ? keep_heads(t, d) : keep_message(t, d);
    if (err != SIGNET_OK)
        return err;
    if (d->is_new_session &&
        (err = seen_mark_begun(t, &d->view.bundle, &d->view.transcript)) != SIGNET_OK)
        return err;
    if (d->slot->contact.name[0] != '\0' || d->slot->is_asking || t->requests->phase != PHASE_READY)
        return SIGNET_OK;
    d->slot->is_asking = true; /* a stranger: what name has the directory for this address? */
    return lookup_address(t, &d->slot->contact.address);
}

enum signet_err delivery_refuse(struct txn *t, struct delivery *d, enum signet_err cause)
{
    struct message message = {
        .verdict = verdict_of(cause),
        .id = d->hash,
        .received_at = t->now_ms,
        .suite = SIGNET_SUITE_1,
    };
    enum signet_err err;

    if (d->session != NULL) {
        message.address = *signet_session_peer_address(d->session);
        message.peer = message.address;
        message.device = *signet_session_peer_device(d->session);
        err = conversation_id(t, &message.address, &message.conversation);
        if (err != SIGNET_OK && err != SIGNET_ERR_ARGUMENT)
            return err;
    }
    err = txn_explain(t, "authentication, integrity", "envelope refused", "", "%s: %s",
        verdict_word(message.verdict), verdict_meaning(message.verdict));
    if (err == SIGNET_OK)
        err = history_add(t, &message, true);
    return err == SIGNET_OK ? message_event(t, &message) : err;
}
