/*
 * Device lists and bundles against real engines: forks, lists out of time, devices that were
 * removed. docs/protocol.md, sections 1, 3 and 4. Each test fails when the attack works.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#include "tests/support/forge.h"
#include "tests/support/key_pool.h"

#define HOUR_MS (UINT64_C(3600) * 1000)
#define DAY_MS  (24 * HOUR_MS)

struct scene {
    struct simulation sim;
    struct sim_client *alice, *bob;
    struct signet_buf card; /* shown to alice as bob's, if not empty */
};

static void show(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct scene *scene = client->intercept_ctx;
    struct relay_message changed = *message;

    if (message->type == RELAY_ACCOUNT && scene->card.len > 0)
        changed.card = signet_buf_span(&scene->card);
    if (message->type == RELAY_PREKEYS)
        changed.has_prekey = false;
    CHECK_OK(relay_message_write(&changed, out));
}

static void scene_open(struct scene *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    simulation_open(&s->sim, seed);
    s->alice = sim_join(&s->sim, "alice");
    s->bob = sim_join(&s->sim, "bob");
    s->alice->intercept = show;
    s->alice->intercept_ctx = s;
}

static void scene_close(struct scene *s)
{
    signet_buf_free(&s->card);
    simulation_close(&s->sim);
}

static const struct signet_card *card_of(const struct sim_client *client)
{
    return signet_account_card(engine_account(client->engine));
}

/* A list of a client's account, as its identity key would sign it. */
static struct signet_buf sign_list(const struct sim_client *client, const struct forged_list *list)
{
    struct crypto_rsa_private *identity =
        key_pool_take(client->sim->seeded.library, 2048, 2 * client->index);
    struct forged_link link = {.identity = identity, .list = list};
    struct signet_buf card = forge_card_bytes(&link, 1);

    crypto_rsa_private_free(identity);
    return card;
}

/* Another list of bob's for the place of his present one. */
static struct signet_buf forked_list(const struct scene *s)
{
    struct forged_list list = forge_list_of(card_of(s->bob));

    list.not_after--;
    return sign_list(s->bob, &list);
}

/* The list after bob's present one, with those times. */
static void show_next(struct scene *s, uint64_t issued_at, uint64_t not_after)
{
    struct forged_list list = forge_list_of(card_of(s->bob));

    list.version++;
    list.has_previous = true;
    list.previous = *signet_card_list(card_of(s->bob));
    list.issued_at = issued_at;
    list.not_after = not_after;
    signet_buf_free(&s->card);
    s->card = sign_list(s->bob, &list);
}

/* Whether a text of alice to bob is accepted by the relay; if not, for that problem. */
static bool is_sent(struct scene *s, enum engine_problem problem)
{
    size_t accepted = s->alice->accepted;

    sim_send(s->alice, "bob", "text");
    sim_run(&s->sim);
    if (s->alice->accepted > accepted)
        return true;
    CHECK(s->alice->problem == problem);
    return false;
}

static void accept_bob(struct scene *s)
{
    struct engine_output output = {0};

    CHECK_OK(engine_accept(s->alice->engine, sim_address(s->bob), &output));
    CHECK_OK(memory_records_commit(s->alice->records, &output.changes));
    engine_output_clear(&output);
}

static void restart(struct sim_client *client)
{
    sim_kill(client);
    sim_start(client);
    sim_subscribe(client);
    sim_connect(client);
    sim_run(client->sim);
}

/* Section 3: a fork is a hard stop, also when the relay shows the first branch again. */
static void a_forked_list_stops_until_a_person_decides(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 530);
    CHECK(is_sent(&s, PROBLEM_NONE));
    s.card = forked_list(&s);
    core_rig_wait(&s.sim.rig, 2 * HOUR_MS);
    CHECK(!is_sent(&s, PROBLEM_LIST));
    signet_buf_free(&s.card);
    CHECK(!is_sent(&s, PROBLEM_LIST));
    restart(s.alice);
    CHECK(!is_sent(&s, PROBLEM_LIST));
    accept_bob(&s);
    CHECK(is_sent(&s, PROBLEM_NONE));
    scene_close(&s);
}

