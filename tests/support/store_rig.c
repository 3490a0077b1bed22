/* A stepped store for tests (store_rig.h). */
#include "tests/support/store_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- sinks ---- */

static struct rig_event *note(const struct rig_sink *sink)
{
    struct rig_event *event = &sink->rig->events[sink->rig->event_count++];

    CHECK(sink->rig->event_count <= RIG_EVENTS_MAX);
    memset(event, 0, sizeof(*event));
    event->worker = sink->worker;
    return event;
}

static void answered(void *ctx, struct store_group *group)
{
    struct rig_event *event = note(ctx);

    event->type = RIG_ANSWERED;
    event->group = group;
}

static void delivered(void *ctx, uint64_t connection, struct store_message message)
{
    struct rig_event *event = note(ctx);

    event->type = RIG_DELIVERED;
    event->connection = connection;
    event->message_id = message.id;
    event->envelope_len = message.envelope.len;
    signet_buf_free(&message.envelope);
}

/* ---- the store ---- */

static void open_store(struct rig *rig, const char *path)
{
    enum signet_err err =
        store_sqlite_open(path, rig->library, &rig->limits, STORE_STEPPED, &rig->store);

    if (err != SIGNET_OK)
        print_message("%s: %s\n", path, store_sqlite_open_error());
    CHECK_OK(err);
    for (uint32_t i = 0; i < RIG_WORKERS; i++) {
        struct store_sink sink = {&rig->sinks[i], answered, delivered, NULL};

        rig->sinks[i] = (struct rig_sink){rig, i};
        rig->store->ops->attach(rig->store, i, &sink);
    }
}

void rig_open(struct rig *rig, const char *path)
{
    memset(rig, 0, sizeof(*rig));
    CHECK_OK(signet_library_new(NULL, &rig->library));
    rig->now_ms = 1000000;
    rig->limits = (struct store_limits){
        .mailbox_messages = 1000, .mailbox_bytes = 1 << 20, .take_burst = 1000};
    open_store(rig, path);
}

void rig_close(struct rig *rig)
{
    rig->store->ops->close(rig->store);
    store_group_free(rig->last);
    signet_library_free(rig->library);
}

void rig_reopen(struct rig *rig, const char *path)
{
    if (rig->store != NULL)
        rig->store->ops->close(rig->store);
    open_store(rig, path);
}

int rig_setup_memory(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig_open(rig, ":memory:");
    *state = rig;
    return 0;
}

int rig_setup_file(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    char path[] = "/tmp/signet-store-XXXXXX";
    int fd = mkstemp(path);

    assert_non_null(rig);
    CHECK(fd >= 0 && close(fd) == 0);
    rig_open(rig, path);
    CHECK(unlink(path) == 0); /* it lives as long as it is open */
    *state = rig;
    return 0;
}

int rig_teardown(void **state)
{
    rig_close(*state);
    free(*state);
    return 0;
}

void rig_forget_events(struct rig *rig)
{
    rig->event_count = 0;
}

struct signet_id rig_id(unsigned number)
{
    struct signet_id id;

    memset(&id, (int)number, sizeof(id));
    return id;
}

void rig_token(struct store_op *op, unsigned number)
{
    memset(op->token, (int)number, sizeof(op->token));
    op->has_token = true;
}

struct store_group *rig_group(const struct rig *rig, uint32_t worker)
{
    struct store_group *group = calloc(1, sizeof(*group));

    assert_non_null(group);
    group->worker = worker;
    group->now_ms = group->expired_ms = rig->now_ms;
    return group;
}

struct store_op *rig_op(struct store_group *group, enum store_op_type type)
{
    struct store_op *op = calloc(1, sizeof(*op));

    assert_non_null(op);
    op->type = type;
    store_group_add(group, op);
    return op;
}

enum store_result rig_run(struct rig *rig, struct store_group *group)
{
    if (rig->last != group)
        store_group_free(rig->last);
    rig->last = group;
    rig->store->ops->submit(rig->store, group);
    CHECK(store_sqlite_step(rig->store) == 1);
    return group->result;
}

struct store_op *rig_one(struct rig *rig, struct store_group *group)
{
    CHECK(rig_run(rig, group) == STORE_DONE);
    return group->first;
}

