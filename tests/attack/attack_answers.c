/*
 * A malicious relay that answers what was not asked, out of turn, or about somebody else. Each
 * test fails when the attack works.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#include "tests/support/forge.h"
#include "tests/support/key_pool.h"

/* What the relay says instead. */
struct lie {
    struct signet_buf card;        /* in place of the account's, if not empty */
    const char *name;              /* the same, if not NULL */
    struct signet_buf first_taken; /* the answer that is given to every take */
};

static void lie(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct lie *about = client->intercept_ctx;
    struct relay_message changed = *message;

    if (message->type == RELAY_ACCOUNT && about->card.len > 0)
        changed.card = signet_buf_span(&about->card);
    if (message->type == RELAY_ACCOUNT && about->name != NULL)
        changed.name = signet_span_str(about->name);
    if (message->type == RELAY_PREKEYS) {
        if (about->first_taken.len == 0)
            CHECK_OK(signet_buf_append(&about->first_taken, message->bundle));
        changed.bundle = signet_buf_span(&about->first_taken);
        changed.has_prekey = false;
    }
    CHECK_OK(relay_message_write(&changed, out));
}

struct scene {
    struct simulation sim;
    struct sim_client *alice, *bob, *carol;
    struct lie lie;
};

static void scene_open(struct scene *scene, uint64_t seed)
{
    memset(scene, 0, sizeof(*scene));
    simulation_open(&scene->sim, seed);
    scene->alice = sim_join(&scene->sim, "alice");
    scene->bob = sim_join(&scene->sim, "bob");
    scene->carol = sim_join(&scene->sim, "carol");
}

static void begin_lying(struct scene *scene)
{
    scene->alice->intercept = lie;
    scene->alice->intercept_ctx = &scene->lie;
}

static void scene_close(struct scene *scene)
{
    signet_buf_free(&scene->lie.card);
    signet_buf_free(&scene->lie.first_taken);
    simulation_close(&scene->sim);
}

static signet_span card_of(const struct sim_client *client)
{
    return signet_card_bytes(signet_account_card(engine_account(client->engine)));
}

static struct contact contact_of(struct sim_client *client, const struct sim_client *peer)
{
    char address[SIGNET_ID_TEXT_SIZE];
    struct contact contact = {0};

    signet_id_text(sim_address(peer), address);
    CHECK_OK(engine_contact(client->engine, address, &contact));
    return contact;
}

static void check_name(struct sim_client *client, const struct sim_client *peer, const char *wanted)
{
    struct contact contact = contact_of(client, peer);

    assert_string_equal(contact.name, wanted);
    contact_clear(&contact);
}

/* ---- out of turn ---- */

static void inject(struct sim_client *client, const struct relay_message *message)
{
    struct signet_buf bytes = {0};

    CHECK_OK(relay_message_write(message, &bytes));
    sim_inject(client, signet_buf_span(&bytes));
    signet_buf_free(&bytes);
}

/* Answers that nobody asked for end the connection; the next one works. */
static void an_answer_that_nobody_asked_for_ends_the_connection(void **state)
{
    static const uint8_t bytes[32] = {7};
    const signet_span span = signet_span_of(bytes, sizeof(bytes));
    struct relay_message messages[] = {
        {.type = RELAY_CHALLENGE, .nonce = span},
        {.type = RELAY_DONE, .req = 1},
        {.type = RELAY_REFUSED, .req = 2, .code = 99},
        {.type = RELAY_WELCOME, .req = 2},
        {.type = RELAY_ACCOUNT, .req = 3, .name = signet_span_str("bob")},
        {.type = RELAY_PREKEYS, .req = 4, .bundle = span},
        {.type = RELAY_ACCEPTED, .req = 5, .message = 1},
    };
    struct scene s;

    (void)state;
    scene_open(&s, 300);
    messages[4].card = card_of(s.bob);
    sim_send(s.alice, "bob", "one");
    sim_run(&s.sim);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        inject(s.alice, &messages[i]);
        CHECK(s.alice->is_nonsense);
        sim_connect(s.alice);
        sim_run(&s.sim);
        CHECK(engine_is_ready(s.alice->engine));
    }
    sim_send(s.alice, "bob", "two");
    sim_run(&s.sim);
    CHECK(s.alice->accepted == 2 && s.bob->received == 2);
    scene_close(&s);
}

