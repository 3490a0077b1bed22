/* Signing and sealing. */
#include "engine/outbox/seal.h"

#include <stdlib.h>
#include <string.h>

#include "engine/account.h"
#include "engine/history/history.h"
#include "engine/outbox/device_queues.h"
#include "engine/sessions/loss.h"
#include "engine/sessions/sessions.h"

static uint64_t kind_of(const struct outgoing *text)
{
    return text->is_heads ? SIGNET_KIND_HEADS : SIGNET_KIND_TEXT;
}

/* ---- what is to be signed ---- */

/* The newest entries of the recipients that were seen here. */
static enum signet_err collect_parents(struct txn *t, struct signing *s)
{
    for (size_t i = 0; i < s->routes.count; i++) {
        struct chain chain;
        enum signet_err err =
            history_recall_chain(t, &s->routes.conversation, &s->routes.all[i].to.device, &chain);

        if (err != SIGNET_OK)
            return err;
        if (chain.sequence > 0 && s->draft.parent_count < SIGNET_PARENTS_MAX)
            s->parents[s->draft.parent_count++] = chain.id;
    }
    s->draft.parents = s->parents;
    return SIGNET_OK;
}

/* The own card goes along until the contact has named our present list. */
static bool wants_card(const struct txn *t, const struct contact *contact, const struct routes *r)
{
    if (signet_id_equal(&contact->named_list, signet_card_list(own_card(t))))
        return false;
    for (size_t i = 0; i < r->count; i++) {
        if (r->all[i].wants_card)
            return true;
    }
    return false;
}

static enum signet_err fill_in(struct txn *t, const struct contact *contact, struct signing *s)
{
    const struct outgoing *text = s->text;
    enum signet_err err =
        history_recall_chain(t, &s->routes.conversation, own_device(t), &s->chain);

    if (err == SIGNET_OK)
        err = collect_parents(t, s);
    s->draft.to = contact->address;
    s->draft.to_list = *signet_card_list(contact->card);
    s->draft.sequence = s->chain.sequence + 1;
    s->draft.previous = s->chain.id;
    s->draft.sent_at = text->sent_at;
    s->draft.kind = kind_of(text);
    s->draft.body = signet_buf_span(&text->text);
    s->draft.with_card = wants_card(t, contact, &s->routes);
    return err;
}

enum signet_err seal_prepare(struct txn *t, const struct contact *contact, struct outgoing *text,
    const struct routes *routes, struct signing **signing_out)
{
    struct signing *s;
    enum signet_err err = text->draft == 0 ? SIGNET_OK : stored_load_draft(t, text);

    *signing_out = NULL;
    if (err == SIGNET_ERR_AUTH || err == SIGNET_ERR_UNKNOWN) {
        err = txn_note(t, "a message in the outbox is damaged and cannot be sent");
        return err == SIGNET_OK ? txn_queued(t, text->token, NULL) : err;
    }
    if (err != SIGNET_OK)
        return err;
    if ((s = calloc(1, sizeof(*s))) == NULL)
        return SIGNET_ERR_NOMEM;
    s->library = t->library;
    s->account = t->own->account;
    s->text = text;
    s->peer = contact->address;
    s->routes = *routes;
    if ((err = fill_in(t, contact, s)) != SIGNET_OK) {
        signing_free(s);
        return err;
    }
    *signing_out = s;
    return SIGNET_OK;
}

enum signet_err signing_run(struct signing *signing)
{
    return signet_entry_sign(
        signing->library, signing->account, &signing->draft, &signing->content, &signing->entry);
}

void signing_free(struct signing *signing)
{
    if (signing == NULL)
        return;
    signet_buf_free(&signing->content);
    free(signing);
}

/* ---- what was signed ---- */

static enum signet_err explain_signature(struct txn *t, const struct signing *s)
{
    char id[SIGNET_ID_SHORT_SIZE];

