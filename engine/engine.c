/* The engine: opening, the relay's answers, and the ends of connections. See engine.h. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "engine/outbox/outbox.h"

/* ---- opening and closing ---- */

static enum signet_err load(struct engine *e)
{
    struct record_key key = {.kind = RECORD_ACCOUNT};
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, &key, &value);

    if (err == SIGNET_OK)
        err = signet_account_decode(e->library, signet_buf_span(&value), &e->account);
    signet_buf_free(&value);
    if (err == SIGNET_OK)
        err = engine_load_relay(e);
    if (err == SIGNET_OK)
        err = engine_load_counters(e);
    if (err == SIGNET_OK)
        err = engine_load_outbox(e);
    if (err == SIGNET_OK)
        err = engine_load_pending(e);
    e->has_losses = true; /* perhaps */
    return err;
}

enum signet_err engine_open(const struct engine_config *config, struct engine **engine_out)
{
    struct engine *e = calloc(1, sizeof(*e));
    struct engine_output none = {0};
    enum signet_err err;

    if (e == NULL)
        return SIGNET_ERR_NOMEM;
    e->library = config->library;
    e->records = config->records;
    e->explain = config->explain;
    e->output = &none;
    if ((err = load(e)) != SIGNET_OK) {
        engine_free(e);
        return err;
    }
    *engine_out = e;
    return SIGNET_OK;
}

static void free_requests(struct engine *e)
{
    while (e->requests != NULL) {
        struct request *request = e->requests;

        e->requests = request->next;
        free(request);
    }
}

static void free_slots(struct engine *e)
{
    while (e->sessions != NULL) {
        struct session_slot *slot = e->sessions;

        e->sessions = slot->next;
        signet_session_free(slot->session);
        free(slot);
    }
    while (e->contacts != NULL) {
        struct contact_slot *slot = e->contacts;

        e->contacts = slot->next;
        contact_clear(&slot->contact);
        free(slot);
    }
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    free_requests(engine);
    free_slots(engine);
    while (engine->outgoing != NULL) {
        struct outgoing *text = engine->outgoing;

        engine->outgoing = text->next;
        engine_free_outgoing(text);
    }
    engine_free_lanes(engine);
    engine_free_outbox(engine);
    while (engine->first_held != NULL) {
        struct engine_event *event = engine->first_held;

        engine->first_held = event->next;
        free(event);
    }
    signet_account_free(engine->account);
    signet_buf_free(&engine->acks);
    free(engine);
}

const struct invitation *engine_relay(const struct engine *engine)
{
    return &engine->relay.invitation;
}

const char *engine_name(const struct engine *engine)
{
    return engine->relay.name;
}

const struct signet_account *engine_account(const struct engine *engine)
{
    return engine->account;
}

bool engine_is_registered(const struct engine *engine)
{
    return engine->relay.is_registered;
}

bool engine_is_ready(const struct engine *engine)
{
    return engine->phase == PHASE_READY;
}

bool engine_is_stopped(const struct engine *engine)
{
    return engine->phase == PHASE_STOPPED;
}

bool engine_is_settled(const struct engine *engine)
{
    for (const struct request *r = engine->requests; r != NULL; r = r->next) {
        if (!r->is_given_up)
            return false;
    }
    return true;
}

/* ---- what the relay says ---- */

/* Take the request that an answer belongs to off the list; the caller frees it. */
static struct request *take_request(struct engine *e, uint64_t req)
{
    struct request **link = &e->requests;
    struct request *request;

    while (*link != NULL && (*link)->req != req)
        link = &(*link)->next;
    request = *link;
    if (request != NULL)
        *link = request->next;
    return request;
}

/* Own card or bundle was refused: without them nobody can reach us. */
static enum signet_err publish_refused(struct engine *e, uint64_t code)
{
    enum engine_problem problem = PROBLEM_RELAY;

    if (code == RELAY_CODE_CLOCK)
        problem = PROBLEM_CLOCK;
    else if (code == RELAY_CODE_VERSION)
        problem = PROBLEM_OLD_STORE;
    else if (code == RELAY_CODE_OFTEN)
        problem = PROBLEM_OFTEN;
    return engine_stop(e, problem, e->relay.name);
}

/* A login that the relay may take a little later says nothing of who may log in. */
static enum engine_problem login_problem(uint64_t code)
{
    switch (code) {
    case RELAY_CODE_STORE: return PROBLEM_RELAY;
    case RELAY_CODE_OFTEN: return PROBLEM_OFTEN;
    default: return PROBLEM_LOGIN;
    }
}

static bool is_about_texts(enum request_type type)
{
    return type == REQUEST_FIND_NAME || type == REQUEST_FIND_CONTACT ||
           type == REQUEST_FIND_ADDRESS || type == REQUEST_TAKE || type == REQUEST_PUT;
}

enum signet_err engine_refused(struct engine *e, const struct request *request,
    const struct relay_message *message, uint64_t now_ms)
{
    if (message->code == CODE_SILENT && !is_about_texts(request->type))
        return engine_stop(e, PROBLEM_SILENT, e->relay.name);
    switch (request->type) {
    case REQUEST_REGISTER: return engine_not_registered(e, message->code, now_ms);
    case REQUEST_LOGIN: return engine_stop(e, login_problem(message->code), e->relay.name);
    case REQUEST_CARD:
    case REQUEST_BUNDLE: return publish_refused(e, message->code);
    case REQUEST_SUBSCRIBE: return engine_stop(e, PROBLEM_RELAY, e->relay.name);
    case REQUEST_FIND_NAME:
    case REQUEST_FIND_CONTACT:
    case REQUEST_FIND_ADDRESS: return engine_not_found(e, request, message, now_ms);
    case REQUEST_TAKE: return engine_not_taken(e, request, message, now_ms);
    case REQUEST_PUT: return engine_put_refused(e, request, message, now_ms);
    }
    return SIGNET_ERR_FORMAT;
}

