/* Relay and clients in one process (simulation.h). */
#include "tests/support/simulation.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/forge_account.h"
#include "tests/support/key_pool.h"

/* ---- the simulation ---- */

void simulation_open(struct simulation *sim, uint64_t seed)
{
    memset(sim, 0, sizeof(*sim));
    sim->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    sim->seeded = seeded_library_new(seed);
    core_rig_open(&sim->rig, sim->seeded.library);
}

void simulation_close(struct simulation *sim)
{
    for (size_t i = 0; i < sim->client_count; i++) {
        sim_kill(&sim->clients[i]);
        memory_records_free(sim->clients[i].records);
    }
    core_rig_close(&sim->rig);
    seeded_library_free(&sim->seeded);
}

/* xorshift64: which bit of chance comes next is all that is asked of it. */
uint64_t simulation_random(struct simulation *sim, uint64_t below)
{
    sim->random ^= sim->random << 13;
    sim->random ^= sim->random >> 7;
    sim->random ^= sim->random << 17;
    return sim->random % below;
}

static uint64_t now_of(const struct sim_client *client)
{
    return client->sim->rig.wall_ms + client->clock_ahead_ms;
}

/* ---- what comes out of an engine ---- */

static void count_event(struct sim_client *client, const struct engine_event *event)
{
    switch (event->type) {
    case EVENT_READY: client->ready++; break;
    case EVENT_ACCEPTED: client->accepted++; break;
    case EVENT_QUEUED: client->queued++; break;
    case EVENT_MESSAGE: client->received++; break;
    case EVENT_DRAINED: client->drained++; break;
    case EVENT_STEP: client->steps++; break;
    case EVENT_CONTACT: client->received_before_name = client->received; break;
    case EVENT_FAILED:
        client->failed++;
        client->problem = event->problem;
        memcpy(client->blamed, event->text, sizeof(client->blamed));
        break;
    default: break;
    }
}

/* Commit, then send, then listen: the order that engine.h asks for. */
static void act_on(struct sim_client *client, struct engine_output *output)
{
    struct engine_frame *frame;
    struct engine_event *event;

    if (memory_records_commit(client->records, &output->changes) != SIGNET_OK) {
        client->commit_failed = true;
        engine_output_clear(output);
        sim_kill(client);
        return;
    }
    record_batch_clear(&output->changes);
    while ((frame = engine_output_frame(output)) != NULL) {
        client->sim->sent_bytes += frame->bytes.len;
        core_client_send_bytes(&client->connection, signet_buf_span(&frame->bytes));
        engine_frame_free(frame);
    }
    while ((event = engine_output_event(output)) != NULL) {
        count_event(client, event);
        free(event);
    }
}

/* ---- processes and connections ---- */

static struct engine_config config_of(struct sim_client *client)
{
    struct engine_config config = {
        .library = client->sim->seeded.library,
        .records = memory_records_source(client->records),
        .explain = true,
        .patience = client->sim->patience,
    };

    return config;
}

void sim_start(struct sim_client *client)
{
    struct engine_config config = config_of(client);

    CHECK(client->engine == NULL);
    CHECK_OK(engine_open(&config, &client->engine));
}

void sim_kill(struct sim_client *client)
{
    core_client_close(&client->connection);
    client->connection = (struct core_client){0};
    client->is_online = false;
    engine_free(client->engine);
    client->engine = NULL;
}

void sim_connect(struct sim_client *client)
{
    struct core_rig *rig = &client->sim->rig;
    struct engine_output output = {0};
    struct engine_hop hop;
    struct core_hop core_hop;
    uint32_t worker = client->index % CORE_RIG_WORKERS;

    if (client->is_online)
        return;
    memset(&core_hop.pin, 0x50, sizeof(core_hop.pin));
    for (size_t i = 0; i < sizeof(core_hop.exporter); i++)
        core_hop.exporter[i] = (uint8_t)simulation_random(client->sim, 256);
    hop.pin = core_hop.pin;
    memcpy(hop.exporter, core_hop.exporter, sizeof(hop.exporter));
    client->connection = (struct core_client){.rig = rig, .worker = worker};
    client->connection.conn = core_open(rig->cores[worker], &core_hop, &client->connection);
    CHECK(client->connection.conn != NULL);
    client->is_online = true;
    CHECK_OK(engine_connected(client->engine, &hop, now_of(client), &output));
    act_on(client, &output);
    core_rig_turn(rig);
}

void sim_disconnect(struct sim_client *client)
{
    struct engine_output output = {0};

    if (!client->is_online)
        return;
    core_client_close(&client->connection);
    client->connection = (struct core_client){0};
    client->is_online = false;
    CHECK_OK(engine_disconnected(client->engine, now_of(client), &output));
    act_on(client, &output);
}

/* One record, committed. */
static void plant(struct sim_client *client, const struct record_key *key, struct signet_buf *value)
{
    struct record_batch batch = {0};

    CHECK_OK(record_batch_put(&batch, key, signet_buf_span(value)));
    CHECK_OK(memory_records_commit(client->records, &batch));
    record_batch_clear(&batch);
    signet_buf_free(value);
}

