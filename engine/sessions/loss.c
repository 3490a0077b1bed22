/* Losses as records. */
#include "engine/sessions/loss.h"

#include "engine/sessions/sessions.h"
#include "wire/cbor.h"

enum signet_err loss_decode(signet_span value, struct loss *loss_out)
{
    struct wire_reader r = wire_reader(value);

    wire_expect_array(&r, 3);
    wire_get_id(&r, &loss_out->device);
    loss_out->tried_at = wire_get_uint(&r, UINT64_MAX);
    loss_out->is_due = wire_get_uint(&r, 1) == 1;
    return wire_reader_finish(&r);
}

static enum signet_err encode(const void *object, struct signet_buf *out)
{
    const struct loss *loss = object;
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 3);
    wire_put_id(&w, &loss->device);
    wire_put_uint(&w, loss->tried_at);
    wire_put_uint(&w, loss->is_due);
    return wire_writer_finish(&w);
}

static enum signet_err decode(struct txn *t, signet_span value, void *object)
{
    (void)t;
    return loss_decode(value, object);
}

enum signet_err loss_save(struct txn *t, const struct loss *loss)
{
    struct record_key key = {RECORD_LOSS, signet_id_span(&loss->device), 0};

    return txn_write(t, &key, encode, loss);
}

enum signet_err loss_load(struct txn *t, const struct signet_id *device, struct loss *loss_out)
{
    struct record_key key = {RECORD_LOSS, signet_id_span(device), 0};
    enum signet_err err = txn_read(t, &key, decode, loss_out);

    return err == SIGNET_ERR_AUTH || err == SIGNET_ERR_FORMAT ? SIGNET_ERR_UNKNOWN : err;
}

enum signet_err loss_note(struct txn *t, const struct signet_id *device)
{
    struct loss loss;
    enum signet_err err = loss_load(t, device, &loss);

    if (err == SIGNET_ERR_UNKNOWN)
        loss = (struct loss){.device = *device};
    else if (err != SIGNET_OK)
        return err;
    loss.is_due = true;
    t->sessions->has_losses = true;
    return loss_save(t, &loss);
}

enum signet_err loss_told(struct txn *t, const struct signet_id *device)
{
    struct loss loss = {.device = *device, .tried_at = t->now_ms};

    return loss_save(t, &loss);
}
