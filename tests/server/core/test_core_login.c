/* Login at the relay's core, and what comes before it: docs/protocol.md, section 9. */
#include "tests/support/core_pair.h"

static void the_welcome_tells_time_list_and_bundle(void **state)
{
    struct relay_message message = {.type = RELAY_LOGIN, .req = 9};
    struct core_client client;
    struct core_rig rig;
    struct relay_message welcome;

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, alice, "alice");
    core_client_close(&client);
    core_client_open(&client, &rig, 1);
    CHECK_OK(signet_login_sign(alice, &client.hop, &client.sent));
    message.proof = signet_buf_span(&client.sent);
    core_client_send(&client, &message);
    welcome = core_client_next(&client);
    CHECK(welcome.type == RELAY_WELCOME && welcome.req == 9);
    CHECK(welcome.time_ms == CORE_RIG_START_MS && welcome.bundle.len == 0);
    CHECK(signet_id_equal(&welcome.id, signet_card_list(signet_account_card(alice))));
    CHECK(welcome.one_time_left == 0);
    core_client_close(&client);
    core_rig_close(&rig);
}

/* The proof is bound to one relay and one connection: each part of the hop counts. */
static void a_login_proof_serves_nowhere_else(void **state)
{
    struct core_client client, other;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, alice, "alice");
    core_client_open(&other, &rig, 0);

    other.hop.pin.b[0] ^= 1;
    CHECK(core_client_login(&other, alice) == RELAY_CODE_INVALID);
    other.hop.pin.b[0] ^= 1;
    other.hop.server_nonce[31] ^= 1;
    CHECK(core_client_login(&other, alice) == RELAY_CODE_INVALID);
    other.hop.server_nonce[31] ^= 1;
    other.hop.exporter[7] ^= 1;
    CHECK(core_client_login(&other, alice) == RELAY_CODE_INVALID);
    other.hop.exporter[7] ^= 1;
    other.hop.origin = signet_span_str("relay2.example");
    CHECK(core_client_login(&other, alice) == RELAY_CODE_INVALID);
    other.hop.origin = signet_span_str(CORE_RIG_NAME);
    CHECK(!other.is_logged_in && other.conn != NULL);
    CHECK(core_client_login(&other, alice) == 0);

    core_client_close(&client);
    core_client_close(&other);
    core_rig_close(&rig);
}

static void a_login_proof_is_refused_on_a_second_connection(void **state)
{
    struct relay_message message = {.type = RELAY_LOGIN, .req = 1};
    struct core_client client, other;
    struct core_rig rig;
    struct relay_message answer;

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, alice, "alice");
    core_client_open(&other, &rig, 0);
    message.proof = signet_buf_span(&client.sent);
    core_client_send(&other, &message);
    answer = core_client_next(&other);
    CHECK(answer.type == RELAY_REFUSED && answer.code == RELAY_CODE_INVALID);
    CHECK(client.conn != NULL && other.conn != NULL);
    core_client_close(&client);
    core_client_close(&other);
    core_rig_close(&rig);
}

/* A registration's signature is no login, and a login's no registration. */
static void proofs_of_another_purpose_are_refused(void **state)
{
    struct relay_message message = {.type = RELAY_LOGIN, .req = 1};
    struct core_client client;
    struct core_rig rig;
    struct relay_message answer;
    uint8_t token[STORE_TOKEN_LEN];

    (void)state;
    core_rig_open(&rig, library);
    core_rig_token(&rig, token, 1);
    core_client_open(&client, &rig, 0);
    CHECK(core_client_register(&client, alice, "alice", signet_span_of(token, sizeof(token))) == 0);
    message.proof = signet_buf_span(&client.sent);
    core_client_send(&client, &message);
    answer = core_client_next(&client);
    CHECK(answer.type == RELAY_REFUSED && answer.code == RELAY_CODE_INVALID);
    core_client_close(&client);
    core_rig_close(&rig);
}