/* An earlier bundle's secrets, so that its decryption key is used again: from the pool, because a
 * fresh one costs half a second. */
static void plant_bundle(struct sim_client *client, const struct signet_account *account)
{
    struct signet_library *library = client->sim->seeded.library;
    uint64_t now_ms = client->sim->rig.wall_ms;
    struct signet_bundle_order order = {.account = account, .version = 1, .now_ms = now_ms};
    struct forged_secrets keys = {
        .oaep_key = key_pool_take(library, 3072, 100 + client->index), .oaep_made_at = now_ms};
    struct record_key bundle_key = {.kind = RECORD_BUNDLE, .number = 1};
    struct record_key counters_key = {.kind = RECORD_COUNTERS};
    struct signet_bundle_secrets *secrets;
    struct signet_buf made[2] = {{0}}, value = {0};
    struct wire_writer w;

    secrets = forge_secrets(library, &order, &keys, made);
    CHECK_OK(signet_bundle_secrets_encode(secrets, &value));
    plant(client, &bundle_key, &value);
    w = wire_writer(&value);
    wire_put_array(&w, 6);
    wire_put_uint(&w, 1);
    wire_put_uint(&w, now_ms);
    wire_put_uint(&w, 0);
    wire_put_uint(&w, 0);
    wire_put_uint(&w, 1);
    wire_put_array(&w, 1);
    wire_put_array(&w, 4);
    wire_put_id(&w, signet_bundle_secrets_id(secrets));
    wire_put_uint(&w, 1);
    wire_put_uint(&w, now_ms);
    wire_put_uint(&w, signet_bundle_secrets_not_after(secrets));
    CHECK_OK(wire_writer_finish(&w));
    plant(client, &counters_key, &value);
    signet_bundle_secrets_free(secrets);
    signet_buf_free(&made[0]);
    signet_buf_free(&made[1]);
}

/* An account with pool keys in the place where engine_prepare looks for an earlier attempt's. */
static void plant_account(struct sim_client *client)
{
    struct signet_account *account =
        core_rig_account(client->sim->seeded.library, client->index, client->sim->rig.wall_ms);
    struct record_key key = {.kind = RECORD_ACCOUNT};
    struct signet_buf value = {0};

    CHECK_OK(signet_account_encode(account, &value));
    plant(client, &key, &value);
    plant_bundle(client, account);
    signet_account_free(account);
}

static void prepare(struct sim_client *client)
{
    struct invitation invitation = {.host = CORE_RIG_NAME, .port = 4710};
    struct engine_join join = {&invitation, client->name, client->sim->rig.wall_ms};
    struct engine_config config = config_of(client);
    struct signet_next_identity next = {.pkcs8 = {0}};
    struct engine_output output = {0};

    memset(invitation.pins, 0x50, sizeof(invitation.pins));
    core_rig_token(&client->sim->rig, invitation.token, 1);
    CHECK_OK(engine_prepare(&config, &join, &next, &output));
    act_on(client, &output);
    signet_buf_free(&next.pkcs8);
}

void sim_subscribe(struct sim_client *client)
{
    struct engine_output output = {0};

    CHECK_OK(engine_subscribe(client->engine, &output));
    act_on(client, &output);
}

struct sim_client *sim_prepare(struct simulation *sim, const char *name)
{
    struct sim_client *client = &sim->clients[sim->client_count];

    CHECK(sim->client_count < SIMULATION_CLIENTS_MAX);
    client->sim = sim;
    client->index = (unsigned)sim->client_count++;
    (void)snprintf(client->name, sizeof(client->name), "%s", name);
    client->records = memory_records_new();
    CHECK(client->records != NULL);
    plant_account(client);
    prepare(client);
    sim_start(client);
    sim_subscribe(client);
    return client;
}

struct sim_client *sim_join(struct simulation *sim, const char *name)
{
    struct sim_client *client = sim_prepare(sim, name);

    sim_connect(client);
    sim_run(sim);
    CHECK(client->ready == 1 && client->failed == 0);
    return client;
}

/* ---- running ---- */

void sim_send(struct sim_client *client, const char *peer, const char *text)
{
    struct engine_text request = {.peer = peer, .text = signet_span_str(text), .token = 1};
    struct engine_output output = {0};

    CHECK_OK(engine_send(client->engine, &request, now_of(client), &output));
    act_on(client, &output);
}

void sim_wait(struct simulation *sim, uint64_t ms)
{
    core_rig_wait(&sim->rig, ms);
    for (size_t i = 0; i < sim->client_count; i++) {
        struct sim_client *client = &sim->clients[i];
        struct engine_output output = {0};

        if (client->engine == NULL || engine_deadline(client->engine) > now_of(client))
            continue;
        CHECK_OK(engine_tick(client->engine, now_of(client), &output));
        act_on(client, &output);
        CHECK(client->engine == NULL || engine_deadline(client->engine) > now_of(client));
    }
}

