/* The history's lines, and where each device's chain of entries stands. */
#include "engine/history/history.h"

#include <string.h>

#include "engine/account.h"

/* ---- lines ---- */

static enum signet_err encode_line(const void *object, struct signet_buf *out)
{
    return message_encode(object, out);
}

static enum signet_err decode_line(struct txn *t, signet_span value, void *object)
{
    (void)t;
    return message_decode(value, object);
}

enum signet_err history_change(struct txn *t, const struct message *message)
{
    struct record_key key = {
        RECORD_MESSAGE, signet_id_span(&message->conversation), message->number};

    return txn_write(t, &key, encode_line, message);
}

enum signet_err history_add(struct txn *t, struct message *message, bool is_unshown)
{
    struct record_key unshown = {.kind = RECORD_UNSHOWN};
    enum signet_err err;

    message->number = ++t->own->counters.next_message;
    unshown.number = message->number;
    err = history_change(t, message);
    if (err == SIGNET_OK && is_unshown)
        err = txn_put(t, &unshown, signet_id_span(&message->conversation));
    return err == SIGNET_OK ? own_save_counters(t) : err;
}

enum signet_err history_load_line(struct txn *t, const struct signet_id *conversation,
    uint64_t number, struct message *message_out)
{
    struct record_key key = {RECORD_MESSAGE, signet_id_span(conversation), number};
    enum signet_err err = txn_read(t, &key, decode_line, message_out);

    if (err == SIGNET_OK)
        message_out->number = number;
    return err == SIGNET_ERR_AUTH || err == SIGNET_ERR_FORMAT ? SIGNET_ERR_UNKNOWN : err;
}

enum signet_err history_shown(struct txn *t, uint64_t number)
{
    struct record_key key = {.kind = RECORD_UNSHOWN, .number = number};

    return txn_delete(t, &key);
}

enum signet_err history_scan(
    struct txn *t, const struct signet_id *conversation, record_visitor visit, void *ctx)
{
    struct record_key lines = {RECORD_MESSAGE, signet_id_span(conversation), 0};

    return txn_scan(t, &lines, visit, ctx);
}

/* ---- chains ---- */

/* The name under which a chain is stored: conversation and device. */
struct chain_name {
    uint8_t b[2 * SIGNET_ID_LEN];
};

static struct chain_name chain_name(
    const struct signet_id *conversation, const struct signet_id *device)
{
    struct chain_name name;

    memcpy(name.b, conversation->b, SIGNET_ID_LEN);
    memcpy(name.b + SIGNET_ID_LEN, device->b, SIGNET_ID_LEN);
    return name;
}

static enum signet_err encode_chain(const void *object, struct signet_buf *out)
{
    return chain_encode(object, out);
}

static enum signet_err decode_chain(struct txn *t, signet_span value, void *object)
{
    (void)t;
    return chain_decode(value, object);
}

enum signet_err history_load_chain(struct txn *t, const struct signet_id *conversation,
    const struct signet_id *device, struct chain *chain_out)
{
    struct chain_name name = chain_name(conversation, device);
    struct record_key key = {RECORD_HEAD, signet_span_of(name.b, sizeof(name.b)), 0};
    enum signet_err err = txn_read(t, &key, decode_chain, chain_out);

    if (err != SIGNET_ERR_UNKNOWN)
        return err;
    memset(chain_out, 0, sizeof(*chain_out));
    return SIGNET_OK;
}

enum signet_err history_save_chain(struct txn *t, const struct signet_id *conversation,
    const struct signet_id *device, const struct chain *chain)
{
    struct chain_name name = chain_name(conversation, device);
    struct record_key key = {RECORD_HEAD, signet_span_of(name.b, sizeof(name.b)), 0};

    return txn_write(t, &key, encode_chain, chain);
}

/* What the lines tell of a device's chain. */
struct recall {
    const struct signet_id *device;
    struct chain *chain;
};

static enum signet_err visit_line(void *ctx, uint64_t number, signet_span value)
{
    const struct recall *recall = ctx;
    struct message message;

    (void)number;
    if (value.len == 0 || message_decode(value, &message) != SIGNET_OK)
        return SIGNET_OK; /* a damaged line */
    if (signet_id_equal(&message.device, recall->device) && verdict_is_authentic(message.verdict) &&
        message.sequence > recall->chain->sequence) {
        recall->chain->sequence = message.sequence;
        recall->chain->id = message.id;
    }
    message_clear(&message);
    return SIGNET_OK;
}

enum signet_err history_recall_chain(struct txn *t, const struct signet_id *conversation,
    const struct signet_id *device, struct chain *chain_out)
{
    struct recall recall = {device, chain_out};
    enum signet_err err = history_load_chain(t, conversation, device, chain_out);

    if (err != SIGNET_ERR_AUTH)
        return err;
    memset(chain_out, 0, sizeof(*chain_out));
    return history_scan(t, conversation, visit_line, &recall);
}