/* ---- answers to another question ---- */

/* In place of the first answer of one type, one of another type to the same request. */
struct mismatch {
    enum relay_type asked, given;
    signet_span card;
    bool is_done;
};

static void answer_wrongly(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    static const uint8_t bytes[32] = {7};
    struct mismatch *mismatch = client->intercept_ctx;
    struct relay_message changed = *message;

    if (message->type == RELAY_PREKEYS)
        changed.has_prekey = false;
    if (message->type == mismatch->asked && !mismatch->is_done) {
        changed = (struct relay_message){.type = mismatch->given,
            .req = message->req,
            .name = signet_span_str("bob"),
            .card = mismatch->card,
            .message = 1};
        if (mismatch->given == RELAY_PREKEYS)
            changed.bundle = signet_span_of(bytes, sizeof(bytes));
        mismatch->is_done = true;
    }
    CHECK_OK(relay_message_write(&changed, out));
}

/* Each request has its own answers, and no other ends it. */
static void each_request_has_its_own_answer(void **state)
{
    static const enum relay_type types[] = {
        RELAY_WELCOME, RELAY_DONE, RELAY_ACCOUNT, RELAY_PREKEYS, RELAY_ACCEPTED};
    enum { TYPES = sizeof(types) / sizeof(types[0]) };

    (void)state;
    for (size_t i = 0; i < TYPES * TYPES; i++) {
        struct mismatch mismatch = {.asked = types[i / TYPES], .given = types[i % TYPES]};
        struct scene s;

        if (mismatch.asked == mismatch.given)
            continue;
        scene_open(&s, 310);
        mismatch.card = card_of(s.bob);
        sim_disconnect(s.alice);
        s.alice->intercept = answer_wrongly;
        s.alice->intercept_ctx = &mismatch;
        sim_connect(s.alice);
        sim_run(&s.sim);
        if (!mismatch.is_done) {
            sim_send(s.alice, "bob", "text");
            sim_run(&s.sim);
        }
        CHECK(mismatch.is_done && s.alice->is_nonsense && !s.alice->is_online);
        scene_close(&s);
    }
}

/* Nothing is delivered, and nothing is at its end, before it was asked for. */
static void nothing_is_delivered_before_login(void **state)
{
    static const uint8_t envelope[] = {1, 2, 3};
    struct relay_message messages[] = {
        {.type = RELAY_DRAINED}, {.type = RELAY_DELIVER,
                                     .message = 1,
                                     .envelope = signet_span_of(envelope, sizeof(envelope))}};
    struct scene s;

    (void)state;
    scene_open(&s, 301);
    for (size_t i = 0; i < 2; i++) {
        size_t drained = s.alice->drained;

        sim_disconnect(s.alice);
        sim_connect(s.alice);
        inject(s.alice, &messages[i]);
        CHECK(s.alice->is_nonsense && s.alice->received == 0 && s.alice->drained == drained);
    }
    scene_close(&s);
}

/* Section 10: a relay has 128 deliveries unacknowledged at most. One message with very many more
 * would keep the client busy for minutes, in which it listens to nobody. */
static void endless_deliveries_are_cut_off(void **state)
{
    struct signet_buf bytes = {0};
    struct scene s;

    (void)state;
    scene_open(&s, 303);
    for (uint64_t i = 1; i <= 1000; i++) {
        const uint8_t envelope[] = {(uint8_t)i, (uint8_t)(i >> 8)};
        struct relay_message message = {.type = RELAY_DELIVER,
            .message = i,
            .envelope = signet_span_of(envelope, sizeof(envelope))};

        CHECK_OK(relay_message_write(&message, &bytes));
    }
    sim_inject(s.alice, signet_buf_span(&bytes));
    CHECK(s.alice->is_nonsense && s.alice->received == 512);
    signet_buf_free(&bytes);
    scene_close(&s);
}

/* ---- about somebody else ---- */