/* "The newest login of a device ends an older one (close code 4001)", on whichever worker it is. */
static void a_newer_login_ends_the_older_one(void **state)
{
    struct core_client first, second, third;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&first, &rig, 0);
    core_client_join(&first, alice, "alice");
    core_client_open(&second, &rig, 0);
    CHECK(core_client_login(&second, alice) == 0);
    CHECK(first.conn == NULL && first.close_code == RELAY_CLOSE_REPLACED);
    core_client_open(&third, &rig, 1);
    CHECK(core_client_login(&third, alice) == 0);
    CHECK(second.conn == NULL && second.close_code == RELAY_CLOSE_REPLACED);
    CHECK(third.conn != NULL);
    core_client_close(&first);
    core_client_close(&second);
    core_client_close(&third);
    core_rig_close(&rig);
}

/* Nothing but register and login is accepted before login; neither is accepted after it. */
static void before_login_everything_else_is_refused(void **state)
{
    static const uint64_t ack = 1;
    const struct relay_message messages[] = {
        {.type = RELAY_PUT, .req = 1, .envelope = signet_span_str("envelope")},
        {.type = RELAY_FIND, .req = 1, .name = signet_span_str("alice")},
        {.type = RELAY_TAKE, .req = 1},
        {.type = RELAY_SUBSCRIBE, .req = 1},
        {.type = RELAY_ACK, .ack_ids = &ack, .ack_count = 1},
        {.type = RELAY_WELCOME, .req = 1},
        {.type = RELAY_DRAINED},
    };
    struct core_client client;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        core_client_open(&client, &rig, 0);
        core_client_send(&client, &messages[i]);
        CHECK(client.conn == NULL && client.close_code == 1002);
        CHECK(core_client_next(&client).type == 0);
        core_client_close(&client);
    }
    CHECK(rig.submitted == 0);
    core_rig_close(&rig);
}

/* The store has moved the device's route when the newer login is lost: the older one, which would
 * get no more messages, ends all the same, whichever worker has it. */
static void a_login_that_is_lost_ends_the_older_one(void **state)
{
    struct relay_message message = {.type = RELAY_LOGIN, .req = 1};
    struct core_client older, lost;
    struct core_rig rig;
    struct signet_buf bytes = {0};

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&older, &rig, 0);
    core_client_join(&older, alice, "alice");
    for (uint32_t worker = 0; worker < CORE_RIG_WORKERS; worker++) {
        core_client_open(&lost, &rig, worker);
        signet_buf_truncate(&bytes, 0);
        CHECK_OK(signet_login_sign(alice, &lost.hop, &lost.sent));
        message.proof = signet_buf_span(&lost.sent);
        CHECK_OK(relay_message_write(&message, &bytes));
        core_receive(rig.cores[worker], lost.conn, signet_buf_span(&bytes));
        core_rig_step(&rig); /* the card is found, and the route asked for */
        core_client_close(&lost);
        core_rig_turn(&rig);
        CHECK(older.conn == NULL && older.close_code == RELAY_CLOSE_REPLACED);
        core_client_close(&older);
        core_client_open(&older, &rig, 0);
        CHECK(core_client_login(&older, alice) == 0);
    }
    signet_buf_free(&bytes);
    core_client_close(&older);
    core_rig_close(&rig);
}

static void a_second_login_on_a_connection_is_refused(void **state)
{
    struct relay_message message = {.type = RELAY_LOGIN, .req = 1};
    struct core_client client;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, alice, "alice");
    message.proof = signet_buf_span(&client.sent);
    core_client_send(&client, &message);
    CHECK(client.conn == NULL && client.close_code == 1002);
    core_client_close(&client);
    core_rig_close(&rig);
}

