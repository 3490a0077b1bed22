/*
 * What is due at a login: prekey bundles, and what grows old. docs/protocol.md, sections 4 and 10.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#include "tests/support/forge_session.h"
#include "wire/cbor.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* How the relay of a client misbehaves. */
struct fault {
    bool confirms_nothing;  /* bundles are refused, and it has none */
    bool has_one_time_left; /* says that this many are: */
    uint64_t one_time_left;
    bool holds;             /* deliveries */
    struct signet_buf held; /* the first of them */
};

static void misbehave(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct fault *fault = client->intercept_ctx;
    struct relay_message changed = *message;
    bool is_answer = message->type == RELAY_DONE || message->type == RELAY_REFUSED;

    if (fault->holds && message->type == RELAY_DELIVER) {
        if (fault->held.len == 0)
            CHECK_OK(relay_message_write(message, &fault->held));
        return;
    }
    if (fault->has_one_time_left && message->type == RELAY_WELCOME)
        changed.one_time_left = fault->one_time_left;
    if (fault->confirms_nothing && message->type == RELAY_WELCOME)
        changed.bundle = signet_span_of(NULL, 0);
    if (fault->confirms_nothing && is_answer && !engine_is_ready(client->engine))
        changed = (struct relay_message){
            .type = RELAY_REFUSED, .req = message->req, .code = RELAY_CODE_STORE};
    CHECK_OK(relay_message_write(&changed, out));
}

struct scene {
    struct simulation sim;
    struct sim_client *alice, *bob;
    struct fault fault;
    size_t skipped;
};

static void scene_open(struct scene *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    simulation_open(&s->sim, seed);
    s->alice = sim_join(&s->sim, "alice");
    s->bob = sim_join(&s->sim, "bob");
    s->bob->intercept = misbehave;
    s->bob->intercept_ctx = &s->fault;
}

static void scene_close(struct scene *s)
{
    signet_buf_free(&s->fault.held);
    simulation_close(&s->sim);
}

static void login(struct scene *s)
{
    sim_disconnect(s->bob);
    sim_connect(s->bob);
    sim_run(&s->sim);
}

struct tally {
    size_t count;
    uint64_t last;
};

static enum signet_err visit(void *ctx, uint64_t number, signet_span value)
{
    struct tally *tally = ctx;

    (void)value;
    tally->count++;
    if (number > tally->last)
        tally->last = number;
    return SIGNET_OK;
}

/* How many records of a kind bob has, and the highest number. */
static struct tally tally(const struct scene *s, enum record_kind kind)
{
    struct record_source source = memory_records_source(s->bob->records);
    struct record_key all = {.kind = kind};
    struct tally tally = {0};

    CHECK_OK(source.scan(source.ctx, &all, visit, &tally));
    return tally;
}

static void check_history(struct scene *s, const char *wanted)
{
    char *history = sim_history(s->bob, s->alice, false);

    assert_string_equal(history, wanted);
    free(history);
}

/* A first message that is on its way while the relay can store nothing must still open. */
static void failed_uploads_cost_no_first_message(void **state)
{
    struct scene s;
    struct tally before;

    (void)state;
    scene_open(&s, 520);
    s.fault.holds = true;
    sim_send(s.alice, "bob", "on its way");
    sim_run(&s.sim);
    before = tally(&s, RECORD_BUNDLE);
    s.fault.confirms_nothing = true;
    for (unsigned i = 0; i < 33; i++)
        login(&s);
    CHECK(s.bob->problem == PROBLEM_RELAY);
    CHECK(tally(&s, RECORD_BUNDLE).count == before.count + 1);
    CHECK(tally(&s, RECORD_UPLOAD).count == 1);
    for (unsigned i = 0; i < 6; i++) { /* what is too old for the relay is made anew */
        core_rig_wait(&s.sim.rig, DAY_MS / 2);
        login(&s);
    }
    CHECK(tally(&s, RECORD_BUNDLE).count == before.count + 1);
    s.fault.confirms_nothing = s.fault.holds = false;
    login(&s);
    CHECK(tally(&s, RECORD_UPLOAD).count == 0);
    sim_inject(s.bob, signet_buf_span(&s.fault.held));
    check_history(&s, "on its way\n");
    scene_close(&s);
}

