/* The engine: what is in it, its calls, and what each of them ends with. See engine.h. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "engine/account.h"
#include "engine/answers.h"
#include "engine/contacts.h"
#include "engine/conversations.h"
#include "engine/history/history.h"
#include "engine/inbox/inbox.h"
#include "engine/inbox/undecided.h"
#include "engine/login/login.h"
#include "engine/outbox/stored.h"
#include "engine/recovery.h"
#include "engine/sessions/sessions.h"
#include "engine/txn/held.h"

enum { ANSWER_MS = 30000 }; /* no answer of the relay takes that long */

/* Each room has its own state; a call reaches it through struct txn. */
struct engine {
    struct engine_config config;
    uint64_t now_ms; /* as the last call that was told the time has it */
    struct requests requests;
    struct held held;
    struct own own;
    struct contacts contacts;
    struct sessions sessions;
    struct recovery recovery;
    struct outbox outbox;
    struct inbox inbox;
    struct login login;
};

/* ---- a call ---- */

static struct txn begin(struct engine *e, struct engine_output *output)
{
    return (struct txn){
        .library = e->config.library,
        .records = e->config.records,
        .explain = e->config.explain,
        .now_ms = e->now_ms,
        .output = output,
        .requests = &e->requests,
        .held = &e->held,
        .own = &e->own,
        .contacts = &e->contacts,
        .sessions = &e->sessions,
        .recovery = &e->recovery,
        .outbox = &e->outbox,
        .inbox = &e->inbox,
        .login = &e->login,
    };
}

static struct txn begin_at(struct engine *e, uint64_t now_ms, struct engine_output *output)
{
    e->now_ms = now_ms;
    return begin(e, output);
}

static enum signet_err apply(struct txn *t, const struct outcome *outcome)
{
    enum signet_err err = SIGNET_OK;

    if (outcome->type == OUTCOME_KNOWN)
        inbox_known(t->inbox);
    if (outcome->type == OUTCOME_DEVICE_REMOVED)
        err = sessions_drop(t, &outcome->address, &outcome->device);
    return err == SIGNET_OK ? outbox_apply(t, outcome) : err;
}

/* Hand what lower rooms have to tell to the higher ones. */
static enum signet_err apply_outcomes(struct txn *t)
{
    enum signet_err err = SIGNET_OK;
    struct outcome *outcome;

    while (err == SIGNET_OK && (outcome = outcome_next(t)) != NULL) {
        err = apply(t, outcome);
        free(outcome);
    }
    return err;
}

/* Where the connection is ready: losses are told, and every text goes on as far as it can. */
static enum signet_err move_on(struct txn *t)
{
    enum signet_err err = t->requests->phase == PHASE_READY ? recovery_tell(t) : SIGNET_OK;

    if (err == SIGNET_OK)
        err = apply_outcomes(t);
    if (err == SIGNET_OK)
        err = outbox_pump(t);
    return err == SIGNET_OK ? apply_outcomes(t) : err;
}

/* After an error nobody goes on with the engine; nothing of the call is left behind all the same. */
static enum signet_err end(struct txn *t, enum signet_err err)
{
    outcomes_clear(t);
    return err == SIGNET_OK ? contacts_tell_damage(t) : err;
}

/* The end of a call whose output nobody sees: it must tell nothing. */
static enum signet_err end_unseen(struct txn *t, enum signet_err err)
{
    outcomes_clear(t);
    engine_output_clear(t->output);
    return err;
}

/* ---- opening and closing ---- */

static enum signet_err load(struct txn *t)
{
    enum signet_err err = own_load_account(t);

    if (err == SIGNET_OK)
        err = own_load_relay(t);
    if (err == SIGNET_OK)
        err = own_load_counters(t);
    if (err == SIGNET_OK)
        err = outbox_load(t);
    if (err == SIGNET_OK)
        err = undecided_load(t);
    t->sessions->has_losses = true; /* perhaps */
    return err;
}

enum signet_err engine_open(const struct engine_config *config, struct engine **engine_out)
{
    struct engine *e = calloc(1, sizeof(*e));
    struct engine_output none = {0};
    struct txn t;
    enum signet_err err;

