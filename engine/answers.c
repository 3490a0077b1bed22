/* The relay's messages: docs/protocol.md, section 9. */
#include "engine/answers.h"

#include <stdlib.h>

#include "engine/account.h"
#include "engine/directory/lookup.h"
#include "engine/directory/prekeys.h"
#include "engine/inbox/inbox.h"
#include "engine/login/login.h"
#include "engine/outbox/outbox.h"
#include "engine/txn/refusal.h"

typedef enum signet_err (*handler)(
    struct txn *t, const struct request *request, const struct relay_message *message);

/* ---- handlers of the shape that the table wants ---- */

static enum signet_err registered(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    (void)request;
    (void)message;
    return login_registered(t);
}

static enum signet_err not_registered(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    (void)request;
    return login_not_registered(t, message->code);
}

static enum signet_err welcomed(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    (void)request;
    return login_welcomed(t, message);
}

static enum signet_err login_failed(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    (void)request;
    return login_refused(t, message->code);
}

static enum signet_err published(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    (void)message;
    return login_published(t, request);
}

static enum signet_err not_published(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    (void)request;
    return login_not_published(t, message->code);
}

static enum signet_err subscribed(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    (void)t;
    (void)request;
    (void)message;
    return SIGNET_OK;
}

static enum signet_err not_subscribed(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    (void)request;
    (void)message;
    return requests_stop(t, PROBLEM_RELAY, t->own->relay.name);
}

static enum signet_err accepted(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    (void)message;
    return outbox_accepted(t, request);
}

/* ---- the table ---- */

/* By question: the answer that it can have beside a refusal, who is told of each, and whether the
 * connection goes on where no answer comes: what is about one contact does not stop the others. */
static const struct row {
    enum relay_type answer;
    handler on_answer, on_refusal;
    bool survives_silence;
} rows[REQUEST_TYPE_COUNT] = {
    [REQUEST_REGISTER] = {RELAY_DONE, registered, not_registered, false},
    [REQUEST_LOGIN] = {RELAY_WELCOME, welcomed, login_failed, false},
    [REQUEST_CARD] = {RELAY_DONE, published, not_published, false},
    [REQUEST_BUNDLE] = {RELAY_DONE, published, not_published, false},
    [REQUEST_SUBSCRIBE] = {RELAY_DONE, subscribed, not_subscribed, false},
    [REQUEST_FIND_NAME] = {RELAY_ACCOUNT, lookup_found, lookup_not_found, true},
    [REQUEST_FIND_CONTACT] = {RELAY_ACCOUNT, lookup_found, lookup_not_found, true},
    [REQUEST_FIND_ADDRESS] = {RELAY_ACCOUNT, lookup_found, lookup_not_found, true},
    [REQUEST_TAKE] = {RELAY_PREKEYS, prekeys_claimed, prekeys_not_claimed, true},
    [REQUEST_PUT] = {RELAY_ACCEPTED, accepted, outbox_put_refused, true},
};

/* An answer to a request; FORMAT where it is not one that the request can have. */
static enum signet_err answered(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    const struct row *row = &rows[request->type];

    if (request->type == REQUEST_PUT)
        outbox_landed(t->outbox, request, t->now_ms);
    if (message->type == RELAY_REFUSED)
        return row->on_refusal(t, request, message);
    if (message->type != row->answer)
        return SIGNET_ERR_FORMAT;
    return row->on_answer(t, request, message);
}

enum signet_err answers_handle(struct txn *t, const struct relay_message *message)
{
    struct request *request;
    enum signet_err err;

    switch (message->type) {
    case RELAY_CHALLENGE: return login_challenged(t, message);
    case RELAY_DELIVER:
        return t->login->is_subscribed ? inbox_delivered(t, message) : SIGNET_ERR_FORMAT;
    case RELAY_DRAINED: return login_drained(t);
    default: break;
    }
    request = requests_take(t->requests, message->req);
    if (request == NULL)
        return SIGNET_ERR_FORMAT;
    err = request->is_given_up ? SIGNET_OK : answered(t, request, message);
    free(request);
    return err;
}

enum signet_err answers_give_up(struct txn *t, struct request *request)
{
    const struct relay_message silence = {
        .type = RELAY_REFUSED, .code = CODE_SILENT, .retry_after_ms = RETRY_MS};
    const struct row *row = &rows[request->type];

    request->is_given_up = true;
    if (!row->survives_silence)
        return requests_stop(t, PROBLEM_SILENT, t->own->relay.name);
    return row->on_refusal(t, request, &silence);
}