static bool is_find(enum request_type type)
{
    return type == REQUEST_FIND_NAME || type == REQUEST_FIND_CONTACT ||
           type == REQUEST_FIND_ADDRESS;
}

/* An answer to a request; FORMAT where it is not one that the request can have. */
static enum signet_err answered(struct engine *e, const struct request *request,
    const struct relay_message *message, uint64_t now_ms)
{
    enum request_type type = request->type;

    if (type == REQUEST_PUT) {
        e->landed_at = now_ms;
        e->landed_req = request->req > e->landed_req ? request->req : e->landed_req;
    }
    if (message->type == RELAY_REFUSED)
        return engine_refused(e, request, message, now_ms);
    if (message->type == RELAY_DONE && type == REQUEST_REGISTER)
        return engine_registered(e);
    if (message->type == RELAY_DONE && (type == REQUEST_CARD || type == REQUEST_BUNDLE))
        return engine_published(e, request);
    if (message->type == RELAY_DONE && type == REQUEST_SUBSCRIBE)
        return SIGNET_OK;
    if (message->type == RELAY_WELCOME && type == REQUEST_LOGIN)
        return engine_welcomed(e, message, now_ms);
    if (message->type == RELAY_ACCOUNT && is_find(type))
        return engine_found(e, request, message, now_ms);
    if (message->type == RELAY_PREKEYS && type == REQUEST_TAKE)
        return engine_taken(e, request, message, now_ms);
    if (message->type == RELAY_ACCEPTED && type == REQUEST_PUT)
        return engine_accepted(e, request, now_ms);
    return SIGNET_ERR_FORMAT;
}

static enum signet_err drained(struct engine *e)
{
    if (e->has_drained)
        return SIGNET_OK;
    e->has_drained = true;
    return engine_event(e, EVENT_DRAINED) == NULL ? SIGNET_ERR_NOMEM : SIGNET_OK;
}

static enum signet_err handle(
    struct engine *e, const struct relay_message *message, uint64_t now_ms)
{
    struct request *request;
    enum signet_err err;

    if (message->type == RELAY_CHALLENGE)
        return engine_challenged(e, message);
    if (message->type == RELAY_DELIVER)
        return e->is_subscribed ? engine_delivered(e, message, now_ms) : SIGNET_ERR_FORMAT;
    if (message->type == RELAY_DRAINED)
        return e->is_subscribed ? drained(e) : SIGNET_ERR_FORMAT;
    request = take_request(e, message->req);
    if (request == NULL)
        return SIGNET_ERR_FORMAT;
    err = request->is_given_up ? SIGNET_OK : answered(e, request, message, now_ms);
    free(request);
    return err;
}

enum signet_err engine_receive(
    struct engine *engine, signet_span message, uint64_t now_ms, struct engine_output *output)
{
    enum signet_err err = SIGNET_OK;

    engine->output = output;
    engine->now_ms = now_ms;
    while (message.len > 0 && err == SIGNET_OK && engine->phase != PHASE_STOPPED) {
        struct relay_message one;

        err = relay_message_read(message, &one, &message);
        if (err == SIGNET_ERR_LIMIT)
            err = SIGNET_ERR_FORMAT;
        if (err == SIGNET_OK)
            err = handle(engine, &one, now_ms);
        if (err == SIGNET_OK)
            err = engine_try_pending(engine);
    }
    if (err == SIGNET_OK && engine->phase == PHASE_READY)
        err = engine_pump(engine, now_ms);
    if (err == SIGNET_OK)
        err = engine_flush_acks(engine);
    engine_hold_events(engine);
    return err;
}

/* ---- the end of a connection ---- */

/* Texts that have an address are in the outbox; those to names that nobody knows here are given
 * back. */
static enum signet_err keep_texts(struct engine *e)
{
    struct outgoing **link = &e->outgoing;

    while (*link != NULL) {
        struct outgoing *text = *link;
        enum signet_err err;

        text->is_asking = false;
        text->not_before = 0; /* another connection, another try */
        if (text->has_address) {
            err = engine_queued(e, text->token, NULL);
            link = &text->next;
        } else {
            *link = text->next;
            err = engine_fail(e, PROBLEM_OFFLINE, text->token, text->peer);
            engine_free_outgoing(text);
        }
        if (err != SIGNET_OK)
            return err;
    }
    return SIGNET_OK;
}

enum signet_err engine_disconnected(
    struct engine *engine, uint64_t now_ms, struct engine_output *output)
{
    enum signet_err err;

    engine->output = output;
    engine->now_ms = now_ms;
    engine->phase = PHASE_OFFLINE;
    engine->is_subscribed = false;
    engine->is_pending_due = engine->pending.count > 0;
    free_requests(engine);
    engine_hold_events(engine);
    signet_buf_truncate(&engine->acks, 0);
    for (struct contact_slot *slot = engine->contacts; slot != NULL; slot = slot->next)
        slot->is_asking = false;
    if ((err = keep_texts(engine)) != SIGNET_OK)
        return err;
    return engine_stop_outbox(engine);
}

/* ---- receiving ---- */

enum signet_err engine_subscribe(struct engine *engine, struct engine_output *output)
{
    engine->output = output;
    engine->wants_delivery = true;
    if (engine->phase != PHASE_READY || engine->is_subscribed)
        return SIGNET_OK;
    return engine_ask_delivery(engine);
}

enum signet_err engine_shown(struct engine *engine, uint64_t number, struct engine_output *output)
{
    struct record_key key = {.kind = RECORD_UNSHOWN, .number = number};

    engine->output = output;
    return engine_delete(engine, &key);
}
