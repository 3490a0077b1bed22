/*
 * A relay that says devices away, and lists that remove them: what was sealed is lost by neither,
 * and goes to nobody who was removed. Each test fails when the attack works.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#include "tests/support/forge.h"
#include "tests/support/key_pool.h"

/* What the relay makes of its answers to alice. */
struct relay {
    size_t known;           /* so many puts are accepted, */
    size_t unknown;         /* and so many after them go to a device that it does not know */
    struct signet_buf card; /* in place of any account's, if not empty */
};

static void answer(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct relay *relay = client->intercept_ctx;
    struct relay_message changed = *message;

    if (message->type == RELAY_PREKEYS)
        return; /* so that what waits for a session goes on waiting */
    if (message->type == RELAY_ACCEPTED && relay->known > 0) {
        relay->known--;
    } else if (message->type == RELAY_ACCEPTED && relay->unknown > 0) {
        relay->unknown--;
        changed = (struct relay_message){
            .type = RELAY_REFUSED, .req = message->req, .code = RELAY_CODE_UNKNOWN};
    }
    if (message->type == RELAY_ACCOUNT && relay->card.len > 0)
        changed.card = signet_buf_span(&relay->card);
    CHECK_OK(relay_message_write(&changed, out));
}

struct scene {
    struct simulation sim;
    struct sim_client *alice, *bob, *carol;
    struct relay relay;
};

static void scene_open(struct scene *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    simulation_open(&s->sim, seed);
    s->alice = sim_join(&s->sim, "alice");
    s->bob = sim_join(&s->sim, "bob");
    s->carol = sim_join(&s->sim, "carol");
    sim_send(s->alice, "bob", "0");
    sim_run(&s->sim);
    CHECK(s->alice->accepted == 1);
    s->alice->intercept = answer;
    s->alice->intercept_ctx = &s->relay;
}

static void scene_close(struct scene *s)
{
    signet_buf_free(&s->relay.card);
    simulation_close(&s->sim);
}

static void send_and_run(struct scene *s, const char *text)
{
    sim_send(s->alice, "bob", text);
    sim_run(&s->sim);
}

/* A client's next list, with the other's device in place of its own. */
static struct signet_buf next_card(const struct sim_client *client, const struct sim_client *other)
{
    const struct signet_card *card = signet_account_card(engine_account(client->engine));
    struct crypto_rsa_private *identity =
        key_pool_take(client->sim->seeded.library, 2048, 2 * client->index);
    struct forged_list list = forge_list_of(card);
    struct forged_link link = {.identity = identity, .list = &list};
    struct signet_buf bytes;

    list.version++;
    list.has_previous = true;
    list.previous = *signet_card_list(card);
    list.devices[0] = forge_list_of(signet_account_card(engine_account(other->engine))).devices[0];
    list.devices[0].since = list.version;
    bytes = forge_card_bytes(&link, 1);
    crypto_rsa_private_free(identity);
    return bytes;
}

/* The records of the outbox: how many, and the last one. */
struct outbox {
    size_t count;
    uint64_t number;
    struct signet_buf value;
};

static enum signet_err visit(void *ctx, uint64_t number, signet_span value)
{
    struct outbox *outbox = ctx;

    outbox->count++;
    outbox->number = number;
    signet_buf_free(&outbox->value);
    return signet_buf_append(&outbox->value, value);
}

static struct outbox look(const struct scene *s)
{
    struct record_source source = memory_records_source(s->alice->records);
    struct record_key key = {.kind = RECORD_OUTBOX, .name = signet_span_str("")};
    struct outbox outbox = {0};

    CHECK_OK(source.scan(source.ctx, &key, visit, &outbox));
    return outbox;
}

static size_t in_outbox(const struct scene *s)
{
    struct outbox outbox = look(s);

    signet_buf_free(&outbox.value);
    return outbox.count;
}

/* Where a sealed record has its state and its device. */
enum { STATE_AT = 2, SPREAD = 2, DEVICE_AT = 5 };

/* Alice's process begins anew, with the last envelope in a record that is for `device`. */
static void restart_with(struct scene *s, uint64_t further, const struct sim_client *device)
{
    struct outbox outbox = look(s);
    struct record_key key = {.kind = RECORD_OUTBOX, .number = outbox.number + further};
    struct record_batch batch = {0};

    sim_kill(s->alice);
    memcpy(outbox.value.ptr + DEVICE_AT,
        signet_id_span(signet_account_device(engine_account(device->engine))).ptr,
        sizeof(struct signet_id));
    CHECK_OK(record_batch_put(&batch, &key, signet_buf_span(&outbox.value)));
    CHECK_OK(memory_records_commit(s->alice->records, &batch));
    record_batch_clear(&batch);
    signet_buf_free(&outbox.value);
    sim_start(s->alice);
    sim_connect(s->alice);
    sim_run(&s->sim);
}