/* Nor must whoever empties the prekeys again and again push out the bundles of before. */
static void emptied_prekeys_cost_no_first_message(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 521);
    s.fault.holds = true;
    sim_send(s.alice, "bob", "on its way");
    sim_run(&s.sim);
    s.fault.has_one_time_left = true;
    for (unsigned i = 0; i < 33; i++)
        login(&s);
    for (unsigned i = 0; i < 6; i++) {
        core_rig_wait(&s.sim.rig, 4 * DAY_MS);
        login(&s);
    }
    CHECK(tally(&s, RECORD_BUNDLE).count == 2 + 14 + 6); /* 61 days have room for all */
    CHECK(engine_is_ready(s.bob->engine));
    s.fault.holds = false;
    sim_inject(s.bob, signet_buf_span(&s.fault.held));
    check_history(&s, "on its way\n");
    scene_close(&s);
}

/* Section 4: a new batch when fewer than 128 are left, or the bundle is 7 days old. */
static void a_bundle_is_renewed_when_it_is_due(void **state)
{
    struct scene s;
    uint64_t version;

    (void)state;
    scene_open(&s, 522);
    version = tally(&s, RECORD_BUNDLE).last;
    s.fault.has_one_time_left = true;
    s.fault.one_time_left = 128;
    login(&s);
    CHECK(tally(&s, RECORD_BUNDLE).last == version);
    s.fault.one_time_left = 127;
    login(&s);
    CHECK(tally(&s, RECORD_BUNDLE).last == version + 1);
    s.fault.one_time_left = 256;
    core_rig_wait(&s.sim.rig, 7 * DAY_MS - 1);
    login(&s);
    CHECK(tally(&s, RECORD_BUNDLE).last == version + 1);
    core_rig_wait(&s.sim.rig, 1);
    login(&s);
    CHECK(tally(&s, RECORD_BUNDLE).last == version + 2);
    scene_close(&s);
}

/* Section 4: private keys are kept until not_after + 31 days, and not longer. */
static void old_bundles_are_forgotten(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 523);
    for (unsigned i = 0; i < 9; i++) {
        core_rig_wait(&s.sim.rig, 8 * DAY_MS);
        login(&s);
    }
    CHECK(tally(&s, RECORD_BUNDLE).count == 8); /* in 61 days */
    scene_close(&s);
}

static enum signet_err count_skipped(void *ctx, uint64_t number, signet_span value)
{
    struct scene *s = ctx;
    struct signet_session *session;

    (void)number;
    CHECK_OK(signet_session_decode(s->sim.seeded.library, value, &session));
    s->skipped += forge_skipped_count(session);
    signet_session_free(session);
    return SIGNET_OK;
}

/* Section 6.1: skipped keys are kept for 30 days, also where nothing comes any more. */
static void skipped_keys_go_in_sessions_that_are_silent(void **state)
{
    struct record_key all = {.kind = RECORD_SESSION};
    struct record_source source;
    struct scene s;

    (void)state;
    scene_open(&s, 524);
    source = memory_records_source(s.bob->records);
    s.fault.holds = true;
    sim_send(s.alice, "bob", "held back");
    sim_run(&s.sim);
    s.fault.holds = false;
    sim_send(s.alice, "bob", "after it");
    sim_run(&s.sim);
    CHECK_OK(source.scan(source.ctx, &all, count_skipped, &s));
    CHECK(s.skipped == 1);
    core_rig_wait(&s.sim.rig, 30 * DAY_MS + 1);
    login(&s);
    s.skipped = 0;
    CHECK_OK(source.scan(source.ctx, &all, count_skipped, &s));
    CHECK(s.skipped == 0);
    sim_inject(s.bob, signet_buf_span(&s.fault.held));
    check_history(&s, "gap after it\nreplayed \n");
    scene_close(&s);
}

