/* What a call has brought about for the rooms above, in order. */
#include <stdlib.h>
#include <string.h>

#include "engine/txn/txn.h"

/* A copy at the end of the list. */
static enum signet_err append(struct txn *t, const struct outcome *outcome)
{
    struct outcome *copy = malloc(sizeof(*copy));

    if (copy == NULL)
        return SIGNET_ERR_NOMEM;
    *copy = *outcome;
    copy->next = NULL;
    if (t->last_outcome != NULL)
        t->last_outcome->next = copy;
    else
        t->first_outcome = copy;
    t->last_outcome = copy;
    return SIGNET_OK;
}

enum signet_err outcome_failed(
    struct txn *t, const struct signet_id *address, const char *name, enum engine_problem problem)
{
    struct outcome outcome = {
        .type = OUTCOME_FAILED, .problem = problem, .is_by_name = address == NULL};

    if (address != NULL)
        outcome.address = *address;
    else
        memcpy(outcome.name, name, strlen(name));
    return append(t, &outcome);
}

enum signet_err outcome_held(struct txn *t, const struct signet_id *address,
    enum engine_problem problem, uint64_t not_before)
{
    struct outcome outcome = {
        .type = OUTCOME_HELD, .address = *address, .problem = problem, .not_before = not_before};

    return append(t, &outcome);
}

enum signet_err outcome_known(struct txn *t, const struct signet_id *address, bool is_new)
{
    struct outcome outcome = {.type = OUTCOME_KNOWN, .address = *address, .is_new = is_new};

    return append(t, &outcome);
}

enum signet_err outcome_device_removed(
    struct txn *t, const struct signet_id *address, const struct signet_id *device)
{
    struct outcome outcome = {
        .type = OUTCOME_DEVICE_REMOVED, .address = *address, .device = *device};

    return append(t, &outcome);
}

enum signet_err outcome_session_lost(struct txn *t, const struct signet_id *address)
{
    struct outcome outcome = {.type = OUTCOME_SESSION_LOST, .address = *address};

    return append(t, &outcome);
}

struct outcome *outcome_next(struct txn *t)
{
    struct outcome *outcome = t->first_outcome;

    if (outcome == NULL)
        return NULL;
    t->first_outcome = outcome->next;
    if (t->first_outcome == NULL)
        t->last_outcome = NULL;
    outcome->next = NULL;
    return outcome;
}

void outcomes_clear(struct txn *t)
{
    struct outcome *outcome;

    while ((outcome = outcome_next(t)) != NULL)
        free(outcome);
}
