/*
 * What an engine remembers of bundles and devices: docs/protocol.md, sections 3 to 5. Each test
 * fails when something that was refused or removed comes back.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#include "tests/support/forge.h"
#include "tests/support/key_pool.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct scene {
    struct simulation sim;
    struct sim_client *alice, *bob, *carol;
    struct forged_bundle bundle; /* bob's, as alice was given it; its key is borrowed */
    struct signet_bundle *read;
    struct signet_buf shown; /* in place of it, if not empty */
    struct signet_buf card;  /* in place of bob's, if not empty */
};

static void show(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct scene *s = client->intercept_ctx;
    struct relay_message changed = *message;

    if (message->type == RELAY_ACCOUNT && s->card.len > 0)
        changed.card = signet_buf_span(&s->card);
    if (message->type == RELAY_PREKEYS) {
        changed.has_prekey = false;
        if (s->read == NULL && s->card.len == 0)
            CHECK_OK(signet_bundle_read(s->sim.seeded.library, message->bundle,
                signet_account_card(engine_account(s->bob->engine)), &s->read));
        if (s->read != NULL)
            s->bundle = forge_bundle(s->read);
        if (s->shown.len > 0)
            changed.bundle = signet_buf_span(&s->shown);
    }
    CHECK_OK(relay_message_write(&changed, out));
}

static void scene_open(struct scene *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    simulation_open(&s->sim, seed);
    s->alice = sim_join(&s->sim, "alice");
    s->bob = sim_join(&s->sim, "bob");
    s->carol = sim_join(&s->sim, "carol");
}

static void begin_showing(struct scene *s)
{
    s->alice->intercept = show;
    s->alice->intercept_ctx = s;
}

static void scene_close(struct scene *s)
{
    signet_bundle_free(s->read);
    signet_buf_free(&s->shown);
    signet_buf_free(&s->card);
    simulation_close(&s->sim);
}

/* Show that bundle, as bob's device would sign it; with suite 2, if asked for. */
static void show_bundle(struct scene *s, const struct forged_bundle *bundle, bool has_suite_2)
{
    static const uint8_t one[] = {0x81, 0x01, 0x59};
    struct crypto_rsa_private *device = key_pool_take(s->sim.seeded.library, 3072, s->bob->index);
    struct signet_buf payload = forge_bundle_payload(bundle), both = {0};
    uint8_t *at;

    at = memmem(payload.ptr, payload.len, one, sizeof(one));
    CHECK(at != NULL);
    CHECK_OK(signet_buf_append(&both, signet_span_of(payload.ptr, (size_t)(at - payload.ptr))));
    CHECK_OK(signet_buf_append(&both, signet_span_str(has_suite_2 ? "\x82\x01\x02" : "\x81\x01")));
    CHECK_OK(signet_buf_append(
        &both, signet_span_of(at + 2, payload.len - (size_t)(at - payload.ptr) - 2)));
    signet_buf_free(&s->shown);
    s->shown = forge_signed(device, TYP_BUNDLE, signet_buf_span(&both));
    crypto_rsa_private_free(device);
    signet_buf_free(&payload);
    signet_buf_free(&both);
}

/* A text in a new session; whether it is accepted. */
static bool begins(struct scene *s)
{
    size_t accepted = s->alice->accepted;

    core_rig_wait(&s->sim.rig, DAY_MS); /* what is unanswered for a day is given up */
    sim_send(s->alice, "bob", "text");
    sim_run(&s->sim);
    return s->alice->accepted > accepted;
}

/* Section 4: lower versions and suites are refused, and another bundle of the same version. */
static void another_bundle_of_the_same_version_is_refused(void **state)
{
    struct forged_bundle other;
    struct scene s;

    (void)state;
    scene_open(&s, 550);
    begin_showing(&s);
    CHECK(begins(&s));
    other = s.bundle;
    show_bundle(&s, &other, false); /* the same, signed again */
    CHECK(begins(&s));
    other.signed_prekey.k[0] ^= 1;
    show_bundle(&s, &other, false);
    CHECK(!begins(&s) && s.alice->problem == PROBLEM_CARD);
    scene_close(&s);
}

