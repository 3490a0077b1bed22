/* Texts on their way to being sealed: docs/protocol.md, sections 3 to 7. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/account.h"
#include "engine/contacts.h"
#include "engine/directory/lookup.h"
#include "engine/directory/prekeys.h"
#include "engine/outbox/device_queues.h"
#include "engine/outbox/seal.h"
#include "engine/sessions/sessions.h"

#define FRESH_MS (UINT64_C(3600) * 1000) /* how long a fetched card is good to send to */

/* How far a text came. HELD: it waits for a later time. */
enum progress { WAITS, HELD, IS_DONE };

static bool is_name_asked(const struct txn *t, const char *name)
{
    for (const struct outgoing *text = t->outbox->texts; text != NULL; text = text->next) {
        if (text->is_asking && strcmp(text->peer, name) == 0)
            return true;
    }
    return false;
}

/* Find out the address. PROBLEM_NONE with has_address still false: the relay is being asked. */
static enum signet_err resolve(struct txn *t, struct outgoing *text, enum engine_problem *problem)
{
    enum signet_err err;

    if (signet_id_parse(text->peer, &text->address) == SIGNET_OK) {
        text->has_address = true;
        return SIGNET_OK;
    }
    if (!signet_name_is_valid(signet_span_str(text->peer))) {
        *problem = PROBLEM_BAD_NAME;
        return SIGNET_OK;
    }
    err = contacts_load_name(t, text->peer, &text->address);
    text->has_address = err == SIGNET_OK;
    if (err != SIGNET_ERR_UNKNOWN)
        return err;
    if (strcmp(text->peer, t->own->relay.name) == 0) {
        *problem = PROBLEM_SELF;
        return SIGNET_OK;
    }
    if (t->requests->phase != PHASE_READY || is_name_asked(t, text->peer))
        return SIGNET_OK;
    text->is_asking = true;
    return lookup_name(t, text->peer);
}

/* The contact must be one that may be written to; its card fresh and in time. *ready: go on. */
static enum signet_err check_contact(
    struct txn *t, struct contact_slot *slot, enum engine_problem *problem, bool *ready)
{
    struct contact *contact = &slot->contact;
    enum signet_err time_err;

    *ready = false;
    if (contact->has_changed || contact->has_forked) {
        *problem = contact->has_changed ? PROBLEM_IDENTITY : PROBLEM_LIST;
        return SIGNET_OK;
    }
    if (slot->is_asking || t->requests->phase != PHASE_READY)
        return SIGNET_OK;
    if (t->now_ms < contact->fetched_at || t->now_ms - contact->fetched_at >= FRESH_MS)
        return lookup_contact(t, slot);
    time_err = signet_card_check_time(contact->card, t->now_ms);
    *ready = time_err == SIGNET_OK && !contact->is_expired;
    if (!*ready)
        *problem = PROBLEM_EXPIRED;
    if (time_err != SIGNET_ERR_EXPIRED || contact->is_expired)
        return SIGNET_OK;
    /* Once seen expired, expired for good: a clock set back opens no old door. */
    contact->is_expired = true;
    return contacts_save(t, slot);
}

/* What a session is picked by is looked at here once for each recipient of a text. */
static void fill_route(const struct txn *t, const struct recipient *to,
    const struct signet_session *session, struct route *route)
{
    route->to = *to;
    route->transcript = *signet_session_transcript(session);
    /* Init data holds the own card, unless our list is younger than the session. */
    route->wants_card = !signet_session_is_initiator(session) ||
                        signet_session_is_answered(session) ||
                        signet_session_created_at(session) <= signet_card_issued_at(own_card(t));
}

/* A session with each recipient; *ready where all are there. */
static enum signet_err find_routes(
    struct txn *t, struct contact_slot *slot, struct routes *routes, bool *ready)
{
    struct conversation conversation;
    enum signet_err err = conversation_with(t, &slot->contact, &conversation);

    *ready = false;
    routes->conversation = conversation.id;
    routes->count = conversation.recipient_count;
    for (size_t i = 0; i < conversation.recipient_count && err == SIGNET_OK; i++) {
        const struct recipient *to = &conversation.recipients[i];
        struct session_slot *session;

        err = sessions_pick(t, &to->address, &to->device, &session);
        if (err == SIGNET_ERR_UNKNOWN)
            return prekeys_claim(t, slot, &to->device);
        if (err == SIGNET_OK)
            fill_route(t, to, session->session, &routes->all[i]);
    }
    *ready = err == SIGNET_OK;
    return err;
}

/* Sign and seal; the signature is asked for and answered at once. */
static enum signet_err seal_text(struct txn *t, const struct contact *contact,
    struct outgoing *text, const struct routes *routes)
{
    struct signing *signing;
    enum signet_err err = seal_prepare(t, contact, text, routes, &signing);

    if (err == SIGNET_OK && signing != NULL && (err = signing_run(signing)) == SIGNET_OK)
        err = seal_signed(t, signing);
    signing_free(signing);
    return err;
}

/* Who writes to a stranger accepts them; at once, so that it holds for a draft, too. */
static enum signet_err accept_stranger(
    struct txn *t, struct contact_slot *slot, const struct outgoing *text)
{
    enum signet_err err;

