/*
 * A stranger with a valid card against a client's sessions: docs/protocol.md, sections 5 and 6.1.
 * Nobody may stop another one from receiving.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#include <openssl/crypto.h>

#include "tests/support/forge.h"
#include "tests/support/forge_session.h"
#include "tests/support/key_pool.h"

enum {
    DEVICES = SIGNET_CARD_DEVICES_MAX,
    SESSIONS = DEVICES * SIGNET_SESSIONS_MAX,
    HEAP_FOR_SESSIONS = 64 << 10, /* what those in memory may take of the secure heap */
};

struct scene {
    struct simulation sim;
    struct sim_client *alice, *bob;
    struct signet_account *mallory;
    struct crypto_rsa_private *keys[DEVICES], *own_key;
    struct signet_bundle_secrets *secrets; /* of bob's bundle: its public half is what is used */
    struct signet_session *sessions[SESSIONS];
    uint64_t sequence[DEVICES];
    struct signet_id previous[DEVICES];
    uint64_t message; /* the relay's number */
};

static int by_id(const void *a, const void *b)
{
    return signet_id_compare(
        &((const struct forged_device *)a)->id, &((const struct forged_device *)b)->id);
}

/* A card with as many devices as one may have. */
static void make_mallory(struct scene *s)
{
    struct signet_library *library = s->sim.seeded.library;
    struct crypto_rsa_private *identity = key_pool_take(library, 2048, 2 * 9);
    struct forged_link link = {.identity = identity};
    struct forged_list list;
    struct signet_card *card;

    s->mallory = core_rig_account(library, 9, s->sim.rig.wall_ms);
    list = forge_list_of(signet_account_card(s->mallory));
    list.device_count = DEVICES;
    for (unsigned i = 0; i < DEVICES; i++) {
        s->keys[i] = key_pool_take(library, 2048, i);
        list.devices[i].key = crypto_rsa_private_public(s->keys[i]);
        list.devices[i].id = *crypto_rsa_public_fingerprint(list.devices[i].key);
        list.devices[i].since = 1;
    }
    qsort(list.devices, DEVICES, sizeof(list.devices[0]), by_id);
    link.list = &list;
    CHECK_OK(forge_card(library, &link, 1, &card));
    forge_replace_card(s->mallory, card);
    s->own_key = forge_replace_device_key(s->mallory, s->keys[0]);
    crypto_rsa_private_free(identity);
}

static void load_bundle(struct scene *s)
{
    struct record_source source = memory_records_source(s->bob->records);
    struct record_key key = {.kind = RECORD_BUNDLE, .number = 2};
    struct signet_buf value = {0};

    CHECK_OK(source.get(source.ctx, &key, &value));
    CHECK_OK(
        signet_bundle_secrets_decode(s->sim.seeded.library, signet_buf_span(&value), &s->secrets));
    signet_buf_free(&value);
}

static void scene_open(struct scene *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    simulation_open(&s->sim, seed);
    s->alice = sim_join(&s->sim, "alice");
    s->bob = sim_join(&s->sim, "bob");
    make_mallory(s);
    load_bundle(s);
    s->message = 5000;
}

static void scene_close(struct scene *s)
{
    for (size_t i = 0; i < SESSIONS; i++)
        signet_session_free(s->sessions[i]);
    signet_bundle_secrets_free(s->secrets);
    (void)forge_replace_device_key(s->mallory, s->own_key);
    signet_account_free(s->mallory);
    for (size_t i = 0; i < DEVICES; i++)
        crypto_rsa_private_free(s->keys[i]);
    simulation_close(&s->sim);
}