/* ---- cards inside messages ---- */

/* What bob could send in his session with alice: content with that card. */
static void inject_with_card(struct scene *s, signet_span card)
{
    struct signet_buf content = forge_content_beside(s->sim.seeded.library,
        engine_account(s->bob->engine), card_of(s->alice), card, s->sim.rig.wall_ms);

    sim_inject_content(s->bob, s->alice, signet_buf_span(&content));
    signet_buf_free(&content);
}

static void check_history(struct scene *s, const char *wanted)
{
    char *history = sim_history(s->alice, s->bob, false);

    assert_string_equal(history, wanted);
    free(history);
}

/* Section 8, step 5: the card in a message is judged as every other; one that contradicts what is
 * known is refused, stops sending, and moves the session by nothing. */
static void a_forked_card_in_a_message_is_a_hard_stop(void **state)
{
    struct signet_buf card;
    struct scene s;

    (void)state;
    scene_open(&s, 531);
    CHECK(is_sent(&s, PROBLEM_NONE));
    card = forked_list(&s);
    inject_with_card(&s, signet_buf_span(&card));
    check_history(&s, "list-fork \n");
    CHECK(!is_sent(&s, PROBLEM_LIST));
    sim_send(s.bob, "alice", "an honest one");
    sim_run(&s.sim);
    check_history(&s, "list-fork \nan honest one\n");
    signet_buf_free(&card);
    scene_close(&s);
}

/* The same: a card of another account says nothing about this sender. */
static void a_card_of_another_account_in_a_message_is_refused(void **state)
{
    struct sim_client *carol;
    struct scene s;

    (void)state;
    scene_open(&s, 532);
    carol = sim_join(&s.sim, "carol");
    CHECK(is_sent(&s, PROBLEM_NONE));
    inject_with_card(&s, signet_card_bytes(card_of(carol)));
    check_history(&s, "wrong-channel \n");
    sim_send(s.bob, "alice", "an honest one");
    sim_run(&s.sim);
    check_history(&s, "wrong-channel \nan honest one\n");
    scene_close(&s);
}

/* ---- devices of others ---- */

/* The list after bob's present one: his device, and carol's, whose key is public. */
static struct forged_list list_with(const struct scene *s, const struct sim_client *carol)
{
    struct forged_list list = forge_list_of(card_of(s->bob));
    struct forged_device device = forge_list_of(card_of(carol)).devices[0];
    size_t place = signet_id_compare(&device.id, &list.devices[0].id) > 0;

    list.version++;
    list.has_previous = true;
    list.previous = *signet_card_list(card_of(s->bob));
    list.devices[1] = list.devices[0];
    list.devices[place] = device;
    list.device_count = 2;
    return list;
}

/* Section 3: nobody proves that a device on a list is the account's. Who lists another's device, and
 * takes it off again, gets nothing that was written to the other, and ends no session with it. */
