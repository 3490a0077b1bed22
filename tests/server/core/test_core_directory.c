/* The directory at the relay's core: find, put-card, put-bundle, take (docs/protocol.md, section 9). */
#include "tests/support/core_pair.h"

#include <signet/bundle.h>

/* Bob's two bundles, costly to make: now, and a second later. */
static struct signet_buf bundle, keys, second_bundle, second_keys;

static void make_bundle(uint64_t version, struct signet_bundle_secrets *previous,
    struct signet_bundle_secrets **secrets, struct signet_buf *bundle_out,
    struct signet_buf *keys_out)
{
    const struct signet_bundle_order order = {.account = bob,
        .previous = previous,
        .version = version,
        .now_ms = CORE_RIG_START_MS + version * 1000};

    CHECK_OK(signet_bundle_make(library, &order, secrets, bundle_out, keys_out));
}

static int make_bundles(void **state)
{
    struct signet_bundle_secrets *first = NULL, *second = NULL;

    (void)core_accounts_make(state);
    make_bundle(1, NULL, &first, &bundle, &keys);
    make_bundle(2, first, &second, &second_bundle, &second_keys);
    signet_bundle_secrets_free(first);
    signet_bundle_secrets_free(second);
    return 0;
}

static int free_bundles(void **state)
{
    signet_buf_free(&bundle);
    signet_buf_free(&keys);
    signet_buf_free(&second_bundle);
    signet_buf_free(&second_keys);
    return core_accounts_free(state);
}

/* Send; the code of the refusal, or 0 for an answer of that type. */
static uint64_t ask(struct core_client *client, struct relay_message *message, enum relay_type type)
{
    struct relay_message answer;

    message->req = ++client->req;
    core_client_send(client, message);
    answer = core_client_next(client);
    CHECK(answer.req == message->req);
    if (answer.type == RELAY_REFUSED)
        return answer.code;
    CHECK(answer.type == type);
    *message = answer;
    return 0;
}

static uint64_t put_bundle(
    struct core_client *client, const struct signet_buf *bytes, const struct signet_buf *one_time)
{
    struct relay_message message = {.type = RELAY_PUT_BUNDLE,
        .bundle = signet_buf_span(bytes),
        .keys = signet_buf_span(one_time)};

    return ask(client, &message, RELAY_DONE);
}

static uint64_t put_card(struct core_client *client, const struct signet_account *account)
{
    struct relay_message message = {
        .type = RELAY_PUT_CARD, .card = signet_card_bytes(signet_account_card(account))};

    return ask(client, &message, RELAY_DONE);
}

static void accounts_are_found_by_name_and_by_address(void **state)
{
    struct relay_message by_name = {.type = RELAY_FIND, .name = signet_span_str("bob")};
    struct relay_message by_id = {.type = RELAY_FIND, .id = *signet_account_address(bob)};
    struct relay_message unknown = {.type = RELAY_FIND, .name = signet_span_str("carol")};
    signet_span card = signet_card_bytes(signet_account_card(bob));
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    CHECK(ask(&pair.alice, &by_name, RELAY_ACCOUNT) == 0);
    CHECK_SPAN(by_name.name, "bob");
    CHECK(signet_span_equal(by_name.card, card));
    CHECK(ask(&pair.alice, &by_id, RELAY_ACCOUNT) == 0);
    CHECK_SPAN(by_id.name, "bob");
    CHECK(signet_span_equal(by_id.card, card));
    CHECK(ask(&pair.alice, &unknown, RELAY_ACCOUNT) == RELAY_CODE_UNKNOWN);
    core_pair_close(&pair);
}

static void finds_are_limited(void **state)
{
    struct relay_message message = {.type = RELAY_FIND, .name = signet_span_str("bob")};
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    pair.rig.config.rates.find = (struct rate_limit){.per_second = 1, .burst = 1};
    core_rig_configure(&pair.rig);
    CHECK(ask(&pair.alice, &message, RELAY_ACCOUNT) == 0);
    message = (struct relay_message){.type = RELAY_FIND, .name = signet_span_str("bob")};
    CHECK(ask(&pair.alice, &message, RELAY_ACCOUNT) == RELAY_CODE_OFTEN);
    core_pair_close(&pair);
}

