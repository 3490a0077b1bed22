/*
 * A logged-in device publishes its account's card, or its own bundle: docs/protocol.md, sections 3,
 * 4 and 9. Both are compared with the card that the store has.
 */
#include "server/core/handle_publish.h"

#include "server/core/connection.h"
#include "server/core/core_state.h"
#include "server/core/handlers.h"
#include "server/core/operations.h"
#include "server/core/time.h"

enum {
    KEYS_AT_ONCE = 2, /* of a card: others have their turn between them */
    KEY_COST = 2,     /* requests: a new key takes 10 ms to check, four times what a request does */
};

static core_answer card_found, bundle_found, published;

enum signet_err publish_card(struct core_op *op, const struct signet_card *card)
{
    op->op.address = *signet_card_address(card);
    op->op.list = *signet_card_list(card);
    op->op.card_generation = signet_card_generation(card);
    op->op.card_version = signet_card_version(card);
    op->op.device_count = signet_card_device_count(card);
    for (size_t i = 0; i < op->op.device_count; i++)
        op->op.devices[i] = *signet_card_device(card, i);
    return signet_buf_append(&op->op.card, signet_card_bytes(card));
}

/* Look up the account's own card; the message is needed again when it is found. */
static enum signet_err find_own_card(struct relay_core *core, struct conn *conn, signet_span raw,
    uint64_t req, core_answer *answered)
{
    struct core_op *op;

    if (!conn_allow(core, conn, account_rate(&core->publishes, &conn->device->address),
            &core->config.rates.publish, req))
        return SIGNET_OK;
    op = core_op_new(core, conn, STORE_FIND, req, answered);
    if (op == NULL)
        return SIGNET_ERR_NOMEM;
    op->op.address = conn->device->address;
    if (signet_buf_append(&op->held, raw) != SIGNET_OK) {
        core_op_free(core, op);
        return SIGNET_ERR_NOMEM;
    }
    return core_op_submit(core, conn, op);
}

enum signet_err handle_put_card(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw)
{
    return find_own_card(core, conn, raw, message->req, card_found);
}

enum signet_err handle_put_bundle(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw)
{
    return find_own_card(core, conn, raw, message->req, bundle_found);
}

/* What is refused because of time or order has its own code. */
static void refuse(
    struct relay_core *core, struct conn *conn, const struct core_op *op, enum signet_err err)
{
    if (err == SIGNET_ERR_NOT_YET || err == SIGNET_ERR_EXPIRED)
        conn_refuse(core, conn, op->op.req, RELAY_CODE_CLOCK, 0);
    else if (err == SIGNET_ERR_ROLLBACK)
        conn_refuse(core, conn, op->op.req, RELAY_CODE_VERSION, 0);
    else
        conn_refuse_err(core, conn, op->op.req, err);
}

/* So that one account does not take more than a few percent of a worker. */
static void charge_keys(struct relay_core *core, struct conn *conn, size_t count)
{
    rate_charge(account_rate(&core->publishes, &conn->device->address), &core->config.rates.publish,
        (uint32_t)(KEY_COST * count), core->monotonic_ms);
}

static enum signet_err check_card(
    struct relay_core *core, const struct signet_card *known, const struct signet_card *card)
{
    enum signet_err err = signet_card_follows(known, card);

    if (err != SIGNET_OK)
        return err;
    if (!core_is_recent(core, signet_card_issued_at(card)))
        return SIGNET_ERR_EXPIRED;
    return signet_card_check_time(card, core->wall_ms);
}

/* Check some of the card's keys that the account did not have before. */
static enum signet_err check_keys(struct relay_core *core, struct conn *conn, struct core_op *op,
    const struct signet_card *known, const struct signet_card *card)
{
    size_t left = KEYS_AT_ONCE;
    enum signet_err err = signet_card_check_keys(card, known, &left, &op->checked);

    charge_keys(core, conn, KEYS_AT_ONCE - left);
    return err;
}

/* More of the card's keys are to be checked: begin again, after what else waits. */
static enum signet_err look_again(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    struct core_op *next = core_op_new(core, conn, STORE_FIND, op->op.req, card_found);

    if (next == NULL)
        return SIGNET_ERR_NOMEM;
    next->op.address = conn->device->address;
    next->held = op->held;
    next->checked = op->checked;
    op->held = (struct signet_buf){0};
    return core_op_submit(core, conn, next);
}

static enum signet_err submit_card(
    struct relay_core *core, struct conn *conn, uint64_t req, const struct signet_card *card)
{
    struct core_op *op = core_op_new(core, conn, STORE_CARD_PUT, req, published);