    if (slot->contact.state != CONTACT_NEW || text->is_automatic || text->token == 0)
        return SIGNET_OK;
    if ((err = txn_contact(t, &slot->contact.address)) != SIGNET_OK)
        return err;
    slot->contact.state = CONTACT_UNVERIFIED;
    return contacts_save(t, slot);
}

/* What still keeps a text whose address is known; seals it when nothing does. */
static enum signet_err advance_resolved(
    struct txn *t, struct outgoing *text, enum engine_problem *problem, enum progress *progress)
{
    struct contact_slot *slot;
    struct routes routes;
    bool ready;
    enum signet_err err;

    if (signet_id_equal(&text->address, own_address(t))) {
        *problem = PROBLEM_SELF;
        return SIGNET_OK;
    }
    err = contacts_load(t, &text->address, &slot);
    if (err == SIGNET_ERR_UNKNOWN) {
        if (t->requests->phase != PHASE_READY || text->is_asking)
            return SIGNET_OK;
        text->is_asking = true;
        return lookup_address(t, &text->address);
    }
    if (err != SIGNET_OK)
        return err;
    if ((err = check_contact(t, slot, problem, &ready)) != SIGNET_OK)
        return err;
    if (*problem == PROBLEM_NONE && (err = accept_stranger(t, slot, text)) != SIGNET_OK)
        return err;
    if (!ready || *problem != PROBLEM_NONE)
        return SIGNET_OK;
    if ((err = find_routes(t, slot, &routes, &ready)) != SIGNET_OK || !ready)
        return err;
    if (!lanes_have_room(t->outbox))
        return SIGNET_OK; /* an answer is awaited, and takes it along */
    *progress = IS_DONE;
    return seal_text(t, &slot->contact, text, &routes);
}

/* Whether a text has to wait before anything else: for its time, or for those to the same contact
 * that were written before it. */
static bool is_held(const struct txn *t, struct outgoing *text, enum progress *progress)
{
    const struct outgoing *first = t->outbox->texts;

    while (
        first != text && !(first->has_address && signet_id_equal(&first->address, &text->address)))
        first = first->next;
    if (first->not_before > t->now_ms)
        *progress = HELD;
    else
        text->not_before = 0;
    return first != text || *progress == HELD;
}

static enum signet_err advance(struct txn *t, struct outgoing *text, enum progress *progress)
{
    enum engine_problem problem = PROBLEM_NONE;
    enum signet_err err = SIGNET_OK;

    *progress = WAITS;
    if (!text->has_address && (err = resolve(t, text, &problem)) != SIGNET_OK)
        return err;
    if (text->has_address && !is_held(t, text, progress))
        err = advance_resolved(t, text, &problem, progress);
    if (err != SIGNET_OK || problem == PROBLEM_NONE)
        return err;
    *progress = IS_DONE;
    return queue_fail(t, text, problem);
}

/* What waits is on disk before anybody is told that it does, or this process ends. */
static enum signet_err keep_waiting(struct txn *t, struct outgoing *text, bool is_held)
{
    enum signet_err err = SIGNET_OK;

    if (text->has_address && text->draft == 0 && !text->is_heads)
        err = stored_save_draft(t, text);
    if (err != SIGNET_OK || !is_held || text->is_told)
        return err;
    text->is_told = true;
    return txn_queued(t, text->token, NULL);
}

enum signet_err outbox_pump(struct txn *t)
{
    struct outgoing **link = &t->outbox->texts;
    enum signet_err err;

    t->outbox->fresh = (struct traffic){0};
    while (*link != NULL) {
        struct outgoing *text = *link;
        enum progress progress;

        err = advance(t, text, &progress);
        if (err == SIGNET_OK && progress != IS_DONE)
            err = keep_waiting(t, text, progress == HELD);
        if (err != SIGNET_OK)
            return err;
        if (progress != IS_DONE) {
            link = &text->next;
        } else {
            *link = text->next;
            outgoing_free(text);
        }
    }
    return lanes_flush(t);
}

enum signet_err outbox_send(struct txn *t, const struct engine_text *text)
{
    struct outgoing *outgoing;
    size_t peer_len = strlen(text->peer);
    enum signet_err err;

    if (text->text.len == 0 || text->text.len > SIGNET_TEXT_MAX || !utf8_is_valid(text->text))
        return txn_fail(t, PROBLEM_TEXT, text->token, "");
    if (peer_len == 0 || peer_len >= sizeof(outgoing->peer))
        return txn_fail(t, PROBLEM_BAD_NAME, text->token, "");
    outgoing = calloc(1, sizeof(*outgoing));
    if (outgoing == NULL)
        return SIGNET_ERR_NOMEM;
    memcpy(outgoing->peer, text->peer, peer_len);
    outgoing->token = text->token;
    outgoing->is_automatic = text->is_automatic;
    outgoing->sent_at = t->now_ms;
    if ((err = signet_buf_append(&outgoing->text, text->text)) != SIGNET_OK) {
        outgoing_free(outgoing);
        return err;
    }
    queue_add(t->outbox, outgoing);
    return SIGNET_OK;
}