/* One `unknown` is the relay's word against the contact's signed list. */
static void an_unknown_device_loses_no_message(void **state)
{
    struct scene s;
    char *history;

    (void)state;
    scene_open(&s, 320);
    s.relay.unknown = 1;
    send_and_run(&s, "1");
    CHECK(s.alice->problem == PROBLEM_DEVICE && s.alice->accepted == 1 && in_outbox(&s) == 1);
    sim_disconnect(s.alice);
    sim_connect(s.alice);
    sim_run(&s.sim);
    CHECK(s.alice->accepted == 2 && in_outbox(&s) == 0);
    send_and_run(&s, "2");
    history = sim_history(s.bob, s.alice, false);
    assert_string_equal(history, "0\n1\n2\n");
    free(history);
    scene_close(&s);
}

/* Section 3: a device that its account has removed gets nothing more, also not what was sealed for
 * it before; the text waits for those that remain. */
static void nothing_sealed_goes_to_a_removed_device(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 321);
    s.relay.unknown = 2;
    send_and_run(&s, "1");
    send_and_run(&s, "2");
    CHECK(in_outbox(&s) == 2);
    s.relay.card = next_card(s.bob, s.carol);
    core_rig_wait(&s.sim.rig, UINT64_C(2) * 3600 * 1000);
    send_and_run(&s, "3");
    CHECK(in_outbox(&s) == 3 && s.alice->accepted == 1);
    s.alice->queued = 0;
    sim_disconnect(s.alice);
    CHECK(s.alice->queued == 3);
    sim_connect(s.alice);
    sim_run(&s.sim);
    CHECK(s.alice->accepted == 1 && in_outbox(&s) == 3);
    scene_close(&s);
}

/* A text that another of the contact's devices has got is not written a second time for a removed
 * one's sake. */
static void what_another_device_has_is_not_sent_again(void **state)
{
    struct outbox outbox;
    struct scene s;

    (void)state;
    scene_open(&s, 322);
    s.relay.unknown = 1;
    send_and_run(&s, "1");
    s.relay.known = s.relay.unknown = 1;
    restart_with(&s, 100, s.carol); /* the same entry for a second device */
    outbox = look(&s);
    CHECK(s.alice->accepted == 1 && outbox.count == 1 && outbox.value.ptr[STATE_AT] == SPREAD);
    signet_buf_free(&outbox.value);
    s.relay.unknown = 1;
    restart_with(&s, 0, s.bob); /* which is the one that bob removes now */
    s.relay.card = next_card(s.bob, s.carol);
    core_rig_wait(&s.sim.rig, UINT64_C(2) * 3600 * 1000);
    send_and_run(&s, "3");
    CHECK(s.alice->accepted == 2 && in_outbox(&s) == 1);
    scene_close(&s);
}

/* Whoever gets an answer that no person has written, and then removes the device it went to, is a
 * stranger still. */
static void a_removed_device_makes_no_contact(void **state)
{
    char address[SIGNET_ID_TEXT_SIZE];
    struct engine_text answer = {
        .peer = address, .text = signet_span_str("automatic"), .token = 9, .is_automatic = true};
    struct engine_output output = {0};
    struct contact contact;
    struct scene s;

    (void)state;
    scene_open(&s, 323);
    sim_send(s.carol, "alice", "hello");
    sim_run(&s.sim);
    sim_disconnect(s.alice);
    signet_id_text(sim_address(s.carol), address);
    CHECK_OK(engine_send(s.alice->engine, &answer, s.sim.rig.wall_ms, &output));
    CHECK_OK(memory_records_commit(s.alice->records, &output.changes));
    engine_output_clear(&output);
    s.relay.unknown = 1;
    s.relay.card = next_card(s.carol, s.bob);
    sim_connect(s.alice);
    sim_run(&s.sim);
    CHECK(s.relay.unknown == 0 && in_outbox(&s) == 1);
    CHECK_OK(engine_contact(s.alice->engine, address, &contact));
    CHECK(contact.state == CONTACT_NEW);
    contact_clear(&contact);
    scene_close(&s);
}

TEST_FILE(attack_devices)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_device_loses_no_message),
        cmocka_unit_test(what_another_device_has_is_not_sent_again),
        cmocka_unit_test(nothing_sealed_goes_to_a_removed_device),
        cmocka_unit_test(a_removed_device_makes_no_contact),
    };

    return cmocka_run_group_tests_name("attack_devices", tests, NULL, NULL);
}
