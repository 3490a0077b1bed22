/*
 * Envelopes for a device that is not there: what the relay says is asked after, and what the
 * account's signed list says counts (docs/protocol.md, sections 3 and 9).
 */
#include <stdlib.h>

#include "engine/outbox/outbox.h"

enum signet_err engine_check_device(struct engine *e, const struct sealed *sealed)
{
    struct message line = {0};
    struct contact_slot *slot;
    enum signet_err err = engine_load_line(e, sealed, &line);

    if (err == SIGNET_OK)
        err = engine_load_contact(e, &line.peer, &slot);
    message_clear(&line);
    if (err == SIGNET_ERR_UNKNOWN || (err == SIGNET_OK && slot->is_asking))
        return SIGNET_OK;
    return err == SIGNET_OK ? engine_find_contact(e, slot) : err;
}

/* A draft of a text that went to none of the contact's devices, before those written after it. */
static enum signet_err write_again(
    struct engine *e, const struct contact_slot *slot, const struct sealed *sealed)
{
    struct outgoing *text = calloc(1, sizeof(*text));
    struct message line = {0};
    enum signet_err err = text == NULL ? SIGNET_ERR_NOMEM : engine_load_line(e, sealed, &line);

    if (err == SIGNET_OK && line.kind != SIGNET_KIND_TEXT) {
        free(text); /* heads say what was: they are not written again */
        message_clear(&line);
        return SIGNET_OK;
    }
    if (err == SIGNET_OK) {
        text->token = sealed->token;
        text->is_automatic = true; /* a person who wrote it has accepted the contact by that */
        text->has_address = true;
        text->address = slot->contact.address;
        text->sent_at = line.sent_at;
        text->text = line.text;
        line.text = (struct signet_buf){0};
        err = engine_save_draft(e, text);
    }
    message_clear(&line);
    if (err == SIGNET_OK) {
        engine_insert_text(e, text);
        return SIGNET_OK;
    }
    if (text != NULL)
        engine_free_outgoing(text);
    if (err != SIGNET_ERR_UNKNOWN)
        return err;
    return engine_note(e, "a message in the outbox is damaged and cannot be sent");
}

enum signet_err engine_withdraw(struct engine *e, const struct contact_slot *slot,
    const struct signet_id *device, uint64_t now_ms)
{
    struct signet_id conversation;
    struct sealed *next;
    enum signet_err err = signet_conversation_pair(
        e->library, signet_account_address(e->account), &slot->contact.address, &conversation);

    for (struct sealed *s = e->sealed; s != NULL && err == SIGNET_OK; s = next) {
        next = s->next;
        /* Another account may have the device, too: what is for that one is none of this one's. */
        if (!signet_id_equal(&s->device, device) ||
            !signet_id_equal(&s->conversation, &conversation))
            continue;
        err = engine_remove_sealed(e, s);
        if (err == SIGNET_OK && !engine_has_siblings(e, s))
            err = s->has_arrived ? engine_tell_accepted(e, s, now_ms) : write_again(e, slot, s);
        free(s);
    }
    return err;
}
