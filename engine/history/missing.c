/*
 * What a side that has lost a session has got of us: docs/protocol.md, sections 7 and 8 (step 9).
 */
#include "engine/history/missing.h"

#include "engine/history/history.h"

/* Our own lines against what the other side names. */
struct comparison {
    struct txn *t;
    const struct signet_entry *heads;
    bool is_known; /* what it names is in the history */
    uint64_t head; /* sequence of the newest of our entries that it has; 0: of none */
    uint64_t missing;
};

static bool is_named(const struct signet_entry *heads, const struct signet_id *id)
{
    for (size_t i = 0; i < heads->parent_count; i++) {
        if (signet_id_equal(&heads->parents[i], id))
            return true;
    }
    return false;
}

static enum signet_err visit_named(void *ctx, uint64_t number, signet_span value)
{
    struct comparison *comparison = ctx;
    struct message message;
    enum signet_err err = value.len == 0 ? SIGNET_ERR_FORMAT : message_decode(value, &message);

    (void)number;
    if (err != SIGNET_OK) /* a damaged line names nothing */
        return err == SIGNET_ERR_NOMEM ? err : SIGNET_OK;
    if (message.is_outgoing && is_named(comparison->heads, &message.id)) {
        comparison->is_known = true;
        if (message.sequence > comparison->head)
            comparison->head = message.sequence;
    }
    message_clear(&message);
    return SIGNET_OK;
}

static enum signet_err visit_missing(void *ctx, uint64_t number, signet_span value)
{
    struct comparison *comparison = ctx;
    struct message message;
    /* As the line is after what this call has changed. */
    enum signet_err err = value.len == 0 ? SIGNET_ERR_UNKNOWN
                                         : history_load_line(comparison->t,
                                               &comparison->heads->conversation, number, &message);

    if (err != SIGNET_OK)
        return err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_IO ? err : SIGNET_OK;
    if (message.is_outgoing && message.kind == SIGNET_KIND_TEXT &&
        message.verdict == VERDICT_VERIFIED && message.sequence > comparison->head) {
        message.verdict = VERDICT_MISSING;
        comparison->missing++;
        err = history_change(comparison->t, &message);
    }
    message_clear(&message);
    return err;
}

enum signet_err missing_mark(struct txn *t, const struct signet_entry *heads, uint64_t *missing_out)
{
    struct comparison comparison = {.t = t, .heads = heads, .is_known = heads->parent_count == 0};
    enum signet_err err = history_scan(t, &heads->conversation, visit_named, &comparison);

    if (err == SIGNET_OK && comparison.is_known)
        err = history_scan(t, &heads->conversation, visit_missing, &comparison);
    *missing_out = comparison.missing;
    return err;
}
