/* Who sent an envelope, and whether what it says holds: docs/protocol.md, section 8, in its order. */
#include <string.h>

#include "engine/account.h"
#include "engine/history/history.h"
#include "engine/inbox/delivery.h"

/* ---- who sent it ---- */

/* Take a further card of the sender into account. An older one than is known is not adopted, but
 * an entry may name it: it was signed before, and is judged by the newest card. */
static enum signet_err check_card(struct txn *t, struct delivery *d, struct signet_card *card)
{
    enum signet_err err = SIGNET_OK;

    if (d->card != NULL)
        err = signet_card_follows(d->card, card);
    /* What follows the card of the init block need not follow the one that is kept. */
    if (err == SIGNET_OK && d->slot != NULL)
        err = signet_card_follows(d->slot->contact.card, card);
    if (err == SIGNET_ERR_FORK && d->slot != NULL)
        return contacts_mark_fork(t, d->slot, card);
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
static enum signet_err check_content_card(struct txn *t, struct delivery *d)
{
    struct signet_content content;
    struct signet_card *card = NULL;
    enum signet_err err = signet_content_read(signet_buf_span(&d->content), &content);

    if (err != SIGNET_OK || content.card.len == 0)
        return err;
    if ((err = signet_card_read(t->library, content.card, &card)) != SIGNET_OK)
        return err;
    err = check_card(t, d, card); /* one of another account follows none of this one */
    signet_card_free(card);
    return err;
}

/* The sender's newest card that holds, and the lists that the entry may name. */
static enum signet_err find_sender(struct txn *t, struct delivery *d)
{
    const struct signet_card *init_card = signet_session_peer_card(d->session);
    enum signet_err err = contacts_load(t, signet_session_peer_address(d->session), &d->slot);

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

        err = signet_card_read(t->library, signet_card_bytes(init_card), &card);
        if (err == SIGNET_OK)
            err = check_card(t, d, card);
        signet_card_free(card);
        if (err != SIGNET_OK)
            return err;
    }
    return check_content_card(t, d);
}

/* ---- what it says ---- */

static enum signet_err verify_entry(struct txn *t, struct delivery *d)
{
    struct signet_channel channel = {
        .account = t->own->account,
        .peer_card = d->card,
        .peer_device = *signet_session_peer_device(d->session),
        .peer_lists = d->lists,
        .peer_list_count = d->list_count,
    };
    char id[SIGNET_ID_SHORT_SIZE], device[SIGNET_ID_SHORT_SIZE];
    enum signet_err err =
        signet_entry_open(t->library, signet_buf_span(&d->content), &channel, &d->entry);

    if (err != SIGNET_OK)
        return err;
    signet_id_short(&d->entry.id, id);
    signet_id_short(&d->entry.device, device);
    return txn_explain(t, "integrity, authentication", "signature of the message verified",
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
static enum signet_err search_history(struct txn *t, struct delivery *d)
{
    return history_scan(t, &d->entry.conversation, visit_line, d);
}

enum signet_err delivery_open(struct txn *t, struct delivery *d)
{
    struct chain chain;
    enum signet_err err;

    if ((err = unseal_open(t, d)) != SIGNET_OK)
        return err;
    if ((err = find_sender(t, d)) != SIGNET_OK)
        return err;
    if ((err = verify_entry(t, d)) != SIGNET_OK)
        return err;
    err = history_load_chain(t, &d->entry.conversation, &d->entry.device, &chain);
    if (err == SIGNET_ERR_AUTH) {
        memset(&chain, 0, sizeof(chain)); /* damaged: what went before is not known any more */
        err = SIGNET_OK;
    }
    if (err != SIGNET_OK)
        return err;
    d->verdict = chain_place(&chain, &d->entry, &d->missing);
    if (d->verdict == VERDICT_FORK && (err = search_history(t, d)) != SIGNET_OK)
        return err;
    if (d->verdict == VERDICT_REPLAYED)
        return SIGNET_ERR_REPLAY;
    err = txn_explain(t, "integrity", "place in the conversation checked",
        "SHA-256 chain of entries", "number %llu of this device: %s",
        (unsigned long long)d->entry.sequence, verdict_word(d->verdict));
    if (err != SIGNET_OK)
        return err;
    return history_save_chain(t, &d->entry.conversation, &d->entry.device, &chain);
}
