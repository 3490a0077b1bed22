/* What a side that has lost a session has got of us: docs/protocol.md, sections 7 and 8 (step 9);
 * decision 21. */
#include "engine/inbox/delivery.h"

/* Our own lines against what the other side names. */
struct comparison {
    struct engine *engine;
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

/* As the line is after what this call has changed. */
static enum signet_err load_line(
    struct engine *e, const struct record_key *key, struct message *message_out)
{
    struct signet_buf value = {0};
    enum signet_err err = engine_get(e, key, &value);

    if (err == SIGNET_OK)
        err = message_decode(signet_buf_span(&value), message_out);
    signet_buf_free(&value);
    return err;
}

static enum signet_err visit_missing(void *ctx, uint64_t number, signet_span value)
{
    struct comparison *comparison = ctx;
    struct record_key key = {
        RECORD_MESSAGE, signet_id_span(&comparison->heads->conversation), number};
    struct signet_buf changed = {0};
    struct message message;
    enum signet_err err =
        value.len == 0 ? SIGNET_ERR_FORMAT : load_line(comparison->engine, &key, &message);

    if (err != SIGNET_OK)
        return err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_IO ? err : SIGNET_OK;
    if (message.is_outgoing && message.kind == SIGNET_KIND_TEXT &&
        message.verdict == VERDICT_VERIFIED && message.sequence > comparison->head) {
        message.verdict = VERDICT_MISSING;
        comparison->missing++;
        if ((err = message_encode(&message, &changed)) == SIGNET_OK)
            err = engine_put(comparison->engine, &key, signet_buf_span(&changed));
    }
    message_clear(&message);
    signet_buf_free(&changed);
    return err;
}

enum signet_err engine_mark_missing(
    struct engine *e, const struct signet_entry *heads, uint64_t *missing_out)
{
    struct comparison comparison = {
        .engine = e, .heads = heads, .is_known = heads->parent_count == 0};
    struct record_key lines = {RECORD_MESSAGE, signet_id_span(&heads->conversation), 0};
    enum signet_err err = e->records.scan(e->records.ctx, &lines, visit_named, &comparison);

    if (err == SIGNET_OK && comparison.is_known)
        err = e->records.scan(e->records.ctx, &lines, visit_missing, &comparison);
    *missing_out = comparison.missing;
    return err;
}
