/*
 * An envelope arrives: docs/protocol.md, section 8, in its order.
 *
 * Everything is computed on a copy of the session and on objects in hand; only when all has held
 * are the changes made, which the caller commits before the acknowledgement leaves. An envelope
 * that is refused is recorded with its verdict and acknowledged too: it stalls nothing.
 */
#include <string.h>

#include "engine/inbox/delivery.h"
#include "crypto/hash.h"

enum { ACKS_MAX = 512 }; /* a relay leaves no more than 128 unacknowledged */

static void delivery_clear(struct delivery *d)
{
    signet_session_free(d->session);
    signet_card_free(d->card);
    signet_buf_free(&d->content);
}

/* ---- who sent it ---- */

/* Take a further card of the sender into account. An older one than is known is not adopted, but
 * an entry may name it: it was signed before, and is judged by the newest card. */
static enum signet_err weigh_card(struct engine *e, struct delivery *d, struct signet_card *card)
{
    enum signet_err err = SIGNET_OK;

    if (d->card != NULL)
        err = signet_card_follows(d->card, card);
    /* What follows the card of the init block need not follow the one that is kept. */
    if (err == SIGNET_OK && d->slot != NULL)
        err = signet_card_follows(d->slot->contact.card, card);
    if (err == SIGNET_ERR_FORK && d->slot != NULL)
        return engine_mark_fork(e, d->slot, card);
    if (err != SIGNET_OK && err != SIGNET_ERR_ROLLBACK)
        return err;
    d->lists[d->list_count++] = *signet_card_list(card);
    if (err == SIGNET_OK) {
        signet_card_free(d->card);
        d->card = signet_card_share(card);
    }
    return SIGNET_OK;
}

/* The card inside the content, if there is one. */
static enum signet_err weigh_content_card(struct engine *e, struct delivery *d)
{
    struct signet_content content;
    struct signet_card *card = NULL;
    enum signet_err err = signet_content_read(signet_buf_span(&d->content), &content);

    if (err != SIGNET_OK || content.card.len == 0)
        return err;
    if ((err = signet_card_read(e->library, content.card, &card)) != SIGNET_OK)
        return err;
    err = weigh_card(e, d, card); /* one of another account follows none of this one */
    signet_card_free(card);
    return err;
}

/* The sender's newest card that holds, and the lists that the entry may name. */
static enum signet_err find_sender(struct engine *e, struct delivery *d)
{
    const struct signet_card *init_card = signet_session_peer_card(d->session);
    enum signet_err err = engine_load_contact(e, signet_session_peer_address(d->session), &d->slot);

    if (err == SIGNET_OK) {
        const struct contact *contact = &d->slot->contact;

        d->card = signet_card_share(contact->card);
        memcpy(d->lists, contact->lists, contact->list_count * sizeof(d->lists[0]));
        d->list_count = contact->list_count;
    } else if (err == SIGNET_ERR_UNKNOWN) {
        d->slot = NULL;
        d->is_sender_lost = init_card == NULL;
        if (d->is_sender_lost)
            return SIGNET_ERR_UNKNOWN;
    } else {
        return err;
    }
    if (init_card != NULL) {
        struct signet_card *card = NULL;

        err = signet_card_read(e->library, signet_card_bytes(init_card), &card);
        if (err == SIGNET_OK)
            err = weigh_card(e, d, card);
        signet_card_free(card);
        if (err != SIGNET_OK)
            return err;
    }
    return weigh_content_card(e, d);
}

/* ---- what it says ---- */

static enum signet_err verify_entry(struct engine *e, struct delivery *d)
{
    struct signet_channel channel = {
        .account = e->account,
        .peer_card = d->card,
        .peer_device = *signet_session_peer_device(d->session),
        .peer_lists = d->lists,
        .peer_list_count = d->list_count,
    };
    char id[SIGNET_ID_SHORT_SIZE], device[SIGNET_ID_SHORT_SIZE];
    enum signet_err err =
        signet_entry_open(e->library, signet_buf_span(&d->content), &channel, &d->entry);

    if (err != SIGNET_OK)
        return err;
    signet_id_short(&d->entry.id, id);
    signet_id_short(&d->entry.device, device);
    return engine_explain(e, "integrity, authentication", "signature of the message verified",
        "RSA-PSS 3072, SHA-256",
        "entry %s signed by device %s, which is on its account's list; conversation, sender, "
        "recipient and text are what was signed",
        id, device);
}

static enum signet_err visit_line(void *ctx, uint64_t number, signet_span value)
{
    struct delivery *d = ctx;
    struct message message;
    enum signet_err err = value.len == 0 ? SIGNET_ERR_FORMAT : message_decode(value, &message);

