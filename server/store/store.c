/* Operations and groups: what every store and the core share (store.h). */
#include "server/store/store.h"

#include <stdlib.h>
#include <string.h>

void store_op_clear(struct store_op *op)
{
    signet_buf_free(&op->envelope);
    signet_buf_free(&op->card);
    signet_buf_free(&op->bundle);
    signet_buf_free(&op->keys);
    for (size_t i = 0; i < op->message_count; i++)
        signet_buf_free(&op->messages[i].envelope);
    free(op->messages);
    free(op->removed);
    memset(op, 0, sizeof(*op));
}

void store_group_add(struct store_group *group, struct store_op *op)
{
    op->next = NULL;
    if (group->last == NULL)
        group->first = op;
    else
        group->last->next = op;
    group->last = op;
    group->count++;
}

void store_group_free(struct store_group *group)
{
    if (group == NULL)
        return;
    while (group->first != NULL) {
        struct store_op *op = group->first;

        group->first = op->next;
        store_op_clear(op);
        free(op);
    }
    free(group);
}