    if (e == NULL)
        return SIGNET_ERR_NOMEM;
    e->config = *config;
    t = begin(e, &none);
    if ((err = end_unseen(&t, load(&t))) != SIGNET_OK) {
        engine_free(e);
        return err;
    }
    *engine_out = e;
    return SIGNET_OK;
}

enum signet_err engine_prepare(const struct engine_config *config, const struct engine_join *join,
    struct signet_next_identity *next_out, struct engine_output *output)
{
    struct engine *e;
    struct txn t;
    enum signet_err err;

    if (!signet_name_is_valid(signet_span_str(join->name)))
        return SIGNET_ERR_ARGUMENT;
    if ((e = calloc(1, sizeof(*e))) == NULL)
        return SIGNET_ERR_NOMEM;
    e->config = *config;
    t = begin_at(e, join->now_ms, output);
    memset(next_out, 0, sizeof(*next_out));
    err = end(&t, login_prepare(&t, join, next_out));
    engine_free(e);
    return err;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    requests_free(&engine->requests);
    held_free(&engine->held);
    sessions_free(&engine->sessions);
    contacts_free(&engine->contacts);
    outbox_free(&engine->outbox);
    inbox_clear(&engine->inbox);
    own_free(&engine->own);
    free(engine);
}

const struct invitation *engine_relay(const struct engine *engine)
{
    return &engine->own.relay.invitation;
}

const char *engine_name(const struct engine *engine)
{
    return engine->own.relay.name;
}

const struct signet_account *engine_account(const struct engine *engine)
{
    return engine->own.account;
}

bool engine_is_registered(const struct engine *engine)
{
    return engine->own.relay.is_registered;
}

bool engine_is_ready(const struct engine *engine)
{
    return engine->requests.phase == PHASE_READY;
}

bool engine_is_stopped(const struct engine *engine)
{
    return engine->requests.phase == PHASE_STOPPED;
}

bool engine_is_settled(const struct engine *engine)
{
    return requests_is_settled(&engine->requests);
}

bool engine_wants_login(const struct engine *engine, uint64_t now_ms)
{
    return engine_is_ready(engine) && engine_is_settled(engine) &&
           login_is_old(&engine->login, now_ms);
}

size_t engine_waiting(const struct engine *engine)
{
    return outbox_waiting(&engine->outbox);
}

/* ---- the connection ---- */

enum signet_err engine_connected(struct engine *engine, const struct engine_hop *hop,
    uint64_t now_ms, struct engine_output *output)
{
    struct txn t = begin_at(engine, now_ms, output);

    return end(&t, login_connected(&t, hop));
}

static enum signet_err receive(struct txn *t, signet_span message)
{
    enum signet_err err = SIGNET_OK;

    while (message.len > 0 && err == SIGNET_OK && t->requests->phase != PHASE_STOPPED) {
        struct relay_message one;

        err = relay_message_read(message, &one, &message);
        if (err == SIGNET_ERR_LIMIT)
            err = SIGNET_ERR_FORMAT;
        if (err == SIGNET_OK)
            err = answers_handle(t, &one);
        if (err == SIGNET_OK)
            err = apply_outcomes(t);
        if (err == SIGNET_OK)
            err = inbox_try_undecided(t);
        if (err == SIGNET_OK)
            err = apply_outcomes(t);
    }
    if (err == SIGNET_OK && t->requests->phase == PHASE_READY)
        err = move_on(t);
    return err == SIGNET_OK ? inbox_flush_acks(t) : err;
}

enum signet_err engine_receive(
    struct engine *engine, signet_span message, uint64_t now_ms, struct engine_output *output)
{
    struct txn t = begin_at(engine, now_ms, output);
    enum signet_err err = receive(&t, message);

    held_sort(&t);
    return end(&t, err);
}

enum signet_err engine_disconnected(
    struct engine *engine, uint64_t now_ms, struct engine_output *output)
{
    struct txn t = begin_at(engine, now_ms, output);

    engine->requests.phase = PHASE_OFFLINE;
    engine->login.is_subscribed = false;
    requests_free(&engine->requests);
    held_sort(&t);
    inbox_disconnected(&engine->inbox);
    contacts_disconnected(&engine->contacts);
    return end(&t, outbox_disconnected(&t));
}

