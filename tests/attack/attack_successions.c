/*
 * Cards of several generations against a real engine: an account whose owner signs another history
 * of its identity keys than the one that is known. docs/protocol.md, sections 3 and 8 (step 5).
 * Each test fails when the attack works.
 */
#include "tests/support/simulation.h"

#include <stdlib.h>

#include "tests/support/forge.h"
#include "tests/support/key_pool.h"

/* Mallory's identity keys: the first two, one that was never announced to alice, and a last one. */
enum { FIRST, SECOND, HIDDEN, LAST, IDENTITIES };

struct scene {
    struct simulation sim;
    struct sim_client *alice, *bob;
    struct crypto_rsa_private *identities[IDENTITIES];
    struct signet_account *mallory;
    struct signet_buf bundle; /* alice's */
};

/* Alice's bundle is there for anybody. */
static void take_bundle(
    struct sim_client *client, const struct relay_message *message, struct signet_buf *out)
{
    struct scene *s = client->intercept_ctx;
    struct relay_message changed = *message;

    if (message->type == RELAY_PREKEYS && s->bundle.len == 0)
        CHECK_OK(signet_buf_append(&s->bundle, message->bundle));
    changed.has_prekey = false;
    CHECK_OK(relay_message_write(&changed, out));
}

static struct signet_id id_of(const struct scene *s, size_t identity)
{
    return *crypto_rsa_public_fingerprint(crypto_rsa_private_public(s->identities[identity]));
}

static void scene_open(struct scene *s, uint64_t seed)
{
    struct forged_account keys;

    memset(s, 0, sizeof(*s));
    simulation_open(&s->sim, seed);
    s->alice = sim_join(&s->sim, "alice");
    s->bob = sim_join(&s->sim, "bob");
    for (unsigned i = 0; i < IDENTITIES; i++)
        s->identities[i] = key_pool_take(s->sim.seeded.library, 2048, 4 + i);
    keys.identity = key_pool_take(s->sim.seeded.library, 2048, 4);
    keys.device = key_pool_take(s->sim.seeded.library, 3072, 2);
    keys.next_identity = id_of(s, SECOND);
    s->mallory = forge_account(s->sim.seeded.library, &keys, s->sim.rig.wall_ms);
    s->bob->intercept = take_bundle;
    s->bob->intercept_ctx = s;
    sim_send(s->bob, "alice", "hello");
    sim_run(&s->sim);
}

static void scene_close(struct scene *s)
{
    for (size_t i = 0; i < IDENTITIES; i++)
        crypto_rsa_private_free(s->identities[i]);
    signet_account_free(s->mallory);
    signet_buf_free(&s->bundle);
    simulation_close(&s->sim);
}

static const struct signet_card *card_of(const struct sim_client *client)
{
    return signet_account_card(engine_account(client->engine));
}

/* A card with these identities, one after the other, whose last list announces `next`. */
static struct signet_buf card_of_many(
    const struct scene *s, const size_t *identities, size_t count, size_t next)
{
    struct forged_list lists[IDENTITIES];
    struct forged_link links[IDENTITIES];

    for (size_t i = 0; i < count; i++) {
        lists[i] = forge_list_of(signet_account_card(s->mallory));
        lists[i].signer = id_of(s, identities[i]);
        lists[i].generation = i;
        lists[i].version = i + 1;
        lists[i].has_previous = i > 0;
        lists[i].next_identity = id_of(s, i + 1 < count ? identities[i + 1] : next);
        links[i] =
            (struct forged_link){.identity = s->identities[identities[i]], .list = &lists[i]};
    }
    return forge_card_bytes(links, count);
}

/* A first message of mallory's: his present card in the init block, that one beside the text. */
static void write_first(struct scene *s, signet_span card)
{
    struct signet_library *library = s->sim.seeded.library;
    struct signet_session_peer peer = {.card = card_of(s->alice)};
    struct relay_message message = {.type = RELAY_DELIVER, .message = 8000};
    struct signet_buf content = forge_content_beside(s->sim.seeded.library, s->mallory,
                          card_of(s->alice), card, s->sim.rig.wall_ms),
                      envelope = {0}, bytes = {0};
    struct signet_bundle *bundle = NULL;
    struct signet_session *session = NULL;

    CHECK_OK(signet_bundle_read(library, signet_buf_span(&s->bundle), peer.card, &bundle));
    peer.bundle = bundle;
    CHECK_OK(signet_session_initiate(library, s->mallory, &peer, s->sim.rig.wall_ms, &session));
    CHECK_OK(signet_session_seal(session, signet_buf_span(&content), &envelope));
    message.envelope = signet_buf_span(&envelope);
    CHECK_OK(relay_message_write(&message, &bytes));
    sim_inject(s->alice, signet_buf_span(&bytes));
    sim_run(&s->sim);
    signet_session_free(session);
    signet_bundle_free(bundle);
    signet_buf_free(&content);
    signet_buf_free(&envelope);
    signet_buf_free(&bytes);
}

static enum signet_err last_verdict(void *ctx, uint64_t number, signet_span value)
{
    struct message message;

    (void)number;
    CHECK_OK(message_decode(value, &message));
    *(enum verdict *)ctx = message.verdict;
    message_clear(&message);
    return SIGNET_OK;
}

/* Of the last line of alice's history with mallory. */
static enum verdict verdict_of_last(struct scene *s)
{
    struct record_source source = memory_records_source(s->alice->records);
    struct signet_id conversation;
    struct record_key lines = {RECORD_MESSAGE, signet_id_span(&conversation), 0};
    enum verdict verdict = VERDICT_MALFORMED;

    CHECK_OK(signet_conversation_pair(s->sim.seeded.library, sim_address(s->alice),
        signet_account_address(s->mallory), &conversation));
    CHECK_OK(source.scan(source.ctx, &lines, last_verdict, &verdict));
    return verdict;
}

/* A first message brings two cards, of the init block and beside the text. The second follows the
 * first, but not the one that is known: a receiver who adopted it could not keep it, and would end
 * each time the relay delivers the message again. */
static void two_cards_of_one_message_do_not_stop_a_client(void **state)
{
    static const size_t known[] = {FIRST, SECOND}, other[] = {FIRST, HIDDEN, LAST};
    struct signet_buf present, hidden;
    struct signet_card *card;
    struct scene s;

    (void)state;
    scene_open(&s, 560);
    write_first(&s, signet_card_bytes(signet_account_card(s.mallory)));
    CHECK(verdict_of_last(&s) == VERDICT_VERIFIED);
    present = card_of_many(&s, known, 2, LAST);
    hidden = card_of_many(&s, other, 3, FIRST);
    CHECK_OK(signet_card_read(s.sim.seeded.library, signet_buf_span(&present), &card));
    forge_replace_card(s.mallory, card);
    write_first(&s, signet_buf_span(&hidden));
    CHECK(verdict_of_last(&s) == VERDICT_IDENTITY);
    sim_send(s.bob, "alice", "an honest one");
    sim_run(&s.sim);
    CHECK(s.alice->received == 4);
    signet_buf_free(&present);
    signet_buf_free(&hidden);
    scene_close(&s);
}

TEST_FILE(attack_successions)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_cards_of_one_message_do_not_stop_a_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
