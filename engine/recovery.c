/*
 * After a loss of our own: a new session, and in it an entry that says what we have. Nothing that a
 * peer or the relay sends starts one. docs/protocol.md, sections 5 and 7.
 */
#include "engine/recovery.h"

#include "engine/contacts.h"
#include "engine/sessions/loss.h"
#include "engine/sessions/sessions.h"

#define PAUSE_MS (UINT64_C(3600) * 1000)

/* ---- whose it is ---- */

/* The contact that has a device; or, without one, a look at the sessions of all. */
struct owner {
    struct txn *t;
    const struct signet_id *device; /* NULL: of all */
    bool is_found;
    struct signet_id address;
};

static enum signet_err look_at(struct owner *owner, const struct signet_card *card)
{
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; i < signet_card_device_count(card) && err == SIGNET_OK; i++) {
        const struct signet_id *device = signet_card_device(card, i);
        struct session_slot *slot;

        if (owner->device == NULL) {
            err = sessions_pick(owner->t, signet_card_address(card), device, &slot);
            if (err == SIGNET_ERR_UNKNOWN)
                err = SIGNET_OK;
        } else if (signet_id_equal(device, owner->device)) {
            owner->is_found = true;
            owner->address = *signet_card_address(card);
        }
    }
    return err;
}

static enum signet_err visit_contact(void *ctx, uint64_t number, signet_span value)
{
    struct owner *owner = ctx;
    struct contact contact;
    enum signet_err err;

    (void)number;
    err = value.len == 0 ? SIGNET_ERR_FORMAT : contact_decode(owner->t->library, value, &contact);
    if (err != SIGNET_OK) /* a damaged contact must not hide the others */
        return err == SIGNET_ERR_NOMEM ? err : SIGNET_OK;
    err = look_at(owner, contact.card);
    contact_clear(&contact);
    return err;
}

static enum signet_err look_through_contacts(struct owner *owner)
{
    struct record_key all = {.kind = RECORD_CONTACT};

    return txn_scan(owner->t, &all, visit_contact, owner);
}

/* Its record goes, so that others cannot make us look again by its tag. Where it is on the list of a
 * contact that is damaged itself, that tells the loss later. */
enum signet_err recovery_trace(struct txn *t, const struct signet_id *transcript)
{
    struct owner all = {.t = t};
    enum signet_err err = look_through_contacts(&all);

    return err == SIGNET_OK ? sessions_forget(t, transcript) : err;
}

/* ---- saying so ---- */

/* A stranger learns nothing of us, and to whom is in doubt nothing is sent. */
static bool may_be_told(const struct contact *contact)
{
    return contact->state != CONTACT_NEW && !contact->has_changed && !contact->has_forked;
}

static bool is_paused(const struct txn *t, const struct loss *loss)
{
    return t->now_ms >= loss->tried_at && t->now_ms - loss->tried_at < PAUSE_MS;
}

static void note_due(struct recovery *recovery, uint64_t at)
{
    if (recovery->due_at == 0 || at < recovery->due_at)
        recovery->due_at = at;
}

static enum signet_err tell(struct txn *t, struct loss *loss)
{
    struct owner owner = {.t = t, .device = &loss->device};
    struct contact_slot *slot = NULL;
    enum signet_err err = look_through_contacts(&owner);

    if (err == SIGNET_OK && owner.is_found)
        err = contacts_load(t, &owner.address, &slot);
    if (err != SIGNET_OK || slot == NULL)
        return err == SIGNET_ERR_UNKNOWN ? SIGNET_OK : err;
    loss->tried_at = t->now_ms; /* whatever becomes of it */
    loss->is_due = may_be_told(&slot->contact);
    if ((err = loss_save(t, loss)) == SIGNET_OK && loss->is_due)
        err = outcome_session_lost(t, &owner.address);
    return err;
}

static enum signet_err visit_loss(void *ctx, uint64_t number, signet_span value)
{
    struct txn *t = ctx;
    struct loss stored, loss;
    enum signet_err err;

    (void)number;
    if (value.len == 0 || loss_decode(value, &stored) != SIGNET_OK)
        return SIGNET_OK;
    if ((err = loss_load(t, &stored.device, &loss)) != SIGNET_OK)
        return err == SIGNET_ERR_UNKNOWN ? SIGNET_OK : err;
    if (!loss.is_due)
        return SIGNET_OK;
    if (!is_paused(t, &loss))
        return tell(t, &loss);
    note_due(t->recovery, loss.tried_at + PAUSE_MS);
    return SIGNET_OK;
}

enum signet_err recovery_tell(struct txn *t)
{
    struct record_key all = {.kind = RECORD_LOSS};
    struct recovery *recovery = t->recovery;
    enum signet_err err;

    if (!t->sessions->has_losses && (recovery->due_at == 0 || t->now_ms < recovery->due_at))
        return SIGNET_OK;
    t->sessions->has_losses = false;
    recovery->due_at = 0;
    err = txn_scan(t, &all, visit_loss, t);
    /* Those of this very call, which no scan shows yet. */
    for (const struct record_change *c = t->output->changes.first; c != NULL; c = c->next) {
        if (err == SIGNET_OK && c->kind == RECORD_LOSS)
            err = visit_loss(t, 0, signet_buf_span(&c->value));
    }
    return err;
}