static void a_device_of_another_account_gives_nothing_away(void **state)
{
    struct forged_list with, without;
    struct sim_client *carol;
    struct signet_buf card;
    struct scene s;
    char *history;

    (void)state;
    scene_open(&s, 537);
    carol = sim_join(&s.sim, "carol");
    CHECK(is_sent(&s, PROBLEM_NONE));
    sim_send(s.alice, "carol", "before");
    sim_run(&s.sim);
    with = list_with(&s, carol);
    s.card = sign_list(s.bob, &with);
    core_rig_wait(&s.sim.rig, 2 * HOUR_MS);
    CHECK(!is_sent(&s, PROBLEM_CARD)); /* the bundle of that device is carol's */
    signet_buf_free(&s.card);
    sim_send(s.alice, "carol", "fetches her card again");
    sim_run(&s.sim);
    without = forge_list_of(card_of(s.bob));
    without.version = with.version + 1;
    without.has_previous = true;
    without.previous = forge_list_id(s.sim.seeded.library, &with);
    card = sign_list(s.bob, &without);
    sim_send(s.alice, "carol", "for carol alone"); /* sealed, and not yet accepted */
    inject_with_card(&s, signet_buf_span(&card));
    sim_run(&s.sim);
    history = sim_history(s.bob, s.alice, false);
    assert_string_equal(history, "text\n");
    free(history);
    sim_send(carol, "alice", "in our session");
    sim_run(&s.sim);
    history = sim_history(s.alice, carol, false);
    assert_string_equal(history, "in our session\n");
    free(history);
    signet_buf_free(&card);
    scene_close(&s);
}

/* ---- time ---- */

/* Section 1: nothing is sent by a list that is not valid yet; when it is, that is over. */
static void a_list_from_the_future_is_not_used_yet(void **state)
{
    struct scene s;
    uint64_t now_ms;

    (void)state;
    scene_open(&s, 533);
    now_ms = s.sim.rig.wall_ms;
    show_next(&s, now_ms + 3 * DAY_MS, now_ms + 90 * DAY_MS);
    CHECK(!is_sent(&s, PROBLEM_EXPIRED));
    core_rig_wait(&s.sim.rig, 2 * DAY_MS);
    CHECK(is_sent(&s, PROBLEM_NONE));
    scene_close(&s);
}

/* Sections 1 and 3: expiry forbids sending; what was seen expired once stays refused. */
static void an_expired_list_stays_expired(void **state)
{
    struct scene s;
    uint64_t now_ms;

    (void)state;
    scene_open(&s, 534);
    now_ms = s.sim.rig.wall_ms;
    show_next(&s, now_ms, now_ms + 2 * DAY_MS);
    CHECK(is_sent(&s, PROBLEM_NONE));
    s.alice->clock_ahead_ms = 3 * DAY_MS + 1;
    CHECK(!is_sent(&s, PROBLEM_EXPIRED));
    s.alice->clock_ahead_ms = 0;
    CHECK(!is_sent(&s, PROBLEM_EXPIRED));
    restart(s.alice);
    CHECK(!is_sent(&s, PROBLEM_EXPIRED));
    scene_close(&s);
}

/* The same of a bundle. */
static void an_expired_bundle_stays_expired(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 535);
    CHECK(is_sent(&s, PROBLEM_NONE));
    s.alice->clock_ahead_ms = 40 * DAY_MS; /* unanswered for a day: a new session is due */
    CHECK(!is_sent(&s, PROBLEM_EXPIRED));
    s.alice->clock_ahead_ms = 20 * DAY_MS;
    CHECK(!is_sent(&s, PROBLEM_EXPIRED));
    s.alice->clock_ahead_ms = 0;
    sim_disconnect(s.bob);
    core_rig_wait(&s.sim.rig, 8 * DAY_MS);
    sim_connect(s.bob); /* publishes a new one */
    sim_run(&s.sim);
    CHECK(is_sent(&s, PROBLEM_NONE));
    scene_close(&s);
}

TEST_FILE(attack_lists)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forked_list_stops_until_a_person_decides),
        cmocka_unit_test(a_forked_card_in_a_message_is_a_hard_stop),
        cmocka_unit_test(a_card_of_another_account_in_a_message_is_refused),
        cmocka_unit_test(a_device_of_another_account_gives_nothing_away),
        cmocka_unit_test(a_list_from_the_future_is_not_used_yet),
        cmocka_unit_test(an_expired_list_stays_expired),
        cmocka_unit_test(an_expired_bundle_stays_expired),
    };

    return cmocka_run_group_tests_name("attack_lists", tests, NULL, NULL);
}