/* A malformed message ends its connection (1002), one too big too (1009), and no other. */
static void malformed_messages_end_their_connection_only(void **state)
{
    static const uint8_t big[RELAY_MESSAGE_MAX_BEFORE + 1];
    const signet_span wrong[] = {signet_span_of(NULL, 0), signet_span_str("x"),
        signet_span_of("\x83\x02\x01", 3), signet_span_of("\x82\x18\x63\x01", 4),
        signet_span_of("\x80", 1), signet_span_of(big, 16)};
    struct core_client client, other;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&other, &rig, 0);
    core_client_join(&other, alice, "alice");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        core_client_open(&client, &rig, 0);
        core_client_send_bytes(&client, wrong[i]);
        CHECK(client.conn == NULL && client.close_code == 1002);
        core_client_close(&client);
    }
    core_client_open(&client, &rig, 0);
    core_client_send_bytes(&client, signet_span_of(big, sizeof(big)));
    CHECK(client.conn == NULL && client.close_code == 1009);
    core_client_close(&client);
    CHECK(core_client_put(&other, signet_account_device(alice), signet_span_str("note")) == 0);
    core_client_close(&other);
    core_rig_close(&rig);
}

/* Register, login and what follows may come in one WebSocket message: they wait for each other. */
static void messages_packed_behind_a_login_wait_for_it(void **state)
{
    struct relay_message message = {.type = RELAY_LOGIN, .req = 2};
    struct core_client client;
    struct core_rig rig;
    struct signet_buf bytes = {0};

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, alice, "alice");
    core_client_close(&client);
    core_client_open(&client, &rig, 0);
    CHECK_OK(signet_login_sign(alice, &client.hop, &client.sent));
    message.proof = signet_buf_span(&client.sent);
    CHECK_OK(relay_message_write(&message, &bytes));
    message = (struct relay_message){.type = RELAY_SUBSCRIBE, .req = 3};
    CHECK_OK(relay_message_write(&message, &bytes));
    core_client_send_bytes(&client, signet_buf_span(&bytes));
    CHECK(core_client_next(&client).type == RELAY_WELCOME);
    CHECK(core_client_next(&client).type == RELAY_DONE);
    CHECK(core_client_next(&client).type == RELAY_DRAINED);
    signet_buf_free(&bytes);
    core_client_close(&client);
    core_rig_close(&rig);
}

/* Each of them, also those behind a login that the store has refused. */
static void messages_packed_behind_a_refused_login_wait_for_it(void **state)
{
    const struct signet_account *accounts[] = {bob, alice}; /* bob is not registered */
    struct relay_message message = {.type = RELAY_SUBSCRIBE, .req = 3};
    struct core_client client;
    struct core_rig rig;
    struct signet_buf bytes = {0};

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, alice, "alice");
    core_client_close(&client);
    core_client_open(&client, &rig, 0);
    for (size_t i = 0; i < 2; i++) {
        struct relay_message login = {.type = RELAY_LOGIN, .req = i + 1};

        signet_buf_truncate(&client.sent, 0);
        CHECK_OK(signet_login_sign(accounts[i], &client.hop, &client.sent));
        login.proof = signet_buf_span(&client.sent);
        CHECK_OK(relay_message_write(&login, &bytes));
    }
    CHECK_OK(relay_message_write(&message, &bytes));
    core_client_send_bytes(&client, signet_buf_span(&bytes));
    CHECK(core_client_next(&client).code == RELAY_CODE_NOT_REGISTERED);
    CHECK(core_client_next(&client).type == RELAY_WELCOME);
    CHECK(core_client_next(&client).type == RELAY_DONE);
    CHECK(core_client_next(&client).type == RELAY_DRAINED);
    signet_buf_free(&bytes);
    core_client_close(&client);
    core_rig_close(&rig);
}

