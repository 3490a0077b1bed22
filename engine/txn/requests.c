/* Questions to the relay: docs/protocol.md, section 9. */
#include "engine/txn/requests.h"

#include <stdlib.h>

enum signet_err requests_ask(struct txn *t, enum request_type type, struct relay_message *message,
    struct request **request_out)
{
    struct request *request = calloc(1, sizeof(*request));
    enum signet_err err;

    *request_out = NULL;
    if (request == NULL)
        return SIGNET_ERR_NOMEM;
    request->req = ++t->requests->next_req;
    request->asked_at = t->now_ms;
    request->type = type;
    message->req = request->req;
    if ((err = txn_send(t, message)) != SIGNET_OK) {
        free(request);
        return err;
    }
    request->next = t->requests->first;
    t->requests->first = request;
    *request_out = request;
    return SIGNET_OK;
}

struct request *requests_take(struct requests *requests, uint64_t req)
{
    struct request **link = &requests->first;
    struct request *request;

    while (*link != NULL && (*link)->req != req)
        link = &(*link)->next;
    request = *link;
    if (request != NULL)
        *link = request->next;
    return request;
}

bool requests_is_asking(
    const struct requests *requests, enum request_type type, const struct signet_id *address)
{
    for (const struct request *r = requests->first; r != NULL; r = r->next) {
        if (r->type == type && signet_id_equal(&r->address, address))
            return true;
    }
    return false;
}

bool requests_is_settled(const struct requests *requests)
{
    for (const struct request *r = requests->first; r != NULL; r = r->next) {
        if (!r->is_given_up)
            return false;
    }
    return true;
}

void requests_free(struct requests *requests)
{
    while (requests->first != NULL) {
        struct request *request = requests->first;

        requests->first = request->next;
        free(request);
    }
}

enum signet_err requests_stop(struct txn *t, enum engine_problem problem, const char *whom)
{
    t->requests->phase = PHASE_STOPPED;
    return txn_fail(t, problem, 0, whom);
}