/* A one-time prekey comes with its proof, once an hour for one requester; the bundle always. */
static void a_bundle_is_taken_with_at_most_one_prekey(void **state)
{
    struct relay_message message = {.type = RELAY_TAKE, .id = *signet_account_device(bob)};
    struct signet_one_time one_time = {0};
    struct signet_bundle *read = NULL;
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    CHECK(ask(&pair.alice, &message, RELAY_PREKEYS) == RELAY_CODE_UNKNOWN);
    CHECK(put_bundle(&pair.bob, &bundle, &keys) == 0);
    CHECK(ask(&pair.alice, &message, RELAY_PREKEYS) == 0);
    CHECK(signet_span_equal(message.bundle, signet_buf_span(&bundle)));
    CHECK(message.has_prekey);
    one_time.index = (uint32_t)message.prekey.index;
    memcpy(one_time.key, message.prekey.key.ptr, sizeof(one_time.key));
    one_time.path_len = relay_path_copy(&message, one_time.path);
    CHECK_OK(signet_bundle_read(library, message.bundle, signet_account_card(bob), &read));
    CHECK_OK(signet_bundle_check_one_time(library, read, &one_time));
    signet_bundle_free(read);

    message = (struct relay_message){.type = RELAY_TAKE, .id = *signet_account_device(bob)};
    CHECK(ask(&pair.alice, &message, RELAY_PREKEYS) == 0);
    CHECK(!message.has_prekey);
    core_pair_close(&pair);
}

static void the_welcome_brings_the_own_bundle(void **state)
{
    struct relay_message message = {.type = RELAY_LOGIN};
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    CHECK(put_bundle(&pair.bob, &bundle, &keys) == 0);
    core_client_close(&pair.bob);
    core_client_open(&pair.bob, &pair.rig, 0);
    CHECK_OK(signet_login_sign(bob, &pair.bob.hop, &pair.bob.sent));
    message.proof = signet_buf_span(&pair.bob.sent);
    CHECK(ask(&pair.bob, &message, RELAY_WELCOME) == 0);
    CHECK(signet_span_equal(message.bundle, signet_buf_span(&bundle)));
    CHECK(message.one_time_left == SIGNET_ONE_TIME_COUNT);
    core_pair_close(&pair);
}

static void bundles_are_refused_with_their_code(void **state)
{
    struct core_pair pair;

    (void)state;
    core_pair_open(&pair);
    CHECK(put_bundle(&pair.alice, &bundle, &keys) == RELAY_CODE_INVALID);      /* not hers */
    CHECK(put_bundle(&pair.bob, &bundle, &second_keys) == RELAY_CODE_INVALID); /* other keys */
    CHECK(put_bundle(&pair.bob, &second_bundle, &second_keys) == 0);
    CHECK(put_bundle(&pair.bob, &bundle, &keys) == RELAY_CODE_VERSION);
    CHECK(pair.alice.conn != NULL && pair.bob.conn != NULL);
    core_rig_wait(&pair.rig, SIGNET_CLOCK_TOLERANCE_MS + 3000);
    CHECK(put_bundle(&pair.bob, &bundle, &keys) == RELAY_CODE_CLOCK);
    core_pair_close(&pair);
}

/* A card replaces the one that it follows; another account's is not accepted. */
static void cards_follow_each_other(void **state)
{
    struct relay_message message = {.type = RELAY_FIND, .name = signet_span_str("carol")};
    struct signet_account *carol = core_rig_account(library, 2, CORE_RIG_START_MS);
    struct signet_account *old = core_rig_account(library, 2, CORE_RIG_START_MS);
    struct core_client client;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, old, "carol");
    /* Another first list of the same key: two lists of one version. */
    CHECK_OK(signet_account_renew(old, CORE_RIG_START_MS + 1000));
    CHECK(put_card(&client, old) == 0);
    CHECK(ask(&client, &message, RELAY_ACCOUNT) == 0);
    CHECK(signet_span_equal(message.card, signet_card_bytes(signet_account_card(old))));
    CHECK(put_card(&client, old) == 0);
    CHECK(put_card(&client, carol) == RELAY_CODE_VERSION);
    CHECK(put_card(&client, alice) == RELAY_CODE_INVALID);
    core_rig_wait(&rig, 2 * SIGNET_CLOCK_TOLERANCE_MS);
    CHECK_OK(signet_account_renew(old, CORE_RIG_START_MS + 2000));
    CHECK(put_card(&client, old) == RELAY_CODE_CLOCK);
    CHECK(client.conn != NULL);
    core_client_close(&client);
    core_rig_close(&rig);
    signet_account_free(carol);
    signet_account_free(old);
}

TEST_FILE(core_directory)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_found_by_name_and_by_address),
        cmocka_unit_test(finds_are_limited),
        cmocka_unit_test(a_bundle_is_taken_with_at_most_one_prekey),
        cmocka_unit_test(the_welcome_brings_the_own_bundle),
        cmocka_unit_test(bundles_are_refused_with_their_code),
        cmocka_unit_test(cards_follow_each_other),
    };

    return cmocka_run_group_tests(tests, make_bundles, free_bundles);
}