/* A connection that ends while it logs in leaves no route behind: what is put waits. */
static void a_connection_that_ends_while_logging_in_is_forgotten(void **state)
{
    struct relay_message message = {.type = RELAY_LOGIN, .req = 1};
    struct core_client client, sender;
    struct core_output output;
    struct core_rig rig;
    struct signet_buf bytes = {0};

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&sender, &rig, 1);
    core_client_join(&sender, bob, "bob");
    core_client_open(&client, &rig, 0);
    core_client_join(&client, alice, "alice");
    core_client_close(&client);
    for (size_t steps = 0; steps < 3; steps++) {
        core_client_open(&client, &rig, 0);
        signet_buf_truncate(&bytes, 0);
        CHECK_OK(signet_login_sign(alice, &client.hop, &client.sent));
        message.proof = signet_buf_span(&client.sent);
        CHECK_OK(relay_message_write(&message, &bytes));
        core_receive(rig.cores[0], client.conn, signet_buf_span(&bytes));
        CHECK(core_next_output(rig.cores[0], &output));
        CHECK(output.is_changed && output.is_paused); /* until it is known who it is */
        for (size_t i = 0; i < steps; i++)
            core_rig_step(&rig); /* first the card is found, then the route is claimed */
        core_client_close(&client);
        core_rig_turn(&rig);
        CHECK(core_in_flight(rig.cores[0]) == 0);
        CHECK(core_client_put(&sender, signet_account_device(alice), signet_span_str("x")) == 0);
        CHECK(rig.deliveries == 0);
    }
    signet_buf_free(&bytes);
    core_client_close(&sender);
    core_rig_close(&rig);
}

/* Nobody waits for a second before login: the connection ends with the refusal. */
static void login_attempts_are_limited(void **state)
{
    struct core_client client;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    rig.config.rates.login = (struct rate_limit){.per_second = 1, .burst = 2};
    core_rig_configure(&rig);
    core_client_open(&client, &rig, 0);
    CHECK(core_client_login(&client, alice) == RELAY_CODE_NOT_REGISTERED);
    core_rig_wait(&rig, 1000);
    CHECK(core_client_login(&client, alice) == RELAY_CODE_NOT_REGISTERED);
    CHECK(core_client_login(&client, alice) == RELAY_CODE_NOT_REGISTERED);
    CHECK(core_client_login(&client, alice) == RELAY_CODE_OFTEN);
    CHECK(client.conn == NULL && client.close_code == 1008);
    core_client_close(&client);
    core_rig_close(&rig);
}

/* Memory before login (Prosody CVE-2026-43506): a frame full of logins is not answered one by one,
 * whether their rate is limited or not. */
static void a_frame_full_of_logins_costs_a_few_refusals(void **state)
{
    static const uint8_t login[] = {0x83, 0x02, 0x01, 0x41, 0x00};
    struct signet_buf frame = {0};
    struct core_client client;
    struct core_rig rig;

    (void)state;
    while (frame.len + sizeof(login) <= RELAY_MESSAGE_MAX_BEFORE)
        CHECK_OK(signet_buf_append(&frame, signet_span_of(login, sizeof(login))));
    core_rig_open(&rig, library);
    for (uint32_t per_second = 0; per_second < 2; per_second++) {
        rig.config.rates.login = (struct rate_limit){.per_second = per_second, .burst = 2};
        core_rig_configure(&rig);
        core_client_open(&client, &rig, 0);
        core_client_send_bytes(&client, signet_buf_span(&frame));
        CHECK(client.conn == NULL && client.close_code == 1008);
        CHECK(client.inbox.len < 256);
        core_client_close(&client);
    }
    signet_buf_free(&frame);
    core_rig_close(&rig);
}

TEST_FILE(core_login)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_welcome_tells_time_list_and_bundle),
        cmocka_unit_test(a_login_proof_serves_nowhere_else),
        cmocka_unit_test(a_login_proof_is_refused_on_a_second_connection),
        cmocka_unit_test(proofs_of_another_purpose_are_refused),
        cmocka_unit_test(a_newer_login_ends_the_older_one),
        cmocka_unit_test(a_login_that_is_lost_ends_the_older_one),
        cmocka_unit_test(before_login_everything_else_is_refused),
        cmocka_unit_test(a_second_login_on_a_connection_is_refused),
        cmocka_unit_test(malformed_messages_end_their_connection_only),
        cmocka_unit_test(messages_packed_behind_a_login_wait_for_it),
        cmocka_unit_test(messages_packed_behind_a_refused_login_wait_for_it),
        cmocka_unit_test(a_connection_that_ends_while_logging_in_is_forgotten),
        cmocka_unit_test(login_attempts_are_limited),
        cmocka_unit_test(a_frame_full_of_logins_costs_a_few_refusals),
    };

    return cmocka_run_group_tests(tests, core_accounts_make, core_accounts_free);
}