static void a_suite_once_offered_is_not_withdrawn(void **state)
{
    struct forged_bundle next;
    struct scene s;

    (void)state;
    scene_open(&s, 551);
    begin_showing(&s);
    CHECK(begins(&s));
    next = s.bundle;
    next.version++;
    show_bundle(&s, &next, true);
    CHECK(begins(&s));
    next.version++;
    show_bundle(&s, &next, false);
    CHECK(!begins(&s) && s.alice->problem == PROBLEM_CARD);
    show_bundle(&s, &next, true);
    CHECK(begins(&s));
    scene_close(&s);
}

/* Section 3: when a card is accepted, sessions with devices that are no longer on it end. */
static void sessions_with_a_removed_device_end(void **state)
{
    const struct signet_card *card, *other;
    struct crypto_rsa_private *identity;
    struct forged_link link = {0};
    struct forged_list list;
    struct scene s;

    (void)state;
    scene_open(&s, 552);
    sim_send(s.alice, "bob", "one");
    sim_run(&s.sim);
    card = signet_account_card(engine_account(s.bob->engine));
    other = signet_account_card(engine_account(s.carol->engine));
    list = forge_list_of(card);
    list.version++;
    list.has_previous = true;
    list.previous = *signet_card_list(card);
    list.devices[0] = forge_list_of(other).devices[0];
    list.devices[0].since = list.version;
    identity = key_pool_take(s.sim.seeded.library, 2048, 2 * s.bob->index);
    link = (struct forged_link){.identity = identity, .list = &list};
    s.card = forge_card_bytes(&link, 1);
    crypto_rsa_private_free(identity);
    begin_showing(&s);
    core_rig_wait(&s.sim.rig, DAY_MS / 12);
    sim_send(s.alice, "bob", "two");
    sim_run(&s.sim);
    CHECK(s.bob->received == 1); /* his device gets nothing more */
    CHECK(memory_records_remove(s.alice->records, RECORD_SESSION) == 0);
    scene_close(&s);
}

/* Section 4: a one-time private key is wiped in the transaction that stores its session. */
static void a_used_one_time_key_is_gone(void **state)
{
    struct record_key key = {.kind = RECORD_BUNDLE, .number = 2};
    struct signet_bundle_secrets *secrets = NULL;
    struct signet_buf value = {0};
    struct record_source source;
    struct scene s;
    uint32_t left = 0;

    (void)state;
    scene_open(&s, 553);
    sim_send(s.alice, "bob", "one");
    sim_run(&s.sim);
    CHECK(s.bob->received == 1);
    source = memory_records_source(s.bob->records);
    CHECK_OK(source.get(source.ctx, &key, &value));
    CHECK_OK(signet_bundle_secrets_decode(s.sim.seeded.library, signet_buf_span(&value), &secrets));
    for (uint32_t i = 0; i < SIGNET_ONE_TIME_COUNT; i++)
        left += signet_bundle_secrets_has(secrets, i);
    CHECK(left == SIGNET_ONE_TIME_COUNT - 1);
    signet_bundle_secrets_free(secrets);
    signet_buf_free(&value);
    scene_close(&s);
}

/* The relay knows a list of ours that this home has never made. */
static void welcome_with_another_list(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct relay_message changed = *message;

    (void)client;
    if (message->type == RELAY_WELCOME)
        changed.id.b[0] ^= 1;
    CHECK_OK(relay_message_write(&changed, out));
}

/* An old copy of a home shows by its list, too, and does not send. */
static void a_home_that_lacks_a_list_is_an_old_copy(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 554);
    sim_disconnect(s.alice);
    s.alice->intercept = welcome_with_another_list;
    sim_connect(s.alice);
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_OLD_STORE && engine_is_stopped(s.alice->engine));
    scene_close(&s);
}

TEST_FILE(attack_bundles)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_bundle_of_the_same_version_is_refused),
        cmocka_unit_test(a_suite_once_offered_is_not_withdrawn),
        cmocka_unit_test(sessions_with_a_removed_device_end),
        cmocka_unit_test(a_used_one_time_key_is_gone),
        cmocka_unit_test(a_home_that_lacks_a_list_is_an_old_copy),
    };

    return cmocka_run_group_tests_name("attack_bundles", tests, NULL, NULL);
}