/* ---- operations ---- */

void rig_invite(struct rig *rig, unsigned token, uint64_t uses)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_INVITE_ADD);

    rig_token(op, token);
    op->uses = uses;
    CHECK(rig_one(rig, group)->answer == STORE_OK);
}

void rig_register(struct rig *rig, const char *name, unsigned address, unsigned device)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_INVITE_ADD);

    rig_token(op, 0x80 + address);
    op->uses = 1;
    op = rig_op(group, STORE_REGISTER);
    (void)snprintf(op->name, sizeof(op->name), "%s", name);
    rig_token(op, 0x80 + address);
    op->address = rig_id(address);
    op->list = rig_id(address + 1);
    op->card_version = 1;
    op->devices[op->device_count++] = rig_id(device);
    CHECK_OK(signet_buf_append(&op->card, signet_span_str(name)));
    CHECK(rig_run(rig, group) == STORE_DONE && op->answer == STORE_OK);
}

enum store_answer rig_put(struct rig *rig, unsigned device, uint64_t message_id, const char *text)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_PUT);

    op->device = rig_id(device);
    op->message_id = message_id;
    op->expires_ms = rig->now_ms + RIG_MESSAGE_MS;
    CHECK_OK(signet_buf_append(&op->envelope, signet_span_str(text)));
    return rig_one(rig, group)->answer;
}

enum store_answer rig_ack(struct rig *rig, unsigned device, uint64_t message_id)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_ACK);

    op->device = rig_id(device);
    op->ack_ids = &message_id;
    op->ack_count = 1;
    return rig_one(rig, group)->answer;
}

const char *rig_fetch(struct rig *rig, unsigned device, size_t max_count, size_t max_bytes)
{
    static char text[4096];
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_FETCH);
    size_t len = 0;

    op->device = rig_id(device);
    op->max_count = max_count;
    op->max_bytes = max_bytes;
    if (rig_one(rig, group)->answer != STORE_OK)
        return "gone";
    text[0] = '\0';
    for (size_t i = 0; i < op->message_count; i++) {
        signet_span envelope = signet_buf_span(&op->messages[i].envelope);

        CHECK(len + envelope.len + 40 < sizeof(text));
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%llu:%.*s", i > 0 ? " " : "",
            (unsigned long long)op->messages[i].id, (int)envelope.len, (const char *)envelope.ptr);
    }
    if (op->more)
        (void)snprintf(text + len, sizeof(text) - len, " ...");
    return text;
}

struct store_op *rig_claim(
    struct rig *rig, unsigned device, unsigned address, struct store_route route)
{
    struct store_group *group = rig_group(rig, route.worker);
    struct store_op *op = rig_op(group, STORE_CLAIM);

    op->device = rig_id(device);
    op->address = rig_id(address);
    op->route = route;
    return rig_one(rig, group);
}

void rig_release(struct rig *rig, unsigned device, struct store_route route)
{
    struct store_group *group = rig_group(rig, route.worker);
    struct store_op *op = rig_op(group, STORE_RELEASE);

    op->device = rig_id(device);
    op->route = route;
    CHECK(rig_one(rig, group)->answer == STORE_OK);
}

enum store_answer rig_bundle(
    struct rig *rig, unsigned device, uint64_t version, const char *text, size_t key_count)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_BUNDLE_PUT);

    op->device = rig_id(device);
    op->bundle_version = version;
    op->bundle_expires_ms = rig->now_ms + 1000000;
    CHECK_OK(signet_buf_append(&op->bundle, signet_span_str(text)));
    for (size_t i = 0; i < key_count; i++)
        CHECK_OK(signet_buf_fill(&op->keys, (uint8_t)(i + version), SIGNET_ONE_TIME_KEY_LEN));
    return rig_one(rig, group)->answer;
}

struct store_op *rig_take(struct rig *rig, unsigned device, unsigned requester)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_BUNDLE_TAKE);

    op->device = rig_id(device);
    op->address = rig_id(requester);
    return rig_one(rig, group);
}

bool rig_expire(struct rig *rig, uint64_t limit)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_EXPIRE);

    op->limit = limit;
    CHECK(rig_one(rig, group)->answer == STORE_OK);
    return op->more;
}
