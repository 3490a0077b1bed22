/* A text becomes a signed entry and sealed envelopes: docs/protocol.md, sections 6 and 7. */
#include <stdlib.h>
#include <string.h>

#include "engine/recovery.h"
#include "engine/outbox/outbox.h"

/* What sealing one text works with. */
struct sealing {
    struct contact_slot *slot;
    struct outgoing *text;
    uint64_t now_ms;
    struct signet_id conversation;
    struct chain chain; /* our own entries in the conversation */
    size_t parent_count;
    struct signet_id parents[SIGNET_PARENTS_MAX];
    struct signet_id entry;    /* its id */
    struct signet_buf content; /* signed, to be sealed */
};

static uint64_t kind_of(const struct outgoing *text)
{
    return text->is_heads ? SIGNET_KIND_HEADS : SIGNET_KIND_TEXT;
}

/* What the history tells of a device's chain, where its record is damaged. */
struct recall {
    const struct signet_id *device;
    struct chain *chain;
};

static enum signet_err visit_line(void *ctx, uint64_t number, signet_span value)
{
    const struct recall *recall = ctx;
    struct message message;

    (void)number;
    if (value.len == 0 || message_decode(value, &message) != SIGNET_OK)
        return SIGNET_OK; /* a damaged line */
    if (signet_id_equal(&message.device, recall->device) && verdict_is_authentic(message.verdict) &&
        message.sequence > recall->chain->sequence) {
        recall->chain->sequence = message.sequence;
        recall->chain->id = message.id;
    }
    message_clear(&message);
    return SIGNET_OK;
}

/* Where the entries of a device stand. Where that is damaged, the history tells it: to begin again
 * would be a fork, and to name nothing would say that nothing has come. */
static enum signet_err load_chain(struct engine *e, const struct signet_id *conversation,
    const struct signet_id *device, struct chain *chain)
{
    struct record_key all = {RECORD_MESSAGE, signet_id_span(conversation), 0};
    struct recall recall = {device, chain};
    enum signet_err err = engine_load_chain(e, conversation, device, chain);

    if (err != SIGNET_ERR_AUTH)
        return err;
    memset(chain, 0, sizeof(*chain));
    return e->records.scan(e->records.ctx, &all, visit_line, &recall);
}

/* The newest entries of the peer's devices that were seen here. */
static enum signet_err collect_parents(struct engine *e, struct sealing *s)
{
    const struct signet_card *card = s->slot->contact.card;

    for (size_t i = 0; i < signet_card_device_count(card); i++) {
        struct chain chain;
        enum signet_err err = load_chain(e, &s->conversation, signet_card_device(card, i), &chain);

        if (err != SIGNET_OK)
            return err;
        if (chain.sequence > 0 && s->parent_count < SIGNET_PARENTS_MAX)
            s->parents[s->parent_count++] = chain.id;
    }
    return SIGNET_OK;
}

/* The own card goes along until the peer has named our present list; init data holds it anyway,
 * unless the list is younger than the session. */
static enum signet_err wants_card(struct engine *e, const struct sealing *s, bool *yes)
{
    const struct contact *contact = &s->slot->contact;
    const struct signet_card *own = signet_account_card(e->account);

    *yes = false;
    if (signet_id_equal(&contact->named_list, signet_card_list(own)))
        return SIGNET_OK;
    for (size_t i = 0; i < signet_card_device_count(contact->card); i++) {
        struct session_slot *slot;
        enum signet_err err = engine_pick_session(
            e, &contact->address, signet_card_device(contact->card, i), s->now_ms, &slot);

        if (err != SIGNET_OK)
            return err;
        if (!signet_session_is_initiator(slot->session) ||
            signet_session_is_answered(slot->session) ||
            signet_session_created_at(slot->session) <= signet_card_issued_at(own))
            *yes = true;
    }
    return SIGNET_OK;
}

static enum signet_err sign(struct engine *e, struct sealing *s)
{
    struct signet_entry_draft draft = {
        .to = s->slot->contact.address,
        .to_list = *signet_card_list(s->slot->contact.card),
        .sequence = s->chain.sequence + 1,
        .previous = s->chain.id,
        .parents = s->parents,
        .parent_count = s->parent_count,
        .sent_at = s->text->sent_at,
        .kind = kind_of(s->text),
        .body = signet_buf_span(&s->text->text),
    };
    char id[SIGNET_ID_SHORT_SIZE];
    enum signet_err err;

    if ((err = wants_card(e, s, &draft.with_card)) != SIGNET_OK)
        return err;
    err = signet_entry_sign(e->library, e->account, &draft, &s->content, &s->entry);
    if (err != SIGNET_OK)
        return err;
    signet_id_short(&s->entry, id);
    return engine_explain(e, "integrity, authentication",
        "message signed: anyone can check it later", "RSA-PSS 3072, SHA-256",
        "entry %s: who, to whom, number %llu, the entry before it, time, hash of the text; "
        "signature 384 bytes",
        id, (unsigned long long)draft.sequence);
}