    (void)number;
    if (err == SIGNET_ERR_NOMEM)
        return err;
    if (err != SIGNET_OK)
        return SIGNET_OK; /* a damaged line */
    if (signet_id_equal(&message.id, &d->entry.id))
        d->verdict = VERDICT_REPLAYED;
    message_clear(&message);
    return SIGNET_OK;
}

/* The chain remembers the last entries only: an older one that comes again is no fork. */
static enum signet_err look_it_up(struct engine *e, struct delivery *d)
{
    struct record_key lines = {RECORD_MESSAGE, signet_id_span(&d->entry.conversation), 0};

    return e->records.scan(e->records.ctx, &lines, visit_line, d);
}

/* Everything up to the point from which it is kept. Errors: verdicts, and machine errors. */
static enum signet_err open_delivery(struct engine *e, struct delivery *d)
{
    struct chain chain;
    enum signet_err err;

    if ((err = engine_open_seal(e, d)) != SIGNET_OK)
        return err;
    if ((err = find_sender(e, d)) != SIGNET_OK)
        return err;
    if ((err = verify_entry(e, d)) != SIGNET_OK)
        return err;
    err = engine_load_chain(e, &d->entry.conversation, &d->entry.device, &chain);
    if (err == SIGNET_ERR_AUTH) {
        memset(&chain, 0, sizeof(chain)); /* damaged: what went before is not known any more */
        err = SIGNET_OK;
    }
    if (err != SIGNET_OK)
        return err;
    d->verdict = chain_place(&chain, &d->entry, &d->missing);
    if (d->verdict == VERDICT_FORK && (err = look_it_up(e, d)) != SIGNET_OK)
        return err;
    if (d->verdict == VERDICT_REPLAYED)
        return SIGNET_ERR_REPLAY;
    err = engine_explain(e, "integrity", "place in the conversation checked",
        "SHA-256 chain of entries", "number %llu of this device: %s",
        (unsigned long long)d->entry.sequence, verdict_word(d->verdict));
    if (err != SIGNET_OK)
        return err;
    return engine_save_chain(e, &d->entry.conversation, &d->entry.device, &chain);
}

/* ---- keeping it ---- */

static enum signet_err keep_sender(struct engine *e, struct delivery *d)
{
    enum signet_err err;

    if (d->slot == NULL)
        err = engine_new_contact(e, d->card, CONTACT_NEW, &d->slot);
    else
        err = engine_update_card(e, d->slot, d->card, d->now_ms);
    if (err != SIGNET_OK)
        return err;
    d->slot->contact.named_list = d->entry.to_list;
    return engine_save_contact(e, d->slot);
}

static enum signet_err message_event(struct engine *e, const struct message *message)
{
    struct engine_event *event = engine_event(e, EVENT_MESSAGE);

    if (event == NULL)
        return SIGNET_ERR_NOMEM;
    event->number = message->number;
    event->address = message->address;
    event->conversation = message->conversation;
    event->id = message->id;
    return SIGNET_OK;
}

static enum signet_err keep_message(struct engine *e, struct delivery *d)
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
        .received_at = d->now_ms,
        .kind = d->entry.kind,
        .suite = SIGNET_SUITE_1,
        .missing = d->missing,
    };
    enum signet_err err;

    memcpy(message.salt, d->entry.salt, sizeof(message.salt));
    if ((err = signet_buf_append(&message.text, d->entry.body)) == SIGNET_OK)
        err = signet_buf_append(&message.signed_bytes, d->entry.signed_bytes);
    if (err == SIGNET_OK)
        err = engine_add_message(e, &message, is_unshown);
    if (err == SIGNET_OK && is_unshown)
        err = message_event(e, &message);
    message_clear(&message);
    return err;
}

/* Nothing to be shown but what it says of our texts; a late one says nothing of now. */
static enum signet_err keep_heads(struct engine *e, struct delivery *d)
{
    uint64_t missing = 0;
    enum signet_err err = SIGNET_OK;

    if (d->verdict == VERDICT_VERIFIED || d->verdict == VERDICT_GAP)
        err = engine_mark_missing(e, &d->entry, &missing);
    if (err == SIGNET_OK && missing > 0) {
        if (d->verdict == VERDICT_GAP)
            err = keep_message(e, d);
        d->verdict = VERDICT_MISSING;
        d->missing = missing;
    }
    return err == SIGNET_OK ? keep_message(e, d) : err;
}

static enum signet_err keep(struct engine *e, struct delivery *d)
{
    enum signet_err err;

    if ((err = keep_sender(e, d)) != SIGNET_OK)
        return err;
    if ((err = engine_forget_one_time(e, d)) != SIGNET_OK)
        return err;
    if ((err = engine_save_session(e, d->session)) != SIGNET_OK)
        return err;
    d->session = NULL; /* it is the engine's now */
    err = d->entry.kind == SIGNET_KIND_HEADS ? keep_heads(e, d) : keep_message(e, d);
    if (err != SIGNET_OK)
        return err;
    if (d->is_new_session &&
        (err = engine_mark_begun(e, &d->view.bundle, &d->view.transcript)) != SIGNET_OK)
        return err;
    if (d->slot->contact.name[0] != '\0' || d->slot->is_asking || e->phase != PHASE_READY)
        return SIGNET_OK;
    d->slot->is_asking = true; /* a stranger: what name has the directory for this address? */
    return engine_find_address(e, &d->slot->contact.address);
}

