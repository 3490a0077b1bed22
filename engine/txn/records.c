/* Records as a call sees them: those of the source, with its own changes laid over them. */
#include "engine/txn/txn.h"

enum signet_err txn_get(struct txn *t, const struct record_key *key, struct signet_buf *out)
{
    const struct record_change *change = record_batch_find(&t->output->changes, key);

    if (change == NULL)
        return t->records.get(t->records.ctx, key, out);
    if (change->is_delete)
        return SIGNET_ERR_UNKNOWN;
    return signet_buf_append(out, signet_buf_span(&change->value));
}

enum signet_err txn_put(struct txn *t, const struct record_key *key, signet_span value)
{
    return record_batch_put(&t->output->changes, key, value);
}

enum signet_err txn_delete(struct txn *t, const struct record_key *key)
{
    return record_batch_delete(&t->output->changes, key);
}

enum signet_err txn_scan(
    struct txn *t, const struct record_key *key, record_visitor visit, void *ctx)
{
    return t->records.scan(t->records.ctx, key, visit, ctx);
}

enum signet_err txn_write(
    struct txn *t, const struct record_key *key, record_encoder encode, const void *object)
{
    struct signet_buf value = {0};
    enum signet_err err = encode(object, &value);

    if (err == SIGNET_OK)
        err = txn_put(t, key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err;
}

enum signet_err txn_read(
    struct txn *t, const struct record_key *key, record_decoder decode, void *object)
{
    struct signet_buf value = {0};
    enum signet_err err = txn_get(t, key, &value);

    if (err == SIGNET_OK)
        err = decode(t, signet_buf_span(&value), object);
    signet_buf_free(&value);
    return err;
}