/* One envelope for one device, in the outbox before it leaves. */
static enum signet_err seal_for(
    struct engine *e, struct sealing *s, const struct signet_id *device, uint64_t message)
{
    struct sealed sealed = {.token = s->text->token,
        .device = *device,
        .entry = s->entry,
        .conversation = s->conversation,
        .message = message};
    struct signet_buf envelope = {0};
    struct session_slot *slot;
    char name[SIGNET_ID_SHORT_SIZE];
    enum signet_err err;

    if ((err = engine_pick_session(e, &s->slot->contact.address, device, s->now_ms, &slot)) !=
        SIGNET_OK)
        return err;
    err = signet_session_seal(slot->session, signet_buf_span(&s->content), &envelope);
    if (err != SIGNET_OK)
        goto out;
    if ((err = engine_save_session(e, slot->session)) != SIGNET_OK)
        goto out;
    if ((err = engine_add_sealed(e, &sealed, signet_buf_span(&envelope))) != SIGNET_OK)
        goto out;
    signet_id_short(device, name);
    err = engine_explain(e, "confidentiality, integrity",
        "sealed under a key of its own, which is forgotten now", "AES-256-GCM; Double Ratchet",
        "signed message of %zu bytes -> envelope of %zu bytes (padded) for device %s; session key "
        "%s",
        s->content.len, envelope.len, name,
        signet_session_is_answered(slot->session) ? "ratcheted by X25519 with each answer"
                                                  : "wrapped in it, until the first answer");
out:
    signet_buf_free(&envelope);
    return err;
}

/* The line in our own history. */
static enum signet_err record(struct engine *e, struct sealing *s, uint64_t *number_out)
{
    struct message message = {
        .is_outgoing = true,
        .id = s->entry,
        .conversation = s->conversation,
        .address = *signet_account_address(e->account),
        .peer = s->slot->contact.address,
        .device = *signet_account_device(e->account),
        .sequence = s->chain.sequence,
        .sent_at = s->text->sent_at,
        .received_at = s->now_ms,
        .kind = kind_of(s->text),
        .suite = SIGNET_SUITE_1,
    };
    struct signet_content content;
    enum signet_err err;

    if ((err = signet_content_read(signet_buf_span(&s->content), &content)) != SIGNET_OK)
        return err;
    memcpy(message.salt, content.salt.ptr, sizeof(message.salt));
    if ((err = signet_buf_append(&message.text, content.body)) != SIGNET_OK)
        goto out;
    if ((err = signet_buf_append(&message.signed_bytes, content.signed_bytes)) != SIGNET_OK)
        goto out;
    err = engine_add_message(e, &message, false);
    *number_out = message.number;
out:
    message_clear(&message);
    return err;
}

/* Our chain moves on by the entry just signed. */
static enum signet_err extend_chain(struct engine *e, struct sealing *s)
{
    struct signet_entry entry = {
        .id = s->entry, .sequence = s->chain.sequence + 1, .previous = s->chain.id};
    uint64_t missing;

    if (chain_place(&s->chain, &entry, &missing) != VERDICT_VERIFIED)
        return SIGNET_ERR_STATE;
    return engine_save_chain(e, &s->conversation, signet_account_device(e->account), &s->chain);
}

static enum signet_err seal_all(struct engine *e, struct sealing *s)
{
    const struct signet_card *card = s->slot->contact.card;
    struct record_key draft = {.kind = RECORD_OUTBOX, .number = s->text->draft};
    uint64_t message;
    enum signet_err err;

    if ((err = extend_chain(e, s)) != SIGNET_OK)
        return err;
    if ((err = record(e, s, &message)) != SIGNET_OK)
        return err;
    for (size_t i = 0; i < signet_card_device_count(card); i++) {
        if ((err = seal_for(e, s, signet_card_device(card, i), message)) != SIGNET_OK)
            return err;
    }
    return s->text->draft == 0 ? SIGNET_OK : engine_delete(e, &draft);
}

enum signet_err engine_seal(
    struct engine *e, struct contact_slot *slot, struct outgoing *text, uint64_t now_ms)
{
    struct sealing s = {.slot = slot, .text = text, .now_ms = now_ms};
    enum signet_err err = text->draft == 0 ? SIGNET_OK : engine_load_draft(e, text);

    if (err == SIGNET_ERR_AUTH || err == SIGNET_ERR_UNKNOWN) {
        if ((err = engine_note(e, "a message in the outbox is damaged and cannot be sent")) ==
            SIGNET_OK)
            err = engine_queued(e, text->token, NULL);
        return err;
    }
    if (err == SIGNET_OK)
        err = signet_conversation_pair(e->library, signet_account_address(e->account),
            &slot->contact.address, &s.conversation);
    if (err == SIGNET_OK)
        err = load_chain(e, &s.conversation, signet_account_device(e->account), &s.chain);
    if (err == SIGNET_OK)
        err = collect_parents(e, &s);
    if (err == SIGNET_OK)
        err = sign(e, &s);
    if (err == SIGNET_OK)
        err = seal_all(e, &s);
    if (err == SIGNET_OK && text->is_heads)
        err = engine_told_loss(e, slot, now_ms);
    signet_buf_free(&s.content);
    return err;
}