/* Bob's card with a second device, which is carol's: as if he had two. */
static struct signet_buf card_of_two_devices(struct scene *s)
{
    const struct signet_card *card = signet_account_card(engine_account(s->bob->engine));
    const struct signet_card *other = signet_account_card(engine_account(s->carol->engine));
    struct crypto_rsa_private *identity =
        key_pool_take(s->sim.seeded.library, 2048, 2 * s->bob->index);
    struct forged_list list = forge_list_of(card);
    struct forged_device added = forge_list_of(other).devices[0];
    struct forged_link link = {.identity = identity, .list = &list};
    size_t at = signet_id_compare(&added.id, &list.devices[0].id) < 0 ? 0 : 1;
    struct signet_buf bytes;

    list.version++;
    list.has_previous = true;
    list.previous = *signet_card_list(card);
    list.devices[1 - at] = list.devices[0];
    list.devices[at] = added;
    list.devices[at].since = list.version;
    list.device_count = 2;
    bytes = forge_card_bytes(&link, 1);
    crypto_rsa_private_free(identity);
    return bytes;
}

/* The prekeys of a device are given for every other: no session with the wrong one, no endless
 * asking, and the sessions that live are not pushed out. */
static void prekeys_of_another_device_are_refused(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 302);
    s.carol->intercept = lie;
    s.carol->intercept_ctx = &s.lie;
    sim_send(s.carol, "bob", "so that the relay has a bundle of bob's");
    sim_run(&s.sim);
    s.lie.card = card_of_two_devices(&s);
    begin_lying(&s);
    sim_send(s.alice, "bob", "secret");
    for (size_t steps = 0; steps < 200 && sim_step(&s.sim); steps++)
        ;
    CHECK(s.alice->problem == PROBLEM_CARD && engine_is_settled(s.alice->engine));
    CHECK(s.alice->accepted == 0 && s.bob->received == 1);
    scene_close(&s);
}

/* Names are local. A contact is not called otherwise because the relay says so: the
 * text was meant for somebody else. */
static void a_contact_is_not_found_under_another_name(void **state)
{
    struct engine_output output = {0};
    struct contact contact;
    struct scene s;

    (void)state;
    scene_open(&s, 303);
    sim_send(s.alice, "bob", "one");
    sim_run(&s.sim);
    CHECK_OK(engine_confirm(s.alice->engine, sim_address(s.bob), &output));
    CHECK_OK(memory_records_commit(s.alice->records, &output.changes));
    engine_output_clear(&output);
    CHECK_OK(signet_buf_append(&s.lie.card, card_of(s.bob)));
    begin_lying(&s);
    sim_send(s.alice, "carol", "for carol only");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_CARD && s.bob->received == 1);
    contact = contact_of(s.alice, s.bob);
    assert_string_equal(contact.name, "bob");
    CHECK(contact.state == CONTACT_CONFIRMED);
    contact_clear(&contact);
    scene_close(&s);
}

/* An account that bears another name than the one that was asked for. */
static void an_account_of_another_name_is_refused(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 304);
    s.lie.name = "robert";
    begin_lying(&s);
    sim_send(s.alice, "bob", "secret");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_CARD && s.bob->received == 0);
    scene_close(&s);
}

/* A stranger is not called by one's own name. */
static void a_stranger_does_not_get_the_own_name(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 305);
    s.lie.name = "alice";
    begin_lying(&s);
    sim_send(s.bob, "alice", "it is you");
    sim_run(&s.sim);
    CHECK(s.alice->received == 1);
    check_name(s.alice, s.bob, "");
    sim_send(s.alice, "alice", "to myself");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_SELF);
    scene_close(&s);
}

/* An address is an identity: it cannot go over to another one. */
static void an_address_does_not_change_hands(void **state)
{
    struct contact contact;
    struct scene s;

    (void)state;
    scene_open(&s, 306);
    s.lie.name = "alice"; /* so that bob stays without a name */
    begin_lying(&s);
    sim_send(s.bob, "alice", "hello");
    sim_run(&s.sim);
    CHECK_OK(signet_buf_append(&s.lie.card, card_of(s.carol)));
    core_rig_wait(&s.sim.rig, UINT64_C(2) * 3600 * 1000);
    {
        char address[SIGNET_ID_TEXT_SIZE];

        signet_id_text(sim_address(s.bob), address);
        sim_send(s.alice, address, "answer");
    }
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_CARD && s.carol->received == 0);
    contact = contact_of(s.alice, s.bob);
    CHECK(!contact.has_changed);
    contact_clear(&contact);
    scene_close(&s);
}

