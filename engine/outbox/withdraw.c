/* What becomes of envelopes for a device that is gone. */
#include "engine/outbox/withdraw.h"

#include <stdlib.h>

#include "engine/conversations.h"

/* A draft of a text that went to none of the contact's devices, before those written after it. */
static enum signet_err write_again(
    struct txn *t, const struct signet_id *address, const struct sealed *sealed)
{
    struct outgoing *text = calloc(1, sizeof(*text));
    struct message line = {0};
    enum signet_err err = text == NULL ? SIGNET_ERR_NOMEM : stored_load_line(t, sealed, &line);

    if (err == SIGNET_OK && line.kind != SIGNET_KIND_TEXT) {
        free(text); /* heads say what was: they are not written again */
        message_clear(&line);
        return SIGNET_OK;
    }
    if (err == SIGNET_OK) {
        text->token = sealed->token;
        text->is_automatic = true; /* a person who wrote it has accepted the contact by that */
        text->has_address = true;
        text->address = *address;
        text->sent_at = line.sent_at;
        text->text = line.text;
        line.text = (struct signet_buf){0};
        err = stored_save_draft(t, text);
    }
    message_clear(&line);
    if (err == SIGNET_OK) {
        queue_insert(t->outbox, text);
        return SIGNET_OK;
    }
    if (text != NULL)
        outgoing_free(text);
    if (err != SIGNET_ERR_UNKNOWN)
        return err;
    return txn_note(t, "a message in the outbox is damaged and cannot be sent");
}

enum signet_err withdraw_device(
    struct txn *t, const struct signet_id *address, const struct signet_id *device)
{
    struct signet_id conversation;
    struct sealed *next;
    enum signet_err err = conversation_id(t, address, &conversation);

    for (struct sealed *s = t->outbox->sealed; s != NULL && err == SIGNET_OK; s = next) {
        next = s->next;
        /* Another account may have the device, too: what is for that one is none of this one's. */
        if (!signet_id_equal(&s->device, device) ||
            !signet_id_equal(&s->conversation, &conversation))
            continue;
        err = stored_remove(t, s);
        if (err == SIGNET_OK && !stored_has_siblings(t->outbox, s))
            err = s->has_arrived ? stored_tell_accepted(t, s) : write_again(t, address, s);
        free(s);
    }
    return err;
}
