/* Registration at the relay's core: docs/protocol.md, section 9. */
#include "tests/support/core_pair.h"

/* Costly, so made once: an account made two days ago, and one in two days. */
static struct signet_account *early, *late;

enum { DAY_MS = 86400000 };

static int make_accounts(void **state)
{
    (void)core_accounts_make(state);
    early = core_rig_account(library, 2, CORE_RIG_START_MS - 2 * DAY_MS);
    late = core_rig_account(library, 2, CORE_RIG_START_MS + 2 * DAY_MS);
    return 0;
}

static int free_accounts(void **state)
{
    signet_account_free(early);
    signet_account_free(late);
    return core_accounts_free(state);
}

static signet_span token_span(const uint8_t token[STORE_TOKEN_LEN])
{
    return signet_span_of(token, STORE_TOKEN_LEN);
}

static void a_device_registers_and_logs_in_on_one_connection(void **state)
{
    struct core_client client;
    struct core_rig rig;
    uint8_t token[STORE_TOKEN_LEN];

    (void)state;
    core_rig_open(&rig, library);
    core_rig_token(&rig, token, 1);
    core_client_open(&client, &rig, 0);
    CHECK(core_client_login(&client, alice) == RELAY_CODE_NOT_REGISTERED);
    CHECK(!client.is_logged_in && client.conn != NULL);
    CHECK(core_client_register(&client, alice, "alice", token_span(token)) == 0);
    CHECK(core_client_login(&client, alice) == 0);
    CHECK(client.is_logged_in && !client.is_paused);
    core_client_close(&client);
    core_rig_close(&rig);
}

/* The answer may have been lost: the same again is answered `done`, though the token is used up. */
static void registering_again_is_idempotent(void **state)
{
    struct core_client client;
    struct core_rig rig;
    uint8_t token[STORE_TOKEN_LEN];

    (void)state;
    core_rig_open(&rig, library);
    core_rig_token(&rig, token, 1);
    core_client_open(&client, &rig, 0);
    CHECK(core_client_register(&client, alice, "alice", token_span(token)) == 0);
    CHECK(core_client_register(&client, alice, "alice", token_span(token)) == 0);
    CHECK(
        core_client_register(&client, alice, "alice2", token_span(token)) == RELAY_CODE_INVITATION);
    CHECK(core_client_register(&client, bob, "alice", token_span(token)) == RELAY_CODE_INVITATION);
    core_client_close(&client);
    core_rig_close(&rig);
}

/* A day later the client has renewed its card: it is still the same account. */
static void registering_again_with_a_renewed_card_changes_nothing(void **state)
{
    struct signet_account *renewed = core_rig_account(library, 0, CORE_RIG_START_MS);
    struct core_client client;
    struct core_rig rig;
    uint8_t token[STORE_TOKEN_LEN];

    (void)state;
    CHECK_OK(signet_account_renew(renewed, CORE_RIG_START_MS + 1000));
    core_rig_open(&rig, library);
    core_rig_token(&rig, token, 2);
    core_client_open(&client, &rig, 0);
    CHECK(core_client_register(&client, alice, "alice", token_span(token)) == 0);
    CHECK(core_client_register(&client, renewed, "alice", token_span(token)) == 0);
    CHECK(core_client_register(&client, bob, "bob", token_span(token)) == 0); /* the second use */
    CHECK(core_client_login(&client, renewed) == 0);
    core_client_close(&client);
    core_rig_close(&rig);
    signet_account_free(renewed);
}

static void registrations_are_refused_with_their_code(void **state)
{
    uint8_t token[STORE_TOKEN_LEN], wrong[STORE_TOKEN_LEN] = {0xee};
    struct core_client client;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    core_rig_token(&rig, token, 9);
    core_client_open(&client, &rig, 0);
    CHECK(
        core_client_register(&client, alice, "alice", token_span(wrong)) == RELAY_CODE_INVITATION);
    CHECK(core_client_register(&client, alice, "alice", signet_span_of(NULL, 0)) ==
          RELAY_CODE_INVITATION);
    CHECK(core_client_register(&client, alice, "operator", token_span(token)) == RELAY_CODE_NAME);
    CHECK(core_client_register(&client, alice, "alice", token_span(token)) == 0);
    CHECK(core_client_register(&client, bob, "alice", token_span(token)) == RELAY_CODE_NAME_TAKEN);
    CHECK(
        core_client_register(&client, alice, "alice2", token_span(token)) == RELAY_CODE_NAME_TAKEN);
    core_client_close(&client);
    core_rig_close(&rig);
}

/* The card with an identity key of its own making: no arithmetic works with it, and what then
 * fails is the client's fault, not the machine's. */
static void an_even_modulus_is_refused_like_any_bad_key(void **state)
{
    static const uint8_t exponent[] = {0x02, 0x03, 0x01, 0x00, 0x01}; /* behind the modulus */
    uint8_t token[STORE_TOKEN_LEN];
    struct relay_message answer;
    struct signet_buf card = {0};
    struct core_client client;
    struct core_rig rig;
    uint8_t *end;

    (void)state;
    CHECK_OK(signet_buf_append(&card, signet_card_bytes(signet_account_card(alice))));
    end = memmem(card.ptr, card.len, exponent, sizeof(exponent));
    assert_non_null(end);
    end[-1] &= 0xfe;
    core_rig_open(&rig, library);
    core_rig_token(&rig, token, 1);
    core_client_open(&client, &rig, 0);
    CHECK_OK(signet_registration_sign(alice, signet_span_str("alice"), &client.hop, &client.sent));
    core_client_send(&client, &(struct relay_message){.type = RELAY_REGISTER,
                                  .req = 1,
                                  .token = token_span(token),
                                  .name = signet_span_str("alice"),
                                  .card = signet_buf_span(&card),
                                  .proof = signet_buf_span(&client.sent)});
    answer = core_client_next(&client);
    CHECK(answer.type == RELAY_REFUSED && answer.code == RELAY_CODE_INVALID);
    CHECK(client.conn != NULL);
    core_client_close(&client);
    core_rig_close(&rig);
    signet_buf_free(&card);
}

/* Section 9: the relay refuses cards issued more than 24 h off its clock. */
static void clocks_more_than_a_day_off_are_refused(void **state)
{
    uint8_t token[STORE_TOKEN_LEN];
    struct core_client client;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    core_rig_token(&rig, token, 9);
    core_client_open(&client, &rig, 0);
    CHECK(core_client_register(&client, early, "carol", token_span(token)) == RELAY_CODE_CLOCK);
    CHECK(core_client_register(&client, late, "carol", token_span(token)) == RELAY_CODE_CLOCK);
    core_rig_wait(&rig, DAY_MS);
    CHECK(core_client_register(&client, late, "carol", token_span(token)) == 0);
    core_client_close(&client);
    core_rig_close(&rig);
}

TEST_FILE(core_register)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_registers_and_logs_in_on_one_connection),
        cmocka_unit_test(registering_again_is_idempotent),
        cmocka_unit_test(registering_again_with_a_renewed_card_changes_nothing),
        cmocka_unit_test(registrations_are_refused_with_their_code),
        cmocka_unit_test(an_even_modulus_is_refused_like_any_bad_key),
        cmocka_unit_test(clocks_more_than_a_day_off_are_refused),
    };

    return cmocka_run_group_tests(tests, make_accounts, free_accounts);
}