/* Section 10: hashes of envelopes are known for 31 days, and not longer. */
static void hashes_are_known_for_thirty_one_days(void **state)
{
    struct scene s;
    size_t received;

    (void)state;
    scene_open(&s, 525);
    s.fault.holds = true;
    sim_send(s.alice, "bob", "once");
    sim_run(&s.sim);
    sim_inject(s.bob, signet_buf_span(&s.fault.held));
    core_rig_wait(&s.sim.rig, 31 * DAY_MS);
    login(&s);
    received = s.bob->received;
    sim_inject(s.bob, signet_buf_span(&s.fault.held));
    CHECK(s.bob->received == received); /* acknowledged again, silently */
    CHECK(tally(&s, RECORD_SEEN).count == 1);
    core_rig_wait(&s.sim.rig, DAY_MS);
    login(&s);
    CHECK(tally(&s, RECORD_SEEN).count == 0 && tally(&s, RECORD_ARRIVAL).count == 0);
    scene_close(&s);
}

/* So many envelopes have arrived just now. */
static void plant_arrivals(struct scene *s, uint64_t count)
{
    struct record_batch batch = {0};

    for (uint64_t i = 0; i < count; i++) {
        struct record_key key = {RECORD_ARRIVAL, signet_span_str(""), 1000 + i};
        struct signet_id hash = {{0}};
        struct signet_buf value = {0};
        struct wire_writer w = wire_writer(&value);

        wire_put_array(&w, 2);
        wire_put_uint(&w, s->sim.rig.wall_ms);
        wire_put_id(&w, &hash);
        CHECK_OK(wire_writer_finish(&w));
        CHECK_OK(record_batch_put(&batch, &key, signet_buf_span(&value)));
        signet_buf_free(&value);
    }
    CHECK_OK(memory_records_commit(s->bob->records, &batch));
    record_batch_clear(&batch);
}

/* No login waits until a busy month has been cleaned up; nor do keys that have grown old. */
static void cleaning_is_done_in_portions(void **state)
{
    struct record_key all = {.kind = RECORD_SESSION};
    struct record_source source;
    struct scene s;

    (void)state;
    scene_open(&s, 526);
    source = memory_records_source(s.bob->records);
    s.fault.holds = true;
    sim_send(s.alice, "bob", "held back");
    sim_run(&s.sim);
    s.fault.holds = false;
    sim_send(s.alice, "bob", "after it");
    sim_run(&s.sim);
    plant_arrivals(&s, 4999);
    core_rig_wait(&s.sim.rig, 32 * DAY_MS);
    CHECK(tally(&s, RECORD_ARRIVAL).count == 5000);
    login(&s);
    CHECK(tally(&s, RECORD_ARRIVAL).count == 5000 - 4096);
    CHECK_OK(source.scan(source.ctx, &all, count_skipped, &s));
    CHECK(s.skipped == 0);
    login(&s);
    CHECK(tally(&s, RECORD_ARRIVAL).count == 0);
    scene_close(&s);
}

/* A connection that lasts for months does what is due once a day, like all others. */
static void an_old_connection_wants_another_login(void **state)
{
    struct scene s;
    uint64_t version;

    (void)state;
    scene_open(&s, 527);
    version = tally(&s, RECORD_BUNDLE).last;
    for (unsigned day = 0; day < 8; day++) {
        core_rig_wait(&s.sim.rig, DAY_MS - 1);
        CHECK(!engine_wants_login(s.bob->engine, s.sim.rig.wall_ms));
        core_rig_wait(&s.sim.rig, 1);
        CHECK(engine_wants_login(s.bob->engine, s.sim.rig.wall_ms));
        sim_disconnect(s.bob);
        CHECK(!engine_wants_login(s.bob->engine, s.sim.rig.wall_ms));
        sim_connect(s.bob);
        CHECK(!engine_wants_login(s.bob->engine, s.sim.rig.wall_ms));
        sim_run(&s.sim);
    }
    CHECK(tally(&s, RECORD_BUNDLE).last == version + 1);
    scene_close(&s);
}

TEST_FILE(upkeep)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_uploads_cost_no_first_message),
        cmocka_unit_test(emptied_prekeys_cost_no_first_message),
        cmocka_unit_test(a_bundle_is_renewed_when_it_is_due),
        cmocka_unit_test(old_bundles_are_forgotten),
        cmocka_unit_test(hashes_are_known_for_thirty_one_days),
        cmocka_unit_test(cleaning_is_done_in_portions),
        cmocka_unit_test(an_old_connection_wants_another_login),
        cmocka_unit_test(skipped_keys_go_in_sessions_that_are_silent),
    };

    return cmocka_run_group_tests_name("upkeep", tests, NULL, NULL);
}