static void begin_session(struct scene *s, size_t number)
{
    const struct signet_account *bob = engine_account(s->bob->engine);
    struct seen_secrets bobs = forge_see_secrets(s->secrets);
    struct forged_bundle fields = {
        .id = *signet_bundle_secrets_id(s->secrets),
        .device = *signet_account_device(bob),
        .address = *signet_account_address(bob),
        .oaep_key = crypto_rsa_private_public(bobs.oaep_key),
        .signed_prekey = bobs.signed_prekey->public_key,
        .version = 2,
        .suite_max = 1,
        .one_time_count = 1,
    };
    struct signet_bundle *bundle = forge_bundle_read(&fields);
    struct signet_session_peer peer = {signet_account_card(bob), bundle, NULL};

    (void)forge_replace_device_key(s->mallory, s->keys[number / SIGNET_SESSIONS_MAX]);
    CHECK_OK(signet_session_initiate(
        s->sim.seeded.library, s->mallory, &peer, s->sim.rig.wall_ms, &s->sessions[number]));
    signet_bundle_free(bundle);
}

/* The next message of a session, as the relay delivers it; appended. */
static void add_delivery(struct scene *s, size_t number, struct signet_buf *out)
{
    const struct signet_account *bob = engine_account(s->bob->engine);
    size_t device = number / SIGNET_SESSIONS_MAX;
    struct signet_entry_draft draft = {
        .to = *signet_account_address(bob),
        .to_list = *signet_card_list(signet_account_card(bob)),
        .sequence = ++s->sequence[device],
        .previous = s->previous[device],
        .sent_at = s->sim.rig.wall_ms,
        .kind = SIGNET_KIND_TEXT,
        .body = signet_span_str("x"),
    };
    struct relay_message message = {.type = RELAY_DELIVER, .message = ++s->message};
    struct signet_buf content = {0}, envelope = {0};

    (void)forge_replace_device_key(s->mallory, s->keys[device]);
    CHECK_OK(signet_entry_sign(
        s->sim.seeded.library, s->mallory, &draft, &content, &s->previous[device]));
    CHECK_OK(signet_session_seal(s->sessions[number], signet_buf_span(&content), &envelope));
    message.envelope = signet_buf_span(&envelope);
    CHECK_OK(relay_message_write(&message, out));
    signet_buf_free(&content);
    signet_buf_free(&envelope);
}

/* Give a stored session as many skipped keys as it may have: what two envelopes bring about. */
struct filling {
    struct signet_library *library;
    struct record_batch batch;
    size_t count;
};

static enum signet_err fill_session(void *ctx, uint64_t number, signet_span value)
{
    struct filling *filling = ctx;
    struct signet_session *session;
    struct signet_buf filled = {0};
    struct record_key key = {.kind = RECORD_SESSION};

    (void)number;
    CHECK_OK(signet_session_decode(filling->library, value, &session));
    forge_skipped_keys(session, CORE_RIG_START_MS);
    CHECK_OK(signet_session_encode(session, &filled));
    key.name = signet_id_span(signet_session_transcript(session));
    CHECK_OK(record_batch_put(&filling->batch, &key, signet_buf_span(&filled)));
    signet_buf_free(&filled);
    signet_session_free(session);
    filling->count++;
    return SIGNET_OK;
}

static void fill_sessions(struct scene *s)
{
    struct record_source source = memory_records_source(s->bob->records);
    struct record_key all = {.kind = RECORD_SESSION};
    struct filling filling = {.library = s->sim.seeded.library};

    CHECK_OK(source.scan(source.ctx, &all, fill_session, &filling));
    CHECK(filling.count == SESSIONS);
    CHECK_OK(memory_records_commit(s->bob->records, &filling.batch));
    record_batch_clear(&filling.batch);
}

static void restart(struct scene *s)
{
    sim_kill(s->bob);
    sim_start(s->bob);
    sim_subscribe(s->bob);
    sim_connect(s->bob);
    sim_run(&s->sim);
}

static enum signet_err count_line(void *ctx, uint64_t number, signet_span value)
{
    struct message message;

    (void)number;
    CHECK_OK(message_decode(value, &message));
    *(size_t *)ctx += message.verdict == VERDICT_VERIFIED;
    message_clear(&message);
    return SIGNET_OK;
}

