/* Batches of changes to the client's records. */
#include "engine/records.h"

#include <stdlib.h>
#include <string.h>

/* A change with its key filled in; NULL with *err set where that cannot be. */
static struct record_change *change_new(const struct record_key *key, enum signet_err *err)
{
    struct record_change *change;

    *err = SIGNET_ERR_ARGUMENT;
    if (key->name.len > RECORD_NAME_MAX)
        return NULL;
    *err = SIGNET_ERR_NOMEM;
    change = calloc(1, sizeof(*change));
    if (change == NULL)
        return NULL;
    change->kind = key->kind;
    change->number = key->number;
    change->name_len = key->name.len;
    if (key->name.len > 0)
        memcpy(change->name, key->name.ptr, key->name.len);
    *err = SIGNET_OK;
    return change;
}

static void append(struct record_batch *batch, struct record_change *change)
{
    if (batch->last == NULL)
        batch->first = change;
    else
        batch->last->next = change;
    batch->last = change;
    batch->count++;
}

enum signet_err record_batch_put(
    struct record_batch *batch, const struct record_key *key, signet_span value)
{
    struct record_change *change;
    enum signet_err err;

    if (value.len > RECORD_MAX)
        return SIGNET_ERR_ARGUMENT;
    change = change_new(key, &err);
    if (change == NULL)
        return err;
    if ((err = signet_buf_append(&change->value, value)) != SIGNET_OK) {
        free(change);
        return err;
    }
    append(batch, change);
    return SIGNET_OK;
}

enum signet_err record_batch_delete(struct record_batch *batch, const struct record_key *key)
{
    enum signet_err err;
    struct record_change *change = change_new(key, &err);

    if (change == NULL)
        return err;
    change->is_delete = true;
    append(batch, change);
    return SIGNET_OK;
}

const struct record_change *record_batch_find(
    const struct record_batch *batch, const struct record_key *key)
{
    const struct record_change *found = NULL;

    for (const struct record_change *c = batch->first; c != NULL; c = c->next) {
        if (c->kind == key->kind && c->number == key->number &&
            signet_span_equal(signet_span_of(c->name, c->name_len), key->name))
            found = c;
    }
    return found;
}

void record_batch_clear(struct record_batch *batch)
{
    struct record_change *change = batch->first;

    while (change != NULL) {
        struct record_change *next = change->next;

        signet_buf_free(&change->value);
        free(change);
        change = next;
    }
    memset(batch, 0, sizeof(*batch));
}

void record_batch_append(struct record_batch *to, struct record_batch *from)
{
    if (from->first == NULL)
        return;
    if (to->last == NULL)
        to->first = from->first;
    else
        to->last->next = from->first;
    to->last = from->last;
    to->count += from->count;
    memset(from, 0, sizeof(*from));
}