    signet_id_short(&s->entry, id);
    return txn_explain(t, "integrity, authentication", "message signed: anyone can check it later",
        "RSA-PSS 3072, SHA-256",
        "entry %s: who, to whom, number %llu, the entry before it, time, hash of the text; "
        "signature 384 bytes",
        id, (unsigned long long)s->draft.sequence);
}

/* One envelope for one device, in the outbox before it leaves. */
static enum signet_err seal_for(
    struct txn *t, struct signing *s, const struct route *route, uint64_t message)
{
    struct sealed sealed = {.token = s->text->token,
        .device = route->to.device,
        .entry = s->entry,
        .conversation = s->routes.conversation,
        .message = message};
    struct signet_buf envelope = {0};
    struct session_slot *slot;
    char name[SIGNET_ID_SHORT_SIZE];
    enum signet_err err = sessions_load(t, &route->transcript, &slot);

    if (err != SIGNET_OK)
        return err;
    err = signet_session_seal(slot->session, signet_buf_span(&s->content), &envelope);
    if (err != SIGNET_OK)
        goto out;
    if ((err = sessions_save(t, slot->session)) != SIGNET_OK)
        goto out;
    if ((err = stored_add(t, &sealed, signet_buf_span(&envelope))) != SIGNET_OK)
        goto out;
    lanes_reopen(t->outbox, &route->to.device);
    signet_id_short(&route->to.device, name);
    err = txn_explain(t, "confidentiality, integrity",
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
static enum signet_err record(struct txn *t, struct signing *s, uint64_t *number_out)
{
    struct message message = {
        .is_outgoing = true,
        .id = s->entry,
        .conversation = s->routes.conversation,
        .address = *own_address(t),
        .peer = s->peer,
        .device = *own_device(t),
        .sequence = s->chain.sequence,
        .sent_at = s->text->sent_at,
        .received_at = t->now_ms,
        .kind = kind_of(s->text),
        .suite = SIGNET_SUITE_1,
    };
    struct signet_content content;
    enum signet_err err;

    if ((err = signet_content_read(signet_buf_span(&s->content), &content)) != SIGNET_OK)
        return err;
    memcpy(message.salt, content.salt.ptr, sizeof(message.salt));
    if ((err = signet_buf_append(&message.text, content.body)) == SIGNET_OK)
        err = signet_buf_append(&message.signed_bytes, content.signed_bytes);
    if (err == SIGNET_OK)
        err = history_add(t, &message, false);
    *number_out = message.number;
    message_clear(&message);
    return err;
}

/* Our chain moves on by the entry just signed. */
static enum signet_err extend_chain(struct txn *t, struct signing *s)
{
    struct signet_entry entry = {
        .id = s->entry, .sequence = s->draft.sequence, .previous = s->draft.previous};
    uint64_t missing;

    if (chain_place(&s->chain, &entry, &missing) != VERDICT_VERIFIED)
        return SIGNET_ERR_STATE;
    return history_save_chain(t, &s->routes.conversation, own_device(t), &s->chain);
}

/* They have been told what we have of them. */
static enum signet_err note_told(struct txn *t, const struct routes *routes)
{
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; i < routes->count && err == SIGNET_OK; i++)
        err = loss_told(t, &routes->all[i].to.device);
    return err;
}

enum signet_err seal_signed(struct txn *t, struct signing *signing)
{
    const struct routes *routes = &signing->routes;
    uint64_t message;
    enum signet_err err = explain_signature(t, signing);

    if (err == SIGNET_OK)
        err = extend_chain(t, signing);
    if (err == SIGNET_OK)
        err = record(t, signing, &message);
    for (size_t i = 0; i < routes->count && err == SIGNET_OK; i++)
        err = seal_for(t, signing, &routes->all[i], message);
    if (err == SIGNET_OK && signing->text->draft != 0)
        err = stored_delete_draft(t, signing->text);
    if (err == SIGNET_OK && signing->text->is_heads)
        err = note_told(t, routes);
    return err;
}