/* One wrong answer about a stranger, whose name is asked for, holds up no text to them. */
static void a_wrong_answer_holds_up_nothing_for_ever(void **state)
{
    char address[SIGNET_ID_TEXT_SIZE];
    struct scene s;

    (void)state;
    scene_open(&s, 309);
    CHECK_OK(signet_buf_append(&s.lie.card, card_of(s.carol)));
    begin_lying(&s);
    sim_send(s.bob, "alice", "hello");
    sim_run(&s.sim);
    CHECK(s.alice->received == 1);
    s.alice->intercept = NULL;
    signet_id_text(sim_address(s.bob), address);
    sim_send(s.alice, address, "answer");
    sim_run(&s.sim);
    CHECK(s.alice->accepted == 1 && s.bob->received == 1);
    scene_close(&s);
}

/* A relay that shows another identity blocks a contact until a person decides: also
 * for the one that was there all along. */
static void a_person_can_decide_for_the_old_identity(void **state)
{
    struct engine_output output = {0};
    struct scene s;

    (void)state;
    scene_open(&s, 307);
    sim_send(s.alice, "bob", "one");
    sim_run(&s.sim);
    CHECK_OK(signet_buf_append(&s.lie.card, card_of(s.carol)));
    begin_lying(&s);
    core_rig_wait(&s.sim.rig, UINT64_C(2) * 3600 * 1000);
    sim_send(s.alice, "bob", "two");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_IDENTITY && s.alice->accepted == 1);
    s.alice->intercept = NULL;
    CHECK_OK(engine_accept(s.alice->engine, sim_address(s.bob), &output));
    CHECK_OK(memory_records_commit(s.alice->records, &output.changes));
    engine_output_clear(&output);
    sim_send(s.alice, "bob", "three");
    sim_run(&s.sim);
    CHECK(s.alice->accepted == 2 && s.bob->received == 2 && s.carol->received == 0);
    check_name(s.alice, s.bob, "bob");
    scene_close(&s);
}

/* The own identity is nobody's successor. */
static void the_own_identity_takes_no_contact_over(void **state)
{
    struct contact contact;
    struct scene s;

    (void)state;
    scene_open(&s, 308);
    sim_send(s.alice, "bob", "one");
    sim_run(&s.sim);
    CHECK_OK(signet_buf_append(&s.lie.card, card_of(s.alice)));
    begin_lying(&s);
    core_rig_wait(&s.sim.rig, UINT64_C(2) * 3600 * 1000);
    sim_send(s.alice, "bob", "two");
    sim_run(&s.sim);
    CHECK(s.alice->problem == PROBLEM_CARD && s.alice->accepted == 1);
    contact = contact_of(s.alice, s.bob);
    CHECK(!contact.has_changed);
    contact_clear(&contact);
    scene_close(&s);
}

TEST_FILE(attack_answers)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_nobody_asked_for_ends_the_connection),
        cmocka_unit_test(each_request_has_its_own_answer),
        cmocka_unit_test(nothing_is_delivered_before_login),
        cmocka_unit_test(endless_deliveries_are_cut_off),
        cmocka_unit_test(prekeys_of_another_device_are_refused),
        cmocka_unit_test(a_contact_is_not_found_under_another_name),
        cmocka_unit_test(an_account_of_another_name_is_refused),
        cmocka_unit_test(a_stranger_does_not_get_the_own_name),
        cmocka_unit_test(an_address_does_not_change_hands),
        cmocka_unit_test(a_wrong_answer_holds_up_nothing_for_ever),
        cmocka_unit_test(a_person_can_decide_for_the_old_identity),
        cmocka_unit_test(the_own_identity_takes_no_contact_over),
    };

    return cmocka_run_group_tests_name("attack_answers", tests, NULL, NULL);
}