/* ---- time ---- */

static uint64_t gives_up_at(const struct engine *e, const struct request *request)
{
    uint64_t patience = e->config.patience > 0 ? e->config.patience : 1;

    return outbox_asked_at(&e->outbox, request) + ANSWER_MS * patience;
}

/* Requests without an answer count as refused. */
static enum signet_err give_up(struct engine *e, struct txn *t)
{
    enum signet_err err = SIGNET_OK;

    for (struct request *r = e->requests.first; r != NULL && err == SIGNET_OK; r = r->next) {
        if (r->is_given_up || gives_up_at(e, r) > t->now_ms)
            continue;
        err = answers_give_up(t, r);
        if (err == SIGNET_OK)
            err = apply_outcomes(t);
    }
    return err;
}

uint64_t engine_deadline(const struct engine *engine)
{
    uint64_t first = held_until(&engine->held, &engine->requests);
    uint64_t outbox_at = outbox_deadline(&engine->outbox), loss_at = engine->recovery.due_at;

    for (const struct request *r = engine->requests.first; r != NULL; r = r->next) {
        if (!r->is_given_up && gives_up_at(engine, r) < first)
            first = gives_up_at(engine, r);
    }
    if (engine->requests.phase != PHASE_READY)
        return first;
    if (loss_at != 0 && loss_at < first)
        first = loss_at;
    return outbox_at < first ? outbox_at : first;
}

enum signet_err engine_tick(struct engine *engine, uint64_t now_ms, struct engine_output *output)
{
    struct txn t = begin_at(engine, now_ms, output);
    enum signet_err err = give_up(engine, &t);

    if (err == SIGNET_OK && engine->requests.phase == PHASE_READY)
        err = move_on(&t);
    held_sort(&t);
    return end(&t, err);
}

/* ---- commands ---- */

enum signet_err engine_send(struct engine *engine, const struct engine_text *text, uint64_t now_ms,
    struct engine_output *output)
{
    struct txn t = begin_at(engine, now_ms, output);
    enum signet_err err = outbox_send(&t, text);

    return end(&t, err == SIGNET_OK ? move_on(&t) : err);
}

enum signet_err engine_subscribe(struct engine *engine, struct engine_output *output)
{
    struct txn t = begin(engine, output);

    engine->login.wants_delivery = true;
    if (engine->requests.phase != PHASE_READY || engine->login.is_subscribed)
        return SIGNET_OK;
    return end(&t, login_ask_delivery(&t));
}

enum signet_err engine_shown(struct engine *engine, uint64_t number, struct engine_output *output)
{
    struct txn t = begin(engine, output);

    return end(&t, history_shown(&t, number));
}

enum signet_err engine_contact(struct engine *engine, const char *peer, struct contact *contact_out)
{
    struct engine_output none = {0};
    struct txn t = begin(engine, &none);
    struct contact_slot *slot;
    struct signet_id address;
    enum signet_err err = contacts_resolve(&t, peer, &address);

    if (err == SIGNET_OK)
        err = contacts_peek(&t, &address, &slot);
    if ((err = end_unseen(&t, err)) != SIGNET_OK)
        return err;
    *contact_out = slot->contact;
    contact_out->card = signet_card_share(slot->contact.card);
    return SIGNET_OK;
}

enum signet_err engine_confirm(
    struct engine *engine, const struct signet_id *address, struct engine_output *output)
{
    struct txn t = begin(engine, output);

    return end(&t, contacts_confirm(&t, address));
}

enum signet_err engine_accept(
    struct engine *engine, const struct signet_id *address, struct engine_output *output)
{
    struct txn t = begin(engine, output);

    return end(&t, contacts_accept(&t, address));
}

enum signet_err engine_conversation(
    struct engine *engine, const struct signet_id *peer, struct signet_id *conversation_out)
{
    struct txn t = begin(engine, NULL);

    return conversation_id(&t, peer, conversation_out);
}

enum signet_err engine_read_queued(
    const struct engine *engine, signet_span value, struct message *message_out)
{
    return stored_read_draft(value, signet_account_address(engine->own.account), message_out);
}