/* Verified lines from mallory. */
static size_t count_verified(struct scene *s)
{
    struct record_source source = memory_records_source(s->bob->records);
    struct record_key key = {.kind = RECORD_MESSAGE};
    struct signet_id conversation;
    size_t count = 0;

    CHECK_OK(signet_conversation_pair(s->sim.seeded.library, sim_address(s->bob),
        signet_account_address(s->mallory), &conversation));
    key.name = signet_id_span(&conversation);
    CHECK_OK(source.scan(source.ctx, &key, count_line, &count));
    return count;
}

/* Section 6.1 bounds what a session keeps; what all sessions keep is up to strangers. It must not
 * use up the memory that every key needs: the next start would meet the same messages again. */
static void many_sessions_full_of_skipped_keys_stop_nobody(void **state)
{
    struct signet_buf first = {0}, next = {0};
    struct scene s;

    (void)state;
    scene_open(&s, 500);
    for (size_t i = 0; i < SESSIONS; i++) {
        begin_session(&s, i);
        add_delivery(&s, i, &first);
    }
    sim_inject(s.bob, signet_buf_span(&first));
    fill_sessions(&s);
    for (size_t i = 0; i < SESSIONS; i++) {
        forge_answered(s.sessions[i]); /* more fit into a frame */
        add_delivery(&s, i, &next);
    }
    for (unsigned i = 0; i < 3; i++) {
        struct engine_output lost = {0};
        size_t used;

        restart(&s);
        used = CRYPTO_secure_used();
        CHECK_OK(engine_receive(s.bob->engine, signet_buf_span(&next), s.sim.rig.wall_ms, &lost));
        CHECK(CRYPTO_secure_used() <= used + HEAP_FOR_SESSIONS);
        engine_output_clear(&lost); /* the process ends before it is committed */
    }
    restart(&s);
    sim_inject(s.bob, signet_buf_span(&next));
    sim_send(s.alice, "bob", "an honest one");
    sim_run(&s.sim);
    {
        char *history = sim_history(s.bob, s.alice, false);

        assert_string_equal(history, "an honest one\n");
        free(history);
    }
    CHECK(count_verified(&s) == 2 * SESSIONS);
    signet_buf_free(&first);
    signet_buf_free(&next);
    scene_close(&s);
}

/* An even modulus in place of mallory's: OpenSSL cannot even look at a signature under it. */
static void spoil_identity(struct scene *s)
{
    signet_span card = signet_card_bytes(signet_account_card(s->mallory));
    signet_span key =
        crypto_rsa_public_spki(crypto_rsa_private_public(forge_identity_key(s->mallory)));
    uint8_t *place = memmem(card.ptr, card.len, key.ptr, key.len);

    CHECK(place != NULL);
    place[key.len - 6] ^= 1; /* before the exponent's five bytes */
}

/* Section 8: an envelope that is refused is recorded and acknowledged, whatever is wrong with it;
 * what ends as a failure of the machine would come again at every start, before all others. */
static void a_key_that_openssl_cannot_use_stops_nobody(void **state)
{
    struct signet_buf first = {0};
    struct scene s;
    char *history;

    (void)state;
    scene_open(&s, 501);
    spoil_identity(&s);
    begin_session(&s, 0);
    add_delivery(&s, 0, &first);
    sim_inject(s.bob, signet_buf_span(&first));
    sim_send(s.alice, "bob", "an honest one");
    sim_run(&s.sim);
    history = sim_history(s.bob, s.alice, false);
    assert_string_equal(history, "an honest one\n");
    free(history);
    signet_buf_free(&first);
    scene_close(&s);
}

TEST_FILE(attack_sessions)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_sessions_full_of_skipped_keys_stop_nobody),
        cmocka_unit_test(a_key_that_openssl_cannot_use_stops_nobody),
    };

    return cmocka_run_group_tests_name("attack_sessions", tests, NULL, NULL);
}