    if (op == NULL || publish_card(op, card) != SIGNET_OK) {
        core_op_free(core, op);
        return SIGNET_ERR_NOMEM;
    }
    return core_op_submit(core, conn, op);
}

/* What is cheap comes first: nobody has keys checked for a card that is of no use. */
static enum signet_err store_card(struct relay_core *core, struct conn *conn, struct core_op *op,
    const struct relay_message *message, const struct signet_card *known)
{
    struct signet_card *card = NULL;
    enum signet_err err;

    if ((err = signet_card_read_unchecked(core->library, message->card, &card)) != SIGNET_OK)
        return err;
    if ((err = check_card(core, known, card)) != SIGNET_OK)
        goto out;
    if ((err = check_keys(core, conn, op, known, card)) != SIGNET_OK)
        goto out;
    if (op->checked < signet_card_key_count(card))
        err = look_again(core, conn, op);
    else
        err = submit_card(core, conn, message->req, card);
out:
    signet_card_free(card);
    return err;
}

static enum signet_err check_bundle(struct relay_core *core, const struct conn *conn,
    const struct signet_bundle *bundle, signet_span keys)
{
    enum signet_err err;

    if (!signet_id_equal(signet_bundle_device(bundle), &conn->device->id))
        return SIGNET_ERR_SIGNER;
    if (!core_is_recent(core, signet_bundle_not_before(bundle)))
        return SIGNET_ERR_EXPIRED;
    if ((err = signet_bundle_check_time(bundle, core->wall_ms)) != SIGNET_OK)
        return err;
    return signet_bundle_check_keys(core->library, bundle, keys);
}

static enum signet_err store_bundle(struct relay_core *core, struct conn *conn,
    struct core_op *found, const struct relay_message *message, const struct signet_card *known)
{
    struct core_op *op = core_op_new(core, conn, STORE_BUNDLE_PUT, message->req, published);
    struct signet_bundle *bundle = NULL;
    enum signet_err err = SIGNET_ERR_NOMEM;

    (void)found;
    if (op == NULL)
        return err;
    charge_keys(core, conn, 1);
    if ((err = signet_bundle_read(core->library, message->bundle, known, &bundle)) != SIGNET_OK)
        goto out;
    if ((err = relay_keys_copy(message, &op->op.keys)) != SIGNET_OK)
        goto out;
    if ((err = check_bundle(core, conn, bundle, signet_buf_span(&op->op.keys))) != SIGNET_OK)
        goto out;
    if ((err = signet_buf_append(&op->op.bundle, message->bundle)) != SIGNET_OK)
        goto out;
    op->op.device = conn->device->id;
    op->op.bundle_version = signet_bundle_version(bundle);
    op->op.bundle_expires_ms = signet_bundle_not_after(bundle);
    err = core_op_submit(core, conn, op);
    op = NULL;
out:
    core_op_free(core, op);
    signet_bundle_free(bundle);
    return err;
}

typedef enum signet_err store_fn(struct relay_core *core, struct conn *conn, struct core_op *op,
    const struct relay_message *message, const struct signet_card *known);

/* The own card is found: go on with the message that was held. */
static void go_on(struct relay_core *core, struct conn *conn, struct core_op *op, store_fn *run)
{
    struct signet_card *known = NULL;
    struct relay_message message;
    signet_span rest;
    enum signet_err err;

    if (op->op.answer != STORE_OK) {
        conn_refuse_answer(core, conn, op);
        return;
    }
    err = signet_card_read_stored(core->library, signet_buf_span(&op->op.card), &known);
    if (err == SIGNET_OK)
        err = relay_message_read(signet_buf_span(&op->held), &message, &rest);
    if (err == SIGNET_OK)
        err = run(core, conn, op, &message, known);
    if (err != SIGNET_OK)
        refuse(core, conn, op, err);
    signet_card_free(known);
}

static void card_found(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    go_on(core, conn, op, store_card);
}

static void bundle_found(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    go_on(core, conn, op, store_bundle);
}

static bool has_device(const struct core_op *op, const struct signet_id *device)
{
    for (size_t i = 0; i < op->op.device_count; i++)
        if (signet_id_equal(&op->op.devices[i], device))
            return true;
    return false;
}

static void published(struct relay_core *core, struct conn *conn, struct core_op *op)
{
    if (op->op.answer != STORE_OK) {
        conn_refuse_answer(core, conn, op);
        return;
    }
    conn_done(core, conn, op->op.req);
    /* A device that takes itself off the card is not logged in any more. */
    if (op->op.type == STORE_CARD_PUT && !has_device(op, &conn->device->id))
        conn_close(core, conn, 1000);
}