/* What the client is given of what the relay sent. */
static struct signet_buf tamper(struct sim_client *client, struct signet_buf *inbox)
{
    signet_span left = signet_buf_span(inbox);
    struct signet_buf out = {0};

    while (left.len > 0) {
        struct relay_message message;

        CHECK_OK(relay_message_read(left, &message, &left));
        client->intercept(client, &message, &out);
    }
    signet_buf_free(inbox);
    return out;
}

void sim_inject(struct sim_client *client, signet_span bytes)
{
    struct engine_output output = {0};
    enum signet_err err = engine_receive(client->engine, bytes, now_of(client), &output);

    client->is_nonsense = err == SIGNET_ERR_FORMAT;
    CHECK(err == SIGNET_OK || client->is_nonsense);
    act_on(client, &output);
    if (client->is_nonsense)
        sim_disconnect(client);
}

static enum signet_err take_value(void *ctx, uint64_t number, signet_span value)
{
    (void)number;
    signet_buf_truncate(ctx, 0);
    return signet_buf_append(ctx, value);
}

void sim_inject_content(const struct sim_client *from, struct sim_client *to, signet_span content)
{
    struct record_source source = memory_records_source(from->records);
    struct record_key all = {.kind = RECORD_SESSION};
    struct relay_message message = {.type = RELAY_DELIVER, .message = 7000};
    struct signet_buf record = {0}, envelope = {0}, bytes = {0};
    struct signet_session *session = NULL;

    CHECK_OK(source.scan(source.ctx, &all, take_value, &record));
    CHECK_OK(signet_session_decode(from->sim->seeded.library, signet_buf_span(&record), &session));
    CHECK_OK(signet_session_seal(session, content, &envelope));
    message.envelope = signet_buf_span(&envelope);
    CHECK_OK(relay_message_write(&message, &bytes));
    sim_inject(to, signet_buf_span(&bytes));
    signet_session_free(session);
    signet_buf_free(&record);
    signet_buf_free(&envelope);
    signet_buf_free(&bytes);
}

/* Give a client what has come for it. */
static bool step_client(struct sim_client *client)
{
    struct core_client *connection = &client->connection;
    struct signet_buf inbox = connection->inbox;

    if (client->engine == NULL || !client->is_online)
        return false;
    if (connection->conn == NULL) {
        sim_disconnect(client);
        return true;
    }
    if (inbox.len == 0)
        return false;
    connection->inbox = (struct signet_buf){0};
    if (client->intercept != NULL)
        inbox = tamper(client, &inbox);
    sim_inject(client, signet_buf_span(&inbox));
    signet_buf_free(&inbox);
    return true;
}

bool sim_step(struct simulation *sim)
{
    size_t first;

    if (sim->client_count == 0)
        return false;
    core_rig_turn(&sim->rig);
    first = (size_t)simulation_random(sim, sim->client_count);
    for (size_t i = 0; i < sim->client_count; i++) {
        if (step_client(&sim->clients[(first + i) % sim->client_count]))
            return true;
    }
    return false;
}

void sim_run(struct simulation *sim)
{
    while (sim_step(sim))
        ;
}

/* ---- looking ---- */

const struct signet_id *sim_address(const struct sim_client *client)
{
    return signet_account_address(engine_account(client->engine));
}

struct collector {
    struct signet_buf out;
    bool is_outgoing;
};

static enum signet_err collect(void *ctx, uint64_t number, signet_span value)
{
    struct collector *collector = ctx;
    struct message message;
    bool is_silent;
    enum signet_err err;

    (void)number;
    CHECK_OK(message_decode(value, &message));
    err = SIGNET_OK;
    is_silent = message.kind == SIGNET_KIND_HEADS && message.verdict == VERDICT_VERIFIED;
    if (message.is_outgoing == collector->is_outgoing && !is_silent) {
        if (message.verdict != VERDICT_VERIFIED) {
            CHECK_OK(
                signet_buf_append(&collector->out, signet_span_str(verdict_word(message.verdict))));
            CHECK_OK(signet_buf_append(&collector->out, signet_span_str(" ")));
        }
        CHECK_OK(signet_buf_append(&collector->out, signet_buf_span(&message.text)));
        err = signet_buf_append(&collector->out, signet_span_str("\n"));
    }
    message_clear(&message);
    return err;
}

char *sim_history(struct sim_client *client, const struct sim_client *peer, bool is_outgoing)
{
    struct record_source source = memory_records_source(client->records);
    struct collector collector = {.is_outgoing = is_outgoing};
    struct record_key key = {.kind = RECORD_MESSAGE};
    struct signet_id conversation;

    CHECK_OK(signet_conversation_pair(
        client->sim->seeded.library, sim_address(client), sim_address(peer), &conversation));
    key.name = signet_id_span(&conversation);
    CHECK_OK(source.scan(source.ctx, &key, collect, &collector));
    CHECK_OK(signet_buf_fill(&collector.out, 0, 1));
    return (char *)collector.out.ptr;
}