/* ---- refusing it ---- */

/* A line of the history that says what was refused, and why; nothing of what it said. */
static enum signet_err record_refusal(struct engine *e, struct delivery *d, enum signet_err cause)
{
    struct message message = {
        .verdict = verdict_of(cause),
        .id = d->hash,
        .received_at = d->now_ms,
        .suite = SIGNET_SUITE_1,
    };
    enum signet_err err;

    if (d->session != NULL) {
        message.address = *signet_session_peer_address(d->session);
        message.peer = message.address;
        message.device = *signet_session_peer_device(d->session);
        err = signet_conversation_pair(e->library, signet_account_address(e->account),
            &message.address, &message.conversation);
        if (err != SIGNET_OK && err != SIGNET_ERR_ARGUMENT)
            return err;
    }
    err = engine_explain(e, "authentication, integrity", "envelope refused", "", "%s: %s",
        verdict_word(message.verdict), verdict_meaning(message.verdict));
    if (err == SIGNET_OK)
        err = engine_add_message(e, &message, true);
    return err == SIGNET_OK ? message_event(e, &message) : err;
}

/* What was opened is kept, or the refusal with its cause; or the envelope, where a loss of ours
 * keeps it from being weighed. */
static enum signet_err conclude(struct engine *e, struct delivery *d, enum signet_err err)
{
    enum signet_err cause = err;

    if (err == SIGNET_OK)
        return keep(e, d);
    if (d->is_sender_lost && (err = engine_keep_pending(e, d)) != SIGNET_ERR_LIMIT)
        return err;
    return verdict_exists(cause) ? record_refusal(e, d, cause) : cause;
}

/* A fault of this machine while a message was opened, but not of its disk: nothing has changed yet.
 * Whoever finds bytes that bring one about must not stop a client for good with them. */
static bool is_fault(enum signet_err err)
{
    return err != SIGNET_OK && err != SIGNET_ERR_IO && !verdict_exists(err);
}

static enum signet_err note_fault(struct engine *e, enum signet_err err)
{
    if (err == SIGNET_ERR_NOMEM)
        return engine_note(e, "not enough memory to open a message; it waits at the relay");
    return engine_note(
        e, "a message cannot be opened here now (%s); it waits at the relay", signet_err_text(err));
}

enum signet_err engine_open_pending(struct engine *e, signet_span envelope)
{
    struct delivery d = {.now_ms = e->now_ms, .envelope = envelope};
    enum signet_err err = crypto_sha256_one(e->library, envelope, &d.hash);

    if (err == SIGNET_OK && !is_fault(err = open_delivery(e, &d)))
        err = conclude(e, &d, err);
    delivery_clear(&d);
    return err;
}

enum signet_err engine_delivered(
    struct engine *e, const struct relay_message *message, uint64_t now_ms)
{
    struct delivery d = {.now_ms = now_ms, .envelope = message->envelope};
    enum signet_err err = SIGNET_ERR_FORMAT;

    /* A relay that delivers on without end must not keep us in this call. */
    if (e->acks.len >= ACKS_MAX * sizeof(uint64_t))
        return err;
    if ((err = crypto_sha256_one(e->library, message->envelope, &d.hash)) != SIGNET_OK)
        return err;
    err = engine_was_seen(e, RECORD_SEEN, &d.hash);
    if (err == SIGNET_ERR_UNKNOWN) {
        err = open_delivery(e, &d);
        if (is_fault(err)) {
            /* It stays at the relay, and stalls nothing behind it. */
            delivery_clear(&d);
            return note_fault(e, err);
        }
        err = conclude(e, &d, err);
        if (err == SIGNET_OK)
            err = engine_mark_seen(e, &d.hash, now_ms);
    }
    if (err == SIGNET_OK)
        err = signet_buf_append(
            &e->acks, signet_span_of(&message->message, sizeof(message->message)));
    delivery_clear(&d);
    return err;
}

enum signet_err engine_flush_acks(struct engine *e)
{
    struct relay_message message = {.type = RELAY_ACK};
    uint64_t ids[ACKS_MAX];
    size_t count = e->acks.len / sizeof(ids[0]);
    enum signet_err err;

    if (count == 0)
        return SIGNET_OK;
    memcpy(ids, e->acks.ptr, e->acks.len);
    message.ack_ids = ids;
    message.ack_count = count;
    err = engine_put_message(e, &message);
    signet_buf_truncate(&e->acks, 0);
    return err;
}
